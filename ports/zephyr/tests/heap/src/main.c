/* The pool of the application, and one of the test's own, under their mutex. */
#include <bitfit_zephyr.h>
#include <zephyr/ztest.h>

static bitfit_stats stats_of(bitfit_pool *pool)
{
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    return stats;
}

ZTEST(bitfit, test_heap_is_ready)
{
    bitfit_pool *pool = bitfit_zephyr_heap();
    zassert_not_null(pool);
    zassert_equal(stats_of(pool).granule, CONFIG_BITFIT_GRANULE);
    zassert_true(stats_of(pool).capacity < CONFIG_BITFIT_HEAP_SIZE);
}

ZTEST(bitfit, test_first_fit)
{
    bitfit_pool *pool = bitfit_zephyr_heap();
    char *a = bitfit_alloc(pool, 100);
    char *b = bitfit_alloc(pool, 40);
    zassert_true(a != NULL && b > a);
    bitfit_free(pool, a);
    zassert_equal_ptr(bitfit_alloc(pool, 100), a);
    bitfit_free(pool, a);
    bitfit_free(pool, b);
    zassert_equal(stats_of(pool).live, 0);
    zassert_equal(bitfit_check(pool), 0);
}

ZTEST(bitfit, test_own_pool)
{
    static _Alignas(max_align_t) unsigned char memory[1024];
    static struct k_mutex mutex;
    k_mutex_init(&mutex);
    bitfit_pool *pool = bitfit_zephyr_init(memory, sizeof memory, &mutex);
    zassert_not_null(pool);
    bitfit_lock(pool);
    zassert_equal(mutex.lock_count, 1);
    bitfit_unlock(pool);
    zassert_equal(mutex.lock_count, 0);
    zassert_is_null(bitfit_alloc(pool, 1024));
    zassert_equal(bitfit_destroy(pool), 0);
}

ZTEST_SUITE(bitfit, NULL, NULL, NULL, NULL, NULL);
