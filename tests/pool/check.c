/*
 * bitfit_check() finds what is broken: each invariant is broken by hand, by its
 * number (check.h), every bit of the run map is flipped in turn, and garbage
 * neither passes nor leads astray.
 */
#include "support.h"

#include "floors.h"
#include "pool.h"

#include <stdlib.h>
#include <string.h>

/* Short runs and long ones, which cover words; a tail beyond the last word. */
static const char scene[] = "AAB..C{70}.{65}D.{60}EE.F{5}G.{300}H{291}.I..";

/* A scene, and a copy of its bookkeeping to return to. */
typedef struct patient {
    rig rig;
    unsigned char *whole;
    bf_pair *pairs;
    size_t words;
} patient;

static void open_patient(patient *p, const char *notation)
{
    char *picture = picture_expand(notation);
    rig_open(&p->rig, strlen(picture), NULL);
    rig_build(&p->rig, picture);
    bf_fit_settle(&p->rig.pool->fit);
    assert_sound(p->rig.pool);
    size_t size = p->rig.options.bookkeeping_size;
    p->whole = malloc(size);
    assert_non_null(p->whole);
    memcpy(p->whole, p->rig.options.bookkeeping, size);
    p->pairs = p->rig.pool->fit.map.pairs;
    p->words = bf_words_for(p->rig.count);
    free(picture);
}

static void heal(patient *p)
{
    memcpy(p->rig.options.bookkeeping, p->whole,
           p->rig.options.bookkeeping_size);
}

static void close_patient(patient *p)
{
    heal(p);
    assert_sound(p->rig.pool);
    free(p->whole);
    rig_close(&p->rig);
}

static void assert_broken(patient *p, int invariant)
{
    assert_int_equal(bitfit_check(p->rig.pool), invariant);
    heal(p);
    assert_sound(p->rig.pool);
}

static void invariant_1_a_run_starts_at_the_pools_ends(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, scene);
    size_t last = bf_word_of(p.rig.count);
    unsigned bit = bf_bit_of(p.rig.count);
    assert_true(bit > 0 && bit < BF_WORD_BITS - 2);
    p.pairs[0].start &= ~BF_ONE;
    assert_broken(&p, 1);
    p.pairs[last].start &= ~(BF_ONE << bit);
    assert_broken(&p, 1);
    p.pairs[last].start |= BF_ONE << (bit + 1);
    assert_broken(&p, 1);
    p.pairs[last].free |= BF_ONE << (bit + 1);
    assert_broken(&p, 1);
    close_patient(&p);
}

static void invariant_2_the_free_bits_of_a_run_are_alike(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, scene);
    p.pairs[0].free ^= BF_ONE << 1; /* in A */
    assert_broken(&p, 2);
    p.pairs[0].free ^= BF_ONE << 4; /* in the hole behind B */
    assert_broken(&p, 2);
    close_patient(&p);
}

static void invariant_3_the_ends_of_a_long_run_have_its_tag(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, "A.{400}B");
    size_t last = bf_word_of(401) - 1;
    p.pairs[1].free ^= BF_ONE << 3;
    assert_broken(&p, 3);
    p.pairs[last].free ^= BF_ONE << 3;
    assert_broken(&p, 3);
    p.pairs[2].free = 12345; /* between the tags nothing matters */
    assert_sound(p.rig.pool);
    close_patient(&p);
}

static void invariant_4_no_two_free_runs_touch(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, "A....B");
    p.pairs[0].start |= BF_ONE << 3;
    assert_broken(&p, 4);
    close_patient(&p);
}

#ifndef BITFIT_NO_INDEX
static bf_tree *patient_tree(patient *p)
{
    return (bf_tree *)(void *)p->pairs - 1;
}

/* Turns the notes away from this word, or this group. */
static void note_others(bf_upper *upper, size_t number)
{
    for (unsigned i = 0; i < BF_SHORT_CLASSES; i++)
        upper->stale_words[i] = number == 0;
    for (unsigned i = 0; i < BF_STALE_GROUPS; i++)
        upper->stale_groups[i] = number == 0;
}

/* Every leaf, too low and too high; every entry above and its count: what is
 * not noted. */
static void invariant_5_the_tree_says_what_the_map_says(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, "A.{9}B.{300}C{9000}.{70}D.{5000}E.{2}");
    bf_tree *tree = patient_tree(&p);
    bf_upper *upper = bf_upper_of(tree);
    assert_true(tree->rows > 0);
    for (size_t word = 0; word < p.words; word++) {
        note_others(upper, word);
        tree->leaves[word]--;
        assert_broken(&p, 5);
        note_others(upper, word);
        tree->leaves[word]++;
        assert_broken(&p, 5);
    }
    for (size_t row = 1; row <= tree->rows; row++) {
        for (size_t i = 0; i < BF_WORD_BITS; i++) {
            note_others(upper, i);
            upper->bytes[row][i]++;
            assert_broken(&p, 5);
            note_others(upper, i);
            upper->counts[row][i]++;
            assert_broken(&p, 5);
        }
    }
    close_patient(&p);
}

/* A leaf and an entry may be too high if that is noted, but never too low. */
static void invariant_5_what_is_noted_may_be_too_high(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, "A.{9}B.{300}C{9000}.{70}D.{5000}E.{2}");
    bf_tree *tree = patient_tree(&p);
    bf_upper *upper = bf_upper_of(tree);
    for (size_t word = 0; word < p.words; word++) {
        unsigned class = (unsigned)(word % BF_SHORT_CLASSES);
        upper->stale_words[class] = word;
        if (tree->leaves[word] < upper->bytes[1][bf_group_of(word)]) {
            tree->leaves[word]++;
            assert_sound(p.rig.pool); /* settles it */
        }
        upper->stale_words[class] = word;
        if (tree->leaves[word] > 0) {
            tree->leaves[word]--;
            assert_broken(&p, 5);
        }
    }
    upper->stale_groups[0] = 0;
    upper->counts[1][0]++;
    assert_sound(p.rig.pool);
    upper->stale_groups[0] = 0;
    upper->counts[1][0]--;
    assert_broken(&p, 5);
    close_patient(&p);
}

/* For each floor, one that lies above the first place for its lengths. */
static void invariant_5_no_floor_is_too_high(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, "A.{9000}");
    bf_upper *upper = bf_upper_of(patient_tree(&p));
    for (size_t count = 1; count <= 1024; count *= 2) {
        unsigned class = bf_class_of(count);
        upper->least[class] = (int16_t)count;
        assert_sound(p.rig.pool);
        upper->floors[class] = 1;
        assert_broken(&p, 5);
    }
    close_patient(&p);
}

/* Behind the last word of the pool there are leaves that nobody owns. */
static void invariant_5_nothing_is_said_beyond_the_end(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, "A.{600}B");
    bf_tree *tree = patient_tree(&p);
    tree->leaves[p.words] = 1;
    assert_broken(&p, 5);
    close_patient(&p);
}
#endif

static void invariant_6_the_counters_are_what_the_map_says(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, scene);
    p.rig.pool->room++;
    assert_broken(&p, 6);
    p.rig.pool->room--;
    assert_broken(&p, 6);
    p.rig.pool->allocations++;
    assert_broken(&p, 6);
    p.rig.pool->frees++;
    assert_broken(&p, 6);
    close_patient(&p);
}

/* Whether the word and both its neighbours lie inside one run: its free bits
 * mean nothing then. */
static bool is_between_tags(const patient *p, size_t word)
{
    return word > 0 && word + 1 < p->words && p->pairs[word - 1].start == 0 &&
           p->pairs[word].start == 0 && p->pairs[word + 1].start == 0;
}

/* Nothing is done for a block that waits before the map is found sound. */
static void a_block_that_waits_is_checked_as_it_is(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, ".{400}");
    char *block = bitfit_alloc(p.rig.pool, 300 * p.rig.granule);
    bitfit_free(p.rig.pool, block);
    assert_true(bf_fit_waits(&p.rig.pool->fit));
    memcpy(p.whole, p.rig.options.bookkeeping, p.rig.options.bookkeeping_size);
    for (size_t word = 0; word < p.words; word++) {
        memset(p.pairs + word, 0, sizeof(bf_pair));
        if (!is_between_tags(&p, word)) {
            assert_int_not_equal(bitfit_check(p.rig.pool), 0);
        }
        heal(&p);
    }
    p.rig.pool->fit.last_start++;
    assert_broken(&p, 6);
    p.rig.pool->fit.last_start = BF_WAITING;
    assert_broken(&p, 6);
    p.rig.pool->fit.last_count++;
    assert_broken(&p, 6);
    assert_true(bf_fit_waits(&p.rig.pool->fit));
    close_patient(&p);
}

/* It may wait next, so it is checked before it does. */
static void the_block_taken_last_is_checked(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, ".{400}");
    p.rig.pool->fit.last_count = 1;
    assert_broken(&p, 6);
    bitfit_alloc(p.rig.pool, 3 * p.rig.granule);
    memcpy(p.whole, p.rig.options.bookkeeping, p.rig.options.bookkeeping_size);
    p.rig.pool->fit.last_count++;
    assert_broken(&p, 6);
    p.rig.pool->fit.last_start++;
    assert_broken(&p, 6);
    close_patient(&p);
}

/* An entry may be too high, even that of a word in which nothing starts. */
static void a_covered_word_is_passed_over(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, FLOORS_GRANULES, NULL);
    assert_true(covered_word_is_passed_over(r.pool));
    rig_close(&r);
}

static void floors_that_were_given_up_are_low_again(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, FLOORS_GRANULES, NULL);
    assert_true(hole_is_below_no_floor(r.pool));
    rig_close(&r);
}

static void every_flipped_bit_of_the_map_is_found(void **state)
{
    (void)state;
    patient p;
    open_patient(&p, scene);
    for (size_t i = 0; i < p.words * BF_WORD_BITS; i++) {
        size_t word = i / BF_WORD_BITS;
        bool matters = !is_between_tags(&p, word);
        p.pairs[word].start ^= BF_ONE << (i % BF_WORD_BITS);
        assert_int_not_equal(bitfit_check(p.rig.pool), 0);
        heal(&p);
        p.pairs[word].free ^= BF_ONE << (i % BF_WORD_BITS);
        assert_int_equal(bitfit_check(p.rig.pool) != 0, matters);
        heal(&p);
    }
    close_patient(&p);
}

static void garbage_is_found_and_leads_nobody_astray(void **state)
{
    (void)state;
    patient p;
    dice d = dice_from(99);
    open_patient(&p, scene);
    for (size_t i = 0; i < 20000; i++) {
        size_t word = dice_below(&d, p.words);
        p.pairs[word].start = (bf_word)(dice_next(&d) & dice_next(&d));
        p.pairs[word].free = (bf_word)dice_next(&d);
        size_t other = dice_below(&d, p.words);
        p.pairs[other].start = 0;
        assert_true(bitfit_check(p.rig.pool) >= 0);
        heal(&p);
    }
    for (size_t i = 0; i < 1000; i++) {
        for (size_t word = 0; word < p.words; word++) {
            p.pairs[word].start = (bf_word)dice_next(&d);
            p.pairs[word].free = (bf_word)dice_next(&d);
        }
        assert_int_not_equal(bitfit_check(p.rig.pool), 0);
        heal(&p);
    }
    close_patient(&p);
}

/* A write below the first block reaches the rows first, then the map: whatever
 * it leaves there, the check returns. */
static void garbage_in_rows_and_map_leads_nobody_astray(void **state)
{
    (void)state;
    patient p;
    dice d = dice_from(7);
    open_patient(&p, "A.{9}B.{300}C{900}.{70}D.{500}E.{2}");
    bitfit_free(p.rig.pool, bitfit_alloc(p.rig.pool, 100 * p.rig.granule));
    memcpy(p.whole, p.rig.options.bookkeeping, p.rig.options.bookkeeping_size);
    unsigned char *first = (unsigned char *)p.pairs;
    unsigned char *end = (unsigned char *)p.rig.options.bookkeeping +
                         p.rig.options.bookkeeping_size;
    size_t size = (size_t)(end - first);
    for (size_t i = 0; i < 20000; i++) {
        size_t from = dice_below(&d, size);
        size_t most = size - from < 64 ? size - from : 64;
        size_t to = from + 1 + dice_below(&d, most);
        for (size_t at = from; at < to; at++) {
            first[at] = (unsigned char)dice_next(&d);
        }
        assert_true(bitfit_check(p.rig.pool) >= 0);
        heal(&p);
    }
    close_patient(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(invariant_1_a_run_starts_at_the_pools_ends),
        cmocka_unit_test(invariant_2_the_free_bits_of_a_run_are_alike),
        cmocka_unit_test(invariant_3_the_ends_of_a_long_run_have_its_tag),
        cmocka_unit_test(invariant_4_no_two_free_runs_touch),
#ifndef BITFIT_NO_INDEX
        cmocka_unit_test(invariant_5_the_tree_says_what_the_map_says),
        cmocka_unit_test(invariant_5_what_is_noted_may_be_too_high),
        cmocka_unit_test(invariant_5_no_floor_is_too_high),
        cmocka_unit_test(invariant_5_nothing_is_said_beyond_the_end),
#endif
        cmocka_unit_test(invariant_6_the_counters_are_what_the_map_says),
        cmocka_unit_test(a_block_that_waits_is_checked_as_it_is),
        cmocka_unit_test(the_block_taken_last_is_checked),
        cmocka_unit_test(a_covered_word_is_passed_over),
        cmocka_unit_test(floors_that_were_given_up_are_low_again),
        cmocka_unit_test(every_flipped_bit_of_the_map_is_found),
        cmocka_unit_test(garbage_is_found_and_leads_nobody_astray),
        cmocka_unit_test(garbage_in_rows_and_map_leads_nobody_astray),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
