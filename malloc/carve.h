/*
 * The one internal header that the malloc replacement uses: what it needs at
 * the core's own speed, and what is no business of other users.
 *
 *     given   "AA....BB..CC...."
 *     carve   3 blocks of 2 granules
 *     expect  "AADDEEBBFFCC...."
 *
 * All calls but bf_view_count() are for one thread at a time, and do not enter
 * the pool: its lock, if it has one, is not taken.
 */
#ifndef BITFIT_CARVE_H
#define BITFIT_CARVE_H

#include "../src/map.h"

/* Takes up to `most` blocks of `count` granules, each at its first fit, as if
 * allocated one after the other. Stops early after `holes` holes. Writes where
 * they are and returns how many: 0 if and only if no block fits. Work: an
 * allocation and a growth for each hole, and a write for each block. */
size_t bf_carve(bitfit_pool *pool, size_t count, size_t most, size_t holes,
                void **blocks);

/* Frees that many blocks of `count` granules. None of them waits:
 * bf_view_count() knows them as free. Work: that of one free for each row of
 * blocks that lie next to each other and follow each other here, either way. */
void bf_carve_back(bitfit_pool *pool, size_t count, void *const *blocks,
                   size_t number);

/* Makes the last `count` granules of a pool without blocks a block, which
 * counts in no peak and no mark; its start. count is less than the pool. */
size_t bf_carve_reserve_top(bitfit_pool *pool, size_t count);

/* The granules of the hole that ends where this block starts; 0 if none does.
 */
size_t bf_carve_hole_before(bitfit_pool *pool, size_t start);

/* The same of the hole that starts at this granule, which may be the pool's
 * end. */
size_t bf_carve_hole_behind(bitfit_pool *pool, size_t start);

/* The first hole of `count` granules or more, which is more than a word has
 * bits, that starts in a word after that of the granule `after`; the first of
 * all if that is BF_NONE. Empty if there is none. */
bf_hole bf_carve_next_hole(bitfit_pool *pool, size_t after, size_t count);

/* The granules that lie above the high-water mark. */
size_t bf_carve_room(const bitfit_pool *pool);

/* The granules in blocks. */
size_t bf_carve_live(const bitfit_pool *pool);

/* --------------------------------------------------------- without the lock */

/* What a thread needs to know to look at a live block of its own while others
 * change the pool: none of it changes during the pool's life. */
typedef struct bf_view {
    unsigned char *payload;
    const bf_pair *pairs;
    size_t granules;
    size_t last_word; /* the first granule of the last word */
    unsigned granule_shift;
} bf_view;

bf_view bf_view_of(const bitfit_pool *pool);

/*
 * The granules of the block that starts at `granule`, which is below the
 * pool's end; 0 if none does. Exact for a block that lives during the call, and
 * for a granule inside such a block; anything for what changes meanwhile.
 *
 * Needs no lock, since the bits that it reads do not change during a block's
 * life: its start bit, the free bit there, the start bit at its end, the words
 * without start bits between, and the first one's tag. Others' bits in the same
 * words do.
 */
size_t bf_view_count(const bf_view *view, size_t granule);

/* As bf_view_count() of the granule at this bit (taken modulo a word's bits) of
 * a word that is not the last; but 0, too, if the block is longer than a word
 * has bits, or if `except`, the same word of some other bitmap, has the bit. A
 * block ends in one of two words, and which of them cannot be predicted: both
 * are read. */
BF_RACES size_t bf_view_count_small(const bf_pair *pair, size_t bit,
                                    bf_word except)
{
    bf_word others = BF_LOAD_RACING(pair[0].free) | except;
    bf_word starts = BF_LOAD_RACING(pair[0].start) >> bf_bit_of(bit);
    bf_word next = BF_LOAD_RACING(pair[1].start);
    if ((others >> bf_bit_of(bit) & 1) != 0 || (starts & 1) == 0) {
        return 0;
    }
    bf_word ends = starts >> 1 | next << bf_bit_of(~bit);
    return BF_LIKELY(ends != 0) ? bf_lowest_bit(ends) + 1 : 0;
}

#endif
