/*
 * Some thousand calls in pools of a word to a few KiB, and where they led to:
 * what the small build has to put at the same places as the full one, on every
 * machine.
 */
#include <stdint.h>
#include <stdio.h>

#include "bitfit.h"

enum { GRANULE = 16, MOST = 256, SLOTS = 64, STEPS = 20000 };

static _Alignas(16) unsigned char memory[GRANULE * MOST + 512];
static int failed;

static void expect(bool holds, const char *what)
{
    if (!holds) {
        printf("FAILED: %s\n", what);
        failed = 1;
    }
}

static void count_misuse(const bitfit_misuse *misuse, void *context)
{
    (void)misuse;
    ++*(unsigned *)context;
}

static unsigned dice(unsigned bound)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 12) % bound;
}

/* A pool of so many granules, whatever the bookkeeping takes. */
static bitfit_pool *pool_of(size_t granules, unsigned *misuses)
{
    const bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE,
                                    .on_misuse = count_misuse,
                                    .misuse_context = misuses};
    for (size_t size = GRANULE; size <= sizeof memory; size += GRANULE) {
        bitfit_stats stats;
        bitfit_pool *pool = bitfit_init(memory, size, &options);
        if (pool != NULL) {
            bitfit_get_stats(pool, &stats);
            if (stats.capacity == GRANULE * granules) {
                return pool;
            }
        }
    }
    return NULL;
}

static bool find_payload(const bitfit_run *run, void *context)
{
    *(unsigned char **)context = run->start;
    return false;
}

/* Mostly small, now and then as large as the pool. */
static size_t random_size(size_t granules)
{
    return dice(20) == 0 ? dice((unsigned)granules * GRANULE + 99) : dice(99);
}

static void *random_step(bitfit_pool *pool, void *block, size_t granules)
{
    size_t size = random_size(granules);
    if (block == NULL) {
        return dice(2) == 0 ? bitfit_alloc(pool, size)
                            : bitfit_calloc(pool, 3, size / 3);
    }
    if (dice(3) == 0) {
        void *resized = bitfit_realloc(pool, block, size);
        return resized != NULL ? resized : block;
    }
    bitfit_free_sized(pool, block, bitfit_usable_size(pool, block));
    return NULL;
}

/* A hash over every place that was handed out. */
static uint32_t churn(bitfit_pool *pool, size_t granules)
{
    void *slots[SLOTS] = {NULL};
    unsigned char *payload = NULL;
    uint32_t hash = 2166136261u;
    (void)bitfit_walk(pool, find_payload, &payload);
    for (int step = 0; step < STEPS; step++) {
        void **slot = &slots[dice(SLOTS)];
        *slot = random_step(pool, *slot, granules);
        unsigned char *block = *slot;
        size_t place = block == NULL ? MOST : (size_t)(block - payload);
        hash = (hash ^ (uint32_t)place) * 16777619u;
    }
    return hash;
}

static void refuse_bad_pointers(bitfit_pool *pool, const unsigned *misuses)
{
    unsigned before = *misuses;
    unsigned char *block = bitfit_alloc(pool, 1);
    if (block == NULL) {
        return;
    }
    bitfit_free(pool, block + 1);
    bitfit_free(pool, memory + sizeof memory);
    bitfit_free_sized(pool, block, 17);
    bitfit_free(pool, block);
    bitfit_free(pool, block);
    expect(*misuses == before + 4, "four bad pointers are caught");
}

static void run(size_t granules)
{
    unsigned misuses = 0;
    char picture[65];
    bitfit_stats stats;
    bitfit_pool *pool = pool_of(granules, &misuses);
    if (pool == NULL) {
        expect(false, "there is a pool of every size");
        return;
    }
    uint32_t hash = churn(pool, granules);
    expect(misuses == 0 && bitfit_check(pool) == 0, "nothing was wrong");
    refuse_bad_pointers(pool, &misuses);
    bitfit_draw(pool, picture, sizeof picture);
    bitfit_get_stats(pool, &stats);
    printf("%3lu granules: places %08lx, %lu blocks, live %lu, peak %lu, high "
           "water %lu, largest hole %lu\n    %s\n",
           (unsigned long)granules, (unsigned long)hash,
           (unsigned long)bitfit_destroy(pool), (unsigned long)stats.live,
           (unsigned long)stats.peak_live, (unsigned long)stats.high_water,
           (unsigned long)stats.largest_free, picture);
}

int main(void)
{
    static const unsigned char granules[] = {1,  31, 32,  33, 60,
                                             64, 65, 128, 250};
    for (size_t i = 0; i < sizeof granules; i++) {
        run(granules[i]);
    }
    return failed;
}
