/*
 * Bit mechanics: questions about one word, asked without knowing what a bit
 * means. Bit 0 is the lowest address; a *run* is a row of set bits.
 *
 * Shift and mask, without a branch that depends on the data: one that is
 * mispredicted costs more than the handful of steps that it saves.
 */
#ifndef BITFIT_BITS_H
#define BITFIT_BITS_H

#include "platform.h"

#include <limits.h>

#define BF_ONE ((bf_word)1)
#define BF_ALL (~(bf_word)0)
#define BF_TOP_BIT (BF_ONE << (BF_WORD_BITS - 1))

/* The bits below `end`; end in [0, BF_WORD_BITS]. */
BF_INLINE bf_word bf_mask_below(unsigned end)
{
    return end == BF_WORD_BITS ? BF_ALL : (BF_ONE << end) - 1;
}

/* The bits from `start` on; start in [0, BF_WORD_BITS). */
BF_INLINE bf_word bf_mask_from(unsigned start)
{
    return BF_ALL << start;
}

/* The bits of [start, end); start in [0, BF_WORD_BITS), end not below it. */
BF_INLINE bf_word bf_mask_span(unsigned start, unsigned end)
{
    return bf_mask_from(start) & bf_mask_below(end);
}

/* Bit i of the result: a run of `count` or more covers [i, i + count). count
 * in [1, BF_WORD_BITS]. Each step halves what is left to be covered. */
BF_INLINE bf_word bf_runs_of(bf_word word, unsigned count)
{
    unsigned left = count;
    BF_UNROLL
    for (unsigned step = 0; step < BF_WORD_SHIFT; step++) {
        unsigned half = left >> 1;
        word &= word >> half;
        left -= half;
    }
    return word;
}

/* Index of the first of the lowest `count` set bits in a row; BF_WORD_BITS if
 * there is no such run. count in [1, BF_WORD_BITS]. */
BF_INLINE unsigned bf_find_run(bf_word word, unsigned count)
{
    bf_word starts = bf_runs_of(word, count);
    return starts == 0 ? BF_WORD_BITS : bf_lowest_bit(starts);
}

/* Moves the lowest bits to the top; places in [1, bits of a size_t). */
BF_INLINE size_t bf_rotate(size_t number, unsigned places)
{
    return number >> places | number << (sizeof number * CHAR_BIT - places);
}

/* The next multiple of a power of two. */
BF_INLINE size_t bf_round_up(size_t number, size_t multiple)
{
    return (number + multiple - 1) & ~(multiple - 1);
}

#endif
