/*
 * SQLite, unchanged, in one fixed pool.
 *
 * Runs the same work on malloc and in a pool, draws the pool, then finds the
 * smallest pool that works. The exit code is 0 if and only if every check at
 * the end holds.
 */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "bitfit.h"
#include "map.h"
#include "trial.h"

enum {
    MEMORY_SIZE = 64 << 20,
    READINGS = 100000,
    READINGS_MIN = 100,
    READINGS_MAX = 200000
};

/* All the memory that SQLite has when it runs in a pool. */
static alignas(max_align_t) unsigned char memory[MEMORY_SIZE];

/* What was seen in the first pool while the database was open. */
typedef struct watch {
    bitfit_stats at[WORKLOAD_PHASES];
    int disagreements; /* phases in which SQLite counts other bytes */
    pool_map map;      /* after the last phase */
} watch;

/* ----------------------------------------------------------------- writing */

typedef struct text {
    char s[32];
} text;

/* 1234567 as 1,234,567. */
static text grouped(uint64_t number)
{
    text digits;
    text out = {""};
    int length = snprintf(digits.s, sizeof digits.s, "%" PRIu64, number);
    char *to = out.s;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits.s[i];
    }
    *to = '\0';
    return out;
}

static double total_ms(const workload_result *work)
{
    double sum = 0;
    for (int i = 0; i < WORKLOAD_PHASES; i++) {
        sum += work->seconds[i] * 1e3;
    }
    return sum;
}

static void print_phases(const workload_result *base, const trial *first,
                         const watch *seen)
{
    printf("\n%-20s %8s %8s %12s %9s %15s\n", "phase", "malloc", "pool",
           "live bytes", "blocks", "high-water mark");
    for (int i = 0; i < WORKLOAD_PHASES; i++) {
        const bitfit_stats *at = &seen->at[i];
        printf("%-20s %5.0f ms %5.0f ms %12s %9s %15s\n",
               workload_phase_names[i], base->seconds[i] * 1e3,
               first->work.seconds[i] * 1e3, grouped(at->live).s,
               grouped(at->blocks).s, grouped(at->high_water).s);
    }
    printf("%-20s %5.0f ms %5.0f ms  (of one run each: they vary by a tenth)\n",
           "total", total_ms(base), total_ms(&first->work));
}

static void print_bytes(const char *name, size_t bytes, const char *more)
{
    const char *gap = more[0] == '\0' ? "" : "  ";
    printf("  %-40s %12s bytes%s%s\n", name, grouped(bytes).s, gap, more);
}

static double percent(size_t part, size_t whole)
{
    return 100.0 * (double)part / (double)whole;
}

static void print_stats(const trial *first, const watch *seen)
{
    const bitfit_stats *now = &seen->at[WORKLOAD_PHASES - 1];
    char more[64];
    printf("\nThe pool then, the database still open\n");
    print_bytes("largest request that would succeed now", now->largest_free,
                "");
    snprintf(more, sizeof more, "in %s blocks", grouped(now->blocks).s);
    print_bytes("live", now->live, more);
    snprintf(more, sizeof more, "of %s holes", grouped(seen->map.holes).s);
    print_bytes("largest hole below the mark", seen->map.largest_hole, more);
    print_bytes("live at the peak", now->peak_live, "");
    snprintf(more, sizeof more, "%.1f %% above that",
             percent(now->high_water - now->peak_live, now->peak_live));
    print_bytes("high-water mark", now->high_water, more);
    snprintf(more, sizeof more, "%.2f %% of the pool",
             percent(now->bookkeeping, first->total));
    print_bytes("bookkeeping", now->bookkeeping, more);
    printf("  %s allocations, %s frees, %s resizes, %s failures\n\n",
           grouped(now->allocations).s, grouped(now->frees).s,
           grouped(now->reallocations).s, grouped(now->failures).s);
}

static void print_trial(const char *name, const trial *t)
{
    printf("  %-22s %12s %14s %8s   %s\n", name, grouped(t->stats.capacity).s,
           grouped(t->total).s, grouped(t->stats.failures).s,
           t->work.rc == SQLITE_OK ? "done" : sqlite3_errstr(t->work.rc));
}

static void print_search(const trial_search *found)
{
    static const char *const what[] = {
        [TRIAL_EXACT] = "The mark serves and a granule less fails, as promised",
        [TRIAL_COPED] = "A granule less: a request failed and SQLite coped",
        [TRIAL_MOVED] =
            "A granule less served: what grew at the top moved down",
    };
    printf("\n%-24s %12s %14s %8s   %s\n", "The smallest pool", "payload",
           "all of it", "failures", "SQLite says");
    print_trial("the high-water mark", &found->at_mark);
    print_trial("one granule less", &found->one_less);
    if (found->what != TRIAL_EXACT) {
        print_trial("the smallest found", &found->smallest);
        print_trial("one granule less", &found->below);
    }
    printf("  %s: %d pools tried.\n", what[found->what], found->pools);
}

/* ---------------------------------------------------------------- checking */

static bool check(bool holds, const char *claim)
{
    printf("  %-6s  %s\n", holds ? "ok" : "FAILED", claim);
    return holds;
}

static bool check_all(const trial_setup *setup, const trial *first,
                      const watch *seen, const trial_search *found)
{
    char digest[80];
    bool ok = true;
    snprintf(digest, sizeof digest, "malloc's answers: %s rows, digest %016llx",
             grouped((uint64_t)first->work.rows).s,
             (unsigned long long)first->work.digest);
    printf("\nChecks\n");
    ok &= check(trial_served(first, setup), digest);
    ok &= check(seen->disagreements == 0,
                "SQLite's own count of its memory is the pool's, to the byte");
    ok &= check(map_live(&seen->map) == seen->at[WORKLOAD_PHASES - 1].live,
                "the map's cells add up to the live bytes");
    ok &= check(first->work.files == 0, "no file was opened");
    ok &= check(first->stats.failures == 0, "no request failed");
    ok &= check(trial_served(&found->smallest, setup),
                "the smallest pool gives the same answers");
    ok &= check(found->below.work.rc == SQLITE_NOMEM &&
                    found->below.stats.failures > 0 &&
                    found->below.stats.capacity + found->below.stats.granule ==
                        found->smallest.stats.capacity,
                "one granule less: a request fails, SQLite reports it");
    ok &= check(found->unclean == 0 && trial_clean(first, setup),
                "no leak, no damage, no wrong answer in any pool");
    return ok;
}

/* -------------------------------------------------------------------- main */

static void watch_phase(int phase, bitfit_pool *pool, void *context)
{
    watch *seen = context;
    bitfit_stats *at = &seen->at[phase];
    bitfit_get_stats(pool, at);
    if ((uint64_t)sqlite3_memory_used() != at->live) {
        seen->disagreements++;
    }
    if (phase == WORKLOAD_PHASES - 1) {
        map_take(&seen->map, pool);
    }
}

static bool run_demo(int readings)
{
    static watch seen;
    trial_setup setup = {memory, sizeof memory, readings, 0};
    printf("bitfit %s, SQLite %s: %s readings in memory, in one fixed pool\n",
           bitfit_version(), sqlite3_libversion(),
           grouped((uint64_t)readings).s);
    workload_result base = trial_on_malloc(readings);
    if (base.rc != SQLITE_OK) {
        printf("on malloc SQLite says: %s\n", sqlite3_errstr(base.rc));
        return false;
    }
    setup.digest = base.digest;
    trial first = trial_in_pool(&setup, setup.size, watch_phase, &seen);
    if (first.work.rc != SQLITE_OK) {
        printf("in the pool SQLite says: %s\n", sqlite3_errstr(first.work.rc));
        return false;
    }
    print_phases(&base, &first, &seen);
    print_stats(&first, &seen);
    map_print(&seen.map);
    trial_search found = trial_find_smallest(&setup, first.stats.high_water);
    print_search(&found);
    return check_all(&setup, &first, &seen, &found);
}

/* The number of readings, or 0 if the text is no number in range. */
static int parse_readings(const char *argument)
{
    char *end;
    errno = 0;
    long n = strtol(argument, &end, 10);
    bool number = end != argument && *end == '\0' && errno == 0;
    return number && n >= READINGS_MIN && n <= READINGS_MAX ? (int)n : 0;
}

int main(int argc, char **argv)
{
    int readings = argc < 2 ? READINGS : parse_readings(argv[1]);
    if (argc > 2 || readings == 0) {
        fprintf(stderr, "usage: %s [readings, %d to %d]\n", argv[0],
                READINGS_MIN, READINGS_MAX);
        return 2;
    }
    setlocale(LC_CTYPE, "");
    setvbuf(stdout, NULL, _IOLBF, 0);
    return run_demo(readings) ? EXIT_SUCCESS : EXIT_FAILURE;
}
