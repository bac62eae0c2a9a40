/*
 * Programs as they are found in the field: `field VERB` is one of them. It is
 * not linked with the library, which is preloaded.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ----------------------------------------------------------------- too early
 */

static void *first;

/* Runs before every library's constructor, the C library's included, which has
 * no environment yet. */
static void allocate_first(void)
{
    first = malloc(100);
}

__attribute__((section(".preinit_array"),
               used)) static void (*const begin)(void) = allocate_first;

/* ------------------------------------------------------------ without a pool
 */

enum { THREADS = 2, BLOCKS = 200 };

static atomic_int ready;
static void *got[THREADS][BLOCKS];

static void *take(void *number)
{
    void **mine = got[(uintptr_t)number];
    atomic_fetch_add(&ready, 1);
    while (ready < THREADS) {
    }
    for (int i = 0; i < BLOCKS; i++) {
        mine[i] = malloc(1);
    }
    return NULL;
}

/* How many blocks two threads both got. */
static int show_shared(void)
{
    pthread_t thread;
    int same = 0;
    pthread_create(&thread, NULL, take, (void *)1);
    take((void *)0);
    pthread_join(thread, NULL);
    for (int i = 0; i < BLOCKS; i++) {
        for (int k = 0; k < BLOCKS; k++) {
            same += got[0][i] != NULL && got[0][i] == got[1][k];
        }
    }
    printf("%d\n", same);
    return 0;
}

/* --------------------------------------------------------------- descriptors
 */

/* Has a file of its own at every descriptor by the end. */
static int write_precious(const char *path)
{
    close_range(2, ~0U, 0);
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    for (int i = 0; i < 1100; i++) {
        if (dup(file) < 0) {
            break;
        }
    }
    return write(file, "data\n", 5) == 5 ? 0 : 1;
}

/* -------------------------------------------------------------------- places
 */

/* A plugin that looks for its names in what it needs itself before all others,
 * and that is found by its bare name in this program's own search path. */
static int swap_with_plugin(const char *name)
{
    void *plugin = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (plugin == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    char *(*swap)(char *);
    *(void **)&swap = dlsym(plugin, "plugin_swap");
    char *text = swap(malloc(100));
    puts(text);
    free(text);
    return 0;
}

/* How far the C library and this program are from a block. */
static int show_distances(void)
{
    uintptr_t block = (uintptr_t)malloc(100);
    uintptr_t library = (uintptr_t)dlsym(RTLD_DEFAULT, "puts");
    printf("%lx %lx\n", (unsigned long)(library - block),
           (unsigned long)((uintptr_t)&got - block));
    return 0;
}

/* What can be touched right before and right behind the block's mapping. */
static int show_neighbours(void)
{
    char line[300];
    char rights[5];
    char last[5] = "none";
    unsigned long start;
    unsigned long end;
    unsigned long last_end = 0;
    bool behind = false;
    uintptr_t block = (uintptr_t)malloc(100);
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL &&
           sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3) {
        if (behind) {
            printf("%s %s\n", last, start == last_end ? rights : "none");
            return 0;
        }
        behind = block >= start && block < end;
        if (!behind) {
            memcpy(last, rights, sizeof last);
        } else if (start != last_end) {
            memcpy(last, "none", sizeof last);
        }
        last_end = end;
    }
    return 1;
}

/* ------------------------------------------------------------------- outside
 */

/* Maps 64 MiB besides the pool, in one way or another. */
static int map_outside(const char *how)
{
    enum { SIZE = 64 << 20 };
    bool shared = strcmp(how, "shared") == 0;
    bool file = strcmp(how, "file") == 0;
    int memory = file ? memfd_create("the program's own", 0) : -1;
    if (file && ftruncate(memory, SIZE) != 0) {
        return 1;
    }
    char *own = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                     (shared || file ? MAP_SHARED : MAP_PRIVATE) |
                         (file ? 0 : MAP_ANONYMOUS),
                     memory, 0);
    if (own == MAP_FAILED) {
        return 1;
    }
    if (strcmp(how, "untouched") != 0) {
        memset(own, 1, SIZE);
    }
    if (strcmp(how, "unmapped") == 0) {
        munmap(own, SIZE);
    }
    return 0;
}

/* Uses as much of the pool, and gives it back. */
static int use_pool(void)
{
    enum { SIZE = 64 << 20 };
    char *block = malloc(SIZE);
    memset(block, 1, SIZE);
    first = block;
    free(first);
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "early") == 0) {
        return first == NULL;
    }
    if (strcmp(verb, "outside") == 0) {
        return map_outside(argv[2]);
    }
    if (strcmp(verb, "inside") == 0) {
        return use_pool();
    }
    if (strcmp(verb, "named") == 0) { /* NAME VERB */
        return execv("/proc/self/exe", argv + 2);
    }
    if (strcmp(verb, "shared") == 0) {
        return show_shared();
    }
    if (strcmp(verb, "distances") == 0) {
        return show_distances();
    }
    if (strcmp(verb, "neighbours") == 0) {
        return show_neighbours();
    }
    if (strcmp(verb, "deepbind") == 0) {
        return swap_with_plugin(argv[2]);
    }
    return strcmp(verb, "precious") == 0 ? write_precious(argv[2]) : 2;
}
