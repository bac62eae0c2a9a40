#include "in_pool.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

enum { MEMORY_SIZE = 64 << 20 };

static alignas(max_align_t) unsigned char memory[MEMORY_SIZE];
static bitfit_pool *pool;

void *in_pool_malloc(size_t size)
{
    return bitfit_alloc(pool, size);
}

void *in_pool_calloc(size_t count, size_t size)
{
    return bitfit_calloc(pool, count, size);
}

void *in_pool_realloc(void *ptr, size_t size)
{
    return bitfit_realloc(pool, ptr, size);
}

void in_pool_free(void *ptr)
{
    bitfit_free(pool, ptr);
}

char *in_pool_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = bitfit_alloc(pool, size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

static void print(const in_pool_example *example, size_t size,
                  const char *error, const bitfit_stats *stats)
{
    printf("%s in %zu KiB: %s\n"
           "    at most %zu KiB live, %" PRIu64 " allocations, %" PRIu64
           " refused, %zu blocks left\n",
           example->name, size >> 10, error == NULL ? "done" : error,
           (stats->peak_live + 1023) >> 10, stats->allocations, stats->failures,
           stats->blocks);
}

/* Whether the run ended as it should: with `complaint`, or without any if that
 * is NULL. */
static bool run(const in_pool_example *example, size_t size,
                const char *complaint)
{
    bitfit_stats stats;
    pool = size <= MEMORY_SIZE ? bitfit_init(memory, size, NULL) : NULL;
    if (pool == NULL) {
        printf("%s: no pool of %zu bytes\n", example->name, size);
        return false;
    }
    const char *error = example->work(pool);
    bitfit_get_stats(pool, &stats);
    print(example, size, error, &stats);
    bool as_expected = complaint == NULL
                           ? error == NULL && stats.failures == 0
                           : error != NULL && stats.failures > 0 &&
                                 strcmp(error, complaint) == 0;
    bool may_stay =
        example->keeps_blocks || (complaint != NULL && example->loses_blocks);
    return as_expected && stats.allocations > 0 &&
           (stats.blocks == 0 || may_stay) && bitfit_check(pool) == 0;
}

static bool run_apart(const in_pool_example *example, size_t size,
                      const char *complaint)
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        bool good = run(example, size, complaint);
        fflush(stdout);
        _exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    bool good = waitpid(child, &status, 0) == child && status == 0;
    if (!good) {
        printf("%s in %zu KiB: FAILED (wait status %d)\n", example->name,
               size >> 10, status);
    }
    return good;
}

int in_pool_run(const in_pool_example *example)
{
    bool enough = run_apart(example, example->enough, NULL);
    bool too_small = run_apart(example, example->too_small, example->complaint);
    return enough && too_small ? EXIT_SUCCESS : EXIT_FAILURE;
}
