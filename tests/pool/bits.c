/*
 * The bit mechanics: every function of bits.h, and the seam's bit operations
 * and vector searches, against a naive loop over single bits. Words are random
 * and built from runs of interesting lengths, for the latter is where the
 * borders are. Last the tail of a word of the run map.
 */
#include "support.h"

#include "bits.h"
#include "map.h"
#include "platform_vector.h"

#include <string.h>

enum { ROUNDS = 20000 };

/* Lengths around the borders of bytes, halves and words; those that fit. */
static const unsigned lengths[] = {0,  1,  2,  3,  4,  5,  7,  8,
                                   9,  11, 15, 16, 17, 21, 22, 31,
                                   32, 33, 47, 48, 49, 62, 63, 64};

static bool bit(bf_word word, unsigned i)
{
    return (word >> i & 1) != 0;
}

static bf_word with_bits(unsigned start, unsigned end)
{
    bf_word word = 0;
    for (unsigned i = start; i < end; i++) {
        word |= BF_ONE << i;
    }
    return word;
}

/* Runs of set and clear bits in turn, or plain noise, sparse or dense. */
static bf_word any_word(dice *d)
{
    bf_word noise = (bf_word)(dice_next(d) >> 7 ^ dice_next(d) << 9);
    switch (dice_below(d, 4)) {
    case 0:
        return noise;
    case 1:
        return noise & (bf_word)dice_next(d);
    case 2:
        return noise | (bf_word)dice_next(d);
    default:
        break;
    }
    bf_word word = 0;
    for (unsigned at = 0; at < BF_WORD_BITS;) {
        unsigned end = at + (unsigned)dice_between(d, 1, 30);
        end = end > BF_WORD_BITS ? BF_WORD_BITS : end;
        word |= with_bits(at, end);
        at = end + (unsigned)dice_between(d, 1, 3);
    }
    return word;
}

/* Calls `test` with all runs of interesting lengths at all places, their
 * complements, and with many random words. */
static void for_many_words(void (*test)(bf_word word))
{
    dice d = dice_from(42);
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        for (unsigned at = 0; at + lengths[i] <= BF_WORD_BITS; at++) {
            bf_word word = with_bits(at, at + lengths[i]);
            test(word);
            test(~word);
        }
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        test(any_word(&d));
    }
}

/* --------------------------------------------------------------- the naive */

static bool run_at(bf_word word, unsigned start, unsigned count)
{
    if (start + count > BF_WORD_BITS) {
        return false;
    }
    for (unsigned i = start; i < start + count; i++) {
        if (!bit(word, i)) {
            return false;
        }
    }
    return true;
}

static unsigned naive_find_run(bf_word word, unsigned count)
{
    for (unsigned i = 0; i < BF_WORD_BITS; i++) {
        if (run_at(word, i, count)) {
            return i;
        }
    }
    return BF_WORD_BITS;
}

/* ------------------------------------------------------------------- tests */

static void mask_below_has_the_bits_below(void **state)
{
    (void)state;
    for (unsigned end = 0; end <= BF_WORD_BITS; end++) {
        assert_int_equal(bf_mask_below(end), with_bits(0, end));
    }
}

static void mask_from_has_the_bits_from(void **state)
{
    (void)state;
    for (unsigned start = 0; start < BF_WORD_BITS; start++) {
        assert_int_equal(bf_mask_from(start), with_bits(start, BF_WORD_BITS));
    }
}

static void mask_span_has_the_bits_between(void **state)
{
    (void)state;
    for (unsigned start = 0; start < BF_WORD_BITS; start++) {
        for (unsigned end = start; end <= BF_WORD_BITS; end++) {
            assert_int_equal(bf_mask_span(start, end), with_bits(start, end));
        }
    }
}

static void constants_are_what_they_say(void **state)
{
    (void)state;
    assert_int_equal(BF_WORD_BITS, sizeof(bf_word) * 8);
    assert_int_equal(BF_WORD_BITS, 1u << BF_WORD_SHIFT);
    assert_int_equal(BF_ALL, with_bits(0, BF_WORD_BITS));
    assert_int_equal(BF_TOP_BIT, with_bits(BF_WORD_BITS - 1, BF_WORD_BITS));
}

static void compare_ends(bf_word word)
{
    if (word == 0) {
        return;
    }
    unsigned lowest = 0;
    unsigned highest = BF_WORD_BITS - 1;
    while (!bit(word, lowest)) {
        lowest++;
    }
    while (!bit(word, highest)) {
        highest--;
    }
    assert_int_equal(bf_lowest_bit(word), lowest);
    assert_int_equal(bf_highest_bit(word), highest);
}

static void lowest_and_highest_bit_are_the_ends(void **state)
{
    (void)state;
    for_many_words(compare_ends);
}

static void compare_runs_of(bf_word word)
{
    for (unsigned count = 1; count <= BF_WORD_BITS; count++) {
        bf_word expect = 0;
        for (unsigned i = 0; i < BF_WORD_BITS; i++) {
            expect |= (bf_word)run_at(word, i, count) << i;
        }
        assert_int_equal(bf_runs_of(word, count), expect);
        if (count <= 8) {
            assert_int_equal(bf_runs_of_few(word, count), expect);
        }
    }
}

static void runs_of_marks_every_start_of_a_run(void **state)
{
    (void)state;
    dice d = dice_from(5);
    for (unsigned at = 0; at < BF_WORD_BITS; at++) {
        for (unsigned end = at; end <= BF_WORD_BITS; end += 5) {
            compare_runs_of(with_bits(at, end));
            compare_runs_of(~with_bits(at, end));
        }
    }
    for (size_t i = 0; i < ROUNDS / 10; i++) {
        compare_runs_of(any_word(&d));
    }
}

static void compare_find_run(bf_word word)
{
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        unsigned count = lengths[i];
        if (count >= 1 && count <= BF_WORD_BITS) {
            assert_int_equal(bf_find_run(word, count),
                             naive_find_run(word, count));
        }
    }
}

static void find_run_finds_the_lowest(void **state)
{
    (void)state;
    for_many_words(compare_find_run);
}

static void round_up_is_the_next_multiple(void **state)
{
    (void)state;
    for (size_t multiple = 1; multiple <= 128; multiple *= 2) {
        for (size_t number = 0; number < 300; number++) {
            size_t expect = number;
            while (expect % multiple != 0) {
                expect++;
            }
            assert_int_equal(bf_round_up(number, multiple), expect);
        }
    }
}

/* ------------------------------------------------------- the seam's searches
 */

static unsigned max_but(const uint8_t *bytes, unsigned skip)
{
    unsigned max = 0;
    for (unsigned i = 0; i < BF_WORD_BITS; i++) {
        max = i != skip && bytes[i] > max ? bytes[i] : max;
    }
    return max;
}

static void compare_bytes(const uint8_t *bytes, unsigned least)
{
    bf_word expect = 0;
    for (unsigned i = 0; i < BF_WORD_BITS; i++) {
        expect |= (bf_word)(bytes[i] >= least) << i;
        assert_int_equal(bf_bytes_max_but(bytes, i), max_but(bytes, i));
    }
    assert_int_equal(bf_bytes_at_least(bytes, least), expect);
    assert_int_equal(bf_bytes_max(bytes), max_but(bytes, BF_WORD_BITS));
}

static void byte_searches_see_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[BF_WORD_BITS];
    dice d = dice_from(6);
    for (unsigned at = 0; at < BF_WORD_BITS; at++) {
        for (unsigned value = 0; value <= 255; value += 5) {
            memset(bytes, 0, sizeof bytes);
            bytes[at] = (uint8_t)value;
            compare_bytes(bytes, value);
            compare_bytes(bytes, value == 255 ? 1 : value + 1);
        }
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t bound = dice_between(&d, 1, 256);
        for (unsigned at = 0; at < BF_WORD_BITS; at++) {
            bytes[at] = (uint8_t)dice_below(&d, bound);
        }
        compare_bytes(bytes, (unsigned)dice_below(&d, 256));
    }
}

static void expect_tail(const bf_map *map, size_t word, size_t length)
{
    assert_int_equal(bf_map_tail(map, word), length);
}

static void tail_is_the_last_run_that_starts_in_a_word(void **state)
{
    (void)state;
    bf_pair pairs[] = {
        {.free = BF_ALL, .start = 1},
        {.free = 1 << 1 | 1, .start = 0}, /* one covered word, free */
        {.free = BF_TOP_BIT, .start = BF_TOP_BIT | 1},
        {.free = BF_ALL, .start = 1u << 9 | 1u << 4},
        {.free = BF_ALL >> 1, .start = 1u << 9 | BF_TOP_BIT},
        {.free = 0, .start = 1},
    };
    const bf_map map = {pairs, LENGTH(pairs) * BF_WORD_BITS};
    expect_tail(&map, 0, 2 * BF_WORD_BITS);
    expect_tail(&map, 2, 5);
    expect_tail(&map, 3, BF_WORD_BITS);
    expect_tail(&map, 4, 0);
    expect_tail(&map, 5, 0);
}

static void a_word_inside_a_run_has_no_tail_whatever_its_bits_say(void **state)
{
    (void)state;
    bf_pair pairs[] = {{.free = 0, .start = 1}, {.free = BF_ALL, .start = 0}};
    const bf_map map = {pairs, LENGTH(pairs) * BF_WORD_BITS};
    expect_tail(&map, 1, 0);
}

static void a_run_starts_where_its_bit_stands_or_the_pool_ends(void **state)
{
    (void)state;
    bf_pair pairs[] = {{.free = BF_ALL, .start = 1 << 3 | 1}};
    const bf_map map = {pairs, BF_WORD_BITS};
    for (size_t i = 0; i <= BF_WORD_BITS; i++) {
        bool starts = i == 0 || i == 3 || i == BF_WORD_BITS;
        assert_int_equal(bf_map_starts(&map, i), starts);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_what_they_say),
        cmocka_unit_test(mask_below_has_the_bits_below),
        cmocka_unit_test(mask_from_has_the_bits_from),
        cmocka_unit_test(mask_span_has_the_bits_between),
        cmocka_unit_test(lowest_and_highest_bit_are_the_ends),
        cmocka_unit_test(runs_of_marks_every_start_of_a_run),
        cmocka_unit_test(find_run_finds_the_lowest),
        cmocka_unit_test(round_up_is_the_next_multiple),
        cmocka_unit_test(byte_searches_see_every_byte),
        cmocka_unit_test(tail_is_the_last_run_that_starts_in_a_word),
        cmocka_unit_test(a_word_inside_a_run_has_no_tail_whatever_its_bits_say),
        cmocka_unit_test(a_run_starts_where_its_bit_stands_or_the_pool_ends),
    };
    return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}
