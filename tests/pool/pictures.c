/*
 * What each operation does, in pictures: one character for each granule, '.' is
 * free, a letter is a block, and "A{64}" is short for 64 times A.
 *
 *     given   "AABB..CC...."
 *     alloc   2 granules, named D
 *     expect  "AABBDDCC...."
 *
 * Every case is played at many places: behind a block '#' of 0, 1, 31, ...
 * granules, so that each picture also lies across the borders of 32- and 64-bit
 * words, and before another or before the pool's end.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum verb { ALLOC, ALIGNED, FREE, RESIZE, MOVE, RESET } verb;

typedef struct operation {
    verb verb;
    char name; /* of the block made or meant */
    size_t count;
    size_t alignment; /* in granules */
    bool fails;
} operation;

/* A block `name` of `count` granules comes into being. */
#define alloc(name, count)                                                     \
    {                                                                          \
        ALLOC, name, count, 1, false                                           \
    }
#define alloc_fails(count)                                                     \
    {                                                                          \
        ALLOC, '!', count, 1, true                                             \
    }
#define aligned(name, count, alignment)                                        \
    {                                                                          \
        ALIGNED, name, count, alignment, false                                 \
    }
#define aligned_fails(count, alignment)                                        \
    {                                                                          \
        ALIGNED, '!', count, alignment, true                                   \
    }
#define release(name)                                                          \
    {                                                                          \
        FREE, name, 0, 1, false                                                \
    }
#define resize(name, count)                                                    \
    {                                                                          \
        RESIZE, name, count, 1, false                                          \
    }
#define resize_fails(name, count)                                              \
    {                                                                          \
        RESIZE, name, count, 1, true                                           \
    }
/* bitfit_realloc() in a pool with the option `resize_moves`. */
#define move(name, count)                                                      \
    {                                                                          \
        MOVE, name, count, 1, false                                            \
    }
#define move_fails(name, count)                                                \
    {                                                                          \
        MOVE, name, count, 1, true                                             \
    }
#define reset()                                                                \
    {                                                                          \
        RESET, '!', 0, 1, false                                                \
    }

typedef struct picture_case {
    const char *name;
    const char *given;
    operation operation;
    const char *expect;
} picture_case;

/* clang-format off */
static const picture_case cases[] = {
    /* Where a block goes. */
    {"alloc_in_an_empty_pool", "........", alloc('A', 3), "AAA....."},
    {"alloc_takes_the_first_hole", "AABB..CC....", alloc('D', 2), "AABBDDCC...."},
    {"alloc_splits_a_hole", "A....B", alloc('C', 1), "AC...B"},
    {"alloc_fits_a_hole_exactly", "A...B...C", alloc('D', 3), "ADDDB...C"},
    {"alloc_passes_holes_too_small", "A.B..C...D", alloc('E', 3), "A.B..CEEED"},
    {"alloc_takes_first_not_best", "A....B..C", alloc('D', 2), "ADD..B..C"},
    {"alloc_takes_first_not_next", ".AB....", alloc('C', 1), "CAB...."},
    {"alloc_takes_the_last_place", "AABBCC.", alloc('D', 1), "AABBCCD"},
    {"alloc_takes_all", "......", alloc('A', 6), "AAAAAA"},
    {"alloc_fails_when_full", "AABBCC", alloc_fails(1), "AABBCC"},
    {"alloc_fails_by_one_granule", "A...B...C", alloc_fails(4), "A...B...C"},
    {"alloc_fails_though_the_sum_fits", ".A.B.C.D", alloc_fails(2), ".A.B.C.D"},
    {"alloc_of_one_among_alternating", "A.B.C.D.", alloc('E', 1), "AEB.C.D."},
    {"alloc_in_a_hole_of_one", "AA.BB", alloc('C', 1), "AACBB"},
    {"alloc_first_of_three_that_fit", "A..B...C....", alloc('D', 3), "A..BDDDC...."},
    {"alloc_whole_word", "A.{65}B", alloc('C', 64), "AC{64}.B"},
    {"alloc_word_less_one", ".{63}A.{64}", alloc('B', 64), ".{63}AB{64}"},
    {"alloc_word_more_one", ".{64}A.{65}B", alloc('C', 65), ".{64}AC{65}B"},
    {"alloc_half_word_more_one", ".{32}A.{33}B", alloc('C', 33), ".{32}AC{33}B"},
    {"alloc_two_words", ".{127}A.{128}B", alloc('C', 128), ".{127}AC{128}B"},
    {"alloc_two_words_more_one", ".{128}A.{129}B", alloc('C', 129), ".{128}AC{129}B"},
    {"alloc_three_words_less_one", ".{190}A.{191}B", alloc('C', 191), ".{190}AC{191}B"},
    {"alloc_three_words", ".{191}A.{192}B", alloc('C', 192), ".{191}AC{192}B"},
    {"alloc_three_words_more_one", ".{192}A.{193}B", alloc('C', 193), ".{192}AC{193}B"},
    {"alloc_four_words", ".{254}A.{255}B.{256}", alloc('C', 256), ".{254}A.{255}BC{256}"},
    {"alloc_four_words_more_one", ".{256}A.{257}B", alloc('C', 257), ".{256}AC{257}B"},
    {"alloc_4096", ".{4095}A.{4096}", alloc('B', 4096), ".{4095}AB{4096}"},
    {"alloc_4096_fails_by_one", "A.{4095}B.{4095}", alloc_fails(4096), "A.{4095}B.{4095}"},
    {"alloc_small_before_a_long_hole", "A..B.{300}", alloc('C', 2), "ACCB.{300}"},
    {"alloc_small_at_a_long_holes_start", "A..B.{300}C", alloc('D', 3), "A..BDDD.{297}C"},
    {"alloc_leaves_one_of_a_long_hole", "A.{300}B", alloc('C', 299), "AC{299}.B"},
    {"alloc_behind_a_long_block", "A{300}..B{300}...", alloc('C', 3), "A{300}..B{300}CCC"},
    {"alloc_between_long_blocks", "A{300}..B{300}...", alloc('C', 2), "A{300}CCB{300}..."},
    {"alloc_one_in_a_comb_of_twos", "A..B..C..D", alloc('E', 1), "AE.B..C..D"},
    {"alloc_the_longest_is_last", ".A..B...C....D.....", alloc('E', 5), ".A..B...C....DEEEEE"},

    /* Where an aligned block goes. */
    {"aligned_to_one_is_alloc", "A...B", aligned('C', 2, 1), "ACC.B"},
    {"aligned_skips_to_a_multiple", "A.......", aligned('B', 2, 4), "A...BB.."},
    {"aligned_at_the_start", "........", aligned('A', 3, 8), "AAA....."},
    {"aligned_passes_a_misaligned_hole", "A..B....", aligned('C', 2, 4), "A..BCC.."},
    {"aligned_passes_a_hole_long_enough", "A...B...C.......", aligned('D', 3, 4), "A...B...C...DDD."},
    {"aligned_size_is_no_multiple", "A.......", aligned('B', 3, 2), "A.BBB..."},
    {"aligned_fits_exactly", "A...BBBB", aligned('C', 2, 2), "A.CCBBBB"},
    {"aligned_fails_by_one", "A...BBBB", aligned_fails(3, 2), "A...BBBB"},
    {"aligned_fails_where_none_is", "A...B...", aligned_fails(1, 8), "A...B..."},
    {"aligned_to_a_word", "A.{100}", aligned('B', 2, 64), "A.{63}BB.{35}"},
    {"aligned_to_half_a_word", "A{33}.{100}", aligned('B', 40, 32), "A{33}.{31}B{40}.{29}"},
    {"aligned_to_two_words", "A.{300}", aligned('B', 129, 128), "A.{127}B{129}.{44}"},
    {"aligned_to_4096", "A.{4200}", aligned('B', 5, 4096), "A.{4095}B{5}.{100}"},
    {"aligned_to_4096_fails_by_one", "A.{4099}", aligned_fails(5, 4096), "A.{4099}"},
    {"aligned_at_the_last_place", "A..........BCCCC", aligned('D', 3, 8), "A.......DDDBCCCC"},

    /* What a free leaves. */
    {"free_the_only_block", "AAAA", release('A'), "...."},
    {"free_between_blocks", "AABBCC", release('B'), "AA..CC"},
    {"free_merges_left", "A..BBC", release('B'), "A....C"},
    {"free_merges_right", "ABB..C", release('B'), "A....C"},
    {"free_merges_both", "A..BB..C", release('B'), "A......C"},
    {"free_the_first", "AABB", release('A'), "..BB"},
    {"free_the_last", "AABB", release('B'), "AA.."},
    {"free_one_granule", "A.B.C", release('B'), "A...C"},
    {"free_leaves_its_like_alone", "AABBCCDD", release('C'), "AABB..DD"},
    {"free_64", "AB{64}C", release('B'), "A.{64}C"},
    {"free_65_merges_both", "A.{3}B{65}.{4}C", release('B'), "A.{72}C"},
    {"free_127", "AB{127}C", release('B'), "A.{127}C"},
    {"free_128_merges_left", "A.{64}B{128}C", release('B'), "A.{192}C"},
    {"free_129_merges_right", "AB{129}.{64}C", release('B'), "A.{193}C"},
    {"free_191", "AB{191}C", release('B'), "A.{191}C"},
    {"free_193_merges_both", "A.{255}B{193}.{257}C", release('B'), "A.{705}C"},
    {"free_4096", "AB{4096}C", release('B'), "A.{4096}C"},
    {"free_one_joins_two_long_holes", "A.{4096}B.{4096}C", release('B'), "A.{8193}C"},
    {"free_long_between_long", "A{300}B{300}C{300}", release('B'), "A{300}.{300}C{300}"},
    {"free_before_a_long_block", "AAB{300}", release('A'), "..B{300}"},
    {"free_behind_a_long_block", "A{300}BB", release('B'), "A{300}.."},
    {"free_joins_word_and_word", "A.{64}B{64}.{64}C", release('B'), "A.{192}C"},

    /* Shrinking happens in place. */
    {"shrink_leaves_a_hole", "AAAAB", resize('A', 2), "AA..B"},
    {"shrink_merges_right", "AAAA..B", resize('A', 1), "A.....B"},
    {"shrink_to_one", "BAAAAC", resize('A', 1), "BA...C"},
    {"shrink_by_one", "AAAAB", resize('A', 3), "AAA.B"},
    {"shrink_at_the_end", "AABBBB", resize('B', 1), "AAB..."},
    {"shrink_when_full", "AAABBB", resize('A', 2), "AA.BBB"},
    {"shrink_never_moves_down", "..AAAA", resize('A', 2), "..AA.."},
    {"shrink_a_word", "A{128}B", resize('A', 64), "A{64}.{64}B"},
    {"shrink_257_to_1", "A{257}B", resize('A', 1), "A.{256}B"},
    {"shrink_257_to_256", "A{257}B", resize('A', 256), "A{256}.B"},
    {"shrink_4096_to_65", "A{4096}..B", resize('A', 65), "A{65}.{4033}B"},
    {"shrink_193_to_127", "A{193}.{65}B", resize('A', 127), "A{127}.{131}B"},
    {"resize_to_the_same", "..AABB", resize('A', 2), "..AABB"},

    /* Growing stays where it can. */
    {"grow_in_place", "AA...B", resize('A', 4), "AAAA.B"},
    {"grow_in_place_exactly", "AA..B", resize('A', 4), "AAAAB"},
    {"grow_in_place_though_lower_fits", "....AA..", resize('A', 3), "....AAA."},
    {"grow_in_place_to_the_end", "BAA...", resize('A', 5), "BAAAAA"},
    {"grow_in_place_into_a_long_hole", "A.{300}B", resize('A', 65), "A{65}.{236}B"},
    {"grow_in_place_a_long_block", "A{64}.{129}B", resize('A', 193), "A{193}B"},
    {"grow_in_place_takes_4096", "A.{4095}B", resize('A', 4096), "A{4096}B"},
    {"grow_in_place_by_one_of_many", "A{191}.{64}B", resize('A', 192), "A{192}.{63}B"},
    {"grow_moves_up", "AABB....", resize('A', 3), "..BBAAA."},
    {"grow_moves_down", "....AABB", resize('A', 4), "AAAA..BB"},
    {"grow_moves_to_the_first_fit", "A.B...CD....", resize('C', 3), "A.BCCC.D...."},
    {"grow_moves_past_small_holes", "AB..C...D", resize('A', 3), ".B..CAAAD"},
    {"grow_moves_with_the_old_occupied", "..AAB....", resize('A', 4), "....BAAAA"},
    {"grow_fails_when_full", "AABB", resize_fails('A', 3), "AABB"},
    {"grow_fails_by_one", "AAB..", resize_fails('A', 3), "AAB.."},
    {"grow_fails_though_its_own_would_do", "..AAB", resize_fails('A', 4), "..AAB"},
    {"grow_moves_a_long_block", "A{129}B.{130}", resize('A', 130), ".{129}BA{130}"},
    {"grow_moves_one_to_4096", "AB.{4096}C", resize('A', 4096), ".BA{4096}C"},
    {"grow_beside_a_hole_too_small_moves", "AA.B....C", resize('A', 4), "...BAAAAC"},

    /* With `resize_moves` any other count moves. */
    {"move_shrinks_down", "..AAAA", move('A', 2), "AA...."},
    {"move_shrinks_up", "AAAB....", move('A', 2), "...BAA.."},
    {"move_keeps_a_shrink_without_place", "AAABBB", move('A', 2), "AAABBB"},
    {"move_grows_not_in_place", "AA......", move('A', 3), "..AAA..."},
    {"move_of_the_same_count_stays", "..AA", move('A', 2), "..AA"},
    {"move_fails_though_it_could_grow", "AA..B", move_fails('A', 3), "AA..B"},
    {"move_of_a_long_block", ".{128}A{129}", move('A', 65), "A{65}.{192}"},
    {"move_up_of_a_long_block", "A{193}.{192}B", move('A', 192), ".{193}A{192}B"},

    {"reset_empties", "AAB.CC..", reset(), "........"},
    {"reset_empties_long_blocks", "A{300}.{65}B{4096}.", reset(), ".{4462}"},
    {"reset_of_an_empty_pool", "....", reset(), "...."},
    {"reset_of_a_full_pool", "AABBCCDD", reset(), "........"},
};
/* clang-format on */

/* ------------------------------------------------------------ playing them */

static size_t index_of(const rig *r, char name, const char *picture)
{
    const char *at = strchr(picture, name);
    assert_non_null(at);
    size_t index = (size_t)(at - picture);
    assert_int_equal(r->names[index], name);
    return index;
}

static size_t apply(rig *r, const operation *op, const char *given)
{
    size_t size = op->count * r->granule;
    void *old = NULL;
    switch (op->verb) {
    case ALLOC:
        return rig_index(r, bitfit_alloc(r->pool, size));
    case ALIGNED:
        return rig_index(
            r, bitfit_aligned_alloc(r->pool, op->alignment * r->granule, size));
    case FREE:
        rig_free(r, index_of(r, op->name, given));
        return MODEL_NONE;
    case RESIZE:
    case MOVE:
        old = rig_pointer(r, index_of(r, op->name, given));
        return rig_index(r, bitfit_realloc(r->pool, old, size));
    case RESET:
        bitfit_reset(r->pool);
        return MODEL_NONE;
    }
    return MODEL_NONE;
}

/* The call's answer must be what the picture shows. */
static void name_result(rig *r, const operation *op, size_t index)
{
    bool gives = op->verb != FREE && op->verb != RESET && !op->fails;
    assert_int_equal(index != MODEL_NONE, gives);
    if (gives) {
        r->names[index] = op->name;
    }
}

/* The picture behind `before` granules of '#', and `after` more behind it. */
static char *framed(const char *picture, size_t before, size_t after)
{
    char *expanded = picture_expand(picture);
    size_t length = strlen(expanded);
    char *whole = malloc(before + length + after + 1);
    assert_non_null(whole);
    memset(whole, '#', before);
    memcpy(whole + before, expanded, length);
    memset(whole + before + length, '%', after);
    whole[before + length + after] = '\0';
    free(expanded);
    return whole;
}

static void play(const picture_case *c, size_t before, size_t after)
{
    bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE,
                              .resize_moves = c->operation.verb == MOVE};
    char *given = framed(c->given, before, after);
    char *expect = framed(c->expect, before, after);
    rig r;
    rig_open(&r, strlen(given), &options);
    rig_build(&r, given);
    assert_picture_(&r, given, "given", __FILE__, __LINE__);
    name_result(&r, &c->operation, apply(&r, &c->operation, given));
    assert_picture_(&r, expect, c->name, __FILE__, __LINE__);
    assert_sound(r.pool);
    rig_close(&r);
    free(given);
    free(expect);
}

static void picture(void **state)
{
    static const size_t befores[] = {0,   1,   2,   30,   31,   32,   33,  48,
                                     60,  62,  63,  64,   65,   95,   126, 127,
                                     128, 191, 192, 1023, 2047, 4033, 4096};
    static const size_t afters[] = {0, 1, 64, 70};
    const picture_case *c = *state;
    if (c->operation.verb == RESET) {
        play(c, 0, 0);
        return;
    }
    size_t alignment = c->operation.alignment;
    for (size_t i = 0; i < LENGTH(befores) * LENGTH(afters); i++) {
        size_t before = befores[i / LENGTH(afters)];
        size_t rounded = (before + alignment - 1) / alignment * alignment;
        play(c, rounded, afters[i % LENGTH(afters)]);
    }
}

/* --------------------------------------------------------- bitfit_draw() */

static void assert_draws(rig *r, const char *given, const char *expect)
{
    char *given_whole = picture_expand(given);
    char *expect_whole = picture_expand(expect);
    size_t length = strlen(expect_whole);
    char *drawn = malloc(length + 1);
    assert_non_null(drawn);
    rig_open(r, length, NULL);
    rig_build(r, given_whole);
    assert_int_equal(bitfit_draw(r->pool, drawn, length + 1), length);
    assert_string_equal(drawn, expect_whole);
    rig_close(r);
    free(given_whole);
    free(expect_whole);
    free(drawn);
}

static void draw_names_blocks_in_address_order(void **state)
{
    (void)state;
    rig r;
    assert_draws(&r, "..xx.y..z", "..AA.B..C");
    assert_draws(&r, "zzyyxx", "AABBCC");
    assert_draws(&r, "....", "....");
    assert_draws(&r, "x", "A");
    assert_draws(&r, "x{129}.{65}y{64}z", "A{129}.{65}B{64}C");
}

static void draw_starts_over_after_z(void **state)
{
    (void)state;
    rig r;
    assert_draws(&r, "abcdefghijklmnopqrstuvwxyz0123",
                 "ABCDEFGHIJKLMNOPQRSTUVWXYZABCD");
}

static void picture_notation_expands_and_shortens(void **state)
{
    (void)state;
    char *whole = picture_expand("A{3}.B{2}..");
    char *shorter = picture_shorten("AAAAAAAAAAAAAAAAAAAA.BB");
    assert_string_equal(whole, "AAA.BB..");
    assert_string_equal(shorter, "A{20}.BB");
    free(whole);
    free(shorter);
}

int main(void)
{
    static struct CMUnitTest tests[LENGTH(cases) + 3] = {
        cmocka_unit_test(picture_notation_expands_and_shortens),
        cmocka_unit_test(draw_names_blocks_in_address_order),
        cmocka_unit_test(draw_starts_over_after_z),
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        /* cmocka hands the state on as plain void *; nothing writes to it. */
        picture_case *c = (picture_case *)(uintptr_t)&cases[i];
        tests[i + 3] =
            (struct CMUnitTest){cases[i].name, picture, NULL, NULL, c};
    }
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
