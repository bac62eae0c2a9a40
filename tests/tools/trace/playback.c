/* Traces through pools: where blocks go, and how small a pool may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <trace/costs.h>
#include <trace/series.h>
#include <trace/smallest.h>

/* ------------------------------------------------------------------ helpers */

/* Operations as in a .rep file, without its header. */
static trace *make_trace(const char *operations)
{
    char text[4096] = "0\n0\n0\n0\n";
    trace_error error = {""};
    strcat(text, operations);
    trace *made = trace_parse("made.rep", text, strlen(text), &error);
    if (made == NULL)
        fail_msg("%s", error.text);
    return made;
}

static playback open_pool(const trace *from, size_t granule, size_t payload)
{
    playback it;
    playback_plan plan = {
        .from = from, .granule = granule, .alignment = 16, .payload = payload};
    const char *wrong = playback_open(&it, &plan);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    return it;
}

static void expect_picture(playback *it, const char *expected)
{
    char picture[128];
    bitfit_draw(it->pool, picture, sizeof picture);
    assert_string_equal(picture, expected);
}

/* -------------------------------------------------------------------- tests */

static void blocks_go_where_first_fit_puts_them(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 32\na 1 32\na 2 16\nf 0\na 3 16\nr 1 16\n"
                             "a 4 32\n");
    playback it = open_pool(from, 16, 16 * 8);
    playback_run(&it, 3);
    expect_picture(&it, "AABBC...");
    playback_run(&it, 5);
    expect_picture(&it, "A.BBC...");
    playback_run(&it, 7);
    expect_picture(&it, "A.B.CDD.");
    assert_int_equal(playback_offset(&it, trace_at(from, 6).slot), 80);
    assert_int_equal(it.failures, 0);
    playback_close(&it);
    trace_close(from);
}

static void a_request_that_fails_is_counted_and_left_out(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 32\na 1 64\nr 1 16\nf 1\nr 0 80\na 2 32\n");
    playback it = open_pool(from, 16, 64);
    playback_run(&it, from->count);
    expect_picture(&it, "AABB");
    assert_int_equal(it.failures, 2);
    assert_int_equal(it.first_failure, 1);
    playback_rewind(&it);
    expect_picture(&it, "....");
    assert_false(playback_serves(&it, from->count));
    assert_int_equal(it.next, 2);
    playback_close(&it);
    trace_close(from);
}

static void a_huge_pool_costs_its_bookkeeping_only(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 100000000000\na 1 1\nr 1 50000000000\n"
                             "a 2 5\n");
    bitfit_stats stats;
    playback_plan plan = {.from = from, .granule = 16, .alignment = 16};
    assert_null(playback_measure(&plan, &stats));
    assert_int_equal(stats.high_water, 150000000016);
    trace_close(from);
}

static void the_largest_granule_has_its_pool(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 1\na 1 1\nf 0\n");
    bitfit_stats stats;
    playback_plan plan = {
        .from = from, .granule = (size_t)1 << 30, .alignment = 16};
    assert_null(playback_measure(&plan, &stats));
    assert_int_equal(stats.high_water, (size_t)2 << 30);
    trace_close(from);
}

static void the_series_has_all_that_a_pool_showed(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 20\na 1 30\nf 0\na 2 1\nf 1\n");
    playback it = open_pool(from, 16, 64);
    series course;
    assert_true(series_run(&course, &it, 100, NULL));
    assert_int_equal(course.count, 5);
    static const series_point expected[] = {
        {1, 0, 20, 32, 32, 32, 0}, {2, 0, 50, 64, 64, 0, 0},
        {3, 0, 30, 32, 64, 32, 0}, {4, 0, 31, 48, 64, 16, 0},
        {5, 0, 1, 16, 64, 48, 0},
    };
    for (size_t i = 0; i < course.count; i++)
        assert_memory_equal(&course.points[i], &expected[i],
                            sizeof expected[i]);
    assert_int_equal(course.peak.event, 2);
    assert_int_equal(course.least_largest, 0);
    assert_int_equal(course.least_largest_at, 2);
    series_free(&course);
    assert_true(series_run(&course, &it, 2, NULL));
    assert_int_equal(course.count, 2);
    assert_int_equal(course.points[1].event, 5);
    assert_int_equal(course.peak.requested, 50);
    series_free(&course);
    playback_close(&it);
    trace_close(from);
}

static smallest find(const trace *from, size_t granule)
{
    smallest found;
    playback_plan plan = {.from = from, .granule = granule, .alignment = 16};
    const char *wrong = smallest_find(&found, &plan, NULL);
    if (wrong != NULL)
        fail_msg("%s", wrong);
    return found;
}

static void without_growth_the_high_water_mark_is_the_smallest(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 32\na 1 32\nf 0\na 2 48\nf 1\na 3 16\n");
    smallest found = find(from, 16);
    assert_int_equal(found.high_water, 112); /* "..AABBB" */
    assert_int_equal(found.payload, 112);
    assert_false(found.below_mark);
    assert_int_equal(found.replays, 3);
    trace_close(from);
}

/*
 * given   "AABBBB."    and A is freed: "..BBBB."
 * C       "..BBBBC"    ...
 * A block that grows in place at the very top could move down instead:
 *
 * given   "AAAABB"     then A is freed: "....BB"
 * grow    "....BBB"    in place, where there is room; a pool of 6 granules
 *                      has none, and B moves: "BBB..."
 */
static void growth_at_the_top_lets_less_suffice(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 64\na 1 32\nf 0\nr 1 48\n");
    smallest found = find(from, 16);
    assert_int_equal(found.high_water, 7 * 16);
    assert_int_equal(found.payload, 6 * 16);
    assert_true(found.below_mark);
    trace_close(from);
}

/* The size that was found serves, for bitfit_init() in memory of one's own, and
 * has just that payload. */
static void the_size_is_that_of_bitfit_init(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 1000\na 1 24\nf 0\na 2 500\n");
    for (size_t granule = 8; granule <= 256; granule *= 2) {
        smallest found = find(from, granule);
        bitfit_options options = {.struct_size = sizeof options,
                                  .granule = granule};
        void *memory = aligned_alloc(4096, (found.pool / 4096 + 1) * 4096);
        bitfit_stats stats;
        bitfit_pool *pool = bitfit_init(memory, found.pool, &options);
        bitfit_get_stats(pool, &stats);
        assert_int_equal(stats.capacity, found.payload);
        bitfit_destroy(pool);
        pool = bitfit_init(memory, found.pool - granule, &options);
        bitfit_get_stats(pool, &stats);
        assert_true(stats.capacity < found.payload);
        bitfit_destroy(pool);
        free(memory);
    }
    trace_close(from);
}

static void alignments_above_the_granule_have_no_bound(void **state)
{
    (void)state;
    static const char text[] = "1: memalign 0x10 64 100\n1: malloc 0x20 8\n";
    trace_error error;
    trace *from = trace_parse("x", text, sizeof text - 1, &error);
    trace_summary asked;
    smallest found;
    assert_true(trace_summarize(from, &asked));
    playback_plan plan = {.from = from,
                          .granule = 16,
                          .alignment = playback_alignment(asked.align_log2)};
    assert_int_equal(plan.alignment, 64);
    assert_null(smallest_find(&found, &plan, NULL));
    assert_int_equal(found.bound, 0);
    assert_int_equal(found.payload, 128);
    plan.granule = 64;
    assert_null(smallest_find(&found, &plan, NULL));
    assert_int_equal(found.bound, bitfit_bytes_for(3, 2, 64) + 48);
    trace_close(from);
}

static void the_summary_counts_what_was_asked_for(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 100\na 1 0\nr 0 40\nf 1\nf 0\n");
    trace_summary asked;
    trace_granules counts;
    assert_true(trace_summarize(from, &asked));
    assert_int_equal(asked.allocations, 2);
    assert_int_equal(asked.frees, 2);
    assert_int_equal(asked.resizes, 1);
    assert_int_equal(asked.peak_requested, 100);
    assert_int_equal(asked.peak_event, 0);
    assert_int_equal(asked.largest, 100);
    assert_int_equal(asked.requested, 140);
    assert_int_equal(asked.live_at_end, 0);
    assert_true(trace_count_granules(from, 16, &counts));
    assert_int_equal(counts.peak, 8);
    assert_int_equal(counts.peak_move, 11);
    assert_int_equal(counts.largest, 7);
    trace_close(from);
}

static void costs_are_those_of_the_moment(void **state)
{
    (void)state;
    trace *from = make_trace("a 0 20\na 1 20\na 2 100\na 3 7\nf 2\nr 3 20\n");
    size_t count;
    cost *costs = costs_at(from, 4, false, 16, &count);
    assert_int_equal(count, 3);
    assert_int_equal(costs[0].size, 100);
    assert_int_equal(costs[0].live, 112);
    assert_int_equal(costs[1].size, 20);
    assert_int_equal(costs[1].blocks, 2);
    assert_int_equal(costs[1].live, 64);
    assert_int_equal(costs[1].requested, 40);
    free(costs);
    costs = costs_at(from, from->count, false, 16, &count);
    assert_int_equal(count, 1);
    assert_int_equal(costs[0].blocks, 3);
    free(costs);
    trace_close(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_go_where_first_fit_puts_them),
        cmocka_unit_test(a_request_that_fails_is_counted_and_left_out),
        cmocka_unit_test(a_huge_pool_costs_its_bookkeeping_only),
        cmocka_unit_test(the_largest_granule_has_its_pool),
        cmocka_unit_test(the_series_has_all_that_a_pool_showed),
        cmocka_unit_test(without_growth_the_high_water_mark_is_the_smallest),
        cmocka_unit_test(growth_at_the_top_lets_less_suffice),
        cmocka_unit_test(the_size_is_that_of_bitfit_init),
        cmocka_unit_test(alignments_above_the_granule_have_no_bound),
        cmocka_unit_test(the_summary_counts_what_was_asked_for),
        cmocka_unit_test(costs_are_those_of_the_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
