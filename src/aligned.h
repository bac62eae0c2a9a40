/*
 * Requests with an alignment: the lowest place for the block that is a multiple
 * of it. What lies before the place stays a hole.
 *
 *     alloc 2, aligned 4    "AA.....B"   ->   "AA..CC.B"
 */
#ifndef BITFIT_ALIGNED_H
#define BITFIT_ALIGNED_H

#include "pool.h"

/* -------------------------------------------------------------- in granules */

typedef struct bf_request {
    size_t count;
    size_t alignment;
    size_t phase;
} bf_request;

/* The lowest aligned place for the request in a hole that starts in this word,
 * and how many granules of the hole lie before it. BF_NONE if there is none. */
BF_STATIC size_t find_aligned_in_word(const bf_map *map, size_t word,
                                      const bf_request *request, size_t *skip)
{
    const bf_pair *pair = bf_pair_at(map, word);
    for (bf_word starts = pair->start & pair->free; starts != 0;
         starts &= starts - 1) {
        size_t start = bf_granule_at(word, bf_lowest_bit(starts));
        size_t count = bf_map_end(map, start) - start;
        *skip = (0 - (start + request->phase)) & (request->alignment - 1);
        if (*skip < count && request->count <= count - *skip) {
            return start + *skip;
        }
    }
    return BF_NONE;
}

BF_STATIC size_t find_aligned(bf_fit *fit, const bf_request *request,
                              size_t *skip)
{
    size_t word = next_word(fit, BF_NONE, request->count);
    while (word != BF_NONE) {
        size_t place = find_aligned_in_word(&fit->map, word, request, skip);
        if (place != BF_NONE) {
            return place;
        }
        word = next_word(fit, word, request->count);
    }
    return BF_NONE;
}

/* The hole in which a request would get its place, and that place. Empty if
 * there is none. No block waits. */
BF_STATIC bf_hole bf_fit_find(bf_fit *fit, size_t count, size_t alignment,
                              size_t phase, size_t *start)
{
    const bf_request request = {count, alignment, phase};
    size_t skip = 0;
    *start =
        alignment <= 1 ? find(fit, count) : find_aligned(fit, &request, &skip);
    if (*start == BF_NONE) {
        return (bf_hole){0, 0};
    }
    return (bf_hole){*start - skip, bf_map_end(&fit->map, *start - skip)};
}

/* Cuts the hole that starts at `start` in two, for a moment. */
BF_STATIC void cut(bf_fit *fit, size_t start, size_t at)
{
    size_t end = bf_map_end(&fit->map, start);
    bf_map_write_hole(&fit->map, start, at);
    bf_map_write_hole(&fit->map, at, end);
    hole_grew(fit, at, end);
    hole_shrank(fit, start);
}

/* Makes [start, start + count), which lies in the hole that starts at `hole`, a
 * block. */
BF_STATIC void bf_fit_take(bf_fit *fit, size_t hole, size_t start, size_t count)
{
    if (start != hole) {
        cut(fit, hole, start);
    }
    take_front(fit, start, count);
}

/* As bf_fit_alloc(), at the lowest place whose granule number plus `phase` is
 * a multiple of `alignment`, a power of two. */
BF_STATIC size_t bf_fit_alloc_aligned(bf_fit *fit, size_t count,
                                      size_t alignment, size_t phase)
{
    const bf_request request = {count, alignment, phase};
    size_t skip = 0;
    BF_EXPECT(count != 0 && bf_is_power_of_two(alignment));
    bf_fit_settle(fit);
    size_t start = find_aligned(fit, &request, &skip);
    if (start == BF_NONE) {
        return BF_NONE;
    }
    bf_fit_take(fit, start - skip, start, count);
    return start;
}

/* ----------------------------------------------------------------- in bytes */

/* An alignment in granules, counted from the address 0 of which the payload
 * lies `phase` granules away. */
BF_STATIC void *take_aligned(bitfit_pool *pool, size_t alignment, size_t count)
{
    size_t start = bf_fit_alloc_aligned(
        &pool->fit, count, alignment >> pool->granule_shift,
        (size_t)((uintptr_t)pool->payload >> pool->granule_shift));
    if (start == BF_NONE) {
        return NULL;
    }
    bf_note_block(pool, start, count, count);
    return bf_pointer_to(pool, start);
}

BF_STATIC void *bf_pool_aligned_alloc(bitfit_pool *pool, size_t alignment,
                                      size_t size)
{
    if (!bf_is_power_of_two(alignment)) {
        return bf_note_request(pool, NULL);
    }
    size_t granule = bf_bytes_of(pool, 1);
    uintptr_t payload = (uintptr_t)pool->payload;
    if (((payload | granule) & (alignment - 1)) == 0) { /* every block has it */
        return bf_pool_alloc(pool, size);
    }
    if ((payload & (granule - 1)) != 0) { /* every block is misaligned alike */
        return bf_note_request(pool, NULL);
    }
    return bf_note_request(
        pool, take_aligned(pool, alignment, bf_count_for(pool, size)));
}

#endif
