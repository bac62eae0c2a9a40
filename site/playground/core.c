/*
 * The core for the playground: a pool of 512 granules, and what a page needs to
 * drive it and to look inside. Compiled for wasm32 together with src/.
 */
#include "pool.h"

#define EXPORT(name) __attribute__((export_name(#name)))

enum { GRANULES = 512, GRANULE = 16 };

static _Alignas(64) unsigned char payload[GRANULES * GRANULE];
static _Alignas(64) unsigned char bookkeeping[2048];
static bitfit_pool *pool;
static const char *last_misuse;

/* A page reads these after survey(): start, granules, live, run after run. */
static uint32_t runs[3 * GRANULES];
static uint32_t run_count;

static void record(const bitfit_misuse *misuse, void *context)
{
    (void)context;
    last_misuse = bitfit_misuse_name(misuse->kind);
}

EXPORT(open) void open_pool(void)
{
    const bitfit_options options = {
        .bookkeeping = bookkeeping,
        .bookkeeping_size = sizeof bookkeeping,
        .on_misuse = record,
    };
    pool = bitfit_init(payload, sizeof payload, &options);
    last_misuse = NULL;
}

/* The offset of the block; -1 if it fits nowhere. */
EXPORT(alloc) int32_t alloc_block(uint32_t size)
{
    unsigned char *block = bitfit_alloc(pool, size);
    return block == NULL ? -1 : (int32_t)(block - payload);
}

/* Any offset will do, and gets what a pointer there would get. The name of the
 * misuse; NULL if it was none. */
EXPORT(free) const char *free_block(int32_t offset)
{
    last_misuse = NULL;
    bitfit_free(pool, (void *)((uintptr_t)payload + (uintptr_t)offset));
    return last_misuse;
}

/* ------------------------------------------------------------------- inside */

static bool note_run(const bitfit_run *run, void *context)
{
    uint32_t *at = &runs[3 * run_count++];
    (void)context;
    at[0] = (uint32_t)((unsigned char *)run->start - payload) / GRANULE;
    at[1] = (uint32_t)run->size / GRANULE;
    at[2] = run->live;
    return true;
}

/* Returns the number of runs. The walk also frees the block that waits, so that
 * the words below are what the map says. */
EXPORT(survey) uint32_t survey(void)
{
    run_count = 0;
    bitfit_walk(pool, note_run, NULL);
    return run_count;
}

EXPORT(runs) const uint32_t *runs_of(void)
{
    return runs;
}

EXPORT(word_free) uint32_t word_free(uint32_t word)
{
    return (uint32_t)pool->fit.map.pairs[word].free;
}

EXPORT(word_start) uint32_t word_start(uint32_t word)
{
    return (uint32_t)pool->fit.map.pairs[word].start;
}

EXPORT(word_entry) uint32_t word_entry(uint32_t word)
{
    const bf_tree *tree = (bf_tree *)(void *)pool->fit.map.pairs - 1;
    return tree->leaves[word];
}

EXPORT(high_water) uint32_t high_water(void)
{
    return (uint32_t)pool->high_water;
}

EXPORT(check) int32_t check(void)
{
    return bitfit_check(pool);
}

EXPORT(version) const char *version(void)
{
    return bitfit_version();
}

/* ------------------------------------------ what a freestanding build lacks */

void *memset(void *to, int byte, size_t size)
{
    unsigned char *at = to;
    while (size-- > 0) {
        *at++ = (unsigned char)byte;
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *at = to;
    const unsigned char *source = from;
    while (size-- > 0) {
        *at++ = *source++;
    }
    return to;
}
