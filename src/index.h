/*
 * The first-fit index: blocks and holes in granules, no pointer anywhere.
 *
 *     given   "AABB..CC...."
 *     alloc   2 granules
 *     expect  "AABBDDCC...."
 *
 * It joins the run map (runs.h: what is where) with the tree of maxima (tree.h:
 * where is a hole that fits). A pool of a few words has no tree: looking at each
 * word is faster than keeping one.
 *
 * Invariants, by the numbers that bitfit_check() returns:
 *     1  a run starts at granule 0, and at the pool's end where that lies
 *        inside a word; no start bit stands beyond
 *     2  the free bits of a run are all alike in its first and last word
 *     3  the first and the last covered word of a run have its tag
 *     4  no two free runs touch
 *     5  the tree says what the map says, never too little
 *     6  the counters of live granules and blocks are what the map says
 */
#ifndef BITFIT_INDEX_H
#define BITFIT_INDEX_H

#include "tree.h"

/* Pools of up to this many words are searched word by word. */
#ifdef BITFIT_NO_INDEX
#define BF_SCAN_WORDS SIZE_MAX
#else
#define BF_SCAN_WORDS ((size_t)4)
#endif

typedef struct bf_index {
    bf_runs runs;
    bf_tree *tree; /* NULL if the pool is searched word by word */
} bf_index;

/* Bytes that the index needs for that many granules. */
size_t bf_index_size(size_t granules);

/* An index of one free run, laid out at `memory`, which is aligned for a pair;
 * zeroed: the memory is all zero bytes. */
void bf_index_init(bf_index *index, void *memory, size_t granules, bool zeroed);

/* Makes the first `count` granules of the first free run that is long enough a
 * block. Its start; BF_NONE if and only if there is no such run. count > 0. */
size_t bf_index_alloc(const bf_index *index, size_t count);

/* As bf_index_alloc(), at the lowest place whose granule number plus `phase` is
 * a multiple of `alignment`, a power of two. */
size_t bf_index_alloc_aligned(const bf_index *index, size_t count,
                              size_t alignment, size_t phase);

/* Frees the block that starts at `start`; returns its granules. */
size_t bf_index_free(const bf_index *index, size_t start);

/* The granules of the block that starts at `start`. */
BF_INLINE size_t bf_index_count(const bf_index *index, size_t start)
{
    return bf_runs_end(&index->runs, start) - start;
}

/* Whether a block starts at this granule. */
BF_INLINE bool bf_index_is_block(const bf_index *index, size_t granule)
{
    return bf_runs_is_block(&index->runs, granule);
}

/* Whether this granule is free. Time: it may look at every word. */
bool bf_index_is_free(const bf_index *index, size_t granule);

/* Resizes a block to `count` granules where it stands. False if and only if it
 * would have to grow into a block or beyond the pool: nothing has changed. */
bool bf_index_resize(const bf_index *index, size_t start, size_t count);

/* The granules of the longest free run. */
size_t bf_index_longest(const bf_index *index);

/* The first of the invariants 1 to 5 that is broken, or 0; then `live` granules
 * are in `blocks` blocks. It trusts nothing that it reads. */
int bf_index_check(const bf_index *index, size_t *live, size_t *blocks);

#endif
