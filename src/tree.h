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

#include "platform_lanes.h"
#include "runs.h"

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

/* Bytes for the tree of that many words, and its floors before it. */
BF_INLINE size_t bf_tree_header_size(size_t words)
{
    return sizeof(bf_tree) + (words > BF_WORD_BITS ? sizeof(bf_floors) : 0);
}

/* Bytes for the leaves and counts of that many words. */
size_t bf_tree_size(size_t words);

/* Lays the leaves and counts out at `memory`, all empty. */
void bf_tree_init(bf_tree *tree, void *memory, size_t words, bool zeroed);

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

BF_INLINE uint32_t bf_count_of(const bf_tree *tree, size_t length)
{
    return (uint32_t)(length < tree->cut ? length : tree->cut);
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
size_t bf_tree_next(const bf_tree *tree, size_t word, size_t count);

/* A free run grew to, or came to be, [start, end). */
void bf_tree_gain(bf_tree *tree, size_t start, size_t end);

/* This entry and those above it are at least `count`. */
void bf_tree_rise(bf_tree *tree, size_t level, size_t entry, uint32_t count);

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

/* The longest run that starts in this word is shorter than it was, by the map;
 * every gain of the same call has been told. */
void bf_tree_lose(bf_tree *tree, const bf_runs *runs, size_t word);

/* As bf_tree_lose_in_word(), where the group's count was this word's. */
void bf_tree_lose_longest(bf_tree *tree, const bf_runs *runs, size_t word,
                          unsigned length);

/* As bf_tree_lose(), where the longest run is known to be `length` granules and
 * to cover no word, like the one that it was. */
BF_INLINE void bf_tree_lose_in_word(bf_tree *tree, const bf_runs *runs,
                                    size_t word, unsigned length)
{
    size_t group = bf_group_of(word);
    uint8_t *leaf = bf_leaves_of(tree, group) + bf_bit_of(word);
    bool is_count = tree->levels != 0 && tree->counts[0][group] == *leaf;
    if (!is_count || length == *leaf) {
        *leaf = (uint8_t)length;
        return;
    }
    bf_tree_lose_longest(tree, runs, word, length);
}

/* The run that reaches beyond this word is `less` granules shorter than it was,
 * but covers as many words, one at least. */
void bf_tree_trim(bf_tree *tree, const bf_runs *runs, size_t word, size_t less);

/* The longest free run. */
size_t bf_tree_longest(const bf_tree *tree, const bf_runs *runs);

/* Whether every entry is what the run map says. */
bool bf_tree_check(const bf_tree *tree, const bf_runs *runs);

#endif
