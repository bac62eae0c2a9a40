/*
 * Reading a copy of a pool's bookkeeping that lies anywhere and may hold
 * anything. The pool's struct is taken out and its pointers are replaced; then
 * only the run map is read, by its start bits and within its bounds.
 */
#include "platform.h"

#ifndef BITFIT_SMALL /* small.c stands in its place */

#include "guard.h"
#include "intent.h"

/* ----------------------------------------------------------------- opening */

/* Whether the numbers that say what lies where can be those of a pool. */
static bool layout_fits(const bitfit_pool *pool)
{
    size_t granules = pool->fit.map.granules;
    uintptr_t payload = (uintptr_t)pool->payload;
    bool is_offsets = payload == 0 && pool->door == BF_NO_DOOR;
    bool has_lock = bf_lock_kind_of(pool) >= BITFIT_LOCK_NONE &&
                    pool->lock_kind <= (BITFIT_LOCK_CALLER | BF_GUARDED);
    if ((!has_lock && !bf_is_shared(pool)) || !bf_shift_fits(pool) ||
        granules == 0) {
        return false;
    }
    return is_offsets ||
           (payload != 0 && granules <= SIZE_MAX >> pool->granule_shift &&
            !bf_wraps_around(payload, bf_capacity_of(pool)));
}

/* The pool's struct with the run map where it lies in the copy. False if there
 * can be no pool, or not all of it. */
static bool open_copy(bitfit_pool *pool, const void *copy, size_t size)
{
    const unsigned char *bytes = copy;
    bool aligned = (uintptr_t)copy % _Alignof(max_align_t) == 0;
    if (!aligned || size < sizeof *pool ||
        bytes[offsetof(bitfit_pool, has_handler)] > 1) { /* no bool */
        return false;
    }
    memcpy(pool, copy, sizeof *pool);
    if (!layout_fits(pool)) {
        return false;
    }
    size_t granules = pool->fit.map.granules;
    size_t header = bf_plan_header(bf_parts_of(pool));
    if (size < header + bf_fit_size(granules)) {
        return false;
    }
    const unsigned char *pairs = bytes + header + bf_fit_pairs_offset(granules);
    pool->fit.map.pairs = (bf_pair *)(uintptr_t)pairs;
    return true;
}

/* Of a pool with guards, whose copy is large enough. */
static bf_guard guard_in_copy(const bitfit_pool *pool, const void *copy)
{
    bf_guard guard;
    const unsigned char *bytes = copy;
    memcpy(&guard, bytes + bf_plan_guard_offset(pool), sizeof guard);
    return guard;
}

/* ----------------------------------------------------------------- reading */

/* An address of the pool's own process. A number until the caller gets it: the
 * pool may have no payload, and nothing of it is here. */
static void *address_of(const bitfit_pool *pool, size_t granule)
{
    uintptr_t payload = (uintptr_t)pool->payload;
    return (void *)(payload + bf_bytes_of(pool, granule));
}

/* The run that starts at `start`, as the pool would show it: a block that waits
 * is part of a hole. Returns its end. */
static size_t copied_run(const bf_fit *fit, size_t start, bool *live)
{
    size_t end = bf_map_next_start(&fit->map, start);
    *live = bf_fit_is_block(fit, start);
    while (!*live && end < fit->map.granules && !bf_fit_is_block(fit, end)) {
        end = bf_map_next_start(&fit->map, end);
    }
    return end;
}

typedef struct bf_copied {
    bf_census census;
    size_t largest_block;
    size_t top;      /* the end of the last block */
    size_t reserved; /* a block at the pool's very end that no mark knows */
} bf_copied;

static void count_block(bf_copied *sums, const bitfit_pool *pool, size_t start,
                        size_t end)
{
    sums->census.live += end - start;
    sums->census.blocks++;
    if (start >= pool->high_water && end == pool->fit.map.granules) {
        sums->reserved = end - start;
        return;
    }
    sums->top = end;
    bf_raise_to(&sums->largest_block, end - start);
}

static bf_copied count_copied(const bitfit_pool *pool)
{
    bf_copied sums = {.top = 0};
    bool live;
    size_t end;
    for (size_t start = 0; start < pool->fit.map.granules; start = end) {
        end = copied_run(&pool->fit, start, &live);
        if (live) {
            count_block(&sums, pool, start, end);
        } else {
            bf_raise_to(&sums.census.longest_hole, end - start);
        }
    }
    return sums;
}

static bool counters_fit(const bitfit_pool *pool, const bf_copied *sums)
{
    return sums->census.live == bf_pool_live(pool) &&
           sums->census.blocks == bf_pool_blocks(pool) &&
           sums->largest_block <= pool->largest_block &&
           sums->top <= pool->high_water &&
           bf_pool_live(pool) - sums->reserved <= pool->peak_live &&
           pool->largest_block <= pool->fit.map.granules &&
           pool->peak_live <= pool->fit.map.granules &&
           pool->high_water <= pool->fit.map.granules;
}

bitfit_copy_state bitfit_copy_check(const void *copy, size_t size)
{
    bitfit_pool pool;
    if (!open_copy(&pool, copy, size)) {
        return BITFIT_COPY_NO_POOL;
    }
    size_t live;
    size_t blocks;
    if (bf_map_check(&pool.fit.map, &live, &blocks) != 0) {
        return BITFIT_COPY_TORN;
    }
    bf_copied sums = count_copied(&pool);
    return counters_fit(&pool, &sums) ? BITFIT_COPY_WHOLE : BITFIT_COPY_TORN;
}

bool bitfit_copy_get_stats(const void *copy, size_t size, bitfit_stats *stats)
{
    bitfit_pool pool;
    *stats = (bitfit_stats){0};
    if (!open_copy(&pool, copy, size)) {
        return false;
    }
    bf_copied sums = count_copied(&pool);
    bf_pool_figures(&pool, &sums.census, stats);
    if (bf_is_guarded(&pool)) {
        const bf_guard guard = guard_in_copy(&pool, copy);
        bf_guard_stats(&pool, &guard, stats);
    }
    bitfit_bookkeeping(&pool, &copy, &stats->bookkeeping);
    return true;
}

bool bitfit_copy_walk(const void *copy, size_t size, bitfit_visitor *visit,
                      void *context)
{
    bitfit_pool pool;
    if (!open_copy(&pool, copy, size)) {
        return false;
    }
    size_t end;
    for (size_t start = 0; start < pool.fit.map.granules; start = end) {
        bitfit_run run = {.start = address_of(&pool, start)};
        end = copied_run(&pool.fit, start, &run.live);
        run.size = bf_bytes_of(&pool, end - start);
        run = bf_guard_run(&pool, run);
        if (!visit(&run, context)) {
            return false;
        }
    }
    return true;
}

#endif
