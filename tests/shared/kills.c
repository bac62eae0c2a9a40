/*
 * usage: kills COUNT FILE [SIZE]
 * Four processes share a pool in FILE, each at an address of its own. They
 * allocate, fill, swap, resize, move and free. Each has a timer, which sends it
 * SIGKILL at a random moment; another takes its place. After every 50 kills all
 * are killed, the file is mapped elsewhere and audited: the pool is sound, its
 * blocks are exactly those that slots lead to, and every block has its content.
 */
#define _GNU_SOURCE
#include "bitfit_shared.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 4, CELLS = 24, ROUND = 50, LIFE = 1500 /* us */ };
enum { LINKS_MOST = WORKERS * (CELLS + 1) + 1 };

/* Each worker's own slots, and how often it went round. */
typedef struct corner {
    bitfit_link hand;
    bitfit_link cells[CELLS];
    uint64_t rounds;
} corner;

typedef struct directory {
    corner corners[WORKERS];
} directory;

/* A block of the test: words that its seed tells. */
typedef struct item {
    uint64_t words;
    uint64_t seed;
    uint64_t data[];
} item;

static int file;
static size_t size = 1 << 20;
static uint64_t state;

static uint64_t dice(uint64_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % bound;
}

static void *map_somewhere(void)
{
    uintptr_t hint = UINTPTR_MAX > UINT32_MAX
                         ? (uintptr_t)((UINT64_C(0x2000) + dice(4096)) << 32)
                         : 0;
    void *memory =
        mmap((void *)hint, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(9);
    }
    return memory;
}

static directory *directory_of(bitfit_pool *pool)
{
    return bitfit_follow(pool, *bitfit_root(pool, 0));
}

/* ----------------------------------------------------------------- a worker */

static size_t some_size(void)
{
    uint64_t kind = dice(100);
    uint64_t most = kind < 70 ? 500 : kind < 95 ? 5000 : 40000;
    return (size_t)(16 + dice(most)) & ~(size_t)7;
}

static size_t checked_words(const item *it)
{
    return it->words < CELLS ? (size_t)it->words : CELLS;
}

static void fill(item *it, size_t bytes)
{
    it->words = bytes / 8 - 2;
    it->seed = dice(UINT64_MAX);
    for (size_t i = 0; i < checked_words(it); i++) {
        it->data[i] = it->seed * (i + 1);
    }
}

/* Fills a block in the hand and hangs it into the cell; frees the old one. */
static void replace(bitfit_pool *pool, corner *mine, bitfit_link *cell)
{
    size_t bytes = some_size();
    bool made = dice(3) == 0
                    ? bitfit_aligned_alloc_into(pool, (size_t)64 << dice(6),
                                                bytes, &mine->hand)
                    : bitfit_alloc_into(pool, bytes, &mine->hand);
    if (made) {
        fill(bitfit_follow(pool, mine->hand), bytes);
        bitfit_swap(pool, &mine->hand, cell);
        bitfit_free_from(pool, &mine->hand);
    }
}

static void resize(bitfit_pool *pool, bitfit_link *cell)
{
    const item *it = bitfit_follow(pool, *cell);
    if (it != NULL) {
        size_t need = (size_t)(it->words + 2) * 8;
        bitfit_realloc_in(pool, cell, need + (size_t)dice(2000));
    }
}

static void work_once(bitfit_pool *pool, corner *mine)
{
    bitfit_link *cell = &mine->cells[dice(CELLS)];
    switch (dice(8)) {
    case 0:
        bitfit_free_from(pool, cell);
        break;
    case 1:
        if (*cell == 0) {
            bitfit_calloc_into(pool, 1, some_size(), cell);
        }
        break;
    case 2:
    case 3:
        resize(pool, cell);
        break;
    case 4: /* an ordinary block, which is gone again */
        bitfit_free(pool, bitfit_alloc(pool, 0));
        break;
    default:
        replace(pool, mine, cell);
        break;
    }
    mine->rounds++;
}

/* Most live for a moment, and some so long that the others run beside them. */
static void end_soon(void)
{
    struct sigevent kill_me = {.sigev_notify = SIGEV_SIGNAL,
                               .sigev_signo = SIGKILL};
    long life = (long)(5000 + dice(LIFE * 1000)) << (dice(8) == 0 ? 2 : 0);
    struct itimerspec once = {.it_value = {0, life}};
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &kill_me, &timer) != 0 ||
        timer_settime(timer, 0, &once, NULL) != 0) {
        perror("timer");
        _exit(3);
    }
}

static void work(int me)
{
    end_soon(); /* the attach and its repair are killed as well */
    bitfit_status status;
    bitfit_pool *pool = bitfit_attach(map_somewhere(), size, false, &status);
    if (pool == NULL) {
        fprintf(stderr, "attach: %s\n", bitfit_status_text(status));
        _exit(3);
    }
    corner *mine = &directory_of(pool)->corners[me];
    bitfit_free_from(pool, &mine->hand); /* the dead one's */
    for (;;) {
        work_once(pool, mine);
    }
}

static pid_t start(int me)
{
    fflush(stdout);
    uint64_t seed = dice(UINT64_MAX);
    pid_t child = fork();
    if (child == 0) {
        state = seed | 1;
        work(me);
    }
    return child;
}

static bool was_killed(int how)
{
    return WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL;
}

/* -------------------------------------------------------------------- audit */

typedef struct audit {
    bitfit_link links[LINKS_MOST];
    bool met[LINKS_MOST];
    size_t count;
    size_t
        leaked;  /* blocks that no slot leads to, but for one of each worker */
    size_t lost; /* slots that lead to no block */
    size_t rotten; /* blocks with a wrong content */
} audit;

static void note(audit *a, bitfit_link link)
{
    if (link != 0) {
        a->links[a->count++] = link;
    }
}

static bool meet(bitfit_link block, size_t bytes, void *context)
{
    audit *a = context;
    for (size_t i = 0; i < a->count; i++) {
        if (a->links[i] == block && !a->met[i]) {
            a->met[i] = true;
            return true;
        }
    }
    /* One granule: an ordinary block, whose owner died with its address. */
    a->leaked += bytes > 16;
    return bytes > 16;
}

static bool has_content(const item *it)
{
    for (size_t i = 0; i < checked_words(it); i++) {
        if (it->data[i] != it->seed * (i + 1)) {
            return false;
        }
    }
    return true;
}

static bool is_sound(bitfit_pool *pool)
{
    audit a = {.count = 0};
    directory *all = directory_of(pool);
    int broken = bitfit_check(pool);
    note(&a, *bitfit_root(pool, 0));
    for (int i = 0; i < WORKERS; i++) {
        note(&a, all->corners[i].hand);
        for (int k = 0; k < CELLS; k++) {
            bitfit_link link = all->corners[i].cells[k];
            note(&a, link);
            a.rotten += link != 0 && !has_content(bitfit_follow(pool, link));
        }
    }
    bitfit_sweep(pool, meet, &a);
    for (size_t i = 0; i < a.count; i++) {
        a.lost += !a.met[i];
    }
    if (broken != 0 || a.leaked != 0 || a.lost != 0 || a.rotten != 0) {
        printf("check %d, leaked %zu, lost %zu, rotten %zu\n", broken, a.leaked,
               a.lost, a.rotten);
        return false;
    }
    return true;
}

/* ---------------------------------------------------------------- the kills */

static pid_t workers[WORKERS];
static bitfit_pool *pool;

/* Ends all workers and audits; every fourth time as after a restart. */
static bool end_all_and_audit(size_t audits)
{
    for (int i = 0; i < WORKERS; i++) {
        int how;
        kill(workers[i], SIGKILL);
        if (waitpid(workers[i], &how, 0) != workers[i] || !was_killed(how)) {
            return false;
        }
    }
    munmap((void *)pool, size);
    bitfit_status status;
    pool = bitfit_attach(map_somewhere(), size, audits % 4 == 3, &status);
    if (pool == NULL) {
        printf("attach: %s\n", bitfit_status_text(status));
        return false;
    }
    return is_sound(pool);
}

static void start_all(void)
{
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = start(i);
    }
}

/* Waits until a worker was killed, and starts another in its place. */
static bool replace_killed(void)
{
    int how;
    pid_t dead = wait(&how);
    for (int i = 0; i < WORKERS; i++) {
        if (workers[i] == dead && was_killed(how)) {
            workers[i] = start(i);
            return true;
        }
    }
    printf("a worker ended by itself\n");
    return false;
}

static bool kill_at_random(size_t kills, size_t *audits)
{
    start_all();
    for (size_t n = 1; n <= kills; n++) {
        if (!replace_killed()) {
            return false;
        }
        if (n % ROUND == 0) {
            if (!end_all_and_audit((*audits)++)) {
                return false;
            }
            start_all();
        }
    }
    return end_all_and_audit((*audits)++);
}

static void open_file(const char *path)
{
    file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ftruncate(file, (off_t)size) != 0) {
        perror(path);
        exit(2);
    }
    pool = bitfit_init_shared(map_somewhere(), size, NULL);
    if (pool == NULL ||
        !bitfit_calloc_into(pool, 1, sizeof(directory), bitfit_root(pool, 0))) {
        printf("no pool\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    size_t audits = 0;
    if (argc < 3) {
        return 2;
    }
    size_t kills = strtoul(argv[1], NULL, 10);
    size = argc > 3 ? strtoul(argv[3], NULL, 10) : size;
    const char *seed = getenv("BITFIT_SEED");
    state = (seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL)) *
                UINT64_C(0x9E3779B97F4A7C15) |
            1;
    open_file(argv[2]);
    bool sound = kill_at_random(kills, &audits);
    if (pool == NULL) {
        return 1;
    }
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    printf("%zu kills, %" PRIu64 " of them in a change, %zu audits, %" PRIu64
           " allocations, %" PRIu64 " failures: %s\n",
           kills, bitfit_repairs(pool), audits, stats.allocations,
           stats.failures, sound ? "0 lost, 0 leaked" : "FAULTS");
    return sound ? 0 : 1;
}
