/*
 * Invariants, by the numbers that bitfit_check() returns:
 *     1  a run starts at granule 0, and at the pool's end where that lies
 *        inside a word; no start bit and no free bit stands beyond
 *     2  the free bits of a run are all alike in its first and last word
 *     3  the first and the last covered word of a run have its tag
 *     4  no two holes touch
 *     5  the tree says what the map says
 *     6  the counters of live granules and blocks, and the block that was taken
 *        last, are what the map says
 *     7  the guards behind the blocks are untouched (guard.h)
 *
 * Trusted are the pool's struct and the tree's, which say where all lies. A
 * write from below that gets as far has broken the map between them and the
 * payload. A block that waits stays as it is.
 */
#ifndef BITFIT_CHECK_H
#define BITFIT_CHECK_H

#include "pool.h"

/* ----------------------------------------------------------------- the map */

/* The next start bit after `granule`, or the pool's end, found by start bits
 * alone: no tag is trusted. Time: it may look at every word. */
BF_STATIC size_t bf_map_next_start(const bf_map *map, size_t granule)
{
    size_t words = bf_words_for(map->granules);
    size_t word = bf_word_of(granule);
    bf_word starts = map->pairs[word].start;
    starts &= BF_ALL << 1 << bf_bit_of(granule);
    while (starts == 0) {
        if (++word == words) {
            return map->granules;
        }
        starts = map->pairs[word].start;
    }
    size_t next = bf_granule_at(word, bf_lowest_bit(starts));
    return next < map->granules ? next : map->granules;
}

/* Whether the run [start, end) has the tags that its writing gives it. */
BF_STATIC bool bf_map_tags_fit(const bf_map *map, size_t start, size_t end,
                               bool free)
{
    size_t covered = bf_words_covered(start, end);
    bf_word tag = tag_of(covered, free);
    return covered == 0 || (map->pairs[bf_word_of(start) + 1].free == tag &&
                            map->pairs[bf_word_of(end) - 1].free == tag);
}

/* Whether the free bits of [start, end) in one word are all `free`. */
BF_STATIC bool bits_alike(const bf_pair *pair, unsigned start, unsigned end,
                          bool free)
{
    bf_word mask = bf_mask_span(start, end);
    return (pair->free & mask) == (free ? mask : 0);
}

BF_STATIC int check_run(const bf_map *map, size_t start, size_t end, bool free)
{
    size_t first = bf_word_of(start);
    size_t last = bf_word_of(end);
    unsigned first_end = first == last ? bf_bit_of(end) : BF_WORD_BITS;
    if (!bits_alike(&map->pairs[first], bf_bit_of(start), first_end, free)) {
        return 2;
    }
    if (first == last) {
        return 0;
    }
    if (bf_bit_of(end) != 0 &&
        !bits_alike(&map->pairs[last], 0, bf_bit_of(end), free)) {
        return 2;
    }
    return bf_map_tags_fit(map, start, end, free) ? 0 : 3;
}

BF_STATIC int check_runs(const bf_map *map, size_t *live, size_t *blocks)
{
    bool free_before = false;
    for (size_t start = 0; start < map->granules;) {
        size_t end = bf_map_next_start(map, start);
        bool free = bf_map_free_at(map, start);
        int broken = check_run(map, start, end, free);
        if (broken != 0) {
            return broken;
        }
        if (free && free_before) {
            return 4;
        }
        *live += free ? 0 : end - start;
        *blocks += free ? 0 : 1;
        free_before = free;
        start = end;
    }
    return 0;
}

BF_STATIC bool ends_fit(const bf_map *map)
{
    if (!bf_map_starts(map, 0)) {
        return false;
    }
    unsigned bit = bf_bit_of(map->granules);
    if (bit == 0) {
        return true;
    }
    const bf_pair *last = &map->pairs[bf_word_of(map->granules)];
    return last->start >> bit == 1 && last->free >> bit == 0;
}

/* The first of the invariants 1 to 4 that is broken, or 0; then
 * `live` granules are in `blocks` blocks. No tag is trusted. */
BF_STATIC int bf_map_check(const bf_map *map, size_t *live, size_t *blocks)
{
    *live = 0;
    *blocks = 0;
    return ends_fit(map) ? check_runs(map, live, blocks) : 1;
}

/* ---------------------------------------------------------------- the tree */

/* Whether an entry is what it should be; too high is allowed unless it must be
 * exact. */
BF_STATIC bool entry_fits(unsigned entry, unsigned should, bool exact)
{
    return exact ? entry == should : entry >= should;
}

/* The leaves, by the map. Those of no word are 0. */
BF_STATIC bool leaves_fit(const bf_tree *tree, const bf_map *map, bool exact)
{
    size_t words = bf_words_for(map->granules);
    for (size_t word = 0; word < words; word++) {
        unsigned should = byte_of(bf_map_longest_in(map, word));
        if (!entry_fits(tree->leaves[word], should, exact)) {
            return false;
        }
    }
    for (size_t word = words; bf_bit_of(word) != 0; word++) {
        if (tree->leaves[word] != 0) {
            return false;
        }
    }
    return true;
}

/* A row above, by the row below it. */
BF_STATIC bool row_fits(const bf_tree *tree, const bf_map *map, size_t row,
                        size_t entries, bool exact)
{
    const bf_upper *upper = bf_upper_of(tree);
    for (size_t i = 0; i < entries; i++) {
        uint32_t longest =
            longest_below(tree, map, row - 1, bf_granule_at(i, 0));
        if (!entry_fits(upper->bytes[row][i], byte_of(longest), exact) ||
            !entry_fits(upper->counts[row][i], count_beside(longest), exact)) {
            return false;
        }
    }
    for (size_t i = entries; bf_bit_of(i) != 0; i++) {
        if (upper->bytes[row][i] != 0 || upper->counts[row][i] != 0) {
            return false;
        }
    }
    return true;
}

BF_STATIC bool rows_fit(const bf_tree *tree, const bf_map *map, bool exact)
{
    size_t entries = bf_words_for(map->granules);
    for (size_t row = 1; row <= tree->rows; row++) {
        entries = nodes_of(entries);
        if (!row_fits(tree, map, row, entries, exact)) {
            return false;
        }
    }
    return leaves_fit(tree, map, exact);
}

/* No hole that a floor is for starts before it. Every entry is exact. */
BF_STATIC bool floors_fit(bf_tree *tree, const bf_map *map)
{
    const bf_upper *upper = bf_upper_of(tree);
    for (unsigned i = 0; i < BF_FLOORS && tree->rows != 0; i++) {
        if (bf_tree_first(tree, map, (size_t)upper->least[i]) <
            (size_t)upper->floors[i]) {
            return false;
        }
    }
    return true;
}

/* No entry is too low, and none too high once every note is settled. The map is
 * sound. */
BF_STATIC bool bf_tree_check(bf_tree *tree, const bf_map *map)
{
    if (!rows_fit(tree, map, false)) {
        return false;
    }
    bf_tree_settle_all(tree, map);
    return rows_fit(tree, map, true) && floors_fit(tree, map);
}

/* --------------------------------------------------------------------- all */

/* The first of the invariants 1 to 5 that is broken, or 0; then `live` granules
 * are in `blocks` blocks. No tag is trusted. */
BF_STATIC int bf_fit_check(bf_fit *fit, size_t *live, size_t *blocks)
{
    int broken = bf_map_check(&fit->map, live, blocks);
    if (broken == 0 && bf_fit_has_tree(fit) &&
        !bf_tree_check(bf_fit_tree(fit), &fit->map)) {
        broken = 5;
    }
    return broken;
}

/* Whether the block that was taken last, if one is remembered, is one of the
 * map, which is sound. */
BF_STATIC bool last_fits(const bf_fit *fit)
{
    size_t start = fit->last_start;
    return fit->last_count == 0 ||
           (start < fit->map.granules && bf_map_is_block(&fit->map, start) &&
            bf_map_end(&fit->map, start) - start ==
                (fit->last_count & ~BF_WAITING));
}

BF_STATIC int bf_pool_check(bitfit_pool *pool)
{
    bf_fit *fit = &pool->fit;
    size_t live;
    size_t blocks;
    int broken = bf_fit_check(fit, &live, &blocks);
    if (broken != 0) {
        return broken;
    }
    if (!last_fits(fit)) {
        return 6;
    }
    if (bf_fit_waits(fit)) {
        live -= fit->last_count - BF_WAITING;
        blocks--;
    }
    return live == bf_pool_live(pool) && blocks == bf_pool_blocks(pool) ? 0 : 6;
}

#endif
