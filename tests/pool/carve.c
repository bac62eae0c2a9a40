/*
 * What the malloc replacement uses of the core (carve.h): carving is first fit
 * one block after another, and a look without the lock sees what the lock's
 * holder sees.
 */
#include "support.h"

#include "../../malloc/carve.h"
#include "pool.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

/* Carves blocks, names them for pictures, and writes their starts. */
static size_t carve(rig *r, size_t count, size_t most, size_t holes,
                    size_t *starts)
{
    void *blocks[MOST];
    size_t number = bf_carve(r->pool, count, most, holes, blocks);
    assert_sound(r->pool);
    for (size_t i = 0; i < number; i++) {
        starts[i] = rig_index(r, blocks[i]);
        r->names[starts[i]] = 'D';
    }
    return number;
}

static void carve_takes_each_block_at_its_first_fit(void **state)
{
    (void)state;
    rig r;
    size_t starts[MOST];
    rig_open(&r, 16, NULL);
    rig_build(&r, "AA....BB..CC....");
    assert_int_equal(carve(&r, 2, 3, 2, starts), 3);
    assert_picture(&r, "AADDDDBBDDCC....");
    assert_int_equal(starts[0], 2);
    assert_int_equal(starts[1], 4);
    assert_int_equal(starts[2], 8);
    rig_close(&r);
}

static void carve_stops_after_so_many_holes(void **state)
{
    (void)state;
    rig r;
    size_t starts[MOST];
    rig_open(&r, 16, NULL);
    rig_build(&r, "AA....BB..CC....");
    assert_int_equal(carve(&r, 2, 8, 1, starts), 2);
    assert_picture(&r, "AADDDDBB..CC....");
    rig_close(&r);
}

static void carve_returns_0_if_and_only_if_none_fits(void **state)
{
    (void)state;
    rig r;
    size_t starts[MOST];
    rig_open(&r, 12, NULL);
    rig_build(&r, "AA...BB..CCC");
    assert_int_equal(carve(&r, 4, 3, 9, starts), 0);
    assert_picture(&r, "AA...BB..CCC");
    assert_int_equal(carve(&r, 3, 3, 9, starts), 1);
    assert_int_equal(starts[0], 2);
    rig_close(&r);
}

/* A pool in a random state: blocks taken, some given back. */
static void shuffle(rig *r, dice *d, size_t largest)
{
    size_t held[256];
    size_t blocks = 0;
    for (size_t i = 0; i < 200; i++) {
        size_t start = rig_alloc(r, dice_between(d, 1, largest));
        if (start != MODEL_NONE) {
            held[blocks++] = start;
        }
        if (blocks != 0 && dice_below(d, 3) == 0) {
            size_t gone = dice_below(d, blocks);
            rig_free(r, held[gone]);
            held[gone] = held[--blocks];
        }
    }
}

/* Two pools of the same random blocks. */
static void open_twins(rig *one, rig *other, dice *d, size_t largest)
{
    dice same = *d;
    rig_open(one, 2000, NULL);
    rig_open(other, 2000, NULL);
    shuffle(one, d, largest);
    shuffle(other, &same, largest);
}

static void carve_is_allocating_one_after_the_other(void **state)
{
    (void)state;
    uint64_t seed = seed_for_this_run();
    for (uint64_t round = 0; round < 300; round++) {
        rig one;
        rig other;
        dice d = dice_from(seed + round);
        size_t starts[MOST];
        size_t largest = round % 3 == 0 ? 200 : 20;
        open_twins(&one, &other, &d, largest);
        size_t count = dice_between(&d, 1, largest);
        size_t most = dice_between(&d, 1, MOST);
        size_t blocks = carve(&one, count, most, SIZE_MAX, starts);
        for (size_t i = 0; i < blocks; i++) {
            assert_int_equal(rig_alloc(&other, count), starts[i]);
        }
        assert_true(blocks == most || rig_alloc(&other, count) == MODEL_NONE);
        bitfit_stats stats = rig_stats(&one);
        bitfit_stats expected = rig_stats(&other);
        expected.failures = stats.failures;
        assert_memory_equal(&stats, &expected, sizeof stats);
        rig_close(&one);
        rig_close(&other);
    }
}

static void carve_back_frees_and_nothing_waits(void **state)
{
    (void)state;
    rig r;
    void *blocks[3];
    rig_open(&r, 512, NULL);
    assert_int_equal(bf_carve(r.pool, 70, 3, 1, blocks), 3);
    bf_view view = bf_view_of(r.pool);
    bf_carve_back(r.pool, 70, blocks, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bf_view_count(&view, rig_index(&r, blocks[i])), 0);
    }
    assert_picture(&r, ".{512}");
    assert_int_equal(rig_stats(&r).blocks, 0);
    rig_close(&r);
}

/* The block taken last begins the row: it does not wait, and all of the row
 * counts. */
static void carve_back_takes_the_last_block_with_its_row(void **state)
{
    (void)state;
    rig r;
    void *blocks[2];
    rig_open(&r, 100, NULL);
    assert_int_equal(bf_carve(r.pool, 2, 1, SIZE_MAX, blocks), 1);
    assert_int_equal(bf_carve(r.pool, 2, 1, SIZE_MAX, blocks + 1), 1);
    bf_carve_back(r.pool, 2, blocks, 1);
    assert_int_equal(bf_carve(r.pool, 2, 1, SIZE_MAX, blocks), 1);
    assert_int_equal(rig_index(&r, blocks[0]), 0);
    assert_int_equal(rig_index(&r, blocks[1]), 2);
    bf_carve_back(r.pool, 2, blocks, 2);
    assert_int_equal(rig_stats(&r).live, 0);
    assert_sound(r.pool);
    rig_close(&r);
}

/* Puts some of the blocks in another order: rows, both ways, and none. */
static void mix(dice *d, void **blocks, size_t number)
{
    for (size_t i = 0; i < number; i++) {
        size_t other =
            dice_below(d, 2) == 0 ? number - 1 - i : dice_below(d, number);
        void *block = blocks[i];
        blocks[i] = blocks[other];
        blocks[other] = block;
    }
}

static void carve_back_is_freeing_one_after_the_other(void **state)
{
    (void)state;
    uint64_t seed = seed_for_this_run();
    for (uint64_t round = 0; round < 300; round++) {
        rig one;
        rig other;
        dice d = dice_from(seed + round);
        void *blocks[MOST];
        size_t largest = round % 3 == 0 ? 200 : 20;
        open_twins(&one, &other, &d, largest);
        size_t count = dice_between(&d, 1, largest);
        size_t number = bf_carve(one.pool, count, MOST, SIZE_MAX, blocks);
        bf_carve(other.pool, count, MOST, SIZE_MAX, (void *[MOST]){NULL});
        if (dice_below(&d, 3) != 0) {
            mix(&d, blocks, number);
        }
        size_t back = number == 0 ? 0 : dice_below(&d, number + 1);
        bf_carve_back(one.pool, count, blocks, back);
        for (size_t i = 0; i < back; i++) {
            size_t start = rig_index(&one, blocks[i]);
            bitfit_free(other.pool, rig_pointer(&other, start));
        }
        assert_sound(one.pool);
        bitfit_stats stats = rig_stats(&one);
        bitfit_stats expected = rig_stats(&other);
        assert_memory_equal(&stats, &expected, sizeof stats);
        for (size_t i = 0; i < 100; i++) {
            size_t next = dice_between(&d, 1, largest);
            assert_int_equal(rig_alloc(&one, next), rig_alloc(&other, next));
        }
        rig_close(&one);
        rig_close(&other);
    }
}

static void carve_top_takes_the_end_and_counts_in_no_mark(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 1000, NULL);
    size_t start = bf_carve_reserve_top(r.pool, 100);
    assert_int_equal(start, 900);
    assert_sound(r.pool);
    r.names[start] = 'T';
    assert_picture(&r, ".{900}T{100}");
    assert_int_equal(rig_stats(&r).high_water, 0);
    assert_int_equal(rig_stats(&r).peak_live, 0);
    assert_int_equal(bf_carve_room(r.pool), 1000);
    assert_int_equal(bf_carve_live(r.pool), 100);
    rig_close(&r);
}

static void carve_below_is_the_hole_before_a_block(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 200, NULL);
    rig_build(&r, "AA.{100}BBC{96}");
    assert_int_equal(bf_carve_hole_before(r.pool, 0), 0);
    assert_int_equal(bf_carve_hole_before(r.pool, 102), 100);
    assert_int_equal(bf_carve_hole_before(r.pool, 104), 0);
    size_t last = rig_alloc(&r, 100);
    rig_free(&r, last); /* it waits */
    assert_int_equal(bf_carve_hole_before(r.pool, 102), 100);
    rig_close(&r);
}

/* The holes of a picture by carve_hole() are those of a walk. */
typedef struct holes {
    rig *rig;
    size_t least;
    size_t after;
    size_t found;
} holes;

static bool next_is(const bitfit_run *run, void *context)
{
    holes *h = context;
    if (run->live || run->size / h->rig->granule < h->least) {
        return true;
    }
    bf_hole hole = bf_carve_next_hole(h->rig->pool, h->after, h->least);
    assert_int_equal(hole.start, rig_index(h->rig, run->start));
    assert_int_equal(bf_hole_count(hole), run->size / h->rig->granule);
    h->after = hole.start;
    h->found++;
    return true;
}

static bool collect(const bitfit_run *run, void *context)
{
    bitfit_run **end = context;
    *(*end)++ = *run;
    return true;
}

static void carve_hole_finds_every_long_hole(void **state)
{
    (void)state;
    static const char *const pictures[] = {
        "A.{3}B.{65}C.{64}D.{200}E.{66}F.{500}", "A.{63}B.{90}C{100}", ".{65}A",
        "A{300}"};
    for (size_t i = 0; i < LENGTH(pictures); i++) {
        rig r;
        char *picture = picture_expand(pictures[i]);
        rig_open(&r, strlen(picture), NULL);
        rig_build(&r, picture);
        bitfit_run runs[64];
        bitfit_run *end = runs;
        bitfit_walk(r.pool, collect, &end);
        holes h = {&r, 65, BF_NONE, 0};
        for (const bitfit_run *run = runs; run < end; run++) {
            next_is(run, &h);
        }
        bf_hole none =
            bf_carve_next_hole(r.pool, h.after == BF_NONE ? 0 : h.after,
                               h.found == 0 ? 1000 : h.least);
        assert_int_equal(bf_hole_count(none), 0);
        free(picture);
        rig_close(&r);
    }
}

/* A block of 65 or more may lie in a word's middle and reach beyond it by less
 * than a run of that count would: such a word is passed over. */
static void carve_hole_passes_over_codes_of_shorter_holes(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 4000, NULL);
    rig_build(&r, "A{10}.{255}B.{250}C.{262}D{2000}");
    bf_hole hole = bf_carve_next_hole(r.pool, BF_NONE, 260);
    assert_int_equal(bf_hole_count(hole), 262);
    hole = bf_carve_next_hole(r.pool, hole.start, 260);
    assert_int_equal(hole.end, 4000);
    hole = bf_carve_next_hole(r.pool, hole.start, 260);
    assert_int_equal(bf_hole_count(hole), 0);
    rig_close(&r);
}

/* Every granule of the picture, looked at without the lock. */
static void assert_view(const char *notation)
{
    rig r;
    char *picture = picture_expand(notation);
    rig_open(&r, strlen(picture), NULL);
    rig_build(&r, picture);
    bf_view view = bf_view_of(r.pool);
    for (size_t i = 0; i < r.count; i++) {
        bool starts =
            picture[i] != '.' && (i == 0 || picture[i - 1] != picture[i]);
        size_t count = strspn(picture + i, (char[]){picture[i], '\0'});
        bool small = starts && count <= BF_WORD_BITS;
        assert_int_equal(bf_view_count(&view, i), starts ? count : 0);
        if (i < view.last_word) {
            const bf_pair *pair = &view.pairs[bf_word_of(i)];
            bf_word itself = BF_ONE << bf_bit_of(i);
            assert_int_equal(bf_view_count_small(pair, i, ~itself),
                             small ? count : 0);
            assert_int_equal(bf_view_count_small(pair, i, itself), 0);
        }
    }
    free(picture);
    rig_close(&r);
}

static void view_count_is_the_blocks_granules_and_0_elsewhere(void **state)
{
    (void)state;
    assert_view("AAB..C{70}.{65}D.{60}EE.F{5}G.{300}H{291}.I..");
    assert_view("A{64}B{64}C{128}");
    assert_view("A{63}B{65}");
    assert_view("A{63}B{66}C{64}.D{63}");
    assert_view("A{32}B{32}C{33}D{31}");
    assert_view("A{1000}");
    assert_view("A{1023}B");
    assert_view(".{500}A{524}");
    assert_view("A{5}");
}

/* A thread that frees what another one is freeing reads what makes no sense. */
static void view_count_never_leaves_the_pool(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 1024, NULL);
    rig_build(&r, "A{900}B{124}");
    bf_view view = bf_view_of(r.pool);
    bf_pair *pairs = r.pool->fit.map.pairs;
    bf_pair kept = pairs[1];
    pairs[1].free = BF_ALL;
    assert_int_equal(bf_view_count(&view, 0), 1024);
    pairs[1].free = 3 << 1; /* leads to a word without a start */
    assert_int_equal(bf_view_count(&view, 0), 1024);
    pairs[1] = kept;
    pairs[1024 / BF_WORD_BITS - 2].start = 0;
    assert_int_equal(bf_view_count(&view, 1024 - 2 * BF_WORD_BITS), 0);
    bf_word last = pairs[1024 / BF_WORD_BITS - 1].start;
    pairs[1024 / BF_WORD_BITS - 1].start = 0;
    pairs[900 / BF_WORD_BITS + 1].start = 0;
    bf_view_count(&view, 900);
    pairs[1024 / BF_WORD_BITS - 1].start = last;
    bitfit_reset(r.pool);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carve_takes_each_block_at_its_first_fit),
        cmocka_unit_test(carve_stops_after_so_many_holes),
        cmocka_unit_test(carve_returns_0_if_and_only_if_none_fits),
        cmocka_unit_test(carve_is_allocating_one_after_the_other),
        cmocka_unit_test(carve_back_frees_and_nothing_waits),
        cmocka_unit_test(carve_back_takes_the_last_block_with_its_row),
        cmocka_unit_test(carve_back_is_freeing_one_after_the_other),
        cmocka_unit_test(carve_top_takes_the_end_and_counts_in_no_mark),
        cmocka_unit_test(carve_below_is_the_hole_before_a_block),
        cmocka_unit_test(carve_hole_finds_every_long_hole),
        cmocka_unit_test(carve_hole_passes_over_codes_of_shorter_holes),
        cmocka_unit_test(view_count_is_the_blocks_granules_and_0_elsewhere),
        cmocka_unit_test(view_count_never_leaves_the_pool),
    };
    return cmocka_run_group_tests_name("carve", tests, NULL, NULL);
}
