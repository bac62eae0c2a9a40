/*
 * The public shell: each call takes the lock, does its work in the pool, gives
 * the lock back, and only then tells the misuse handler.
 */
#include "platform.h"

#ifndef BITFIT_SMALL /* small.c stands in its place */

#include "check.h"
#include "door.h"

/* ---------------------------------------------------------------- creating */

const char *bitfit_version(void)
{
    return BITFIT_VERSION;
}

static const char *const status_texts[] = {
    [BITFIT_OK] = "ok",
    [BITFIT_BAD_MEMORY] = "memory is NULL, misaligned or wraps around",
    [BITFIT_BAD_OPTIONS] = "options are not of this version",
    [BITFIT_BAD_GRANULE] = "granule is not a power of two from 8 to 2^30",
    [BITFIT_BAD_ALIGNMENT] = "payload alignment is not a power of two",
    [BITFIT_BAD_BOOKKEEPING] =
        "bookkeeping memory is misaligned, too small or overlaps",
    [BITFIT_BAD_LOCK] = "lock function missing, or no mutex on this platform",
    [BITFIT_TOO_SMALL] = "no room for a single granule",
    [BITFIT_TOO_LARGE] = "more granules than this machine can count",
};

const char *bitfit_status_text(bitfit_status status)
{
    size_t texts = sizeof status_texts / sizeof status_texts[0];
    return (size_t)status < texts ? status_texts[status] : "unknown status";
}

bitfit_pool *bitfit_init(void *memory, size_t size,
                         const bitfit_options *options)
{
    bf_plan plan;
    if (bf_plan_make(&plan, memory, size, options) != BITFIT_OK) {
        return NULL;
    }
    return bf_plan_carry_out(&plan);
}

bitfit_status bitfit_init_status(const void *memory, size_t size,
                                 const bitfit_options *options)
{
    bf_plan plan;
    return bf_plan_make(&plan, (void *)(uintptr_t)memory, size, options);
}

size_t bitfit_bookkeeping_size(size_t size, const bitfit_options *options)
{
    bitfit_options filled;
    if (bf_plan_options(options, &filled) != BITFIT_OK ||
        size < filled.granule) {
        return 0;
    }
    return bf_plan_bookkeeping(filled.lock_kind, filled.on_misuse != NULL,
                               size / filled.granule);
}

size_t bitfit_destroy(bitfit_pool *pool)
{
    if (pool == NULL) {
        return 0;
    }
    if (!enter_any_locked(pool, __func__)) {
        return 0;
    }
    size_t blocks = bf_pool_blocks(pool);
    leave(pool);
    return blocks;
}

void bitfit_reset(bitfit_pool *pool)
{
    if (!enter_any(pool, __func__)) {
        return;
    }
    bf_pool_reset(pool);
    leave(pool);
}

/* ------------------------------------------------------------ using blocks */

BF_INLINE void *alloc(bitfit_pool *pool, size_t size, const char *call)
{
    if (BF_UNLIKELY(!enter(pool, call))) {
        return NULL;
    }
    void *block = bf_pool_alloc(pool, size);
    leave(pool);
    return block;
}

void *bitfit_alloc(bitfit_pool *pool, size_t size)
{
    return alloc(pool, size, __func__);
}

void *bitfit_calloc(bitfit_pool *pool, size_t count, size_t size)
{
    if (!enter(pool, __func__)) {
        return NULL;
    }
    void *block = bf_pool_calloc(pool, count, size);
    leave(pool);
    return block;
}

void *bitfit_aligned_alloc(bitfit_pool *pool, size_t alignment, size_t size)
{
    if (!enter(pool, __func__)) {
        return NULL;
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
        return NULL;
    }
    void *block = NULL;
    int kind = bf_pool_realloc(pool, ptr, size, &block);
    leave(pool);
    accuse(pool, __func__, kind, ptr, size);
    return block;
}

void bitfit_free(bitfit_pool *pool, void *ptr)
{
    if (ptr == NULL) {
        return;
    }
    if (BF_UNLIKELY(!enter(pool, __func__))) {
        return;
    }
    int kind = bf_pool_free(pool, ptr);
    leave(pool);
    accuse(pool, __func__, kind, ptr, 0);
}

void bitfit_free_sized(bitfit_pool *pool, void *ptr, size_t size)
{
    if (ptr == NULL) {
        return;
    }
    if (!enter(pool, __func__)) {
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
    if (!enter(pool, __func__)) {
        return 0;
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
    return bf_plan_bookkeeping((bitfit_lock_kind)pool->lock_kind,
                               pool->has_handler, pool->fit.map.granules);
}

void bitfit_bookkeeping(const bitfit_pool *pool, const void **start,
                        size_t *size)
{
    *start = pool;
    *size = bookkeeping_of(pool);
}

size_t bitfit_good_size(bitfit_pool *pool, size_t size)
{
    return bf_pool_good_size(pool, size);
}

bool bitfit_owns(const bitfit_pool *pool, const void *ptr)
{
    return pool->payload != NULL && bf_pool_owns(pool, ptr);
}

/* ------------------------------------------------------------------ seeing */

void bitfit_get_stats(bitfit_pool *pool, bitfit_stats *stats)
{
    *stats = (bitfit_stats){0};
    if (!enter(pool, __func__)) {
        return;
    }
    bf_pool_stats(pool, stats);
    stats->bookkeeping = bookkeeping_of(pool);
    leave(pool);
}

void bitfit_reset_peak(bitfit_pool *pool)
{
    if (!enter_any(pool, __func__)) {
        return;
    }
    pool->peak_live = pool->live;
    leave(pool);
}

bool bitfit_walk(bitfit_pool *pool, bitfit_visitor *visit, void *context)
{
    if (!enter_locked(pool, __func__)) {
        return false;
    }
    bool all = bf_pool_walk(pool, visit, context);
    leave(pool);
    return all;
}

int bitfit_check(bitfit_pool *pool)
{
    if (!enter_any(pool, __func__)) {
        return 0;
    }
    int broken = bf_pool_check(pool);
    leave(pool);
    return broken;
}

size_t bitfit_draw(bitfit_pool *pool, char *buffer, size_t size)
{
    if (!enter_any(pool, __func__)) {
        return 0;
    }
    size_t granules = bf_pool_draw(pool, buffer, size);
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
    leave(pool);
}

#endif
