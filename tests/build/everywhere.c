/*
 * Does a bit of everything in one pool and prints where it led to. Every
 * machine, word size and build option has to print the same: placement is
 * deterministic. Needs no more than printf(), so that it runs on a board.
 */
#include <stdint.h>
#include <stdio.h>

#include "bitfit.h"

/* A machine with less memory has a smaller pool. */
#ifndef EVERYWHERE_GRANULES
#define EVERYWHERE_GRANULES 16384
#endif

enum { GRANULE = 16, GRANULES = EVERYWHERE_GRANULES };
enum { SLOTS = 512, STEPS = 40000, SMALL = GRANULES < 4096 ? 60 : 600 };
enum { ALIGNMENT = 64 };

#define POOL_SIZE ((size_t)GRANULE * GRANULES)
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static _Alignas(ALIGNMENT) unsigned char memory[GRANULE * GRANULES];
static _Alignas(
    ALIGNMENT) unsigned char bookkeeping[GRANULE * GRANULES / 32 + 256];
static bitfit_pool *pool;
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
    *(int *)context += (int)misuse->kind;
}

static unsigned dice(unsigned bound)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 12) % bound;
}

/* Mostly small, now and then as large as an eighth of the pool. */
static size_t random_size(void)
{
    return dice(40) == 0 ? dice((unsigned)POOL_SIZE / 8) : dice(SMALL);
}

static void *random_request(void)
{
    size_t size = random_size();
    unsigned kind = dice(3);
    if (kind == 0) {
        return bitfit_aligned_alloc(pool, (size_t)1 << dice(7), size);
    }
    return kind == 1 ? bitfit_calloc(pool, dice(9), size / 4)
                     : bitfit_alloc(pool, size);
}

static void *random_step(void *block)
{
    if (block == NULL) {
        return random_request();
    }
    if (dice(3) == 0) {
        void *resized = bitfit_realloc(pool, block, random_size());
        return resized != NULL ? resized : block;
    }
    bitfit_free(pool, block);
    return NULL;
}

/* Returns a hash over every place that was handed out. */
static uint32_t churn(void)
{
    static void *slots[SLOTS];
    uint32_t hash = 2166136261u;
    for (int step = 0; step < STEPS; step++) {
        void **slot = &slots[dice(SLOTS)];
        *slot = random_step(*slot);
        size_t place = *slot == NULL
                           ? GRANULES
                           : (size_t)((unsigned char *)*slot - memory);
        hash = (hash ^ (uint32_t)place) * 16777619u;
    }
    return hash;
}

/* Sizes and alignments that wrap around somewhere; none of them fits. */
static void refuse_too_large(void)
{
    static const size_t sizes[] = {
        POOL_SIZE + 1,          SIZE_MAX / 2 - 1,       SIZE_MAX / 2,
        SIZE_MAX / 2 + 1,       SIZE_MAX / GRANULE,     SIZE_MAX / GRANULE + 1,
        SIZE_MAX - 4096,        SIZE_MAX - 2 * GRANULE, SIZE_MAX - GRANULE,
        SIZE_MAX - GRANULE + 1, SIZE_MAX - 1,           SIZE_MAX};
    static const size_t alignments[] = {1, GRANULE, 4096, POOL_SIZE,
                                        SIZE_MAX / 2 + 1};
    void *block = bitfit_alloc(pool, 100);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        size_t size = sizes[i];
        expect(bitfit_alloc(pool, size) == NULL, "alloc refuses");
        expect(bitfit_calloc(pool, size, 1) == NULL, "calloc refuses");
        expect(bitfit_calloc(pool, 1, size) == NULL, "calloc refuses");
        expect(bitfit_calloc(pool, size, size) == NULL, "calloc refuses");
        expect(bitfit_realloc(pool, block, size) == NULL, "realloc refuses");
        expect(bitfit_good_size(pool, size) == 0, "no good size");
        for (size_t k = 0; k < LENGTH(alignments); k++) {
            expect(bitfit_aligned_alloc(pool, alignments[k], size) == NULL,
                   "aligned_alloc refuses");
        }
    }
    expect(bitfit_usable_size(pool, block) == 112, "the block is as before");
    bitfit_free(pool, block);
}

static void refuse_misuse(int *misuses)
{
    unsigned char *block = bitfit_alloc(pool, 40);
    bitfit_free(pool, block + 1);
    bitfit_free(pool, block + GRANULE);
    bitfit_free(pool, &failed);
    bitfit_free_sized(pool, block, 16);
    bitfit_free(pool, block);
    bitfit_free(pool, block);
    expect(*misuses == BITFIT_MISALIGNED + BITFIT_INTERIOR + BITFIT_FOREIGN +
                           BITFIT_WRONG_SIZE + BITFIT_DOUBLE_FREE,
           "five misuses");
}

static void refuse_bad_pools(void)
{
    bitfit_options bad = {.granule = 24};
    expect(bitfit_init(memory, 0, NULL) == NULL, "no memory");
    expect(bitfit_init(NULL, POOL_SIZE, NULL) == NULL, "NULL memory");
    expect(bitfit_init(memory + 1, 4096, NULL) == NULL, "misaligned memory");
    expect(bitfit_init(memory, SIZE_MAX, NULL) == NULL, "memory that wraps");
    expect(bitfit_init(memory, POOL_SIZE, &bad) == NULL, "a bad granule");
}

static void show(uint32_t hash)
{
    char picture[65];
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    bitfit_draw(pool, picture, sizeof picture);
    printf("%s\n", picture);
    printf("places %08lx, %lu blocks, %lu bytes live, high water %lu, largest "
           "hole %lu, %lu failures\n",
           (unsigned long)hash, (unsigned long)stats.blocks,
           (unsigned long)stats.live, (unsigned long)stats.high_water,
           (unsigned long)stats.largest_free, (unsigned long)stats.failures);
}

int main(void)
{
    int misuses = 0;
    bitfit_options options = {.granule = GRANULE,
                              .payload_alignment = ALIGNMENT,
                              .bookkeeping = bookkeeping,
                              .bookkeeping_size = sizeof bookkeeping,
                              .on_misuse = count_misuse,
                              .misuse_context = &misuses};
    refuse_bad_pools();
    pool = bitfit_init(memory, POOL_SIZE, &options);
    if (pool == NULL) {
        printf("FAILED: bitfit_init\n");
        return 1;
    }
    refuse_misuse(&misuses);
    refuse_too_large();
    uint32_t hash = churn();
    expect(bitfit_check(pool) == 0, "the bookkeeping is sound");
    show(hash);
    bitfit_destroy(pool);
    return failed;
}
