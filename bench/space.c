#include "space.h"

#include "firstfit.h"

#include <bitfit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIB = 1 << 10, MIB = 1 << 20, STEP = 16 };

typedef struct space {
    const peer_list *peers;
    const bench_settings *settings;
    cJSON *out;
    double log_sum[PEERS_MAX]; /* of the ratios, for the geometric mean */
    size_t traces[PEERS_MAX];
    double bound_log_sum[2]; /* at granules of 8 and 16 bytes */
    size_t bound_traces;
} space;

static bool has_space(const bench_peer *peer)
{
    return (peer->flags & (BENCH_PEER_OUTSIDE | BENCH_PEER_EMPTY)) == 0;
}

/* --------------------------------------------------------- smallest pools */

static run_result replay(const space *it, const bench_peer *peer, size_t pool,
                         const script *calls)
{
    run_plan plan = {.arena = it->settings->arena,
                     .peer = peer,
                     .pool = pool,
                     .limit_ns = it->settings->limit_ns,
                     .stop_at_failure = true};

    return run_script(&plan, calls);
}

static bool serves(const space *it, const bench_peer *peer, size_t pool,
                   const script *calls)
{
    run_result result = replay(it, peer, pool, calls);

    return result.state == RUN_DONE && result.failures == 0;
}

/* By bisection, as if every larger pool served too: true of exact first fit
 * without in-place growth, and taken for granted elsewhere. 0: none found. */
static size_t smallest_pool(const space *it, const bench_peer *peer,
                            const script *calls)
{
    size_t low = 0;
    size_t high = (size_t)calls->peak_bytes / STEP * STEP;

    while (!serves(it, peer, high, calls)) {
        low = high;
        high += high / 2 / STEP * STEP + STEP;
        if (high > 24 * calls->peak_bytes + 64 * KIB ||
            high > it->settings->arena.size) {
            return 0;
        }
    }
    while (high - low > STEP) {
        size_t middle = (low + (high - low) / 2) / STEP * STEP;

        if (serves(it, peer, middle, calls)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

/* The mark of one replay in a pool with room to spare, and whether a pool of
 * that payload serves. */
static void add_mark(const space *it, const bench_peer *peer,
                     const script *calls, cJSON *out)
{
    run_plan plan = {.arena = it->settings->arena,
                     .peer = peer,
                     .pool = it->settings->arena.size,
                     .limit_ns = it->settings->limit_ns};
    size_t mark = run_script(&plan, calls).high_water;
    size_t pool = (peer->size_for(mark) + STEP - 1) / STEP * STEP;

    cJSON_AddNumberToObject(out, "high_water", (double)mark);
    cJSON_AddNumberToObject(out, "high_water_pool", (double)pool);
    cJSON_AddBoolToObject(out, "high_water_serves",
                          serves(it, peer, pool, calls));
    if (!it->settings->quiet) {
        printf("  %-14s %10zu  (high-water mark %zu: %s)\n", "", pool, mark,
               serves(it, peer, pool, calls) ? "serves" : "does not serve");
    }
}

static void measure_peer(space *it, size_t peer, const bench_trace *what,
                         cJSON *out)
{
    const bench_peer *its = it->peers->at[peer];
    double peak = (double)what->calls.peak_bytes;
    cJSON *figures = cJSON_CreateObject();
    size_t pool = smallest_pool(it, its, &what->calls);

    cJSON_AddStringToObject(figures, "peer", its->name);
    if (pool > 0) {
        cJSON_AddNumberToObject(figures, "pool", (double)pool);
        cJSON_AddNumberToObject(figures, "ratio", (double)pool / peak);
        it->log_sum[peer] += log((double)pool / peak);
        it->traces[peer]++;
    }
    if (!it->settings->quiet) {
        printf("  %-14s %10zu  %6.3f\n", its->name, pool, (double)pool / peak);
    }
    if (its->high_water != NULL && its->size_for != NULL) {
        add_mark(it, its, &what->calls, figures);
    }
    cJSON_AddItemToArray(out, figures);
}

static void measure_bound(space *it, const bench_trace *what, cJSON *out)
{
    static const char *const names[] = {"bound_8", "bound_16"};

    for (size_t i = 0; i < 2; i++) {
        double mark = (double)firstfit_high_water(&what->calls, (size_t)8 << i);
        double ratio = mark / (double)what->calls.peak_bytes;

        cJSON_AddNumberToObject(out, names[i], mark);
        it->bound_log_sum[i] += log(ratio);
        if (!it->settings->quiet) {
            printf("  %-14s %10.0f  %6.3f\n", names[i], mark, ratio);
        }
    }
    it->bound_traces++;
}

static void measure_trace(space *it, const bench_trace *what, cJSON *out)
{
    cJSON *figures = cJSON_CreateObject();
    cJSON *peers = NULL;

    if (!it->settings->quiet) {
        printf("\nsmallest pool for %s (%s): bytes, over the %llu requested at "
               "the peak\n",
               what->name, what->about,
               (unsigned long long)what->calls.peak_bytes);
    }
    cJSON_AddStringToObject(figures, "trace", what->name);
    cJSON_AddStringToObject(figures, "about", what->about);
    cJSON_AddNumberToObject(figures, "calls", (double)what->calls.count);
    cJSON_AddNumberToObject(figures, "allocs", (double)what->allocs);
    cJSON_AddNumberToObject(figures, "mean_size", (double)what->mean_size);
    cJSON_AddNumberToObject(figures, "largest", (double)what->largest);
    cJSON_AddNumberToObject(figures, "peak_requested",
                            (double)what->calls.peak_bytes);
    measure_bound(it, what, figures);
    peers = cJSON_AddArrayToObject(figures, "peers");
    for (size_t peer = 0; peer < it->peers->count; peer++) {
        if (has_space(it->peers->at[peer])) {
            measure_peer(it, peer, what, peers);
        }
    }
    cJSON_AddItemToArray(out, figures);
}

static void add_means(space *it)
{
    cJSON *out = cJSON_AddArrayToObject(it->out, "geometric_means");
    static const char *const bounds[] = {"bound_8", "bound_16"};

    if (!it->settings->quiet) {
        printf("\nsmallest pool over peak requested, geometric mean\n");
    }
    for (size_t i = 0; i < it->peers->count + 2; i++) {
        bool bound = i < 2;
        size_t count = bound ? it->bound_traces : it->traces[i - 2];
        double sum = bound ? it->bound_log_sum[i] : it->log_sum[i - 2];
        const char *name = bound ? bounds[i] : it->peers->at[i - 2]->name;
        cJSON *mean = NULL;

        if (count == 0 || count < it->bound_traces) {
            continue;
        }
        mean = cJSON_CreateObject();
        cJSON_AddStringToObject(mean, "peer", name);
        cJSON_AddNumberToObject(mean, "ratio", exp(sum / (double)count));
        cJSON_AddItemToArray(out, mean);
        if (!it->settings->quiet) {
            printf("  %-14s %6.4f\n", name, exp(sum / (double)count));
        }
    }
}

static const bench_trace *shortest(const trace_list *traces)
{
    const bench_trace *found = &traces->at[0];

    for (size_t i = 1; i < traces->count; i++) {
        if (traces->at[i].calls.count < found->calls.count) {
            found = &traces->at[i];
        }
    }
    return found;
}

static void measure_traces(space *it, const trace_list *traces)
{
    cJSON *out = cJSON_AddArrayToObject(it->out, "traces");

    for (size_t i = 0; i < traces->count; i++) {
        if (it->settings->effort != EFFORT_SMOKE ||
            &traces->at[i] == shortest(traces)) {
            measure_trace(it, &traces->at[i], out);
        }
    }
    add_means(it);
}

/* ---------------------------------------------------------------- capacity */

static size_t count_blocks(const space *it, const bench_peer *peer, size_t pool,
                           size_t size)
{
    run_plan plan = {.arena = it->settings->arena,
                     .peer = peer,
                     .pool = pool,
                     .limit_ns = it->settings->limit_ns};
    run_result result = run_fill(&plan, size, size, FILL_ALLOC);

    return result.state == RUN_DONE ? (size_t)result.allocs : 0;
}

/* How many blocks of one size fit, in pools from the smallest on. */
static void measure_capacity(space *it)
{
    static const size_t pools[] = {KIB, 4 * KIB, 64 * KIB, MIB};
    static const size_t sizes[] = {16, 32, 100, 1024};
    cJSON *out = cJSON_AddArrayToObject(it->out, "capacity");

    for (size_t p = 0; p < sizeof pools / sizeof *pools; p++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            cJSON *row = cJSON_CreateObject();
            cJSON *counts = NULL;

            cJSON_AddNumberToObject(row, "pool", (double)pools[p]);
            cJSON_AddNumberToObject(row, "size", (double)sizes[s]);
            counts = cJSON_AddObjectToObject(row, "blocks");
            for (size_t peer = 0; peer < it->peers->count; peer++) {
                const bench_peer *its = it->peers->at[peer];

                if (has_space(its)) {
                    cJSON_AddNumberToObject(
                        counts, its->name,
                        (double)count_blocks(it, its, pools[p], sizes[s]));
                }
            }
            cJSON_AddItemToArray(out, row);
        }
    }
}

static void print_capacity(const space *it)
{
    const cJSON *row = NULL;
    const cJSON *count = NULL;

    printf("\nblocks of one size that fit\n");
    cJSON_ArrayForEach(row,
                       cJSON_GetObjectItemCaseSensitive(it->out, "capacity"))
    {
        printf("  %8.0f bytes in %7.0f:",
               cJSON_GetObjectItemCaseSensitive(row, "size")->valuedouble,
               cJSON_GetObjectItemCaseSensitive(row, "pool")->valuedouble);
        cJSON_ArrayForEach(count,
                           cJSON_GetObjectItemCaseSensitive(row, "blocks"))
        {
            printf(" %s %.0f", count->string, count->valuedouble);
        }
        printf("\n");
    }
}

/* ------------------------------------------------------------- bookkeeping */

static void measure_bookkeeping(space *it)
{
    static const size_t granules[] = {8, 16, 32, 64};
    cJSON *out = cJSON_AddArrayToObject(it->out, "bookkeeping");

    if (!it->settings->quiet) {
        printf("\nbookkeeping of bitfit, percent of the payload\n");
    }
    for (size_t g = 0; g < sizeof granules / sizeof *granules; g++) {
        bitfit_options options = {.granule = granules[g],
                                  .lock_kind = BITFIT_LOCK_NONE};

        for (size_t size = KIB; size <= (size_t)1 << 40; size *= 4) {
            cJSON *row = cJSON_CreateObject();
            double bytes = (double)bitfit_bookkeeping_size(size, &options);

            cJSON_AddNumberToObject(row, "granule", (double)granules[g]);
            cJSON_AddNumberToObject(row, "payload", (double)size);
            cJSON_AddNumberToObject(row, "bytes", bytes);
            cJSON_AddNumberToObject(row, "percent", 100 * bytes / (double)size);
            cJSON_AddItemToArray(out, row);
            if (!it->settings->quiet && granules[g] == 16) {
                char name[SIZE_NAME_ROOM];

                size_name(name, sizeof name, size);
                printf("  %5s %6.3f %%\n", name, 100 * bytes / (double)size);
            }
        }
    }
}

bool space_measure(const peer_list *peers, const trace_list *traces,
                   const bench_settings *settings, cJSON *out)
{
    space it = {.peers = peers, .settings = settings, .out = out};

    if (traces->count > 0) {
        measure_traces(&it, traces);
    }
    measure_capacity(&it);
    if (!settings->quiet) {
        print_capacity(&it);
    }
    measure_bookkeeping(&it);
    return true;
}
