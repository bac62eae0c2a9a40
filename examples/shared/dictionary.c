/*
 * usage: dictionary FILE                   prints what it has
 *        dictionary FILE KEY [VALUE]       looks up a word, or writes it
 *        dictionary FILE --kill COUNT      kills so many processes that write
 *
 * A hash table in a file, which processes share. Any of them may be killed at
 * any moment: a key then has its old value or the new one, and no block is
 * lost.
 *
 * - An entry is one block, written in the *hand* and then swapped into its
 * cell. Who gets the lock after a death frees what the hand still has.
 * - The table has a robust mutex of its own: one slot must not be changed by
 * two at a time, and the pool's lock is held only inside each call.
 * - Keys stay; so a search may end at the first cell that is empty.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bitfit_shared.h>

enum { SIZE = 1 << 20, CELLS = 1024, WORKERS = 4, KEYS = 300 };

typedef struct dictionary {
    pthread_mutex_t lock;
    bitfit_link hand;
    bitfit_link cells[CELLS]; /* of entries: key, 0, value, 0 */
} dictionary;

static bitfit_pool *pool;
static dictionary *all;

static void fail(const char *what)
{
    fprintf(stderr, "dictionary: %s\n", what);
    exit(1);
}

/* ----------------------------------------------------------------- the lock */

static void make_lock(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&all->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

/* The cells are whole after a death. The hand is freed by whoever wants it. */
static void lock(void)
{
    if (pthread_mutex_lock(&all->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&all->lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&all->lock);
}

/* -------------------------------------------------------------- the entries */

static const char *key_of(bitfit_link entry)
{
    return bitfit_follow(pool, entry);
}

static const char *value_of(bitfit_link entry)
{
    const char *key = key_of(entry);
    return key + strlen(key) + 1;
}

/* The key's cell, or the empty one where it belongs; NULL if all are taken. */
static bitfit_link *cell_of(const char *key)
{
    uint32_t hash = 2166136261u;
    for (const char *at = key; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    for (unsigned i = 0; i < CELLS; i++) {
        bitfit_link *cell = &all->cells[(hash + i) % CELLS];
        if (*cell == 0 || strcmp(key_of(*cell), key) == 0)
            return cell;
    }
    return NULL;
}

/* False if there is no room. */
static bool put(const char *key, const char *value)
{
    size_t length = strlen(key) + 1;
    lock();
    bitfit_link *cell = cell_of(key);
    bitfit_free_from(pool, &all->hand); /* of one who died */
    bool made = cell != NULL &&
                bitfit_alloc_into(pool, length + strlen(value) + 1, &all->hand);
    if (made) {
        char *entry = bitfit_follow(pool, all->hand);
        memcpy(entry, key, length);
        strcpy(entry + length, value);
        bitfit_swap(pool, &all->hand, cell); /* from here on it is written */
        bitfit_free_from(pool, &all->hand);  /* the old entry */
    }
    unlock();
    return made;
}

static void print_one(const char *key)
{
    lock();
    const bitfit_link *cell = cell_of(key);
    if (cell != NULL && *cell != 0)
        puts(value_of(*cell));
    unlock();
}

static void print_all(void)
{
    lock();
    for (unsigned i = 0; i < CELLS; i++) {
        if (all->cells[i] != 0)
            printf("%s %s\n", key_of(all->cells[i]), value_of(all->cells[i]));
    }
    unlock();
}

/* ----------------------------------------------------------------- the file */

/* The first to come knows that nobody else has the file open: then both locks
 * are made anew. The file's own lock is kept as long as the process lives, or
 * its children. */
static void open_file(const char *path)
{
    bitfit_status status;
    int file = open(path, O_RDWR | O_CREAT, 0600);
    bool first = file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0;
    if (!first && flock(file, LOCK_SH) != 0)
        fail("there is no such file");
    void *memory =
        ftruncate(file, SIZE) != 0
            ? MAP_FAILED
            : mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        fail("it cannot be mapped");
    pool = bitfit_attach(memory, SIZE, first, &status);
    if (first && status == BITFIT_NO_POOL)
        pool = bitfit_init_shared(memory, SIZE, NULL);
    if (pool == NULL)
        fail(bitfit_status_text(status));
    bitfit_link *root = bitfit_root(pool, 0);
    if (*root == 0 && !bitfit_calloc_into(pool, 1, sizeof *all, root))
        fail("there is no room for the cells");
    all = bitfit_follow(pool, *root);
    if (first) {
        make_lock();
        flock(file, LOCK_SH);
    }
}

/* ---------------------------------------------------------------- the kills */

/* A value is one letter, as often as its key's number says. */
static void write_for_ever(unsigned dice)
{
    for (;;) {
        char key[16];
        char value[KEYS + 2];
        dice = dice * 1664525u + 1013904223u;
        unsigned number = (dice >> 8) % KEYS;
        snprintf(key, sizeof key, "k%u", number);
        memset(value, 'a' + (int)((dice >> 20) % 26), sizeof value);
        value[number + 1] = '\0';
        if (!put(key, value))
            _exit(1);
    }
}

static pid_t start(unsigned dice)
{
    pid_t worker = fork();
    if (worker == 0)
        write_for_ever(dice);
    return worker;
}

static bool is_whole(bitfit_link entry)
{
    const char *value = value_of(entry);
    size_t length = strtoul(key_of(entry) + 1, NULL, 10) + 1;
    return strlen(value) == length &&
           strspn(value, (char[]){*value, '\0'}) == length;
}

/* Prints what the kills left. False if anything is lost or torn. */
static bool is_sound(void)
{
    size_t entries = 0;
    size_t torn = 0;
    bitfit_stats stats;
    lock();
    bitfit_free_from(pool, &all->hand);
    for (unsigned i = 0; i < CELLS; i++) {
        entries += all->cells[i] != 0;
        torn += all->cells[i] != 0 && !is_whole(all->cells[i]);
    }
    unlock();
    bitfit_get_stats(pool, &stats);
    size_t lost = stats.blocks - 1 - entries; /* the cells are one */
    int broken = bitfit_check(pool);
    printf("%zu entries, %zu torn, %zu blocks lost, check %d\n", entries, torn,
           lost, broken);
    return entries > 0 && torn == 0 && lost == 0 && broken == 0;
}

static bool kill_many(unsigned count)
{
    pid_t workers[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++)
        workers[i] = start(i);
    for (unsigned i = 0; i < count + WORKERS; i++) {
        int how;
        pid_t *worker = &workers[i % WORKERS];
        usleep(300);
        kill(*worker, SIGKILL);
        if (waitpid(*worker, &how, 0) != *worker || !WIFSIGNALED(how))
            fail("there was no room, or a writer ended by itself");
        if (i < count)
            *worker = start(i + WORKERS);
    }
    return is_sound();
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fputs("usage: dictionary FILE [KEY [VALUE] | --kill COUNT]\n", stderr);
        return 2;
    }
    open_file(argv[1]);
    if (argc == 2) {
        print_all();
    } else if (argc == 3) {
        print_one(argv[2]);
    } else if (strcmp(argv[2], "--kill") == 0) {
        return kill_many((unsigned)strtoul(argv[3], NULL, 10)) ? 0 : 1;
    } else if (!put(argv[2], argv[3])) {
        fail("there is no room");
    }
    return 0;
}
