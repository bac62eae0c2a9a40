/*
 * The pool: bytes and pointers over the index, for one thread at a time. This
 * is the one place where sizes become counts, and pointers granules.
 */
#ifndef BITFIT_POOL_H
#define BITFIT_POOL_H

#include "index.h"

/* Whether a call is inside, and whether it took the lock to get there. */
typedef enum bf_state { BF_IDLE, BF_ELIDED, BF_LOCKED } bf_state;

/* Behind it lie the lock, the misuse handler if there is one, and the index.
 * Small matters: it is a tenth of a 1 KiB pool. All counts are granules. */
struct bitfit_pool {
    unsigned char *payload;
    bf_index index;
    size_t live;
    size_t high_water;
    size_t peak_live;
    size_t largest_block;
    uint64_t allocations; /* blocks live: allocations - frees */
    uint64_t frees;
    uint64_t reallocations;
    uint64_t failures;
    uint8_t granule_shift;
    uint8_t lock_kind;
    uint8_t state; /* a bf_state; written by the lock's holder only */
    bool resize_moves;
    bool zeroed; /* the payload above the high-water mark is all zero bytes */
    bool has_handler;
};

/* What a pointer that is no block's start is instead. */
int bf_crime_of(bitfit_pool *pool, const void *ptr);

/* ------------------------------------------------------------- conversions */

BF_INLINE size_t bf_bytes_of(const bitfit_pool *pool, size_t granules)
{
    return granules << pool->granule_shift;
}

BF_INLINE size_t bf_capacity_of(const bitfit_pool *pool)
{
    return bf_bytes_of(pool, pool->index.runs.granules);
}

/* Granules for `size` bytes, at least one; nothing can overflow. */
BF_INLINE size_t bf_count_for(const bitfit_pool *pool, size_t size)
{
    size_t last_byte = size - (size != 0);
    return (last_byte >> pool->granule_shift) + 1;
}

BF_INLINE void *bf_pointer_to(const bitfit_pool *pool, size_t granule)
{
    return pool->payload + bf_bytes_of(pool, granule);
}

/* The offset of a pointer from the payload; beyond the capacity if outside. */
BF_INLINE size_t bf_offset_of(const bitfit_pool *pool, const void *ptr)
{
    return (size_t)((uintptr_t)ptr - (uintptr_t)pool->payload);
}

/* The granule at `ptr`; beyond the last one if none starts there. Rotated, so
 * that what lies off the granule makes the number too large. */
BF_INLINE size_t bf_granule_of(const bitfit_pool *pool, const void *ptr)
{
    return bf_rotate(bf_offset_of(pool, ptr), pool->granule_shift);
}

/* The granule at which the block at `ptr` starts; BF_NONE if none does. */
BF_INLINE size_t bf_block_at(const bitfit_pool *pool, const void *ptr)
{
    size_t granule = bf_granule_of(pool, ptr);
    bool ok = granule < pool->index.runs.granules &&
              bf_index_is_block(&pool->index, granule);
    return BF_LIKELY(ok) ? granule : BF_NONE;
}

/* ---------------------------------------------------------------- counting */

BF_INLINE void bf_raise_to(size_t *mark, size_t value)
{
    if (BF_UNLIKELY(value > *mark)) {
        *mark = value;
    }
}

/* [start, start + count) is a block now, `more` granules of it newly so. */
BF_INLINE void bf_count_live(bitfit_pool *pool, size_t start, size_t count,
                             size_t more)
{
    pool->live += more;
    bf_raise_to(&pool->peak_live, pool->live);
    bf_raise_to(&pool->high_water, start + count);
    bf_raise_to(&pool->largest_block, count);
}

/* ---------------------------------------------------------------- requests */

/* A block of `count` granules; NULL if there is no place for it. */
BF_INLINE void *bf_take(bitfit_pool *pool, size_t count)
{
    size_t start = bf_index_alloc(&pool->index, count);
    if (BF_UNLIKELY(start == BF_NONE)) {
        return NULL;
    }
    bf_count_live(pool, start, count, count);
    return bf_pointer_to(pool, start);
}

BF_INLINE void *bf_count_request(bitfit_pool *pool, void *block)
{
    if (BF_LIKELY(block != NULL)) {
        pool->allocations++;
    } else {
        pool->failures++;
    }
    return block;
}

BF_INLINE void *bf_pool_alloc(bitfit_pool *pool, size_t size)
{
    return bf_count_request(pool, bf_take(pool, bf_count_for(pool, size)));
}

BF_INLINE void bf_release(bitfit_pool *pool, size_t granule)
{
    pool->live -= bf_index_free(&pool->index, granule);
}

BF_INLINE int bf_pool_free(bitfit_pool *pool, void *ptr)
{
    size_t granule = bf_granule_of(pool, ptr);
    bool ok = granule < pool->index.runs.granules &&
              bf_runs_is_block(&pool->index.runs, granule);
    size_t count = BF_LIKELY(ok) ? bf_index_free(&pool->index, granule) : 0;
    if (BF_UNLIKELY(count == 0)) {
        return bf_crime_of(pool, ptr);
    }
    pool->live -= count;
    pool->frees++;
    return 0;
}

/* The other requests: as their public namesakes. */
void *bf_pool_calloc(bitfit_pool *pool, size_t count, size_t size);
void *bf_pool_aligned_alloc(bitfit_pool *pool, size_t alignment, size_t size);

/* The rest say what is wrong with the pointer, before anything changes; 0 if
 * it is the start of a live block. */
int bf_pool_free_sized(bitfit_pool *pool, void *ptr, size_t size);
int bf_pool_realloc(bitfit_pool *pool, void *ptr, size_t size, void **result);
int bf_pool_usable_size(bitfit_pool *pool, const void *ptr, size_t *size);

size_t bf_pool_good_size(const bitfit_pool *pool, size_t size);
bool bf_pool_owns(const bitfit_pool *pool, const void *ptr);
size_t bf_pool_blocks(const bitfit_pool *pool);
void bf_pool_reset(bitfit_pool *pool);

/* What a map holds now, in granules. */
typedef struct bf_census {
    size_t live;
    size_t blocks;
    size_t longest_hole;
} bf_census;

/* These and the pool's own counters; all but the size of the bookkeeping, which
 * the pool does not know. */
void bf_pool_figures(const bitfit_pool *pool, const bf_census *census,
                     bitfit_stats *stats);
void bf_pool_stats(bitfit_pool *pool, bitfit_stats *stats);
bool bf_pool_walk(bitfit_pool *pool, bitfit_visitor *visit, void *context);
int bf_pool_check(bitfit_pool *pool);
size_t bf_pool_draw(bitfit_pool *pool, char *buffer, size_t size);

#endif
