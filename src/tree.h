/*
 * The tree of maxima: where a free run of a wanted length starts, without
 * looking at the run map.
 *
 * Each free run belongs to the word in which it starts. The *leaf* of a word is
 * a byte that codes its longest run; a *group* of as many words as a word has
 * bits has a 32-bit count, the exact length of the longest run that starts in
 * the group; above it each node has the largest of its 16 entries:
 *
 *     counts   [ 70                              ...            ]  16 nodes
 *     counts   [ 9  70  ...                      ]                 16 groups
 *     leaves   [ 3 9 0 5 ... ] [ 0 128 0 ... ]                     1 word each
 *
 * Counts are cut off at a 16th of the pool, or at what 31 bits hold. At most 16
 * runs are as long as that (32 in a pool of 2^36 granules), and a request for
 * more may have to look at each. So a pool's one long run, from which block
 * after block is taken, changes no count until it is short itself.
 *
 * So the first run of n granules is found from the top: in each node the first
 * entry that is large enough. No entry depends on two words at once, and a
 * change stops rising at the first entry that is larger anyway.
 *
 * A request that fits in a word need not begin at the top: for each power of
 * two there is a *floor*, a word before which no run of `least` granules or
 * more starts. It is where the last request of these sizes was served, and a
 * run that is freed below lowers it. More often than not the next one is served
 * there, too, and all that it costs is a look at that word's leaf.
 *
 * Codes: a run that covers no word has its length, at most two words' bits less
 * one. A run that covers words is coded by how many. 255 is that many or more.
 */
#ifndef BITFIT_TREE_H
#define BITFIT_TREE_H

#include "map.h"
#include "platform_vector.h"

enum {
    BF_LEVELS_MAX = SIZE_MAX > UINT32_MAX ? 13 : 6, /* the address space */
    BF_FANOUT_SHIFT = 4,
    BF_PLAIN_MAX = 2 * BF_WORD_BITS - 1, /* longest run that covers no word */
    BF_CODE_MAX = UINT8_MAX
};

/* What a vector compares as signed numbers. */
#define BF_COUNT_MAX ((uint32_t)INT32_MAX)

typedef struct bf_tree {
    uint8_t *leaves;
    size_t levels; /* of counts; 0 if there is one group only */
    size_t cut;    /* no count is larger */
    uint32_t *counts[BF_LEVELS_MAX];
} bf_tree;

/* Stand right before the tree, where there are counts: without, a search is as
 * fast as the look at a floor. By bf_highest_bit() of the request. */
typedef struct bf_floors {
    int16_t words[BF_FLOORS];
    int16_t least[BF_FLOORS];
} bf_floors;

/* No floor is higher: a word beyond has this one. */
#define BF_FLOOR_MAX ((size_t)INT16_MAX)

/* ------------------------------------------------------------------- codes */

BF_INLINE uint32_t bf_count_of(const bf_tree *tree, size_t length)
{
    return (uint32_t)(length < tree->cut ? length : tree->cut);
}

BF_INLINE unsigned code_of_run(size_t start, size_t end)
{
    size_t covered = bf_words_covered(start, end);
    if (BF_LIKELY(covered == 0)) {
        return (unsigned)(end - start);
    }
    size_t code = BF_PLAIN_MAX + covered;
    return code < BF_CODE_MAX ? (unsigned)code : BF_CODE_MAX;
}

/* The most granules that a run with this code may have. */
BF_INLINE uint32_t most_of_code(unsigned code)
{
    if (code <= BF_PLAIN_MAX) {
        return code;
    }
    return code == BF_CODE_MAX
               ? UINT32_MAX
               : (code - BF_PLAIN_MAX) * BF_WORD_BITS + BF_PLAIN_MAX;
}

/* The least code of a word in which a run of `count` granules may start. */
BF_INLINE unsigned bf_least_code(size_t count)
{
    if (BF_LIKELY(count <= BF_PLAIN_MAX)) {
        return (unsigned)count;
    }
    size_t covered = (count - BF_PLAIN_MAX + BF_WORD_BITS - 1) >> BF_WORD_SHIFT;
    size_t code = BF_PLAIN_MAX + covered;
    return code < BF_CODE_MAX ? (unsigned)code : BF_CODE_MAX;
}

/* ------------------------------------------------------------------ layout */

/* The groups of a row of words, and the nodes of a level of entries. */
BF_INLINE size_t groups_of(size_t words)
{
    return bf_round_up(words, BF_WORD_BITS) >> BF_WORD_SHIFT;
}

BF_INLINE size_t nodes_of(size_t entries)
{
    return bf_round_up(entries, BF_FANOUT) >> BF_FANOUT_SHIFT;
}

/* Bytes for the tree of that many words, and its floors before it. */
BF_INLINE size_t bf_tree_header_size(size_t words)
{
    return sizeof(bf_tree) + (words > BF_WORD_BITS ? sizeof(bf_floors) : 0);
}

/* Bytes for the leaves and counts of that many words. */
BF_STATIC size_t bf_tree_size(size_t words)
{
    size_t size = bf_round_up(words, BF_WORD_BITS);
    size_t entries = groups_of(words);
    while (entries > 1) {
        size += bf_round_up(entries, BF_FANOUT) * sizeof(uint32_t);
        entries = nodes_of(entries);
    }
    return size;
}

BF_INLINE size_t bf_group_of(size_t word)
{
    return word >> BF_WORD_SHIFT;
}

BF_INLINE uint8_t *bf_leaves_of(const bf_tree *tree, size_t group)
{
    BF_TOUCH();
    return tree->leaves + (group << BF_WORD_SHIFT);
}

BF_INLINE bf_floors *bf_floors_of(const bf_tree *tree)
{
    return (bf_floors *)(uintptr_t)tree - 1;
}

/* The node that holds this entry. */
BF_INLINE uint32_t *bf_node_of(const bf_tree *tree, size_t level, size_t entry)
{
    BF_TOUCH();
    return tree->counts[level] + (entry & ~(size_t)(BF_FANOUT - 1));
}

/* A 16th of the pool, but not below what a leaf tells exactly. */
BF_STATIC size_t cut_of(size_t words)
{
    size_t cut = words * (BF_WORD_BITS / 16);
    cut = cut > BF_PLAIN_MAX ? cut : BF_PLAIN_MAX;
    return cut < BF_COUNT_MAX ? cut : BF_COUNT_MAX;
}

/* Says where the leaves and counts lie: from `memory` on. */
BF_STATIC void bf_tree_place(bf_tree *tree, void *memory, size_t words)
{
    uint8_t *next = memory;
    tree->leaves = next;
    tree->levels = 0;
    tree->cut = cut_of(words);
    next += bf_round_up(words, BF_WORD_BITS);
    size_t entries = groups_of(words);
    while (entries > 1) {
        tree->counts[tree->levels++] = (uint32_t *)(void *)next;
        next += bf_round_up(entries, BF_FANOUT) * sizeof(uint32_t);
        entries = nodes_of(entries);
    }
}

/* Lays the leaves and counts out at `memory`, all empty. */
BF_STATIC void bf_tree_init(bf_tree *tree, void *memory, size_t words,
                            bool zeroed)
{
    if (!zeroed) {
        memset(memory, 0, bf_tree_size(words));
    }
    bf_tree_place(tree, memory, words);
    if (tree->levels != 0) {
        *bf_floors_of(tree) = (bf_floors){{0}, {0}};
    }
}

/* --------------------------------------------------------------- searching */

/* The first word below this entry whose longest run counts `count`, which is
 * not above the cut. The entry says that there is one. */
BF_INLINE size_t bf_tree_descend(const bf_tree *tree, size_t level,
                                 size_t entry, uint32_t count)
{
    while (level-- > 0) {
        entry <<= BF_FANOUT_SHIFT;
        unsigned fits =
            bf_counts_at_least(bf_node_of(tree, level, entry), count);
        if (fits == 0) { /* at the top only: there is none */
            return BF_NONE;
        }
        entry += bf_lowest_bit(fits);
    }
    bf_word fits =
        bf_bytes_at_least(bf_leaves_of(tree, entry), bf_least_code(count));
    return BF_UNLIKELY(fits == 0) ? BF_NONE
                                  : bf_granule_at(entry, bf_lowest_bit(fits));
}

/* The first word in which a run of `count` granules may start, and surely does
 * if count <= BF_WORD_BITS + 1. BF_NONE if there is none. */
BF_INLINE size_t bf_tree_first(const bf_tree *tree, size_t count)
{
    return bf_tree_descend(tree, tree->levels, 0, bf_count_of(tree, count));
}

/* As bf_tree_first(), from the floor; count < BF_WORD_BITS. */
BF_INLINE size_t bf_tree_first_short(bf_tree *tree, unsigned count)
{
    if (tree->levels == 0) {
        return bf_tree_first(tree, count);
    }
    bf_floors *floors = bf_floors_of(tree);
    unsigned i = bf_highest_bit(count);
    size_t floor = (size_t)floors->words[i];
    if (tree->leaves[floor] >= count && (unsigned)floors->least[i] <= count) {
        return floor;
    }
    size_t word = bf_tree_descend(tree, tree->levels, 0, count);
    floor = word == BF_NONE ? 0 : word;
    floors->words[i] = (int16_t)(floor < BF_FLOOR_MAX ? floor : BF_FLOOR_MAX);
    floors->least[i] = (int16_t)count;
    return word;
}

/* As bf_tree_first(), after `word`. */
BF_STATIC size_t bf_tree_next(const bf_tree *tree, size_t word, size_t count)
{
    size_t entry = bf_group_of(word);
    uint32_t least = bf_count_of(tree, count);
    bf_word words =
        bf_bytes_at_least(bf_leaves_of(tree, entry), bf_least_code(least));
    words &= BF_ALL << 1 << bf_bit_of(word);
    if (words != 0) {
        return bf_granule_at(entry, bf_lowest_bit(words));
    }
    for (size_t level = 0; level < tree->levels; level++) {
        unsigned fits =
            bf_counts_at_least(bf_node_of(tree, level, entry), least);
        fits &= ~1u << (entry & (BF_FANOUT - 1));
        if (fits != 0) {
            entry = (entry & ~(size_t)(BF_FANOUT - 1)) + bf_lowest_bit(fits);
            return bf_tree_descend(tree, level, entry, least);
        }
        entry >>= BF_FANOUT_SHIFT;
    }
    return BF_NONE;
}

/* --------------------------------------------------------------- computing */

/* The longest free run that starts in this word; empty if there is none. One
 * by one, since there are seldom more than two or three; the last may reach
 * beyond the word. */
BF_STATIC bf_hole longest_in_word(const bf_map *map, size_t word)
{
    const bf_pair *pair = bf_pair_at(map, word);
    unsigned longest = 0;
    for (bf_word holes = pair->start & pair->free; holes != 0;
         holes &= holes - 1) {
        unsigned bit = bf_lowest_bit(holes);
        bf_word later = pair->start >> bit >> 1;
        if (later == 0) {
            size_t tail = bf_granule_at(word, bit);
            size_t end = bf_map_end_beyond(map, word);
            if (end - tail > longest) {
                return (bf_hole){tail, end};
            }
            break;
        }
        unsigned length = bf_lowest_bit(later) + 1;
        longest = length > longest ? length : longest;
    }
    size_t base = bf_granule_at(word, 0);
    return (bf_hole){base, base + longest};
}

/* The exact length of the longest run that starts in a word with this code. */
BF_STATIC size_t length_of_code(const bf_map *map, size_t word, unsigned code)
{
    if (code <= BF_PLAIN_MAX) {
        return code;
    }
    return bf_hole_count(bf_map_tail(map, word));
}

/* The longest run that starts in a group in which some run covers words. Codes
 * next to each other overlap in length, so a few words may have to be looked
 * at. */
BF_NOINLINE BF_STATIC size_t longest_long_in_group(const bf_tree *tree,
                                                   const bf_map *map,
                                                   size_t group, unsigned max)
{
    const uint8_t *leaves = bf_leaves_of(tree, group);
    unsigned least = max == BF_PLAIN_MAX + 1 ? BF_WORD_BITS + 1 : max - 1;
    size_t longest = 0;
    for (bf_word words = bf_bytes_at_least(leaves, least); words != 0;
         words &= words - 1) {
        unsigned bit = bf_lowest_bit(words);
        size_t length =
            length_of_code(map, bf_granule_at(group, bit), leaves[bit]);
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* The longest run that starts in this group. */
BF_INLINE size_t longest_in_group(const bf_tree *tree, const bf_map *map,
                                  size_t group)
{
    unsigned max = bf_bytes_max(bf_leaves_of(tree, group));
    return BF_LIKELY(max <= BF_PLAIN_MAX)
               ? max
               : longest_long_in_group(tree, map, group, max);
}

BF_INLINE unsigned tree_leaf(const bf_tree *tree, size_t word)
{
    return bf_leaves_of(tree, bf_group_of(word))[bf_bit_of(word)];
}

/* The longest free run. */
BF_STATIC size_t bf_tree_longest(const bf_tree *tree, const bf_map *map)
{
    if (tree->levels == 0) {
        return longest_in_group(tree, map, 0);
    }
    size_t longest = bf_counts_max(tree->counts[tree->levels - 1]);
    if (longest < tree->cut) {
        return longest;
    }
    for (size_t word = bf_tree_first(tree, tree->cut); word != BF_NONE;
         word = bf_tree_next(tree, word, tree->cut)) {
        size_t length = length_of_code(map, word, tree_leaf(tree, word));
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* ---------------------------------------------------------------- updating */

/* This entry and those above it are at least `count`. */
BF_STATIC void bf_tree_rise(bf_tree *tree, size_t level, size_t entry,
                            uint32_t count)
{
    for (; level < tree->levels; level++) {
        uint32_t *node = bf_node_of(tree, level, entry);
        if (node[entry & (BF_FANOUT - 1)] >= count) {
            return;
        }
        node[entry & (BF_FANOUT - 1)] = count;
        entry >>= BF_FANOUT_SHIFT;
    }
}

/* A run of that count (bf_count_of()) starts in this word now. Where a word's
 * number has more than 31 bits, its floor is too low, which is no error. */
BF_INLINE void bf_tree_lower_floors(bf_tree *tree, size_t word, uint32_t count)
{
    if (BF_FAST_PATHS && tree->levels != 0) {
        bf_floors *floors = bf_floors_of(tree);
        bf_floors_lower(floors->words, floors->least,
                        (uint32_t)word & INT32_MAX, count);
    }
}

/* A free run grew to, or came to be, [start, end). */
BF_STATIC void bf_tree_gain(bf_tree *tree, size_t start, size_t end)
{
    size_t word = bf_word_of(start);
    uint8_t *leaf = bf_leaves_of(tree, bf_group_of(word)) + bf_bit_of(word);
    unsigned code = code_of_run(start, end);
    uint32_t count = bf_count_of(tree, end - start);
    if (code > *leaf) {
        *leaf = (uint8_t)code;
    }
    bf_tree_lower_floors(tree, word, count);
    bf_tree_rise(tree, 0, bf_group_of(word), count);
}

/* As bf_tree_gain() of a run of `length` granules inside one word. The leaf is
 * written without asking whether it grows, which cannot be predicted. */
BF_INLINE void bf_tree_gain_in_word(bf_tree *tree, size_t word, unsigned length)
{
    size_t group = bf_group_of(word);
    uint8_t *leaf = bf_leaves_of(tree, group) + bf_bit_of(word);
    *leaf = (uint8_t)(length > *leaf ? length : *leaf);
    bf_tree_lower_floors(tree, word, length);
    if (tree->levels != 0 && length > tree->counts[0][group]) {
        bf_tree_rise(tree, 0, group, length);
    }
}

/* A group's count was `before` and has become smaller: the maxima above it
 * follow, as long as they are its own. */
BF_STATIC void sink_above(bf_tree *tree, size_t group, uint32_t before)
{
    size_t entry = group;
    for (size_t level = 0; level + 1 < tree->levels; level++) {
        const uint32_t *node = bf_node_of(tree, level, entry);
        entry >>= BF_FANOUT_SHIFT;
        uint32_t *above = &tree->counts[level + 1][entry];
        if (*above != before) {
            return;
        }
        *above = bf_counts_max(node);
    }
}

/* The group's longest run may be shorter than it was: its count, and those
 * above it, follow its leaves. */
BF_STATIC void sink(bf_tree *tree, const bf_map *map, size_t group)
{
    size_t longest = longest_in_group(tree, map, group);
    uint32_t *count = &tree->counts[0][group];
    uint32_t before = *count;
    *count = bf_count_of(tree, longest);
    if (*count != before) {
        sink_above(tree, group, before);
    }
}

/* As bf_tree_lose_in_word(), where the group's count was this word's. */
BF_STATIC void bf_tree_lose_longest(bf_tree *tree, const bf_map *map,
                                    size_t word, unsigned length)
{
    size_t group = bf_group_of(word);
    uint8_t *leaves = bf_leaves_of(tree, group);
    uint8_t *leaf = leaves + bf_bit_of(word);
    unsigned before = *leaf;
    /* A vector read right after a byte in it was written would wait. */
    unsigned others = bf_bytes_max_but(leaves, bf_bit_of(word));
    *leaf = (uint8_t)length;
    if (BF_UNLIKELY(others > BF_PLAIN_MAX)) {
        sink(tree, map, group);
        return;
    }
    tree->counts[0][group] = others > length ? others : length;
    sink_above(tree, group, before);
}

/* As bf_tree_lose(), where the longest run is known to be `length` granules and
 * to cover no word, like the one that it was. */
BF_INLINE void bf_tree_lose_in_word(bf_tree *tree, const bf_map *map,
                                    size_t word, unsigned length)
{
    size_t group = bf_group_of(word);
    uint8_t *leaf = bf_leaves_of(tree, group) + bf_bit_of(word);
    bool is_count = tree->levels != 0 && tree->counts[0][group] == *leaf;
    if (!is_count || length == *leaf) {
        *leaf = (uint8_t)length;
        return;
    }
    bf_tree_lose_longest(tree, map, word, length);
}

/* The run that reaches beyond this word is `less` granules shorter than it was,
 * but covers as many words, one at least. */
BF_STATIC void bf_tree_trim(bf_tree *tree, const bf_map *map, size_t word,
                            size_t less)
{
    if (tree->levels == 0) {
        return;
    }
    size_t group = bf_group_of(word);
    size_t length = bf_hole_count(bf_map_tail(map, word));
    uint32_t before = tree->counts[0][group];
    uint32_t count = bf_count_of(tree, length);
    if (before != bf_count_of(tree, length + less) || before == count) {
        return; /* another run's, or cut off still */
    }
    bf_word longer =
        bf_bytes_at_least(bf_leaves_of(tree, group), bf_least_code(length + 1));
    if ((longer & ~(BF_ONE << bf_bit_of(word))) != 0) {
        sink(tree, map, group);
        return;
    }
    tree->counts[0][group] = count;
    sink_above(tree, group, before);
}

/* The longest run that starts in this word is shorter than it was, by the map;
 * every gain of the same call has been told. */
BF_STATIC void bf_tree_lose(bf_tree *tree, const bf_map *map, size_t word)
{
    size_t group = bf_group_of(word);
    uint8_t *leaf = bf_leaves_of(tree, group) + bf_bit_of(word);
    uint32_t most = most_of_code(*leaf);
    bf_hole hole = longest_in_word(map, word);
    *leaf = (uint8_t)code_of_run(hole.start, hole.end);
    if (tree->levels == 0 || tree->counts[0][group] > most ||
        tree->counts[0][group] <= hole.end - hole.start) {
        return; /* another run sets the count, or this one does still */
    }
    sink(tree, map, group);
}

#endif
