/*
 * The first-fit index: blocks and holes in granules, no pointer anywhere.
 *
 *     given   "AABB..CC...."
 *     alloc   2 granules
 *     expect  "AABBDDCC...."
 *
 * It joins the run map (map.h: what is where) with the tree of maxima (tree.h:
 * where is a hole that fits). A pool of a few words has no tree: looking at
 * each word is faster than keeping one.
 *
 * The last block taken was the first fit for its size. If it is freed before
 * any other, it *waits*: the map still shows a block. A request for as many
 * granules gets it back, since nothing lower has become free; any other change
 * frees it in the map first. The commonest pair of calls thus touches no map.
 */
#ifndef BITFIT_FIT_H
#define BITFIT_FIT_H

#include "tree.h"

/* Pools of up to this many words are searched word by word. */
#ifdef BITFIT_NO_INDEX
#define BF_SCAN_WORDS SIZE_MAX
#else
#define BF_SCAN_WORDS ((size_t)4)
#endif

/* The tree's header stands right before the pairs, where there is a tree. */
typedef struct bf_fit {
    bf_map map;
    uint32_t last_start; /* of the last block taken */
    uint32_t last_count; /* its granules, plus BF_WAITING if it waits; or 0 */
} bf_fit;

#define BF_WAITING ((uint32_t)1 << 31)

/* ------------------------------------------------------------------ layout */

BF_INLINE bool wants_tree(size_t granules)
{
    return BF_SCAN_WORDS != SIZE_MAX && granules > BF_SCAN_WORDS * BF_WORD_BITS;
}

BF_INLINE bool has_tree(const bf_fit *fit)
{
    return wants_tree(fit->map.granules);
}

BF_INLINE bf_tree *tree_of(const bf_fit *fit)
{
    return (bf_tree *)(void *)fit->map.pairs - 1;
}

/* Rounded up so that the pairs stay aligned. */
BF_STATIC size_t bf_fit_pairs_offset(size_t granules)
{
    size_t header = bf_tree_header_size(bf_words_for(granules));
    return wants_tree(granules) ? bf_round_up(header, sizeof(bf_pair)) : 0;
}

/* Bytes that the index needs for that many granules. */
BF_STATIC size_t bf_fit_size(size_t granules)
{
    size_t words = bf_words_for(granules);
    size_t size = words * sizeof(bf_pair);
    if (wants_tree(granules)) {
        size += bf_fit_pairs_offset(granules) + bf_tree_size(words);
    }
    return size;
}

/* An index of one free run, laid out at `memory`, which is aligned for a pair;
 * zeroed: the memory is all zero bytes. */
BF_STATIC void bf_fit_init(bf_fit *fit, void *memory, size_t granules,
                           bool zeroed)
{
    unsigned char *pairs = memory;
    *fit = (bf_fit){.last_count = 0};
    if (!wants_tree(granules)) {
        bf_map_init(&fit->map, memory, granules, zeroed);
        return;
    }
    size_t words = bf_words_for(granules);
    pairs += bf_fit_pairs_offset(granules);
    bf_map_init(&fit->map, (bf_pair *)(void *)pairs, granules, zeroed);
    bf_tree_init(tree_of(fit), pairs + words * sizeof(bf_pair), words, zeroed);
    bf_tree_gain(tree_of(fit), 0, granules);
}

/* Frees every block: one free run again. */
BF_STATIC void bf_fit_empty(bf_fit *fit)
{
    size_t granules = fit->map.granules;
    unsigned char *pairs = (unsigned char *)fit->map.pairs;
    bf_fit_init(fit, pairs - bf_fit_pairs_offset(granules), granules, false);
}

/* Says where the parts of the index lie, from `memory` on, which holds them
 * already: for an index that has come to another address. */
BF_STATIC void bf_fit_place(bf_fit *fit, void *memory, size_t granules)
{
    unsigned char *pairs = memory;
    pairs += bf_fit_pairs_offset(granules);
    fit->map.pairs = (bf_pair *)(void *)pairs;
    fit->map.granules = granules;
    if (has_tree(fit)) {
        size_t words = bf_words_for(granules);
        bf_tree_place(tree_of(fit), fit->map.pairs + words, words);
    }
}

/* Makes all but the map anew, from the map's start bits and their free bits. */
BF_STATIC void bf_fit_derive(bf_fit *fit)
{
    const bf_map *map = &fit->map;
    size_t words = bf_words_for(map->granules);
    fit->last_count = 0;
    if (!has_tree(fit)) {
        return;
    }
    bf_tree_init(tree_of(fit), map->pairs + words, words, false);
    for (size_t start = 0; start < map->granules;) {
        size_t end = bf_map_next_start(map, start);
        if (bf_map_free_at(map, start)) {
            bf_tree_gain(tree_of(fit), start, end);
        }
        start = end;
    }
}

/* --------------------------------------------------------------- searching */

/* The first run of `count` granules or more that starts in this word, where
 * some run starts. No run before it is that long, so free bits of a run from an
 * earlier word cannot mislead. Empty if there is none. */
BF_INLINE bf_hole find_in_word(const bf_map *map, size_t word, size_t count)
{
    const bf_pair *pair = bf_pair_at(map, word);
    if (count <= BF_WORD_BITS) {
        unsigned bit = bf_find_run(pair->free, (unsigned)count);
        if (bit < BF_WORD_BITS) {
            size_t start = bf_granule_at(word, bit);
            return (bf_hole){start, bf_map_end(map, start)};
        }
    }
    bf_hole tail = bf_map_tail(map, word);
    return bf_hole_count(tail) >= count ? tail : (bf_hole){0, 0};
}

/* The next word after `word` (from the first if BF_NONE) in which a run of
 * `count` granules may start; BF_NONE if there is none. */
BF_STATIC size_t next_word(const bf_fit *fit, size_t word, size_t count)
{
    if (has_tree(fit)) {
        return word == BF_NONE ? bf_tree_first(tree_of(fit), count)
                               : bf_tree_next(tree_of(fit), word, count);
    }
    size_t words = bf_words_for(fit->map.granules);
    for (word++; word < words; word++) { /* BF_NONE + 1 is 0 */
        if (bf_pair_at(&fit->map, word)->start != 0) {
            return word;
        }
    }
    return BF_NONE;
}

/* The first free run of `count` granules or more: each candidate in turn, since
 * a code stands for several lengths. Empty if there is none. */
BF_STATIC bf_hole find(const bf_fit *fit, size_t count)
{
    bf_hole hole = {0, 0};
    size_t word = next_word(fit, BF_NONE, count);
    while (word != BF_NONE) {
        hole = find_in_word(&fit->map, word, count);
        if (BF_LIKELY(hole.end != 0)) {
            break;
        }
        word = next_word(fit, word, count);
    }
    return hole;
}

/* The first free run of `count` granules or more, which is more than a word has
 * bits, that starts in a word after that of the granule `after`; the first of
 * all if that is BF_NONE. Empty if there is none. */
BF_STATIC bf_hole bf_fit_next_hole(const bf_fit *fit, size_t after,
                                   size_t count)
{
    bf_hole hole;
    size_t word = after == BF_NONE ? BF_NONE : bf_word_of(after);
    do {
        word = next_word(fit, word, count);
        if (word == BF_NONE) {
            return (bf_hole){0, 0};
        }
        hole = bf_map_tail(&fit->map, word);
    } while (bf_hole_count(hole) < count);
    return hole;
}

typedef struct bf_request {
    size_t count;
    size_t alignment;
    size_t phase;
} bf_request;

/* The first hole that starts in this word and has an aligned place for the
 * request; `skip` granules lie before the place. Empty if there is none. */
BF_STATIC bf_hole find_aligned_in_word(const bf_map *map, size_t word,
                                       const bf_request *request, size_t *skip)
{
    const bf_pair *pair = bf_pair_at(map, word);
    for (bf_word starts = pair->start & pair->free; starts != 0;
         starts &= starts - 1) {
        size_t start = bf_granule_at(word, bf_lowest_bit(starts));
        bf_hole hole = {start, bf_map_end(map, start)};
        size_t count = bf_hole_count(hole);
        *skip = (0 - (start + request->phase)) & (request->alignment - 1);
        if (*skip < count && request->count <= count - *skip) {
            return hole;
        }
    }
    return (bf_hole){0, 0};
}

BF_STATIC bf_hole find_aligned(const bf_fit *fit, const bf_request *request,
                               size_t *skip)
{
    bf_hole hole = {0, 0};
    size_t word = next_word(fit, BF_NONE, request->count);
    while (word != BF_NONE) {
        hole = find_aligned_in_word(&fit->map, word, request, skip);
        if (hole.end != 0) {
            break;
        }
        word = next_word(fit, word, request->count);
    }
    return hole;
}

/* ---------------------------------------------------------------- changing */

/* A free run grew to, or came to be, [start, end). */
BF_INLINE void gain(bf_fit *fit, size_t start, size_t end)
{
    if (has_tree(fit)) {
        bf_tree_gain(tree_of(fit), start, end);
    }
}

/* The free run that started at `start` is shorter or gone. Said after gain().
 */
BF_INLINE void lose(bf_fit *fit, size_t start)
{
    if (has_tree(fit)) {
        bf_tree_lose(tree_of(fit), &fit->map, bf_word_of(start));
    }
}

/* Takes a block that ends before its word does, so that what follows begins in
 * the word as well: two masks do it. */
BF_INLINE void take_in_word(bf_pair *pair, unsigned bit, size_t count)
{
    bf_word here = BF_ONE << bit;
    pair->free &= ~((here << count) - here);
    pair->start |= here << count;
}

/* Makes the first `count` granules of a hole a block. */
BF_STATIC void take_front(bf_fit *fit, bf_hole hole, size_t count)
{
    bf_map *map = &fit->map;
    size_t end = hole.start + count;
    size_t word = bf_word_of(hole.start);
    if (BF_FAST_PATHS && word == bf_word_of(hole.end)) {
        take_in_word(bf_pair_of(map, word), bf_bit_of(hole.start), count);
        lose(fit, hole.start);
        return;
    }
    bf_map_write_block(map, hole.start, end);
    if (end < hole.end) {
        bf_map_write_hole(map, end, hole.end);
        gain(fit, end, hole.end);
    }
    lose(fit, hole.start);
}

/* The general case: a hole of any length, anywhere. */
BF_NOINLINE BF_STATIC size_t alloc_anywhere(bf_fit *fit, size_t count)
{
    bf_hole hole = find(fit, count);
    if (hole.end == 0) {
        return BF_NONE;
    }
    take_front(fit, hole, count);
    return hole.start;
}

/* Makes the block [start, end) free, one run with the holes that touch it. */
BF_NOINLINE BF_STATIC void give_back(bf_fit *fit, size_t start, size_t end)
{
    bf_map *map = &fit->map;
    size_t left = bf_map_free_before(map, start)
                      ? bf_map_start_before(map, start)
                      : start;
    size_t right = bf_map_free_at(map, end) ? bf_map_end(map, end) : end;
    if (left != start) {
        bf_map_join(map, start);
    }
    if (right != end) {
        bf_map_join(map, end);
    }
    bf_map_write_hole(map, left, right);
    gain(fit, left, right);
    if (right != end && bf_word_of(end) != bf_word_of(left)) {
        lose(fit, end);
    }
}

/* Any block, anywhere. */
BF_NOINLINE BF_STATIC size_t free_anywhere(bf_fit *fit, size_t start)
{
    size_t end = bf_map_end(&fit->map, start);
    give_back(fit, start, end);
    return end - start;
}

/* Quicker ways to the same places: all blocks stay where they are without. */
#ifndef BITFIT_NO_SHORT
#include "short.h"
#else
#define alloc_in_map alloc_anywhere
#define free_in_map free_anywhere
#endif

/* ----------------------------------------------------------------- waiting */

/* Frees the waiting block in the map, so that the map tells everything. */
BF_STATIC void bf_fit_settle(bf_fit *fit)
{
    bool waiting = fit->last_count >= BF_WAITING;
    fit->last_count = 0;
    if (waiting) {
        free_in_map(fit, fit->last_start);
    }
}

/* Remembers the block that was taken last; one beyond 32 bits is not, nor is
 * BF_NONE. */
BF_INLINE void bf_fit_remember(bf_fit *fit, size_t start, size_t count)
{
    bool fits = (start | count) < BF_WAITING;
    fit->last_start = (uint32_t)start;
    fit->last_count = fits ? (uint32_t)count : 0;
}

/* Makes the first `count` granules of the first free run that is long enough a
 * block. Its start; BF_NONE if and only if there is no such run. count > 0. */
BF_INLINE size_t bf_fit_alloc(bf_fit *fit, size_t count)
{
    if (fit->last_count == count + BF_WAITING) {
        fit->last_count = (uint32_t)count;
        return fit->last_start;
    }
    if (BF_UNLIKELY(fit->last_count >= BF_WAITING)) {
        bf_fit_settle(fit);
    }
    size_t start = alloc_in_map(fit, count);
    bf_fit_remember(fit, start, count);
    return start;
}

/* Frees the block that starts at `start` by the map; returns its granules: 0 if
 * and only if it waits, and so was freed before. */
BF_INLINE size_t bf_fit_free(bf_fit *fit, size_t start)
{
    uint32_t count = fit->last_count;
    if (start == fit->last_start && count != 0) {
        if (BF_UNLIKELY(count >= BF_WAITING)) {
            return 0;
        }
        fit->last_count = count + BF_WAITING;
        return count;
    }
    if (BF_UNLIKELY(count >= BF_WAITING)) {
        bf_fit_settle(fit);
    }
    fit->last_count = 0; /* something lower may be free now */
    return free_in_map(fit, start);
}

/* Whether a block starts at this granule. */
BF_INLINE bool bf_fit_is_block(const bf_fit *fit, size_t granule)
{
    bool waits = granule == fit->last_start && fit->last_count >= BF_WAITING;
    return bf_map_is_block(&fit->map, granule) && !waits;
}

/* -------------------------------------------------------- aligned requests */

/* Cuts a hole in two, for a moment; returns the second. */
BF_STATIC bf_hole cut(bf_fit *fit, bf_hole hole, size_t at)
{
    bf_map_write_hole(&fit->map, hole.start, at);
    bf_map_write_hole(&fit->map, at, hole.end);
    gain(fit, at, hole.end);
    lose(fit, hole.start);
    return (bf_hole){at, hole.end};
}

/* Makes [start, start + count), which lies in this hole, a block. */
BF_STATIC void bf_fit_take(bf_fit *fit, bf_hole hole, size_t start,
                           size_t count)
{
    if (start != hole.start) {
        hole = cut(fit, hole, start);
    }
    take_front(fit, hole, count);
}

/* As bf_fit_alloc(), at the lowest place whose granule number plus `phase` is
 * a multiple of `alignment`, a power of two. */
BF_STATIC size_t bf_fit_alloc_aligned(bf_fit *fit, size_t count,
                                      size_t alignment, size_t phase)
{
    bf_fit_settle(fit);
    const bf_request request = {count, alignment, phase};
    size_t skip;
    bf_hole hole = find_aligned(fit, &request, &skip);
    if (hole.end == 0) {
        return BF_NONE;
    }
    bf_fit_take(fit, hole, hole.start + skip, count);
    return hole.start + skip;
}

/* ---------------------------------------------------- for the rooms beside */

/* What follows needs a map that tells everything: bf_fit_settle() first. */

/* The hole in which a request would get its place, and that place. Empty if
 * there is none. */
BF_STATIC bf_hole bf_fit_find(bf_fit *fit, size_t count, size_t alignment,
                              size_t phase, size_t *start)
{
    const bf_request request = {count, alignment, phase};
    size_t skip = 0;
    bf_hole hole =
        alignment <= 1 ? find(fit, count) : find_aligned(fit, &request, &skip);
    *start = hole.start + skip;
    return hole;
}

/* The block that starts at `start` will be a hole with those that touch it. */
BF_STATIC bf_hole bf_fit_around(const bf_fit *fit, size_t start)
{
    const bf_map *map = &fit->map;
    size_t end = bf_map_end(map, start);
    return (bf_hole){
        bf_map_free_before(map, start) ? bf_map_start_before(map, start)
                                       : start,
        bf_map_free_at(map, end) ? bf_map_end(map, end) : end,
    };
}

/* Frees the block that starts at `start`; none waits. Returns its granules. */
BF_STATIC size_t bf_fit_free_now(bf_fit *fit, size_t start)
{
    return free_in_map(fit, start);
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
    if (BF_FAST_PATHS && bf_word_of(start) == bf_word_of(end)) {
        bf_pair_of(map, bf_word_of(at))->start |= BF_ONE << bf_bit_of(at);
        return;
    }
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
    bf_hole hole = {end, bf_map_end(map, end)};
    take_front(fit, hole, new_end - end);
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
    if (new_end > end) {
        return grow(fit, start, end, new_end);
    }
    split_block(&fit->map, start, new_end, end);
    free_in_map(fit, new_end);
    return true;
}

/* ------------------------------------------------------------------ seeing */

/* What follows needs a map that tells everything: bf_fit_settle() first. */

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

/* The granules of the longest free run. */
BF_STATIC size_t bf_fit_longest(const bf_fit *fit)
{
    const bf_map *map = &fit->map;
    if (has_tree(fit)) {
        return bf_tree_longest(tree_of(fit), map);
    }
    size_t longest = 0;
    for (size_t start = 0; start < map->granules;) {
        size_t end = bf_map_end(map, start);
        if (bf_map_free_at(map, start) && end - start > longest) {
            longest = end - start;
        }
        start = end;
    }
    return longest;
}

#endif
