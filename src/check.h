/*
 * Invariants, by the numbers that bitfit_check() returns:
 *     1  a run starts at granule 0, and at the pool's end where that lies
 *        inside a word; no start bit stands beyond
 *     2  the free bits of a run are all alike in its first and last word
 *     3  the first and the last covered word of a run have its tag
 *     4  no two free runs touch
 *     5  the tree says what the map says
 *     6  the counters of live granules and blocks are what the map says
 *     7  the guards behind the blocks are untouched (guard.h)
 */
#ifndef BITFIT_CHECK_H
#define BITFIT_CHECK_H

#include "pool.h"

/* ----------------------------------------------------------------- the map */

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
    if ((map->pairs[0].start & 1) == 0) {
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

BF_INLINE unsigned leaf_from_runs(const bf_map *map, size_t word)
{
    bf_hole hole = longest_in_word(map, word);
    return code_of_run(hole.start, hole.end);
}

BF_STATIC bool leaves_fit(const bf_tree *tree, const bf_map *map)
{
    size_t words = bf_words_for(map->granules);
    for (size_t word = 0; word < words; word++) {
        if (tree->leaves[word] != leaf_from_runs(map, word)) {
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

/* The longest run below this entry, as the entries below it stand. */
BF_STATIC uint32_t count_from_below(const bf_tree *tree, const bf_map *map,
                                    size_t level, size_t entry)
{
    if (level == 0) {
        return bf_count_of(tree, longest_in_group(tree, map, entry));
    }
    return bf_counts_max(bf_node_of(tree, level - 1, entry * BF_FANOUT));
}

BF_STATIC bool level_fits(const bf_tree *tree, const bf_map *map, size_t level,
                          size_t entries)
{
    for (size_t i = 0; i < bf_round_up(entries, BF_FANOUT); i++) {
        uint32_t exact =
            i < entries ? count_from_below(tree, map, level, i) : 0;
        if (tree->counts[level][i] != exact) {
            return false;
        }
    }
    return true;
}

BF_STATIC bool floors_fit(const bf_tree *tree)
{
    const bf_floors *floors = bf_floors_of(tree);
    for (unsigned i = 0; i < BF_FLOORS && tree->levels != 0; i++) {
        if (floors->words[i] != 0 &&
            bf_tree_first(tree, (size_t)floors->least[i]) <
                (size_t)floors->words[i]) {
            return false;
        }
    }
    return true;
}

/* Whether every entry is what the run map says. */
BF_STATIC bool bf_tree_check(const bf_tree *tree, const bf_map *map)
{
    if (!leaves_fit(tree, map)) {
        return false;
    }
    size_t entries = groups_of(bf_words_for(map->granules));
    for (size_t level = 0; level < tree->levels; level++) {
        if (!level_fits(tree, map, level, entries)) {
            return false;
        }
        entries = nodes_of(entries);
    }
    return floors_fit(tree);
}

/* --------------------------------------------------------------------- all */

/* The first of the invariants 1 to 5 that is broken, or 0; then `live` granules
 * are in `blocks` blocks. No tag is trusted. */
BF_STATIC int bf_fit_check(const bf_fit *fit, size_t *live, size_t *blocks)
{
    int broken = bf_map_check(&fit->map, live, blocks);
    if (broken == 0 && has_tree(fit) &&
        !bf_tree_check(tree_of(fit), &fit->map)) {
        broken = 5;
    }
    return broken;
}

BF_STATIC int bf_pool_check(bitfit_pool *pool)
{
    bf_fit_settle(&pool->fit);
    size_t live;
    size_t blocks;
    int broken = bf_fit_check(&pool->fit, &live, &blocks);
    if (broken == 0 && (live != pool->live || blocks != bf_pool_blocks(pool))) {
        broken = 6;
    }
    return broken;
}

#endif
