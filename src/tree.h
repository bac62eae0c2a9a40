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
 *     leaves   [ 3 9 0 5 ... ] [ 0 130 0 ... ]                     1 word each
 *
 * So the first run of n granules is found from the top: in each node the first
 * entry that is large enough. No entry depends on two words at once, and a
 * change stops rising at the first entry that is larger anyway.
 *
 * One word, the *unsettled* one, may have had its longest run shortened since
 * its leaf was computed: its leaf and the entries above it may be too high,
 * never too low. A pair of alloc and free in one word thus computes nothing; a
 * search that is misled settles the word and begins anew, once.
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
    BF_PLAIN_MAX = 2 * BF_WORD_BITS - 1, /* longest run that covers no word */
    BF_CODE_MAX = UINT8_MAX
};

/* Lengths are cut off here, to be told apart by looking at the run. */
#define BF_COUNT_MAX ((uint32_t)INT32_MAX)

typedef struct bf_tree {
    uint8_t *leaves;
    size_t unsettled; /* a word, or BF_NONE */
    unsigned levels;  /* of counts; 0 if there is one group only */
    uint32_t *counts[BF_LEVELS_MAX];
} bf_tree;

/* Bytes for the leaves and counts of that many words. */
size_t bf_tree_size(size_t words);

/* Lays the leaves and counts out at `memory`, all empty. */
void bf_tree_init(bf_tree *tree, void *memory, size_t words, bool zeroed);

/* The first word in which a run of `count` granules may start, and surely does
 * if it is settled and count <= BF_WORD_BITS + 1. BF_NONE if there is none, or
 * if the unsettled word misled the search. */
size_t bf_tree_first(const bf_tree *tree, size_t count);

/* As bf_tree_first(), after `word`. No word is unsettled. */
size_t bf_tree_next(const bf_tree *tree, size_t word, size_t count);

/* A free run grew to, or came to be, [start, end). */
void bf_tree_gain(bf_tree *tree, size_t start, size_t end);

/* The longest run that starts in this word will be shorter: said before the map
 * changes, since another word is settled by the map as it is. */
void bf_tree_lose(bf_tree *tree, const bf_runs *runs, size_t word);

/* Makes every entry exact. */
void bf_tree_settle(bf_tree *tree, const bf_runs *runs);

/* The longest free run. No word is unsettled. */
size_t bf_tree_longest(const bf_tree *tree, const bf_runs *runs);

/* Whether every entry is what the run map says, but for the unsettled word's,
 * which are not too low. */
bool bf_tree_check(const bf_tree *tree, const bf_runs *runs);

#endif
