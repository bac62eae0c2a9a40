/*
 * First fit: blocks and holes in granules, no pointer anywhere.
 *
 *     alloc 3   "A..B....C"   ->   "A..BDDD.C"
 *         the first hole of 3 granules or more, found by the tree
 *         its front becomes the block; the tree is told of what is left
 *
 *     free B    "A..BDDD.C"   ->   "A...DDD.C"
 *         the block becomes a hole, one with the holes that touch it
 *         the tree is told of the hole, and of the one that it swallowed
 *
 * The map (map.h) says what is where; the tree (tree.h) where a hole that fits
 * may start. A pool of a few words has no tree: looking at each word is faster
 * than keeping one.
 *
 * The last block taken was the first fit for its size. If it is freed before
 * any other, it *waits*: the map still shows a block. A request for as many
 * granules gets it back, since nothing lower has become free; any other change
 * frees it in the map first. The commonest pair of calls thus touches no map.
 */
#ifndef BITFIT_FIT_H
#define BITFIT_FIT_H

#include "tree.h"

/* Pools of up to this many granules have no tree. The proofs use words of 8
 * bits; there the limit is lower, so that small pools have one. */
#ifdef BITFIT_NO_INDEX
#define BF_SCANNED SIZE_MAX
#else
#define BF_SCANNED ((size_t)(BF_WORD_BITS < 32 ? 4 * BF_WORD_BITS : 256))
#endif

typedef struct bf_fit {
    bf_map map;
    uint32_t last_start; /* of the last block taken */
    uint32_t last_count; /* its granules, plus BF_WAITING if it waits; or 0 */
} bf_fit;

#define BF_WAITING ((uint32_t)1 << 31)

/* ------------------------------------------------------------------ layout */

/*     | bf_upper | bf_tree | pairs ... | rows of the tree ... |
 *
 * Without a tree there are the pairs alone. */

BF_INLINE bool wants_tree(size_t granules)
{
    return BF_SCANNED != SIZE_MAX && granules > BF_SCANNED;
}

BF_INLINE bool bf_fit_has_tree(const bf_fit *fit)
{
    return wants_tree(fit->map.granules);
}

BF_INLINE bf_tree *bf_fit_tree(const bf_fit *fit)
{
    return (bf_tree *)(void *)fit->map.pairs - 1;
}

/* Rounded up so that the pairs stay aligned. */
BF_STATIC size_t bf_fit_pairs_offset(size_t granules)
{
    size_t header = bf_tree_header_size(bf_words_for(granules));
    return wants_tree(granules) ? bf_round_up(header, sizeof(bf_pair)) : 0;
}

/* Bytes that the map and the tree need for that many granules. */
BF_STATIC size_t bf_fit_size(size_t granules)
{
    size_t size = bf_words_for(granules) * sizeof(bf_pair);
    if (wants_tree(granules)) {
        size += bf_fit_pairs_offset(granules);
        size += bf_tree_size(bf_words_for(granules));
    }
    return size;
}

/* Where the rows of the tree lie: behind the pairs. */
BF_STATIC void *rows_of(const bf_fit *fit)
{
    return fit->map.pairs + bf_words_for(fit->map.granules);
}

/* A hole grew to, or came to be, [start, end). */
BF_INLINE void hole_grew(bf_fit *fit, size_t start, size_t end)
{
    if (bf_fit_has_tree(fit)) {
        bf_tree_raise(bf_fit_tree(fit), bf_word_of(start), end - start);
    }
}

/* One hole, laid out at `memory`, which is aligned for a pair; zeroed: the
 * memory is all zero bytes. */
BF_NOINLINE BF_STATIC void bf_fit_init(bf_fit *fit, void *memory,
                                       size_t granules, bool zeroed)
{
    unsigned char *pairs = memory;
    pairs += bf_fit_pairs_offset(granules);
    fit->last_count = 0;
    if (!zeroed) {
        memset(memory, 0, bf_fit_size(granules));
    }
    bf_map_init(&fit->map, (bf_pair *)(void *)pairs, granules);
    if (wants_tree(granules)) {
        bf_tree_init(bf_fit_tree(fit), rows_of(fit), bf_words_for(granules));
    }
    hole_grew(fit, 0, granules);
}

/* Frees every block: one hole again. */
BF_STATIC void bf_fit_empty(bf_fit *fit)
{
    size_t granules = fit->map.granules;
    unsigned char *pairs = (unsigned char *)fit->map.pairs;
    bf_fit_init(fit, pairs - bf_fit_pairs_offset(granules), granules, false);
}

/* --------------------------------------------------------------- searching */

/* Where in this word a hole of `count` granules or more starts, the first;
 * BF_NONE if none does. All earlier words were looked at: a hole that reaches
 * into this one from there is shorter than that, and so are its free bits. */
BF_INLINE size_t find_in_word(const bf_map *map, size_t word, size_t count)
{
    const bf_pair *pair = bf_pair_at(map, word);
    if (count < BF_WORD_BITS && pair->start != 0) {
        unsigned bit = bf_find_run(pair->free, (unsigned)count);
        if (bit < BF_WORD_BITS) {
            return bf_granule_at(word, bit);
        }
    }
    return bf_map_tail(map, word) >= count
               ? bf_granule_at(word, bf_highest_bit(pair->start))
               : BF_NONE;
}

/* The next word after `word` (from the first if BF_NONE) in which a hole of
 * `count` granules may start; BF_NONE if there is none. */
BF_STATIC size_t next_word(bf_fit *fit, size_t word, size_t count)
{
    const bf_map *map = &fit->map;
    if (bf_fit_has_tree(fit)) {
        return word == BF_NONE
                   ? bf_tree_first(bf_fit_tree(fit), map, count)
                   : bf_tree_next(bf_fit_tree(fit), map, word, count);
    }
    word++; /* BF_NONE + 1 is 0 */
    return word < bf_words_for(map->granules) ? word : BF_NONE;
}

/* The start of the first hole of `count` granules or more: each candidate in
 * turn, from the request's floor on. BF_NONE if there is none. */
BF_INLINE size_t find(bf_fit *fit, size_t count)
{
    bool floored = BF_QUICK && bf_fit_has_tree(fit) &&
                   bf_tree_has_floor(bf_fit_tree(fit), count);
    size_t word = floored ? bf_tree_floor(bf_fit_tree(fit), count)
                          : next_word(fit, BF_NONE, count);
    while (word != BF_NONE) {
        size_t start = find_in_word(&fit->map, word, count);
        if (BF_LIKELY(start != BF_NONE)) {
            if (floored) {
                bf_tree_set_floor(bf_fit_tree(fit), bf_class_of(count), count,
                                  word);
            }
            return start;
        }
        word = next_word(fit, word, count);
    }
    return BF_NONE;
}

/* ---------------------------------------------------------------- changing */

/* The hole that started at `start` is shorter, or gone. */
BF_INLINE void hole_shrank(bf_fit *fit, size_t start)
{
    if (bf_fit_has_tree(fit)) {
        bf_tree_settle(bf_fit_tree(fit), &fit->map, bf_word_of(start));
    }
}

/* Makes the first `count` granules of the hole that starts there a block. */
BF_INLINE void take_front(bf_fit *fit, size_t start, size_t count)
{
    bf_map *map = &fit->map;
    size_t end = start + count;
    size_t word = bf_word_of(start);
    BF_EXPECT(bf_map_free_at(map, start) && end <= bf_map_end(map, start));
    if (word == bf_word_of(end)) {
        bf_map_take_in_word(bf_pair_of(map, word), bf_bit_of(start), count);
    } else {
        size_t hole_end = bf_map_end_beyond(map, word);
        bf_map_write_block(map, start, end);
        if (end != hole_end) {
            bf_map_write_hole(map, end, hole_end);
            hole_grew(fit, end, hole_end);
        }
    }
    hole_shrank(fit, start);
}

/* Alloc, in a map in which no block waits. */
BF_HOT BF_STATIC size_t alloc_in_map(bf_fit *fit, size_t count)
{
    size_t start = find(fit, count);
    if (BF_LIKELY(start != BF_NONE)) {
        take_front(fit, start, count);
    }
    return start;
}

/* Free, likewise. Returns the block's granules. */
BF_HOT BF_STATIC size_t free_in_map(bf_fit *fit, size_t start)
{
    bf_map *map = &fit->map;
    size_t end = bf_map_end(map, start);
    size_t left = start;
    BF_EXPECT(bf_map_is_block(map, start));
    size_t right = end;
    if (bf_map_free_before(map, start)) {
        left = bf_map_start_before(map, start);
        bf_map_join(map, start);
    }
    if (bf_map_free_at(map, end)) {
        right = bf_map_end(map, end);
        bf_map_join(map, end);
    }
    bf_map_write_hole(map, left, right);
    hole_grew(fit, left, right);
    if (right != end && bf_word_of(end) != bf_word_of(left)) {
        hole_shrank(fit, end);
    }
    return end - start;
}

/* ----------------------------------------------------------------- waiting */

BF_INLINE bool bf_fit_waits(const bf_fit *fit)
{
    return (fit->last_count & BF_WAITING) != 0;
}

/* Frees the waiting block, if any, so that the map is complete. */
BF_STATIC void bf_fit_settle(bf_fit *fit)
{
    bool waits = bf_fit_waits(fit);
    fit->last_count = 0;
    if (waits) {
        free_in_map(fit, fit->last_start);
    }
}

/* The block [start, start + count) was taken last. One whose start or count
 * needs more than 31 bits is not remembered, nor is BF_NONE. */
BF_INLINE void bf_fit_remember(bf_fit *fit, size_t start, size_t count)
{
    fit->last_start = (uint32_t)start;
    fit->last_count = (start | count) < BF_WAITING ? (uint32_t)count : 0;
}

/* Makes the first `count` granules of the first hole that is long enough a
 * block. Its start; BF_NONE if and only if there is no such hole. count > 0. */
BF_STATIC size_t bf_fit_alloc(bf_fit *fit, size_t count)
{
    BF_EXPECT(count != 0);
    if (fit->last_count == count + BF_WAITING) {
        fit->last_count = (uint32_t)count;
        return fit->last_start;
    }
    bf_fit_settle(fit);
    size_t start = alloc_in_map(fit, count);
    bf_fit_remember(fit, start, count);
    return start;
}

/* The map shows a block at `start`. Frees it, and returns its granules: 0 if
 * and only if it waits, and so was freed before. */
BF_STATIC size_t bf_fit_free(bf_fit *fit, size_t start)
{
    if (start == fit->last_start && fit->last_count != 0) {
        if (bf_fit_waits(fit)) {
            return 0;
        }
        fit->last_count += BF_WAITING;
        return fit->last_count - BF_WAITING;
    }
    bf_fit_settle(fit); /* something lower may be free now */
    return free_in_map(fit, start);
}

/* Whether a block starts at this granule. */
BF_INLINE bool bf_fit_is_block(const bf_fit *fit, size_t granule)
{
    bool waits = granule == fit->last_start && bf_fit_waits(fit);
    return bf_map_is_block(&fit->map, granule) && !waits;
}

/* ---------------------------------------------------------------- resizing */

/* The granules of the block that starts at `start`. */
BF_INLINE size_t bf_fit_count(const bf_fit *fit, size_t start)
{
    return bf_map_end(&fit->map, start) - start;
}

/* Makes the block [start, end) two that touch. */
BF_STATIC void split_block(bf_map *map, size_t start, size_t at, size_t end)
{
    bf_map_write_block(map, start, at);
    bf_map_write_block(map, at, end);
}

/* The block takes the front of the hole behind it, if that is long enough. */
BF_STATIC bool grow(bf_fit *fit, size_t start, size_t end, size_t new_end)
{
    bf_map *map = &fit->map;
    if (!bf_map_free_at(map, end) || bf_map_end(map, end) < new_end) {
        return false;
    }
    take_front(fit, end, new_end - end);
    bf_map_join(map, end);
    bf_map_write_block(map, start, new_end);
    return true;
}

/* Resizes a block to another `count` of granules where it stands. False if and
 * only if it would have to grow into a block or beyond the pool: nothing has
 * changed. */
BF_STATIC bool bf_fit_resize(bf_fit *fit, size_t start, size_t count)
{
    bf_fit_settle(fit);
    size_t end = bf_map_end(&fit->map, start);
    size_t new_end = start + count;
    BF_EXPECT(count != 0 && new_end != end &&
              bf_map_is_block(&fit->map, start));
    if (new_end > end) {
        return grow(fit, start, end, new_end);
    }
    split_block(&fit->map, start, new_end, end);
    free_in_map(fit, new_end);
    return true;
}

/* ------------------------------------------------------------------ seeing */

/* What follows needs a complete map: bf_fit_settle() first. */

/* The start of the run that this granule is in. Time: it may look at every
 * word. */
BF_STATIC size_t bf_fit_run_at(const bf_fit *fit, size_t granule)
{
    const bf_map *map = &fit->map;
    size_t word = bf_word_of(granule);
    bf_word below = bf_mask_from(bf_bit_of(granule));
    bf_word starts = bf_pair_at(map, word)->start & ~(below << 1);
    while (starts == 0) {
        starts = bf_pair_at(map, --word)->start;
    }
    return bf_granule_at(word, bf_highest_bit(starts));
}

/* Whether this granule is free. Time: as for the start of its run. */
BF_STATIC bool bf_fit_is_free(const bf_fit *fit, size_t granule)
{
    return bf_map_free_at(&fit->map, bf_fit_run_at(fit, granule));
}

#endif
