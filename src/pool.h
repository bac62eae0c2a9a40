/*
 * The pool: bytes and pointers over fit.h, for one thread at a time. Here sizes
 * become counts, and pointers granules.
 */
#ifndef BITFIT_POOL_H
#define BITFIT_POOL_H

#include "fit.h"

/* What stands for a bitfit_misuse_kind where all is well. */
enum { BF_NO_MISUSE = 0 };

/* Whether a call is inside, and whether it took the lock to get there. */
typedef enum bf_state { BF_IDLE, BF_ELIDED, BF_LOCKED } bf_state;

/* A lock kind that no options name: a mutex between processes (shared.h). */
#define BF_LOCK_SHARED ((bitfit_lock_kind)8)

/* In place of a lock kind: calls on blocks of memory do not serve the pool. */
enum { BF_NO_DOOR = BITFIT_LOCK_DEFAULT };

/* The door of a pool with guards, which calls in bitfit.c do not enter: guard.h
 * does. */
enum { BF_GUARDED = 4 };

/* Behind it lie the lock, the misuse handler and the guards' counter if there
 * are any, then tree and map. Its size matters: it is a tenth of a 1 KiB
 * pool. All counts are granules. */
struct bitfit_pool {
    unsigned char *payload;
    bf_fit fit;
    size_t room; /* peak_live less the live granules; if below 0, it wraps */
    size_t high_water;
    size_t peak_live;
    size_t largest_block;
    uint64_t allocations; /* blocks live: allocations - frees */
    uint64_t frees;
    uint64_t reallocations;
    uint64_t failures;
    uint8_t granule_shift;
    uint8_t lock_kind; /* a bitfit_lock_kind; BF_GUARDED is added to it */
    uint8_t door;  /* the lock kind for calls on blocks of memory (door.h) */
    uint8_t state; /* a bf_state; written by the lock's holder only */
    bool resize_moves;
    bool zeroed; /* the payload above the high-water mark is all zero bytes */
    bool has_handler;
    uint8_t floored; /* requests of up to this begin at a floor (short.h) */
};

BF_INLINE bool bf_is_guarded(const bitfit_pool *pool)
{
    return BF_GUARDS && (pool->lock_kind & BF_GUARDED) != 0;
}

BF_INLINE bitfit_lock_kind bf_lock_kind_of(const bitfit_pool *pool)
{
    return (bitfit_lock_kind)(pool->lock_kind & (BF_GUARDED - 1));
}

/* ------------------------------------------------------------- conversions */

BF_INLINE size_t bf_bytes_of(const bitfit_pool *pool, size_t granules)
{
    return granules << pool->granule_shift;
}

BF_INLINE size_t bf_capacity_of(const bitfit_pool *pool)
{
    return bf_bytes_of(pool, pool->fit.map.granules);
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
    bool ok = granule < pool->fit.map.granules &&
              bf_fit_is_block(&pool->fit, granule);
    return BF_LIKELY(ok) ? granule : BF_NONE;
}

BF_STATIC size_t bf_pool_good_size(const bitfit_pool *pool, size_t size)
{
    size_t count = bf_count_for(pool, size);
    return count > pool->fit.map.granules ? 0 : bf_bytes_of(pool, count);
}

BF_STATIC bool bf_pool_owns(const bitfit_pool *pool, const void *ptr)
{
    return bf_offset_of(pool, ptr) < bf_capacity_of(pool);
}

/* ------------------------------------------------------------------ misuse */

/* What a pointer that is no block's start is instead. */
BF_STATIC int bf_kind_of_misuse(bitfit_pool *pool, const void *ptr)
{
    size_t offset = bf_offset_of(pool, ptr);
    if (offset >= bf_capacity_of(pool)) {
        return BITFIT_FOREIGN;
    }
    if ((offset & (bf_bytes_of(pool, 1) - 1)) != 0) {
        return BITFIT_MISALIGNED;
    }
    bf_fit_settle(&pool->fit);
    bool free = bf_fit_is_free(&pool->fit, offset >> pool->granule_shift);
    return free ? BITFIT_DOUBLE_FREE : BITFIT_INTERIOR;
}

/* ---------------------------------------------------------------- counting */

BF_INLINE void bf_raise_to(size_t *mark, size_t value)
{
    if (BF_UNLIKELY(value > *mark)) {
        *mark = value;
    }
}

BF_INLINE size_t bf_pool_live(const bitfit_pool *pool)
{
    return pool->peak_live - pool->room;
}

/* [start, start + count) is a block now, `more` granules of it newly so. */
BF_INLINE void bf_note_block(bitfit_pool *pool, size_t start, size_t count,
                             size_t more)
{
    size_t room = pool->room - more;
    if (BF_UNLIKELY(room > SIZE_MAX / 2)) { /* below 0: a new peak */
        pool->peak_live -= room;
        room = 0;
    }
    pool->room = room;
    bf_raise_to(&pool->high_water, start + count);
    bf_raise_to(&pool->largest_block, count);
}

BF_INLINE void *bf_note_request(bitfit_pool *pool, void *block)
{
    if (BF_LIKELY(block != NULL)) {
        pool->allocations++;
    } else {
        pool->failures++;
    }
    return block;
}

BF_STATIC size_t bf_pool_blocks(const bitfit_pool *pool)
{
    return (size_t)(pool->allocations - pool->frees);
}

/* ---------------------------------------------------------------- requests */

/* A block of `count` granules; NULL if there is no place for it. */
BF_INLINE void *bf_take(bitfit_pool *pool, size_t count)
{
    size_t start = bf_fit_alloc(&pool->fit, count);
    if (BF_UNLIKELY(start == BF_NONE)) {
        return NULL;
    }
    bf_note_block(pool, start, count, count);
    return bf_pointer_to(pool, start);
}

BF_INLINE void *bf_pool_alloc(bitfit_pool *pool, size_t size)
{
    return bf_note_request(pool, bf_take(pool, bf_count_for(pool, size)));
}

/* The other requests: as their public namesakes. */
BF_STATIC void *bf_pool_calloc(bitfit_pool *pool, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return bf_note_request(pool, NULL);
    }
    size_t fresh =
        pool->zeroed ? bf_bytes_of(pool, pool->high_water) : SIZE_MAX;
    size_t granules = bf_count_for(pool, count * size);
    void *block = bf_pool_alloc(pool, count * size);
    if (block != NULL && bf_offset_of(pool, block) < fresh) {
        size_t used = fresh - bf_offset_of(pool, block);
        size_t bytes = bf_bytes_of(pool, granules);
        memset(block, 0, bytes < used ? bytes : used);
    }
    return block;
}

/* ------------------------------------------------------------------ blocks */

BF_INLINE void bf_release(bitfit_pool *pool, size_t granule)
{
    pool->room += bf_fit_free(&pool->fit, granule);
}

/* The map shows a waiting block, too; for it there are no granules to free. */
BF_INLINE int bf_pool_free(bitfit_pool *pool, void *ptr)
{
    size_t granule = bf_block_at(pool, ptr);
    if (granule == BF_NONE) {
        return bf_kind_of_misuse(pool, ptr);
    }
    bf_release(pool, granule);
    pool->frees++;
    return BF_NO_MISUSE;
}

/* The rest say what is wrong with the pointer, before anything changes; 0 if
 * it is the start of a live block. */
BF_STATIC int bf_pool_free_sized(bitfit_pool *pool, void *ptr, size_t size)
{
    size_t granule = bf_block_at(pool, ptr);
    if (granule == BF_NONE) {
        return bf_kind_of_misuse(pool, ptr);
    }
    if (bf_count_for(pool, size) != bf_fit_count(&pool->fit, granule)) {
        return BITFIT_WRONG_SIZE;
    }
    bf_release(pool, granule);
    pool->frees++;
    return BF_NO_MISUSE;
}

BF_STATIC bool resize_in_place(bitfit_pool *pool, size_t granule, size_t before,
                               size_t count)
{
    if (!bf_fit_resize(&pool->fit, granule, count)) {
        return false;
    }
    bf_note_block(pool, granule, count, count - before);
    return true;
}

/* The first fit, found with the old block in place; NULL leaves it be. */
BF_STATIC void *move(bitfit_pool *pool, size_t granule, size_t before,
                     size_t count)
{
    void *to = bf_take(pool, count);
    if (to != NULL) {
        size_t kept = before < count ? before : count;
        memcpy(to, bf_pointer_to(pool, granule), bf_bytes_of(pool, kept));
        bf_release(pool, granule);
    }
    return to;
}

/* Makes the block of `before` granules one of another `count`. Where it is now;
 * NULL if there is no place for it, and nothing has changed. */
BF_STATIC void *bf_pool_resize(bitfit_pool *pool, size_t granule, size_t before,
                               size_t count)
{
    void *here = bf_pointer_to(pool, granule);
    if (!pool->resize_moves && resize_in_place(pool, granule, before, count)) {
        return here;
    }
    void *there = move(pool, granule, before, count);
    return there == NULL && count < before ? here : there;
}

typedef void *bf_resizing(bitfit_pool *pool, size_t granule, size_t before,
                          size_t count);

/* `resize` is bf_pool_resize(), or a quicker way to the same. */
BF_INLINE int bf_pool_realloc(bitfit_pool *pool, void *ptr, size_t size,
                              bf_resizing *resize, void **result)
{
    size_t granule = bf_block_at(pool, ptr);
    if (granule == BF_NONE) {
        return bf_kind_of_misuse(pool, ptr);
    }
    size_t before = bf_fit_count(&pool->fit, granule);
    size_t count = bf_count_for(pool, size);
    *result = count == before ? ptr : resize(pool, granule, before, count);
    if (*result != NULL) {
        pool->reallocations++;
    } else {
        pool->failures++;
    }
    return BF_NO_MISUSE;
}

BF_STATIC int bf_pool_usable_size(bitfit_pool *pool, const void *ptr,
                                  size_t *size)
{
    size_t granule = bf_block_at(pool, ptr);
    if (granule == BF_NONE) {
        return bf_kind_of_misuse(pool, ptr);
    }
    *size = bf_bytes_of(pool, bf_fit_count(&pool->fit, granule));
    return BF_NO_MISUSE;
}

#endif
