#include "trial.h"

#include <sqlite3.h>

#include "bitfit_sqlite.h"

enum { GRANULE = 16 }; /* the default, which all pools here have */

typedef struct observed {
    trial_observer *observe;
    bitfit_pool *pool;
    void *context;
} observed;

static void pass_on(int phase, void *context)
{
    observed *o = context;
    if (o->observe != NULL) {
        o->observe(phase, o->pool, o->context);
    }
}

workload_result trial_on_malloc(int readings)
{
    workload_result result = workload_run(readings, NULL, NULL);
    sqlite3_shutdown();
    return result;
}

trial trial_in_pool(const trial_setup *setup, size_t total,
                    trial_observer *observe, void *context)
{
    trial t = {.total = total};
    bitfit_pool *pool = bitfit_init(setup->memory, total, NULL);
    observed o = {observe, pool, context};
    if (pool == NULL) {
        t.work.rc = SQLITE_NOMEM;
        return t;
    }
    int installed = bitfit_sqlite_install(pool);
    if (installed == SQLITE_OK) {
        t.work = workload_run(setup->readings, pass_on, &o);
    }
    int uninstalled = bitfit_sqlite_uninstall();
    if (t.work.rc == SQLITE_OK) {
        t.work.rc = installed != SQLITE_OK ? installed : uninstalled;
    }
    bitfit_get_stats(pool, &t.stats);
    t.broken = bitfit_check(pool);
    t.leaked = bitfit_destroy(pool);
    return t;
}

bool trial_served(const trial *t, const trial_setup *setup)
{
    return t->work.rc == SQLITE_OK && t->work.digest == setup->digest;
}

bool trial_clean(const trial *t, const trial_setup *setup)
{
    bool refused = t->work.rc == SQLITE_NOMEM && t->stats.failures > 0;
    return (trial_served(t, setup) || refused) && t->leaked == 0 &&
           t->broken == 0 && t->work.files == 0;
}

/* The bytes that bitfit_init() needs for this payload. The bookkeeping comes
 * first in the memory, filled up to the payload's alignment. */
static size_t total_for(size_t payload)
{
    size_t bookkeeping = bitfit_bookkeeping_size(payload, NULL);
    return (bookkeeping + GRANULE - 1) / GRANULE * GRANULE + payload;
}

static trial try_payload(trial_search *search, const trial_setup *setup,
                         size_t payload)
{
    trial t = trial_in_pool(setup, total_for(payload), NULL, NULL);
    search->pools++;
    /* The pool must be as large as was asked for, to the granule. */
    if (!trial_clean(&t, setup) || t.stats.capacity != payload) {
        search->unclean++;
    }
    return t;
}

/*
 * Finds a pool that works while one a granule smaller does not. `serving` bytes
 * are known to work, `failing` bytes are known to fail. A pool as large as the
 * high-water mark of a run repeats that run, so each run that works lowers
 * `serving` to its own mark. The answer is near the mark: first go down in
 * steps that double, then halve the range.
 */
static void search_below(trial_search *search, const trial_setup *setup)
{
    size_t serving = search->one_less.stats.high_water;
    size_t failing = 0;
    size_t step = GRANULE;
    search->smallest = search->one_less;
    while (serving - failing > GRANULE) {
        size_t half = (serving - failing) / (2 * GRANULE) * GRANULE;
        size_t next = serving - (step < half ? step : half);
        trial t = try_payload(search, setup, next);
        if (trial_served(&t, setup)) {
            search->smallest = t;
            serving = t.stats.high_water;
            step *= failing == 0 ? 2 : 1;
        } else {
            search->below = t;
            failing = next;
            step = serving;
        }
    }
    if (search->smallest.stats.capacity != serving) {
        search->smallest = try_payload(search, setup, serving);
    }
}

trial_search trial_find_smallest(const trial_setup *setup, size_t mark)
{
    trial_search search = {.what = TRIAL_EXACT};
    search.at_mark = try_payload(&search, setup, mark);
    search.one_less = try_payload(&search, setup, mark - GRANULE);
    search.smallest = search.at_mark;
    search.below = search.one_less;
    if (trial_served(&search.one_less, setup)) {
        bool failed = search.one_less.stats.failures > 0;
        search.what = failed ? TRIAL_COPED : TRIAL_MOVED;
        search_below(&search, setup);
    }
    return search;
}
