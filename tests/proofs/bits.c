/* One word: masks, lowest and highest bit, the run finder; for all words. */
#include "prover.h"

void prove_masks(void)
{
    unsigned start = nondet_unsigned();
    unsigned end = nondet_unsigned();
    unsigned i = nondet_unsigned();
    ASSUME(start < BF_WORD_BITS && end <= BF_WORD_BITS && start <= end);
    ASSUME(i < BF_WORD_BITS);
    CLAIM(bit_of(bf_mask_below(end), i) == (i < end), "mask_below");
    CLAIM(bit_of(bf_mask_from(start), i) == (i >= start), "mask_from");
    CLAIM(bit_of(bf_mask_span(start, end), i) == (i >= start && i < end),
          "mask_span");
    REACHED();
}

void prove_ends(void)
{
    bf_word word = nondet_word();
    unsigned i = nondet_unsigned();
    ASSUME(word != 0 && i < BF_WORD_BITS);
    unsigned low = bf_lowest_bit(word);
    unsigned high = bf_highest_bit(word);
    CLAIM(low < BF_WORD_BITS && bit_of(word, low), "the lowest bit is set");
    CLAIM(!bit_of(word, i) || i >= low, "and none is lower");
    CLAIM(high < BF_WORD_BITS && bit_of(word, high), "the highest bit is set");
    CLAIM(!bit_of(word, i) || i <= high, "and none is higher");
    REACHED();
}

/* Whether all of [i, i + count) is set. */
static bool covers(bf_word word, unsigned i, unsigned count)
{
    bf_word low = count == BF_WORD_BITS ? BF_ALL : (BF_ONE << count) - 1;
    return i + count <= BF_WORD_BITS && (word >> i & low) == low;
}

void prove_find_run(void)
{
    bf_word word = nondet_word();
    unsigned count = nondet_unsigned();
    unsigned i = nondet_unsigned();
    ASSUME(count >= 1 && count <= BF_WORD_BITS && i < BF_WORD_BITS);
    unsigned first = bf_find_run(word, count);
    CLAIM(first <= BF_WORD_BITS, "find_run: in range");
    CLAIM(first == BF_WORD_BITS || covers(word, first, count),
          "find_run: it fits");
    CLAIM(!covers(word, i, count) || first <= i, "find_run: none is lower");
    REACHED();
}

void prove_numbers(void)
{
    size_t number = nondet_size();
    size_t multiple = nondet_size();
    unsigned shift = nondet_unsigned();
    ASSUME(shift < sizeof(size_t) * CHAR_BIT);
    CLAIM(!bf_is_power_of_two((size_t)0), "0 is no power of two");
    CLAIM(bf_is_power_of_two((size_t)1 << shift), "each power of two is one");
    if (bf_is_power_of_two(multiple) && number <= SIZE_MAX - (multiple - 1)) {
        size_t up = bf_round_up(number, multiple);
        CLAIM(up >= number && up - number < multiple &&
                  (up & (multiple - 1)) == 0,
              "round_up: the next multiple");
    }
    size_t start = nondet_size();
    size_t size = nondet_size();
    bool last_byte_is_there = size == 0 || start + (size - 1) >= start;
    CLAIM(bf_wraps_around(start, size) == !last_byte_is_there, "wraps_around");
    REACHED();
}
