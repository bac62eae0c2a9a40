/*
 * Sizes at compile time are what the functions say, for every combination of
 * options that they speak of; and pools in static memory are as large as asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bitfit_sizes.h"
#include "platform.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Constant expressions, and no larger than what the README shows. */
_Static_assert(BITFIT_BOOKKEEPING_BYTES(1024, 16) <= 128, "1 KiB");
_Static_assert(BITFIT_POOL_BYTES(1, 8) % 8 == 0, "a granule");

BITFIT_STATIC_POOL(two_thousand, 2000, 16);
BITFIT_STATIC_POOL(odd, 333, 64);
BITFIT_STATIC_POOL(indexed, 20000, 8);
BITFIT_STATIC_POOL_WITH(accusing, 100, 8, BITFIT_HANDLER_BYTES);

static void take_lock(void *context)
{
    (void)context;
}

static void ignore_misuse(const bitfit_misuse *misuse, void *context)
{
    (void)misuse;
    (void)context;
}

/* Whether this build has pools with these options. */
static bool has(const bitfit_options *options)
{
    return bitfit_bookkeeping_size(4096, options) != 0;
}

/* Compares for one size with every kind of lock, with and without handler and
 * guards. */
static void compare_all_parts(size_t size, size_t granule)
{
    static const struct {
        bitfit_lock_kind kind;
        size_t bytes;
    } locks[] = {{BITFIT_LOCK_NONE, 0},
                 {BITFIT_LOCK_CALLER, BITFIT_CALLER_LOCK_BYTES},
                 {BITFIT_LOCK_MUTEX, sizeof(bf_mutex)}};
    for (size_t i = 0; i < 4 * LENGTH(locks); i++) {
        bool handled = i % 2 != 0;
        bool guarded = i / 2 % 2 != 0;
        bitfit_options options = {.granule = granule,
                                  .lock_kind = locks[i / 4].kind,
                                  .lock = take_lock,
                                  .unlock = take_lock,
                                  .on_misuse = handled ? ignore_misuse : NULL,
                                  .guard = guarded};
        size_t parts = locks[i / 4].bytes +
                       (handled ? BITFIT_HANDLER_BYTES : 0) +
                       (guarded ? BITFIT_GUARD_BYTES : 0);
        if (has(&options)) {
            assert_int_equal(
                BITFIT_BOOKKEEPING_BYTES_WITH(size, granule, parts),
                bitfit_bookkeeping_size(size, &options));
        }
    }
}

static void bookkeeping_is_what_the_function_says(void **state)
{
    (void)state;
    for (size_t granule = 8; granule <= 4096; granule *= 8) {
        for (size_t size = granule; size < 300 * granule; size += granule - 1) {
            compare_all_parts(size, granule);
        }
        for (size_t size = 300 * granule;
             size < SIZE_MAX / 4 && (uint64_t)size >> 40 == 0;
             size += size / 7) {
            compare_all_parts(size, granule);
        }
    }
}

static void edges_of_the_tree(void **state)
{
    (void)state;
    for (size_t granules = 2; granules < ((size_t)1 << 27); granules *= 2) {
        for (size_t off = 0; off < 3; off++) {
            compare_all_parts((granules + off - 1) * 8, 8);
        }
    }
}

static void assert_holds(unsigned char *memory, size_t size, size_t granule,
                         size_t usable, bitfit_misuse_handler *handler)
{
    const bitfit_options options = {.granule = granule,
                                    .lock_kind = BITFIT_LOCK_NONE,
                                    .on_misuse = handler};
    bitfit_stats stats;
    bitfit_pool *pool = bitfit_init(memory, size, &options);
    assert_non_null(pool);
    bitfit_get_stats(pool, &stats);
    assert_int_equal(stats.capacity,
                     (usable + granule - 1) / granule * granule);
    assert_non_null(bitfit_alloc(pool, usable));

    /* No byte was too many. */
    pool = bitfit_init(memory, size - 1, &options);
    if (pool != NULL) {
        bitfit_get_stats(pool, &stats);
        assert_true(stats.capacity < usable);
    }
}

static void static_pools_hold_what_was_asked_for(void **state)
{
    (void)state;
    assert_holds(two_thousand, sizeof two_thousand, 16, 2000, NULL);
    assert_holds(odd, sizeof odd, 64, 333, NULL);
    assert_holds(indexed, sizeof indexed, 8, 20000, NULL);
    assert_holds(accusing, sizeof accusing, 8, 100, ignore_misuse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bookkeeping_is_what_the_function_says),
        cmocka_unit_test(edges_of_the_tree),
        cmocka_unit_test(static_pools_hold_what_was_asked_for),
    };
    return cmocka_run_group_tests_name("static pools", tests, NULL, NULL);
}
