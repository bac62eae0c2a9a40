/*
 * The public shell: each call takes the lock, does its work in the pool, gives
 * the lock back, and only then tells the misuse handler.
 */
#include "platform.h"

#ifndef BITFIT_SMALL /* small.c stands in its place */

#include "door.h"
#include "guard.h"
#include "shared.h"

/* ------------------------------------------------------------------ ending */

size_t bitfit_destroy(bitfit_pool *pool)
{
    if (pool == NULL) {
        return 0;
    }
    if (!enter_any_locked(pool, __func__)) {
        return 0;
    }
    size_t blocks = bf_pool_blocks(pool);
    if (pool->door != BF_NO_DOOR) {
        bf_shadow_end(pool->payload, bf_capacity_of(pool));
    }
    leave(pool);
    return blocks;
}

void bitfit_reset(bitfit_pool *pool)
{
    if (bf_is_shared(pool)) {
        bf_shared_reset(pool);
        return;
    }
    if (!enter_any(pool, __func__)) {
        return;
    }
    bf_plan_reset(pool);
    if (bf_is_guarded(pool)) {
        *bf_plan_guard_of(pool) = (bf_guard){0};
    }
    if (pool->door != BF_NO_DOOR) {
        bf_shadow_end(pool->payload, bf_capacity_of(pool));
        bf_shadow_begin(pool->payload, bf_capacity_of(pool));
    }
    leave(pool);
}

/* ------------------------------------------------------------ using blocks */

/* Quicker ways to the places of bf_take() and bf_pool_free() in pool.h, which
 * say what these calls do. Both end the call; the caller gives the lock back.
 */
#ifndef BITFIT_NO_SHORT
#include "short.h"
#else
BF_INLINE void *bf_short_alloc(bitfit_pool *pool, size_t count)
{
    void *block = bf_note_request(pool, bf_take(pool, count));
    pool->state = BF_IDLE;
    return block;
}

BF_INLINE bool bf_short_free(const bitfit_pool *pool, const void *ptr)
{
    (void)pool, (void)ptr;
    return false; /* the general way serves all */
}

BF_INLINE void *bf_short_resize(bitfit_pool *pool, size_t granule,
                                size_t before, size_t count)
{
    return bf_pool_resize(pool, granule, before, count);
}
#endif

/* An allocation that may have to wait for the lock, or that goes another way:
 * in a shared pool, or a watched one: one with guards, and in a build for a
 * checker of memory any. */
BF_NOINLINE static void *alloc(bitfit_pool *pool, size_t size, const char *call)
{
    if (!enter(pool, call)) {
        return bf_is_shared(pool) ? bf_shared_alloc(pool, size, call)
                                  : watched_alloc(pool, size, call);
    }
    bool locked = pool->state == BF_LOCKED;
    void *block = bf_short_alloc(pool, bf_count_for(pool, size));
    if (locked) {
        unlock(pool);
    }
    return block;
}

/* Most calls of bitfit_alloc() and bitfit_free() call no function, and so save
 * no register: what takes longer comes last in them. */
BF_HOT static void *alloc_quickly(bitfit_pool *pool, size_t size)
{
    if (!BF_QUICK || BF_UNLIKELY(!enter_quickly(pool))) {
        return alloc(pool, size, "bitfit_alloc");
    }
    return bf_short_alloc(pool, bf_count_for(pool, size));
}

void *bitfit_alloc(bitfit_pool *pool, size_t size)
{
    return alloc_quickly(pool, size);
}

void *bitfit_calloc(bitfit_pool *pool, size_t count, size_t size)
{
    if (!enter(pool, __func__)) {
        return bf_is_shared(pool) ? bf_shared_calloc(pool, count, size)
                                  : watched_calloc(pool, count, size, __func__);
    }
    void *block = bf_pool_calloc(pool, count, size);
    leave(pool);
    return block;
}

void *bitfit_aligned_alloc(bitfit_pool *pool, size_t alignment, size_t size)
{
    if (!enter(pool, __func__)) {
        return bf_is_shared(pool)
                   ? bf_shared_aligned_alloc(pool, alignment, size)
                   : watched_aligned_alloc(pool, alignment, size, __func__);
    }
    void *block = bf_pool_aligned_alloc(pool, alignment, size);
    leave(pool);
    return block;
}

void *bitfit_realloc(bitfit_pool *pool, void *ptr, size_t size)
{
    if (ptr == NULL) {
        return alloc(pool, size, __func__);
    }
    if (!enter(pool, __func__)) {
        return bf_is_shared(pool) ? bf_shared_realloc(pool, ptr, size)
                                  : watched_realloc(pool, ptr, size, __func__);
    }
    void *block = NULL;
    int kind = bf_pool_realloc(pool, ptr, size, bf_short_resize, &block);
    leave(pool);
    accuse(pool, __func__, kind, ptr, size);
    return block;
}

/* The general way, which also says what is wrong with the pointer. */
BF_NOINLINE static void free_generally(bitfit_pool *pool, void *ptr)
{
    int kind =
        BF_QUICK ? bf_kind_of_misuse(pool, ptr) : bf_pool_free(pool, ptr);
    leave(pool);
    accuse(pool, "bitfit_free", kind, ptr, 0);
}

/* A free that may have to wait for the lock, or that goes another way. */
BF_NOINLINE static void free_locked(bitfit_pool *pool, void *ptr)
{
    if (!enter(pool, "bitfit_free")) {
        if (bf_is_shared(pool)) {
            bf_shared_free(pool, ptr);
        } else {
            watched_free(pool, ptr, NULL, "bitfit_free");
        }
        return;
    }
    bool locked = pool->state == BF_LOCKED;
    if (!bf_short_free(pool, ptr)) {
        free_generally(pool, ptr);
    } else if (locked) {
        unlock(pool);
    }
}

BF_HOT static void free_quickly(bitfit_pool *pool, void *ptr)
{
    if (ptr == NULL) {
        return;
    }
    if (!BF_QUICK || BF_UNLIKELY(!enter_quickly(pool))) {
        free_locked(pool, ptr);
    } else if (BF_UNLIKELY(!bf_short_free(pool, ptr))) {
        free_generally(pool, ptr);
    }
}

void bitfit_free(bitfit_pool *pool, void *ptr)
{
    free_quickly(pool, ptr);
}

void bitfit_free_sized(bitfit_pool *pool, void *ptr, size_t size)
{
    if (ptr == NULL) {
        return;
    }
    if (!enter(pool, __func__)) {
        if (bf_is_shared(pool)) {
            bf_shared_free_sized(pool, ptr, size);
        } else {
            watched_free(pool, ptr, &size, __func__);
        }
        return;
    }
    int kind = bf_pool_free_sized(pool, ptr, size);
    leave(pool);
    accuse(pool, __func__, kind, ptr, size);
}

size_t bitfit_usable_size(bitfit_pool *pool, const void *ptr)
{
    if (ptr == NULL) {
        return 0;
    }
    if (!(bf_is_shared(pool) ? enter_shared(pool, __func__)
                             : enter(pool, __func__))) {
        return watched_usable_size(pool, ptr, __func__);
    }
    size_t size = 0;
    int kind = bf_pool_usable_size(pool, ptr, &size);
    leave(pool);
    accuse(pool, __func__, kind, ptr, 0);
    return size;
}

/* What follows up to the next part reads only what no call changes. */

static size_t bookkeeping_of(const bitfit_pool *pool)
{
    return bf_plan_bookkeeping(bf_parts_of(pool), pool->fit.map.granules);
}

void bitfit_bookkeeping(const bitfit_pool *pool, const void **start,
                        size_t *size)
{
    *start = pool;
    *size = bookkeeping_of(pool);
}

size_t bitfit_good_size(const bitfit_pool *pool, size_t size)
{
    return bf_pool_good_size(pool, size);
}

bool bitfit_owns(const bitfit_pool *pool, const void *ptr)
{
    if (bf_is_shared(pool)) {
        return bf_shared_owns(pool, ptr);
    }
    return pool->payload != NULL && bf_pool_owns(pool, ptr);
}

/* ------------------------------------------------------------------ seeing */

void bitfit_get_stats(bitfit_pool *pool, bitfit_stats *stats)
{
    *stats = (bitfit_stats){0};
    if (!enter_memory(pool, __func__)) {
        return;
    }
    bf_pool_stats(pool, stats);
    if (bf_is_guarded(pool)) {
        bf_guard_stats(pool, bf_plan_guard_of(pool), stats);
    }
    stats->bookkeeping = bookkeeping_of(pool);
    leave(pool);
}

void bitfit_reset_peak(bitfit_pool *pool)
{
    if (!enter_any(pool, __func__)) {
        return;
    }
    pool->peak_live = bf_pool_live(pool);
    pool->room = 0;
    if (bf_is_guarded(pool)) {
        bf_plan_guard_of(pool)->peak_live =
            pool->peak_live - bf_pool_blocks(pool);
    }
    leave(pool);
}

bool bitfit_walk(bitfit_pool *pool, bitfit_visitor *visit, void *context)
{
    if (!enter_memory_locked(pool, __func__)) {
        return false;
    }
    bool all = bf_watched_walk(pool, visit, context);
    leave(pool);
    return all;
}

int bitfit_check(bitfit_pool *pool)
{
    if (!enter_any(pool, __func__)) {
        return 0;
    }
    bitfit_misuse misuse = {.pool = pool};
    int broken = bf_pool_check(pool);
    if (broken == 0) {
        broken = bf_guard_check(pool, &misuse);
    }
    leave(pool);
    accuse_watched(&misuse, pool, __func__, misuse.pointer);
    return broken;
}

size_t bitfit_draw(bitfit_pool *pool, char *buffer, size_t size)
{
    if (!enter_any(pool, __func__)) {
        return 0;
    }
    size_t granules = bf_pool_draw(pool, buffer, size);
    if (bf_is_guarded(pool)) {
        bf_guard_draw(pool, buffer, size);
    }
    leave(pool);
    return granules;
}

/* ----------------------------------------------------------------- locking */

void bitfit_lock(bitfit_pool *pool)
{
    (void)enter_any_locked(pool, __func__);
}

void bitfit_unlock(bitfit_pool *pool)
{
    if (bf_is_shared(pool)) {
        bf_shared_unlock(pool); /* which the child of a fork does not have */
    } else {
        leave(pool);
    }
}

#endif
