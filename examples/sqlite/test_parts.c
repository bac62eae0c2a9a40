/*
 * The hooks, and the search for the smallest pool on workloads that stand in
 * for workload.c: small enough to know the answer.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "bitfit_sqlite.h"
#include "trial.h"

enum { GRANULE = 16, LOW = 4096, SMALL = 512, TALL = 2 * LOW };

static alignas(max_align_t) unsigned char memory[1 << 20];

/* What to do between taking the three blocks and giving them back. */
static int (*act)(char **blocks);

const char *const workload_phase_names[WORKLOAD_PHASES] = {"", "", "",
                                                           "", "", ""};

workload_result workload_run(int readings, workload_observer *observe,
                             void *context)
{
    workload_result result = {.rc = sqlite3_initialize()};
    (void)readings, (void)observe, (void)context;
    if (result.rc != SQLITE_OK) {
        return result;
    }
    char *blocks[3] = {sqlite3_malloc(LOW), sqlite3_malloc(GRANULE),
                       sqlite3_malloc(SMALL)};
    bool taken = blocks[0] && blocks[1] && blocks[2];
    result.rc = taken ? act(blocks) : SQLITE_NOMEM;
    result.digest = result.rc == SQLITE_OK;
    for (int i = 0; i < 3; i++) {
        sqlite3_free(blocks[i]);
    }
    return result;
}

/* The three blocks and no more. */
static int rest(char **blocks)
{
    (void)blocks;
    return SQLITE_OK;
}

/* Asks for something tall on top, and can do without. */
static int try_more(char **blocks)
{
    (void)blocks;
    sqlite3_free(sqlite3_malloc(TALL));
    return SQLITE_OK;
}

/* Frees the lowest block, then lets the topmost grow: in place while there is
 * room on top, else into the hole. */
static int grow_at_top(char **blocks)
{
    sqlite3_free(blocks[0]);
    blocks[0] = NULL;
    for (int size = SMALL; size <= LOW; size += GRANULE) {
        char *grown = sqlite3_realloc(blocks[2], size);
        if (grown == NULL) {
            return SQLITE_NOMEM;
        }
        blocks[2] = grown;
    }
    return SQLITE_OK;
}

/* Searches below the mark of a run in all of the memory. */
static trial_search search_for(int (*workload)(char **))
{
    trial_setup setup = {memory, sizeof memory, 0, 1};
    act = workload;
    trial first = trial_in_pool(&setup, setup.size, NULL, NULL);
    assert_true(trial_clean(&first, &setup));
    assert_int_equal(first.stats.failures, 0);
    return trial_find_smallest(&setup, first.stats.high_water);
}

static void expect_boundary(const trial_search *found)
{
    assert_int_equal(found->smallest.work.rc, SQLITE_OK);
    assert_int_equal(found->below.work.rc, SQLITE_NOMEM);
    assert_int_not_equal(found->below.stats.failures, 0);
    assert_int_equal(found->below.stats.capacity + GRANULE,
                     found->smallest.stats.capacity);
    assert_int_equal(found->unclean, 0);
}

static void exact(void **state)
{
    (void)state;
    trial_search found = search_for(rest);
    assert_int_equal(found.what, TRIAL_EXACT);
    assert_int_equal(found.pools, 2);
    expect_boundary(&found);
}

static void coped(void **state)
{
    (void)state;
    size_t without = search_for(rest).smallest.stats.capacity;
    trial_search found = search_for(try_more);
    assert_int_equal(found.what, TRIAL_COPED);
    assert_int_equal(found.at_mark.stats.capacity, without + TALL);
    assert_int_equal(found.smallest.stats.capacity, without);
    expect_boundary(&found);
}

static void moved(void **state)
{
    (void)state;
    size_t without = search_for(rest).smallest.stats.capacity;
    trial_search found = search_for(grow_at_top);
    assert_int_equal(found.what, TRIAL_MOVED);
    assert_int_equal(found.at_mark.stats.capacity, without + LOW - SMALL);
    assert_int_equal(found.smallest.stats.capacity, without);
    expect_boundary(&found);
}

/* A pool in which SQLite cannot even start. */
static void too_small_for_anything(void **state)
{
    trial_setup setup = {memory, sizeof memory, 0, 1};
    (void)state;
    act = rest;
    for (size_t size = 0; size < LOW; size += GRANULE) {
        trial t = trial_in_pool(&setup, size, NULL, NULL);
        assert_int_equal(t.work.rc, SQLITE_NOMEM);
        assert_int_equal(t.leaked, 0);
        assert_int_equal(t.broken, 0);
    }
}

/* What fits nowhere is refused, and never gets a smaller block. */
static void hooks_refuse_what_fits_nowhere(void **state)
{
    static const int sizes[] = {sizeof memory, 2 * (int)sizeof memory,
                                0x7ffffe00, 0x7ffffeff};
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
    (void)state;
    assert_int_equal(bitfit_sqlite_install(pool), SQLITE_OK);
    char *block = sqlite3_malloc(100);
    assert_true(bitfit_owns(pool, block));
    assert_int_equal(sqlite3_msize(block), 112);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_null(sqlite3_malloc(sizes[i]));
        assert_null(sqlite3_realloc(block, sizes[i]));
    }
    assert_int_equal(sqlite3_msize(block), 112);
    sqlite3_free(block);
    assert_int_equal(bitfit_sqlite_uninstall(), SQLITE_OK);
    assert_int_equal(bitfit_destroy(pool), 0);
}

/* Uninstalled, SQLite is back on malloc; and so it is if asked twice. */
static void hooks_come_and_go(void **state)
{
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
    (void)state;
    assert_int_equal(bitfit_sqlite_install(pool), SQLITE_OK);
    assert_int_equal(bitfit_sqlite_install(pool), SQLITE_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bitfit_sqlite_uninstall(), SQLITE_OK);
        void *block = sqlite3_malloc(100);
        assert_non_null(block);
        assert_false(bitfit_owns(pool, block));
        sqlite3_free(block);
    }
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(bitfit_destroy(pool), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_refuse_what_fits_nowhere),
        cmocka_unit_test(hooks_come_and_go),
        cmocka_unit_test(exact),
        cmocka_unit_test(coped),
        cmocka_unit_test(moved),
        cmocka_unit_test(too_small_for_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
