/*
 * usage: sharer FILE make SIZE ALIGNMENT
 *        sharer FILE free|root|lock
 *        sharer FILE hold|churn
 * Makes a shared pool with a block at each of three roots; dies in the midst of
 * freeing that of root 1, or of filling root 3; spoils the pool's lock; holds
 * it, or changes the pool, until standard input ends ("ready" is printed
 * before).
 */
#include "bitfit_shared.h"
#include "intent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t size;

/* At a multiple of what a payload here may want. */
static void *map_file(int file)
{
    enum { ALIGNMENT = 1 << 20 };
    uintptr_t room =
        (uintptr_t)mmap(NULL, size + ALIGNMENT, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    room = (room + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
    void *memory = mmap((void *)room, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_FIXED, file, 0);
    if (memory == MAP_FAILED)
        exit(1);
    return memory;
}

static int make(int file, const char *bytes, const char *alignment)
{
    const bitfit_options options = {.payload_alignment =
                                        strtoul(alignment, NULL, 10)};
    size = strtoul(bytes, NULL, 10);
    if (ftruncate(file, (off_t)size) != 0)
        return 1;
    bitfit_pool *pool = bitfit_init_shared(map_file(file), size, &options);
    bool made = pool != NULL;
    for (unsigned i = 0; made && i < 3; i++)
        made = bitfit_alloc_into(pool, 100 * (i + 1), bitfit_root(pool, i));
    return made ? 0 : 1;
}

/* ------------------------------------------------- in the midst of a change */

/* Root 1's block is the second: granules [7, 20), between two blocks. */
static const bf_intent intents[] = {
    {.op = BF_CHANGE,
     .targets[0] = {7, 7, 7, 20},
     .allocations = 3,
     .frees = 1},
    {.op = BF_CHANGE, .targets[0] = {39, 39, 40, 0}, .allocations = 4}};

static bool die_inside(const bitfit_run *run, void *context)
{
    (void)run;
    (void)context;
    kill(getpid(), SIGKILL);
    return true;
}

static int break_off(bitfit_pool *pool, bool freeing)
{
    bf_shared *shared = (bf_shared *)(void *)(pool + 1);
    bf_intent intent = intents[!freeing];
    unsigned root = freeing ? 1 : 3;
    intent.slots[0] = bitfit_link_to(pool, bitfit_root(pool, root));
    if (!freeing) {
        intent.targets[0].right = shared->granules;
        intent.values[0] = shared->payload + (uint64_t)39 * 16;
    }
    shared->intent = intent;
    bitfit_walk(pool, die_inside, NULL);
    return 1;
}

/* ------------------------------------------------------ until the input ends
 */

static bool wait_inside(const bitfit_run *run, void *context)
{
    (void)run;
    (void)context;
    return getchar() != EOF;
}

static void churn(bitfit_pool *pool)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    size_t bytes = 1;
    while (poll(&input, 1, 0) == 0) {
        for (int i = 0; i < 1000; i++) {
            bitfit_alloc_into(pool, bytes, bitfit_root(pool, 3));
            bytes = bytes * 7 % 4093 + 1;
            bitfit_free_from(pool, bitfit_root(pool, 3));
        }
    }
}

int main(int argc, char **argv)
{
    struct stat is;
    if (argc < 3)
        return 2;
    int file = open(argv[1], O_RDWR | O_CREAT, 0600);
    if (argc == 5)
        return make(file, argv[3], argv[4]);
    if (fstat(file, &is) != 0)
        return 1;
    size = (size_t)is.st_size;
    bitfit_pool *pool = bitfit_attach(map_file(file), size, false, NULL);
    if (pool == NULL)
        return 1;
    if (strcmp(argv[2], "free") == 0 || strcmp(argv[2], "root") == 0)
        return break_off(pool, strcmp(argv[2], "free") == 0);
    if (strcmp(argv[2], "lock") == 0) {
        bf_shared *shared = (bf_shared *)(void *)(pool + 1);
        memset(&shared->lock, 0xFF, sizeof shared->lock);
        return 0;
    }
    puts("ready");
    fflush(stdout);
    if (strcmp(argv[2], "hold") == 0)
        bitfit_walk(pool, wait_inside, NULL);
    else
        churn(pool);
    return 0;
}
