/*
 * The core's pace: how many steps it takes for what pools do often, a part for
 * each thing that an index or a short way is for. A step is a basic block, as
 * the compiler counts them. After each part its steps are printed.
 */
#include "reserved.h"

#include "bitfit_shared.h"

#include <stdio.h>
#include <string.h>

enum { MEMORY = 1 << 16, GRANULE = 8 };

static _Alignas(4096) unsigned char memory[MEMORY];
static unsigned long steps;
static uint64_t state = 1;

/* gcc calls it in each basic block that is compiled to be counted. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

static void say_steps(void)
{
    printf("%lu\n", steps);
    steps = 0;
}

static size_t random_below(size_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(state >> 33) % bound;
}

static void *take(bitfit_pool *pool, size_t count)
{
    void *block = bitfit_alloc(pool, count * GRANULE);
    if (block == NULL) {
        abort();
    }
    return block;
}

/* All is sound then, which is not counted. */
static void end_part(reserved *r)
{
    say_steps();
    if (bitfit_check(r->pool) != 0) {
        abort();
    }
    release_reserved(r);
    steps = 0;
}

/* ------------------------------------------------------------ short blocks */

/* Of a few granules, one after the other and by rows. */
static void play_rows(bitfit_pool *pool, size_t rounds)
{
    void *row[8];
    for (size_t i = 0; i < rounds; i++) {
        bitfit_free(pool, take(pool, i % 12 + 1));
        for (size_t k = 0; k < 8; k++) {
            row[k] = take(pool, (i + k) % 9 + 1);
        }
        for (size_t k = 0; k < 8; k++) {
            bitfit_free(pool, row[i % 2 == 0 ? k : 7 - k]);
        }
    }
}

/* In a pool without a tree, also where its first words are full; in one with a
 * tree. */
static void pace_rows(void)
{
    bitfit_options options = {.granule = GRANULE};
    bitfit_pool *pool = bitfit_init(memory, 2048, &options);
    play_rows(pool, 1000);
    say_steps();
    take(pool, 140);
    play_rows(pool, 1000);
    say_steps();
    play_rows(bitfit_init(memory, MEMORY, &options), 1000);
    say_steps();
}

/* As many granules as 32 bits tell have the short ways, too. */
static void pace_most(void)
{
    reserved r;
    open_reserved(&r, UINT32_MAX);
    play_rows(r.pool, 300);
    release_reserved(&r);
    say_steps();
}

/* In a shared pool, in words that begin with many holes which are too short;
 * the alignment is one that each block has. */
static void pace_shared(void)
{
    enum { BLOCKS = 1024 };
    void *blocks[BLOCKS];
    bitfit_options options = {.granule = GRANULE};
    bitfit_pool *pool = bitfit_init_shared(memory, MEMORY, &options);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = take(pool, 1);
    }
    for (size_t i = 0; i < BLOCKS; i += 2) {
        bitfit_free(pool, blocks[i]);
    }
    for (size_t i = 63; i < BLOCKS; i += 64) {
        bitfit_free(pool, blocks[i]);
    }
    for (size_t i = 0; i < 300; i++) {
        void *block = bitfit_aligned_alloc(pool, GRANULE, (size_t)2 * GRANULE);
        bitfit_free(pool, block);
    }
    say_steps();
}

/* Word after word is filled: all requests but one in 64 begin where they are
 * served. */
static void pace_filling(void)
{
    enum { BLOCKS = 1 << 15 };
    static void *blocks[BLOCKS];
    reserved r;
    open_reserved(&r, BLOCKS + 4096);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = take(r.pool, 1);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        bitfit_free(r.pool, blocks[i]);
    }
    end_part(&r);
}

/* One hole in each word, and two in every second one: of 3 requests 2 find
 * nothing in the word where they begin, few enough to go on so. */
static void pace_misses(void)
{
    enum { WORDS = 1024 };
    static char *words[WORDS];
    reserved r;
    open_reserved(&r, (size_t)WORDS * 64);
    for (size_t i = 0; i < WORDS; i++) {
        words[i] = take(r.pool, 1);
        take(r.pool, 1);
        take(r.pool, 1);
        take(r.pool, 61);
    }
    for (size_t round = 0; round < 8; round++) {
        for (size_t i = 0; i < WORDS; i++) {
            bitfit_free(r.pool, words[i]);
            if (i % 2 == 0) {
                bitfit_free(r.pool, words[i] + (size_t)2 * GRANULE);
            }
        }
        for (size_t i = 0; i < WORDS + WORDS / 2; i++) {
            take(r.pool, 1);
        }
    }
    end_part(&r);
}

/* Random blocks of random lengths come and go in a pool that is nearly full. */
static void pace_churn(void)
{
    enum { GRANULES = 1 << 14, BLOCKS = 1 << 12 };
    static void *blocks[BLOCKS];
    reserved r;
    open_reserved(&r, GRANULES);
    for (size_t i = 0; i < 40000; i++) {
        void **one = &blocks[random_below(BLOCKS)];
        if (*one != NULL) {
            bitfit_free(r.pool, *one);
        }
        *one = bitfit_alloc(r.pool, (random_below(8) + 1) * GRANULE);
    }
    end_part(&r);
}

/* ------------------------------------------------------------- long blocks */

/* Blocks of `count` granules among others, in a tree of three rows. No shorter
 * ones were asked for. */
static void pace_long(size_t count)
{
    enum { BLOCKS = 64, ROUNDS = 500 };
    void *blocks[BLOCKS];
    reserved r;
    open_reserved(&r, (size_t)1 << 22);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = take(r.pool, count);
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        void **one = &blocks[i * 5 % BLOCKS];
        void **other = &blocks[(i * 5 + 2) % BLOCKS];
        bitfit_free(r.pool, *one);
        bitfit_free(r.pool, *other);
        *one = take(r.pool, count);
        *other = take(r.pool, count);
    }
    end_part(&r);
}

/* Holes of nearly a 16th of the pool, one granule less than what is asked for:
 * their counts tell it, so no map is looked at. */
static void pace_counts(void)
{
    enum { GRANULES = 1 << 18, HOLES = 15, LENGTH = GRANULES / 16 - 2 };
    void *blocks[HOLES];
    reserved r;
    open_reserved(&r, GRANULES);
    for (size_t i = 0; i < HOLES; i++) {
        blocks[i] = take(r.pool, LENGTH);
        take(r.pool, 2);
    }
    take(r.pool, GRANULES / 16);
    for (size_t i = 0; i < HOLES; i++) {
        bitfit_free(r.pool, blocks[i]);
    }
    for (size_t i = 0; i < 300; i++) {
        if (bitfit_alloc(r.pool, (LENGTH + 1) * GRANULE) != NULL) {
            abort();
        }
    }
    end_part(&r);
}

/* ------------------------------------------------------------------- pools */

static void pace_pools(void)
{
    bitfit_options options = {.granule = GRANULE, .zeroed = true};
    for (size_t i = 0; i < 100; i++) {
        memset(memory, 0, MEMORY / 2);
        if (bitfit_init(memory, MEMORY / 2, &options) == NULL) {
            abort();
        }
    }
    say_steps();
}

int main(void)
{
    static const size_t lengths[] = {64, 100, 255, 1000, INT16_MAX};
    pace_rows();
    pace_most();
    pace_shared();
    pace_filling();
    pace_misses();
    pace_churn();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        pace_long(lengths[i]);
    }
    pace_counts();
    pace_pools();
    return 0;
}
