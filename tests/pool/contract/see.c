/*
 * Statistics, walking, drawing and checking. One test for each promise of
 * bitfit.h, bearing its name.
 */
#include "support.h"

#include <string.h>

/* -------------------------------------------------------------- statistics */

static void stats_of_a_new_pool(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 100, NULL);
    bitfit_stats expect = {.granule = 16,
                           .capacity = 1600,
                           .bookkeeping = r.options.bookkeeping_size,
                           .free = 1600,
                           .largest_free = 1600};
    bitfit_stats stats = rig_stats(&r);
    assert_memory_equal(&stats, &expect, sizeof stats);
    rig_close(&r);
}

static void stats_count_bytes_blocks_and_calls(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 100, NULL);
    void *a = bitfit_alloc(r.pool, 17);
    void *b = bitfit_calloc(r.pool, 3, 16);
    void *c = bitfit_aligned_alloc(r.pool, 128, 1);
    assert_null(bitfit_alloc(r.pool, 1600));
    bitfit_free(r.pool, a);
    b = bitfit_realloc(r.pool, b, 16);
    bitfit_free_sized(r.pool, c, 1);
    bitfit_stats expect = {.granule = 16,
                           .capacity = 1600,
                           .bookkeeping = r.options.bookkeeping_size,
                           .live = 16,
                           .free = 1584,
                           .blocks = 1,
                           .largest_free = 1600 - 48,
                           .high_water = 144,
                           .peak_live = 96,
                           .largest_block = 48,
                           .allocations = 3,
                           .frees = 2,
                           .reallocations = 1,
                           .failures = 1};
    bitfit_stats stats = rig_stats(&r);
    assert_memory_equal(&stats, &expect, sizeof stats);
    rig_close(&r);
}

static void stats_largest_free_is_the_largest_that_succeeds(void **state)
{
    (void)state;
    void *slots[60] = {NULL};
    dice d = dice_from(11);
    rig r;
    rig_open(&r, 1500, NULL);
    for (size_t i = 0; i < 2000; i++) {
        change_slot(&r, &d, slots, LENGTH(slots));
        size_t largest = rig_stats(&r).largest_free;
        assert_null(bitfit_alloc(r.pool, largest + 1));
        void *block = largest == 0 ? NULL : bitfit_alloc(r.pool, largest);
        assert_int_equal(block != NULL, largest != 0);
        bitfit_free(r.pool, block);
    }
    assert_sound(r.pool);
    rig_close(&r);
}

/* Both copies are in blocks while a block moves: bitfit_bytes_for() counts
 * them, so the peak does. */
static void stats_peak_counts_both_copies_of_a_move(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 20, NULL);
    rig_build(&r, "AAB");
    assert_int_equal(rig_index(&r, bitfit_realloc(r.pool, r.payload, 48)), 3);
    bitfit_stats stats = rig_stats(&r);
    assert_int_equal(stats.peak_live, (2 + 1 + 3) * 16);
    assert_int_equal(stats.live, (1 + 3) * 16);
    assert_int_equal(stats.high_water, 6 * 16);
    assert_int_equal(stats.largest_block, 3 * 16);
    assert_int_equal(stats.allocations, 2);
    assert_int_equal(stats.frees, 0);
    assert_int_equal(stats.reallocations, 1);
    rig_close(&r);
}

/* ------------------------------------------------------ walk, check, draw */

typedef struct visit_count {
    size_t visits;
    size_t stop_after;
} visit_count;

static bool count_visit(const bitfit_run *run, void *context)
{
    visit_count *c = context;
    assert_non_null(run->start);
    return ++c->visits != c->stop_after;
}

static void reset_peak_begins_at_what_is_live(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 300, NULL);
    rig_build(&r, "A{100}B{20}.");
    rig_free(&r, 0);
    bitfit_stats before;
    bitfit_get_stats(r.pool, &before);
    assert_true(before.peak_live > before.live);
    bitfit_reset_peak(r.pool);
    bitfit_stats after;
    bitfit_get_stats(r.pool, &after);
    assert_int_equal(after.peak_live, after.live);
    after.peak_live = before.peak_live;
    assert_memory_equal(&after, &before, sizeof after);
    const void *start;
    size_t size;
    bitfit_bookkeeping(r.pool, &start, &size);
    assert_int_equal(bitfit_copy_check(start, size), BITFIT_COPY_WHOLE);
    assert_non_null(bitfit_alloc(r.pool, 30 * before.granule));
    bitfit_get_stats(r.pool, &after);
    assert_int_equal(after.peak_live, 50 * after.granule);
    rig_close(&r);
}

static void walk_says_whether_the_visitor_saw_all(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 9, NULL);
    rig_build(&r, "AAB..CD..");
    for (size_t stop = 1; stop <= 6; stop++) {
        visit_count count = {0, stop};
        assert_false(bitfit_walk(r.pool, count_visit, &count));
        assert_int_equal(count.visits, stop);
    }
    visit_count all = {0, 0};
    assert_true(bitfit_walk(r.pool, count_visit, &all));
    assert_int_equal(all.visits, 6);
    rig_close(&r);
}

static void draw_truncates_like_snprintf(void **state)
{
    (void)state;
    static const char whole[] = "AAB..CC..";
    rig r;
    rig_open(&r, 9, NULL);
    rig_build(&r, "xxy..zz..");
    assert_int_equal(bitfit_draw(r.pool, NULL, 0), 9);
    for (size_t size = 0; size <= 12; size++) {
        char buffer[16];
        memset(buffer, '#', sizeof buffer);
        assert_int_equal(bitfit_draw(r.pool, buffer, size), 9);
        size_t written = size == 0 ? 0 : size <= 9 ? size - 1 : 9;
        assert_memory_equal(buffer, whole, written);
        if (size > 0) {
            assert_int_equal(buffer[written++], '\0');
        }
        for (size_t i = written; i < sizeof buffer; i++) {
            assert_int_equal(buffer[i], '#');
        }
    }
    rig_close(&r);
}

static void check_finds_nothing_in_a_sound_pool(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 300, NULL);
    assert_int_equal(bitfit_check(r.pool), 0);
    rig_build(&r, "AAB.C{70}.{65}D.{60}EE.F{5}G.{91}");
    assert_int_equal(bitfit_check(r.pool), 0);
    rig_close(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_of_a_new_pool),
        cmocka_unit_test(stats_count_bytes_blocks_and_calls),
        cmocka_unit_test(stats_largest_free_is_the_largest_that_succeeds),
        cmocka_unit_test(stats_peak_counts_both_copies_of_a_move),
        cmocka_unit_test(reset_peak_begins_at_what_is_live),
        cmocka_unit_test(walk_says_whether_the_visitor_saw_all),
        cmocka_unit_test(draw_truncates_like_snprintf),
        cmocka_unit_test(check_finds_nothing_in_a_sound_pool),
    };
    return cmocka_run_group_tests_name("contract/see", tests, NULL, NULL);
}
