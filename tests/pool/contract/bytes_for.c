/*
 * The size that never fails. One test for each promise of bitfit.h, bearing its
 * name.
 */
#include <stdlib.h>

#include "support.h"

/* -------------------------------------------------------------- bytes_for() */

static long double harmonic(size_t n)
{
    long double sum = 0;
    for (size_t i = n; i > 0; i--) {
        sum += 1.0L / (long double)i;
    }
    return sum;
}

/* The theorem's N, not rounded. */
static long double bound_for(size_t peak, size_t largest)
{
    const long double ln_2 = 0.693147180559945309417232121458L;
    return (long double)peak * harmonic(largest) / ln_2;
}

/* The memory is not filled: up to 160 MiB, of which little is ever touched. */
static size_t capacity_of(size_t size, size_t granule)
{
    const bitfit_options options = {.granule = granule};
    bitfit_stats stats;
    void *memory = memory_for_pool(size);
    bitfit_pool *pool = bitfit_init(memory, size, &options);
    assert_non_null(pool);
    bitfit_get_stats(pool, &stats);
    bitfit_destroy(pool);
    free(memory);
    return stats.capacity / granule;
}

/* The pool holds N granules, and not many more. */
static void bytes_for_gives_a_pool_of_n_granules(void **state)
{
    (void)state;
    static const size_t granules[] = {8, 16, 64, 4096};
    for (size_t i = 0; i < LENGTH(granules); i++) {
        for (size_t peak = 1; peak < 3000; peak += 1 + peak / 3) {
            for (size_t n = 1; n <= peak; n += 1 + n / 2) {
                size_t bytes = bitfit_bytes_for(peak, n, granules[i]);
                size_t capacity = capacity_of(bytes, granules[i]);
                long double bound = bound_for(peak, n);
                assert_true((long double)capacity >= bound);
                assert_true((long double)capacity <= bound * 1.0001L + 18);
            }
        }
    }
}

static void bytes_for_follows_the_formula_at_any_size(void **state)
{
    (void)state;
    for (size_t n = 1; n < 3000000; n = n * 3 + 1) {
        long double factor = bound_for(1, n); /* a long sum: once for each n */
        for (size_t peak = 1000; peak < SIZE_MAX / 4096; peak *= 10) {
            if (n > peak) {
                continue;
            }
            size_t bytes = bitfit_bytes_for(peak, n, 16);
            long double least = factor * (long double)peak * 16;
            assert_true(bytes != 0);
            assert_true((long double)bytes >= least);
            assert_true((long double)bytes <= least * 1.0205L + 4096);
        }
    }
}

static void bytes_for_is_0_iff_it_cannot_be(void **state)
{
    (void)state;
    static const size_t bad[] = {1, 4, 7, 24, SIZE_MAX, (size_t)1 << 31};
    assert_int_equal(bitfit_bytes_for(0, 1, 16), 0);
    assert_int_equal(bitfit_bytes_for(1, 0, 16), 0);
    assert_int_equal(bitfit_bytes_for(0, 0, 16), 0);
    assert_int_equal(bitfit_bytes_for(10, 11, 16), 0);
    for (size_t i = 0; i < LENGTH(bad); i++) {
        assert_int_equal(bitfit_bytes_for(10, 5, bad[i]), 0);
    }
    assert_int_equal(bitfit_bytes_for(10, 10, 0), bitfit_bytes_for(10, 10, 16));
    assert_true(bitfit_bytes_for(1, 1, 8) > 0);
}

static void bytes_for_is_0_on_overflow(void **state)
{
    (void)state;
    for (size_t granule = 8; granule <= 4096; granule *= 2) {
        for (size_t peak = SIZE_MAX; peak > 1000; peak -= peak / 5) {
            for (size_t n = 1; n <= 100; n += 33) {
                long double least = bound_for(peak, n) * (long double)granule;
                size_t bytes = bitfit_bytes_for(peak, n, granule);
                if (least >= (long double)SIZE_MAX) {
                    assert_int_equal(bytes, 0);
                } else if (least * 1.06L + 4096 < (long double)SIZE_MAX) {
                    assert_true((long double)bytes >= least);
                }
            }
            assert_int_equal(bitfit_bytes_for(SIZE_MAX, SIZE_MAX, granule), 0);
        }
    }
}

static void bytes_for_never_shrinks_as_its_arguments_grow(void **state)
{
    (void)state;
    size_t before = 0;
    for (size_t n = 1; n < 20000; n += 1 + n / 50) {
        size_t bytes = bitfit_bytes_for(20000, n, 16);
        assert_true(bytes >= before);
        before = bytes;
    }
    before = 0;
    for (size_t peak = 100; peak < 20000; peak += 1 + peak / 50) {
        size_t bytes = bitfit_bytes_for(peak, 100, 16);
        assert_true(bytes > before);
        before = bytes;
    }
}

enum { PEAK = 256, LARGEST = 16 };

/* A pool for PEAK granules in blocks of at most LARGEST, and no more. */
static void open_bounded(rig *r, bool moves)
{
    bitfit_options options = {.resize_moves = moves};
    size_t size = bitfit_bytes_for(PEAK, LARGEST, 16);
    assert_true(size > 0);
    rig_open_inside(r, size, &options);
}

/* Each live granule keeps the next block of LARGEST from fitting before it:
 * takes blocks of LARGEST and shrinks the one before last to one granule.
 * Returns whether a request failed with no more than PEAK live. */
static bool shrinking_breaks(rig *r)
{
    void *last = bitfit_alloc(r->pool, LARGEST * 16);
    for (;;) {
        size_t live = rig_stats(r).live / 16;
        if (live + LARGEST > PEAK) {
            return false;
        }
        void *next = bitfit_alloc(r->pool, LARGEST * 16);
        if (next == NULL) {
            return true;
        }
        last = bitfit_realloc(r->pool, last, 1);
        assert_non_null(last);
        last = next;
    }
}

static void bytes_for_needs_blocks_not_resized_in_place(void **state)
{
    (void)state;
    rig r;
    open_bounded(&r, false);
    assert_true(shrinking_breaks(&r));
    rig_close(&r);
    open_bounded(&r, true);
    assert_false(shrinking_breaks(&r));
    rig_close(&r);
}

static size_t blocks_that_fit(rig *r, size_t alignment, size_t size,
                              size_t most)
{
    size_t blocks = 0;
    while (blocks < most &&
           bitfit_aligned_alloc(r->pool, alignment, size) != NULL) {
        blocks++;
    }
    return blocks;
}

static void bytes_for_needs_alignments_of_the_block(void **state)
{
    (void)state;
    rig r;
    open_bounded(&r, false);
    assert_true(blocks_that_fit(&r, 256, 16, PEAK) < PEAK);
    bitfit_reset(r.pool);
    assert_int_equal(blocks_that_fit(&r, 16, 16, PEAK), PEAK);
    rig_close(&r);
}

/* Requests of 1 byte: PEAK granules' bytes are PEAK * 16 of them. */
static void bytes_for_counts_granules_not_requested_bytes(void **state)
{
    (void)state;
    rig r;
    open_bounded(&r, false);
    assert_true(blocks_that_fit(&r, 1, 1, PEAK * 16) < PEAK * 16);
    bitfit_reset(r.pool);
    assert_int_equal(blocks_that_fit(&r, 1, 1, PEAK), PEAK);
    rig_close(&r);
}

/* The theorem at work: random requests that keep to PEAK and LARGEST, with
 * resize_moves and both copies counted, all succeed. */
static bool within_peak(rig *r, size_t more)
{
    return rig_stats(r).live / 16 + more <= PEAK;
}

static void bytes_for_never_fails_within_its_conditions(void **state)
{
    (void)state;
    void *slots[PEAK] = {NULL};
    dice d = dice_from(23);
    rig r;
    open_bounded(&r, true);
    for (size_t i = 0; i < 50000; i++) {
        void **slot = &slots[dice_below(&d, LENGTH(slots))];
        size_t count = dice_between(&d, 1, LARGEST);
        if (*slot != NULL && dice_below(&d, 2) == 0) {
            bitfit_free(r.pool, *slot);
            *slot = NULL;
        } else if (within_peak(&r, count)) {
            *slot = bitfit_realloc(r.pool, *slot, count * 16);
            assert_non_null(*slot);
        }
    }
    bitfit_stats stats = rig_stats(&r);
    assert_int_equal(stats.failures, 0);
    assert_true(stats.peak_live <= PEAK * 16);
    assert_true(stats.peak_live > (PEAK - LARGEST) * 16);
    rig_close(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_for_gives_a_pool_of_n_granules),
        cmocka_unit_test(bytes_for_follows_the_formula_at_any_size),
        cmocka_unit_test(bytes_for_is_0_iff_it_cannot_be),
        cmocka_unit_test(bytes_for_is_0_on_overflow),
        cmocka_unit_test(bytes_for_never_shrinks_as_its_arguments_grow),
        cmocka_unit_test(bytes_for_needs_blocks_not_resized_in_place),
        cmocka_unit_test(bytes_for_needs_alignments_of_the_block),
        cmocka_unit_test(bytes_for_counts_granules_not_requested_bytes),
        cmocka_unit_test(bytes_for_never_fails_within_its_conditions),
    };
    return cmocka_run_group_tests_name("contract/bytes_for", tests, NULL, NULL);
}
