/*
 * The first-fit index: blocks and holes in granules, no pointer anywhere.
 *
 *     given   "AABB..CC...."
 *     alloc   2 granules
 *     expect  "AABBDDCC...."
 *
 * It joins the run map (runs.h: what is where) with the tree of maxima (tree.h:
 * where is a hole that fits). A pool of a few words has no tree: looking at
 * each word is faster than keeping one.
 *
 * The last block taken was the first fit for its size. If it is freed before
 * any other, it *waits*: the map still shows a block. A request for as many
 * granules gets it back, since nothing lower has become free; any other change
 * frees it in the map first. The commonest pair of calls thus touches no map.
 *
 * Invariants, by the numbers that bitfit_check() returns:
 *     1  a run starts at granule 0, and at the pool's end where that lies
 *        inside a word; no start bit stands beyond
 *     2  the free bits of a run are all alike in its first and last word
 *     3  the first and the last covered word of a run have its tag
 *     4  no two free runs touch
 *     5  the tree says what the map says
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

/* The tree's header stands right before the pairs, where there is a tree. */
typedef struct bf_index {
    bf_runs runs;
    uint32_t last_start; /* of the last block taken */
    uint32_t last_count; /* its granules, plus BF_WAITING if it waits; or 0 */
} bf_index;

#define BF_WAITING ((uint32_t)1 << 31)

/* Bytes that the index needs for that many granules. */
size_t bf_index_size(size_t granules);

/* Where in these bytes the run map stands. */
size_t bf_index_pairs_offset(size_t granules);

/* An index of one free run, laid out at `memory`, which is aligned for a pair;
 * zeroed: the memory is all zero bytes. */
void bf_index_init(bf_index *index, void *memory, size_t granules, bool zeroed);

/* Frees every block: one free run again. */
void bf_index_empty(bf_index *index);

/* Frees the waiting block in the map, so that the map tells everything. */
void bf_index_flush(bf_index *index);

/* As bf_index_alloc(), in a map that tells everything. */
size_t bf_index_alloc_in_map(bf_index *index, size_t count);

/* Remembers the block that was taken last; one beyond 32 bits is not, nor is
 * BF_NONE. */
BF_INLINE void bf_index_remember(bf_index *index, size_t start, size_t count)
{
    bool fits = (start | count) < BF_WAITING;
    index->last_start = (uint32_t)start;
    index->last_count = fits ? (uint32_t)count : 0;
}

/* Makes the first `count` granules of the first free run that is long enough a
 * block. Its start; BF_NONE if and only if there is no such run. count > 0. */
BF_INLINE size_t bf_index_alloc(bf_index *index, size_t count)
{
    if (index->last_count == count + BF_WAITING) {
        index->last_count = (uint32_t)count;
        return index->last_start;
    }
    if (BF_UNLIKELY(index->last_count >= BF_WAITING)) {
        bf_index_flush(index);
    }
    size_t start = bf_index_alloc_in_map(index, count);
    bf_index_remember(index, start, count);
    return start;
}

/* As bf_index_alloc(), at the lowest place whose granule number plus `phase` is
 * a multiple of `alignment`, a power of two. */
size_t bf_index_alloc_aligned(bf_index *index, size_t count, size_t alignment,
                              size_t phase);

/* As bf_index_free(), in a map that tells everything. */
size_t bf_index_free_in_map(const bf_index *index, size_t start);

/* Frees the block that starts at `start` by the map; returns its granules: 0 if
 * and only if it waits, and so was freed before. */
BF_INLINE size_t bf_index_free(bf_index *index, size_t start)
{
    uint32_t count = index->last_count;
    if (start == index->last_start && count != 0) {
        if (BF_UNLIKELY(count >= BF_WAITING)) {
            return 0;
        }
        index->last_count = count + BF_WAITING;
        return count;
    }
    if (BF_UNLIKELY(count >= BF_WAITING)) {
        bf_index_flush(index);
    }
    index->last_count = 0; /* something lower may be free now */
    return bf_index_free_in_map(index, start);
}

/* The granules of the block that starts at `start`. */
BF_INLINE size_t bf_index_count(const bf_index *index, size_t start)
{
    return bf_runs_end(&index->runs, start) - start;
}

/* Whether a block starts at this granule. */
BF_INLINE bool bf_index_is_block(const bf_index *index, size_t granule)
{
    bool waits =
        granule == index->last_start && index->last_count >= BF_WAITING;
    return bf_runs_is_block(&index->runs, granule) && !waits;
}

/* Resizes a block to another `count` of granules where it stands. False if and
 * only if it would have to grow into a block or beyond the pool: nothing has
 * changed. */
bool bf_index_resize(bf_index *index, size_t start, size_t count);

/* What follows needs a map that tells everything: bf_index_flush() first. */

/* Whether this granule is free. Time: it may look at every word. */
bool bf_index_is_free(const bf_index *index, size_t granule);

/* The granules of the longest free run. */
size_t bf_index_longest(const bf_index *index);

/* The first free run of `count` granules or more, which is more than a word has
 * bits, that starts in a word after that of the granule `after`; the first of
 * all if that is BF_NONE. Empty if there is none. */
bf_hole bf_index_next_hole(const bf_index *index, size_t after, size_t count);

/* The first of the invariants 1 to 5 that is broken, or 0; then `live` granules
 * are in `blocks` blocks. No tag is trusted. */
int bf_index_check(const bf_index *index, size_t *live, size_t *blocks);

#endif
