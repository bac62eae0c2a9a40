/*
 * Watched pools: those with guards, and every pool of a build for a checker.
 * Their calls come in here in place of pool.h; other pools never do.
 *
 *     granules      "AA#B#..CCC#."      a block is two granules longer than 0
 *     bytes of A    | 20 requested | 12 that round it up | 16 of the guard |
 *                   | open         | closed, for a checker ............... |
 *
 * A guard is the last granule of its block, for the map and for the pool's
 * counters. What the public calls show leaves it out.
 */
#ifndef BITFIT_GUARD_H
#define BITFIT_GUARD_H

#include "aligned.h"
#include "check.h"
#include "door.h"
#include "see.h"

BF_INLINE bool bf_is_watched(const bitfit_pool *pool)
{
    return BF_SHADOW || bf_is_guarded(pool);
}

/* ------------------------------------------------------------------- sizes */

BF_STATIC size_t guard_bytes(const bitfit_pool *pool)
{
    return bf_is_guarded(pool) ? bf_bytes_of(pool, 1) : 0;
}

/* What to ask the pool for; a size that overflows fits nowhere. */
BF_STATIC size_t with_guard(const bitfit_pool *pool, size_t size)
{
    size_t guard = guard_bytes(pool);
    size += size == 0;
    return size > SIZE_MAX - guard ? SIZE_MAX : size + guard;
}

/* The bytes of the block at a granule, and those without its guard. */
BF_STATIC size_t room_at(bitfit_pool *pool, size_t granule)
{
    return bf_bytes_of(pool, bf_fit_count(&pool->fit, granule));
}

BF_STATIC size_t usable_at(bitfit_pool *pool, size_t granule)
{
    return room_at(pool, granule) - guard_bytes(pool);
}

/* `guards` granules of those that are live are guards. */
BF_STATIC void note_peak(const bitfit_pool *pool, size_t guards)
{
    if (!BF_SHADOW || bf_is_guarded(pool)) { /* else watched for the shadow */
        bf_raise_to(&bf_plan_guard_of(pool)->peak_live,
                    bf_pool_live(pool) - guards);
    }
}

/* ------------------------------------------------------------------ guards */

/* Each guard holds bytes of its own, so that no copy of another passes for it;
 * none is 0, which ends strings. */
BF_STATIC unsigned char guard_byte(const unsigned char *guard, size_t i)
{
    uintptr_t mixed = (uintptr_t)guard * (uintptr_t)0x9e3779b97f4a7c15u;
    return (unsigned char)(mixed >> (i % sizeof mixed * 8) | 1);
}

BF_STATIC void guard_write(const bitfit_pool *pool, void *block, size_t usable)
{
    unsigned char *guard = (unsigned char *)block + usable;
    size_t size = guard_bytes(pool);
    bf_shadow_reach(guard, size);
    for (size_t i = 0; i < size; i++) {
        guard[i] = guard_byte(guard, i);
    }
    bf_shadow_hide(guard, size);
}

/* The first byte of the guard that was written to; NULL if none was. */
BF_STATIC const void *guard_damage(const bitfit_pool *pool, const void *block,
                                   size_t usable)
{
    const unsigned char *guard = (const unsigned char *)block + usable;
    size_t size = guard_bytes(pool);
    const void *damage = NULL;
    bf_shadow_reach(guard, size);
    for (size_t i = size; i-- > 0;) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): has a payload */
        damage = guard[i] == guard_byte(guard, i) ? damage : guard + i;
    }
    bf_shadow_hide(guard, size);
    return damage;
}

/* The granule of the block at `ptr`. BF_NONE if the pointer is misuse, or the
 * block's guard was written to: `misuse` then says so. */
BF_STATIC size_t watched_block(bitfit_pool *pool, const void *ptr,
                               bitfit_misuse *misuse)
{
    size_t granule = bf_block_at(pool, ptr);
    if (granule == BF_NONE) {
        misuse->kind = (bitfit_misuse_kind)bf_kind_of_misuse(pool, ptr);
        return BF_NONE;
    }
    misuse->place = guard_damage(pool, ptr, usable_at(pool, granule));
    if (misuse->place != NULL) {
        misuse->kind = BITFIT_OVERFLOW;
        return BF_NONE;
    }
    return granule;
}

/* ---------------------------------------------------------------- requests */

/* Opens a new block as a whole and writes its guard; NULL stays NULL. */
BF_STATIC void *opened(bitfit_pool *pool, void *block)
{
    if (block != NULL) {
        size_t granule = bf_granule_of(pool, block);
        note_peak(pool, bf_pool_blocks(pool));
        bf_shadow_take(pool->payload, block, room_at(pool, granule));
        guard_write(pool, block, usable_at(pool, granule));
    }
    return block;
}

/* Closes what a block has beyond the size that was asked for. */
BF_STATIC void *trimmed(bitfit_pool *pool, void *block, size_t size)
{
    if (block != NULL) {
        size_t room = room_at(pool, bf_granule_of(pool, block));
        bf_shadow_resize(pool->payload, block, room, room, size);
    }
    return block;
}

BF_STATIC void *bf_watched_alloc(bitfit_pool *pool, size_t size)
{
    void *block = bf_pool_alloc(pool, with_guard(pool, size));
    return trimmed(pool, opened(pool, block), size);
}

BF_STATIC void *bf_watched_aligned_alloc(bitfit_pool *pool, size_t alignment,
                                         size_t size)
{
    void *block =
        bf_pool_aligned_alloc(pool, alignment, with_guard(pool, size));
    return trimmed(pool, opened(pool, block), size);
}

BF_STATIC void *bf_watched_calloc(bitfit_pool *pool, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return bf_note_request(pool, NULL);
    }
    size_t clean_from = pool->zeroed && !BF_SHADOW
                            ? bf_bytes_of(pool, pool->high_water)
                            : SIZE_MAX;
    void *block =
        opened(pool, bf_pool_alloc(pool, with_guard(pool, count * size)));
    if (block != NULL && bf_offset_of(pool, block) < clean_from) {
        size_t used = clean_from - bf_offset_of(pool, block);
        size_t usable = usable_at(pool, bf_granule_of(pool, block));
        memset(block, 0, usable < used ? usable : used);
    }
    return trimmed(pool, block, count * size);
}

/* ------------------------------------------------------------------ blocks */

BF_STATIC void watched_release(bitfit_pool *pool, size_t granule)
{
    bf_shadow_give(pool->payload, bf_pointer_to(pool, granule),
                   room_at(pool, granule));
    bf_release(pool, granule);
}

/* `size`: what a sized free says; NULL for others. */
BF_STATIC void bf_watched_free(bitfit_pool *pool, void *ptr, const size_t *size,
                               bitfit_misuse *misuse)
{
    size_t granule = watched_block(pool, ptr, misuse);
    if (granule == BF_NONE) {
        return;
    }
    if (size != NULL && bf_count_for(pool, with_guard(pool, *size)) !=
                            bf_fit_count(&pool->fit, granule)) {
        misuse->kind = BITFIT_WRONG_SIZE;
        return;
    }
    watched_release(pool, granule);
    pool->frees++;
}

BF_STATIC bool watched_in_place(bitfit_pool *pool, size_t granule, size_t size)
{
    size_t before = bf_fit_count(&pool->fit, granule);
    size_t count = bf_count_for(pool, with_guard(pool, size));
    size_t room = room_at(pool, granule);
    bool same = count == before;
    if (!same && (pool->resize_moves ||
                  !resize_in_place(pool, granule, before, count))) {
        return false;
    }
    void *block = bf_pointer_to(pool, granule);
    note_peak(pool, bf_pool_blocks(pool));
    bf_shadow_resize(pool->payload, block, room, room_at(pool, granule), size);
    guard_write(pool, block, usable_at(pool, granule));
    return true;
}

/* The first fit, found with the old block in place; NULL leaves it be. */
BF_STATIC void *watched_move(bitfit_pool *pool, size_t granule, size_t size)
{
    void *from = bf_pointer_to(pool, granule);
    size_t kept = bf_shadow_size(from, usable_at(pool, granule));
    void *to = bf_take(pool, bf_count_for(pool, with_guard(pool, size)));
    if (to == NULL) {
        return NULL;
    }
    size_t there = bf_granule_of(pool, to);
    note_peak(pool, bf_pool_blocks(pool) + 1);
    bf_shadow_take(pool->payload, to, room_at(pool, there));
    memcpy(to, from, kept < size ? kept : size);
    guard_write(pool, to, usable_at(pool, there));
    watched_release(pool, granule);
    return trimmed(pool, to, size);
}

BF_STATIC void *bf_watched_realloc(bitfit_pool *pool, void *ptr, size_t size,
                                   bitfit_misuse *misuse)
{
    size_t granule = watched_block(pool, ptr, misuse);
    if (granule == BF_NONE) {
        return NULL;
    }
    void *block = ptr;
    if (!watched_in_place(pool, granule, size)) {
        block = watched_move(pool, granule, size);
    }
    if (block == NULL && size <= usable_at(pool, granule)) {
        block = trimmed(pool, ptr, size); /* a shrink never fails */
    }
    if (block != NULL) {
        pool->reallocations++;
    } else {
        pool->failures++;
    }
    return block;
}

/* The caller may use all of it from now on. */
BF_STATIC size_t bf_watched_usable_size(bitfit_pool *pool, const void *ptr,
                                        bitfit_misuse *misuse)
{
    size_t granule = bf_block_at(pool, ptr);
    if (granule == BF_NONE) {
        misuse->kind = (bitfit_misuse_kind)bf_kind_of_misuse(pool, ptr);
        return 0;
    }
    size_t usable = usable_at(pool, granule);
    size_t room = room_at(pool, granule);
    bf_shadow_resize(pool->payload, ptr, room, room, usable);
    return usable;
}

/* --------------------------------------------------------------- the calls */

/* As accuse(), of a watched call, which has filled in what is its own. */
BF_NOINLINE BF_STATIC void accuse_watched(bitfit_misuse *misuse,
                                          bitfit_pool *pool, const char *call,
                                          const void *pointer)
{
    if (misuse->kind != (bitfit_misuse_kind)BF_NO_MISUSE) {
        misuse->pool = pool;
        misuse->call = call;
        misuse->pointer = pointer;
        report(misuse);
    }
}

/* For a call that found the door shut. False unless the pool is a watched one,
 * which this is the way into. */
BF_INLINE bool enter_watched(bitfit_pool *pool, const char *call)
{
    return pool->door != BF_NO_DOOR && bf_is_watched(pool) &&
           enter_any(pool, call);
}

BF_NOINLINE BF_STATIC void *watched_alloc(bitfit_pool *pool, size_t size,
                                          const char *call)
{
    if (!enter_watched(pool, call)) {
        return NULL;
    }
    void *block = bf_watched_alloc(pool, size);
    leave(pool);
    return block;
}

BF_NOINLINE BF_STATIC void *watched_aligned_alloc(bitfit_pool *pool,
                                                  size_t alignment, size_t size,
                                                  const char *call)
{
    if (!enter_watched(pool, call)) {
        return NULL;
    }
    void *block = bf_watched_aligned_alloc(pool, alignment, size);
    leave(pool);
    return block;
}

BF_NOINLINE BF_STATIC void *watched_calloc(bitfit_pool *pool, size_t count,
                                           size_t size, const char *call)
{
    if (!enter_watched(pool, call)) {
        return NULL;
    }
    void *block = bf_watched_calloc(pool, count, size);
    leave(pool);
    return block;
}

BF_NOINLINE BF_STATIC void *watched_realloc(bitfit_pool *pool, void *ptr,
                                            size_t size, const char *call)
{
    if (!enter_watched(pool, call)) {
        return NULL;
    }
    bitfit_misuse misuse = {.size = size};
    void *block = bf_watched_realloc(pool, ptr, size, &misuse);
    leave(pool);
    accuse_watched(&misuse, pool, call, ptr);
    return block;
}

/* `size` is NULL for a free that says none. */
BF_NOINLINE BF_STATIC void watched_free(bitfit_pool *pool, void *ptr,
                                        const size_t *size, const char *call)
{
    if (!enter_watched(pool, call)) {
        return;
    }
    bitfit_misuse misuse = {.size = size == NULL ? 0 : *size};
    bf_watched_free(pool, ptr, size, &misuse);
    leave(pool);
    accuse_watched(&misuse, pool, call, ptr);
}

BF_NOINLINE BF_STATIC size_t watched_usable_size(bitfit_pool *pool,
                                                 const void *ptr,
                                                 const char *call)
{
    if (!enter_watched(pool, call)) {
        return 0;
    }
    bitfit_misuse misuse = {.size = 0};
    size_t size = bf_watched_usable_size(pool, ptr, &misuse);
    leave(pool);
    accuse_watched(&misuse, pool, call, ptr);
    return size;
}

/* ------------------------------------------------------------------ seeing */

/* Statistics of granules become those of what callers can use. */
BF_STATIC void bf_guard_stats(const bitfit_pool *pool, const bf_guard *guard,
                              bitfit_stats *stats)
{
    size_t granule = bf_bytes_of(pool, 1);
    stats->live -= stats->blocks * granule;
    stats->peak_live = bf_bytes_of(pool, guard->peak_live);
    stats->largest_free -= stats->largest_free == 0 ? 0 : granule;
    stats->largest_block -= stats->largest_block == 0 ? 0 : granule;
}

/* A run as the caller sees it. In a torn copy a block may be too short to have
 * a guard; it is shown as it is. */
BF_STATIC bitfit_run bf_guard_run(const bitfit_pool *pool, bitfit_run run)
{
    size_t guard = guard_bytes(pool);
    run.size -= run.live && run.size > guard ? guard : 0;
    return run;
}

typedef struct bf_guard_walk {
    const bitfit_pool *pool;
    bitfit_visitor *visit;
    void *context;
} bf_guard_walk;

BF_STATIC bool show_run(const bitfit_run *run, void *context)
{
    const bf_guard_walk *walk = context;
    const bitfit_run shown = bf_guard_run(walk->pool, *run);
    return walk->visit(&shown, walk->context);
}

BF_STATIC bool bf_watched_walk(bitfit_pool *pool, bitfit_visitor *visit,
                               void *context)
{
    bf_guard_walk walk = {pool, visit, context};
    return bf_pool_walk(pool, show_run, &walk);
}

BF_STATIC bool find_damage(const bitfit_run *run, void *context)
{
    bitfit_misuse *misuse = context;
    if (run->live) {
        misuse->pointer = run->start;
        misuse->place = guard_damage(misuse->pool, run->start, run->size);
    }
    return misuse->place == NULL;
}

/* Invariant 7: each guard is as it was written. */
BF_STATIC int bf_guard_check(bitfit_pool *pool, bitfit_misuse *misuse)
{
    if (bf_is_guarded(pool) && !bf_watched_walk(pool, find_damage, misuse)) {
        misuse->kind = BITFIT_OVERFLOW;
        return 7;
    }
    return 0;
}

typedef struct bf_guard_picture {
    const bitfit_pool *pool;
    char *text;
    size_t drawn;
} bf_guard_picture;

BF_STATIC bool draw_guard(const bitfit_run *run, void *context)
{
    const bf_guard_picture *picture = context;
    size_t at = bf_granule_of(picture->pool, run->start) +
                (run->size >> picture->pool->granule_shift);
    if (run->live && at < picture->drawn) {
        picture->text[at] = '#';
    }
    return at < picture->drawn;
}

/* Writes the guards into a picture that bf_pool_draw() made. */
/* NOLINTNEXTLINE(readability-non-const-parameter): written by draw_guard() */
BF_STATIC void bf_guard_draw(bitfit_pool *pool, char *buffer, size_t size)
{
    size_t granules = pool->fit.map.granules;
    bf_guard_picture picture = {pool, buffer, size == 0 ? 0 : size - 1};
    picture.drawn = picture.drawn < granules ? picture.drawn : granules;
    (void)bf_watched_walk(pool, draw_guard, &picture);
}

#endif
