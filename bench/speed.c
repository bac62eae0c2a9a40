#include "speed.h"

#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One peer's rounds of one case. */
typedef struct series {
    double ns[ROUNDS_MAX];
    unsigned rounds;
    run_result last;
    uint32_t *ticks; /* latency only: the least of each call */
} series;

typedef struct session {
    const bench_settings *settings;
    const peer_list *peers;
    const bench_case *what;
    const script *calls;
    size_t baseline; /* index of a peer, or the peers' count */
    size_t empty;    /* the peer that shows the harness' own cost */
    series by_peer[PEERS_MAX];
} session;

/* ------------------------------------------------------------------ running */

static run_result run_planned(session *it, size_t peer, const run_plan *plan)
{
    const bench_case *what = it->what;

    switch (what->kind) {
    case CASE_LIFO:
        return run_lifo(plan, (size_t)what->size_low, what->depth, what->count);
    case CASE_FILL:
        return run_fill(plan, what->size_low, what->size_high, FILL_ALLOC);
    case CASE_DRAIN:
        return run_fill(plan, what->size_low, what->size_high, FILL_FREE);
    case CASE_CHECKER:
        return run_checker(plan, (size_t)what->size_low, what->full,
                           what->count);
    case CASE_LATENCY:
        return run_latency(plan, it->calls, it->by_peer[peer].ticks);
    case CASE_INIT:
        return run_init(plan);
    case CASE_CHURN:
    case CASE_GROWTH:
    case CASE_REPLAY:
        break;
    }
    return run_script(plan, it->calls);
}

static run_result run_case(session *it, size_t peer)
{
    const bench_case *what = it->what;
    run_result result = {.state = RUN_REFUSED};
    run_plan plan = {.arena = it->settings->arena,
                     .peer = it->peers->at[peer],
                     .pool = what->pool,
                     .lock = what->lock,
                     .limit_ns = it->settings->limit_ns,
                     .touch = what->touch,
                     .zeroed = what->fresh};

    if (!what->fresh) {
        return run_planned(it, peer, &plan);
    }
    if (arena_open(&plan.arena, what->pool)) {
        result = run_planned(it, peer, &plan);
        arena_close(&plan.arena);
    }
    return result;
}

/* Every peer once; one that was refused or too slow is not asked again. */
static void run_round(session *it)
{
    for (size_t peer = 0; peer < it->peers->count; peer++) {
        series *its = &it->by_peer[peer];

        if (its->rounds > 0 && its->last.state != RUN_DONE) {
            continue;
        }
        its->last = run_case(it, peer);
        its->ns[its->rounds++] = its->last.ns;
    }
}

static bool make_ticks(session *it)
{
    size_t count = it->calls->count - it->calls->timed_from;

    for (size_t peer = 0; peer < it->peers->count; peer++) {
        it->by_peer[peer].ticks = malloc(count * sizeof(uint32_t));
        if (it->by_peer[peer].ticks == NULL) {
            return false;
        }
        memset(it->by_peer[peer].ticks, 0xFF, count * sizeof(uint32_t));
    }
    return true;
}

/* The least of five is not yet free of noise. */
static unsigned rounds_of(const session *it)
{
    unsigned rounds = it->settings->rounds;

    return it->what->kind == CASE_LATENCY && rounds > 1 && rounds < 7 ? 7
                                                                      : rounds;
}

/* ------------------------------------------------------------------ figures */

static void add_spread(cJSON *out, const char *name, double *values,
                       size_t count)
{
    cJSON *spread = cJSON_AddObjectToObject(out, name);

    cJSON_AddNumberToObject(spread, "median", quantile(values, count, 0.5));
    cJSON_AddNumberToObject(spread, "q1", quantile(values, count, 0.25));
    cJSON_AddNumberToObject(spread, "q3", quantile(values, count, 0.75));
    cJSON_AddNumberToObject(spread, "min", values[0]);
    cJSON_AddNumberToObject(spread, "max", values[count - 1]);
}

static unsigned least_rounds(const series *a, const series *b)
{
    return a->rounds < b->rounds ? a->rounds : b->rounds;
}

/* Round by round, since all ran within the same fraction of a second, and net:
 * without what the harness takes on both sides. A round in which the baseline
 * took no longer than the harness tells nothing. */
static void add_ratio(cJSON *out, const session *it, size_t peer)
{
    const series *its = &it->by_peer[peer];
    const series *base = &it->by_peer[it->baseline];
    const series *empty = &it->by_peer[it->empty];
    double ratios[ROUNDS_MAX];
    size_t count = 0;

    if (it->baseline >= it->peers->count || peer == it->empty ||
        its->last.state != RUN_DONE || base->last.state != RUN_DONE) {
        return;
    }
    for (unsigned i = 0;
         i < least_rounds(its, base) && i < least_rounds(its, empty); i++) {
        double ours = its->ns[i] - empty->ns[i];
        double theirs = base->ns[i] - empty->ns[i];

        if (theirs > 0) {
            ratios[count++] = ours > 0 ? ours / theirs : 0;
        }
    }
    if (count > 0) {
        add_spread(out, "ratio", ratios, count);
    }
}

static void add_latency(cJSON *out, const session *it, const series *its)
{
    static const struct {
        const char *name;
        double part;
    } marks[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99_99", 0.9999}, {"max", 1}};
    static const char *const verbs[] = {"free", "alloc"};
    size_t count = it->calls->count - it->calls->timed_from;
    double least = (double)clock_tick_overhead();
    double *values = malloc(count * sizeof *values);

    for (size_t verb = 0; values != NULL && verb < 2; verb++) {
        cJSON *marked = cJSON_AddObjectToObject(out, verbs[verb]);
        size_t kept = 0;

        for (size_t i = 0; i < count; i++) {
            script_call call = it->calls->calls[it->calls->timed_from + i];

            if (call_verb(call) == (enum script_verb)verb) {
                double ticks = (double)its->ticks[i] - least;

                values[kept++] = (ticks > 0 ? ticks : 0) * clock_tick_ns();
            }
        }
        for (size_t m = 0; kept > 0 && m < 4; m++) {
            cJSON_AddNumberToObject(marked, marks[m].name,
                                    quantile(values, kept, marks[m].part));
        }
    }
    free(values);
}

static cJSON *peer_figures(const session *it, size_t peer)
{
    static const char *const states[] = {"done", "refused", "slow"};
    const series *its = &it->by_peer[peer];
    cJSON *out = cJSON_CreateObject();
    cJSON *rounds = NULL;
    double values[ROUNDS_MAX];

    cJSON_AddStringToObject(out, "peer", it->peers->at[peer]->name);
    cJSON_AddStringToObject(out, "state", states[its->last.state]);
    if (its->last.state == RUN_REFUSED) {
        return out;
    }
    cJSON_AddNumberToObject(out, "allocs", (double)its->last.allocs);
    cJSON_AddNumberToObject(out, "failures", (double)its->last.failures);
    if (it->what->kind == CASE_LATENCY && its->last.state == RUN_DONE) {
        add_latency(out, it, its);
    }
    if (it->what->kind == CASE_LATENCY || its->last.ns <= 0) {
        return out; /* a run may end before the first call that is timed */
    }
    memcpy(values, its->ns, sizeof values);
    add_spread(out, "ns", values, its->rounds);
    add_ratio(out, it, peer);
    rounds = cJSON_AddArrayToObject(out, "rounds");
    for (unsigned i = 0; i < its->rounds; i++) {
        cJSON_AddItemToArray(rounds, cJSON_CreateNumber(its->ns[i]));
    }
    return out;
}

static cJSON *case_figures(const session *it)
{
    const bench_case *what = it->what;
    cJSON *out = cJSON_CreateObject();
    cJSON *peers = NULL;

    cJSON_AddStringToObject(out, "name", what->name);
    cJSON_AddStringToObject(out, "group", what->group);
    cJSON_AddStringToObject(out, "unit", what->unit);
    cJSON_AddNumberToObject(out, "pool", (double)what->pool);
    cJSON_AddNumberToObject(out, "size_low", (double)what->size_low);
    cJSON_AddNumberToObject(out, "size_high", (double)what->size_high);
    cJSON_AddNumberToObject(out, "live_low", what->live_low);
    cJSON_AddNumberToObject(out, "live_high", what->live_high);
    peers = cJSON_AddArrayToObject(out, "peers");
    for (size_t peer = 0; peer < it->peers->count; peer++) {
        cJSON_AddItemToArray(peers, peer_figures(it, peer));
    }
    return out;
}

/* ------------------------------------------------------------------- tables */

static double number_at(const cJSON *from, const char *group, const char *name)
{
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(from, group);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(inner, name);

    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static double failed_percent(const cJSON *figures)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(figures, "allocs");
    const cJSON *failed = cJSON_GetObjectItemCaseSensitive(figures, "failures");

    return all == NULL || all->valuedouble <= 0
               ? 0
               : 100 * failed->valuedouble / all->valuedouble;
}

static void print_latency(const cJSON *figures)
{
    static const char *const verbs[] = {"alloc", "free"};

    for (size_t i = 0; i < 2; i++) {
        printf("  %5s %6.0f %6.0f %7.0f %7.0f", verbs[i],
               number_at(figures, verbs[i], "p50"),
               number_at(figures, verbs[i], "p99"),
               number_at(figures, verbs[i], "p99_99"),
               number_at(figures, verbs[i], "max"));
    }
    printf("  %8.2f %%\n", failed_percent(figures));
}

static void print_peer(const cJSON *figures, bool latency)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(figures, "peer");
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(figures, "state");
    bool slow = strcmp(state->valuestring, "slow") == 0;

    printf("  %-14s", name->valuestring);
    if (strcmp(state->valuestring, "refused") == 0 ||
        (slow && !cJSON_HasObjectItem(figures, "ns"))) {
        printf("  %9s\n", slow ? "too slow" : "refused");
    } else if (latency) {
        print_latency(figures);
    } else {
        printf(" %s%9.1f  %9.1f..%-9.1f %7.2f %%", slow ? ">" : " ",
               number_at(figures, "ns", "median"),
               number_at(figures, "ns", "q1"), number_at(figures, "ns", "q3"),
               failed_percent(figures));
        if (cJSON_HasObjectItem(figures, "ratio")) {
            printf("  %5.2f  %5.2f..%-5.2f",
                   number_at(figures, "ratio", "median"),
                   number_at(figures, "ratio", "q1"),
                   number_at(figures, "ratio", "q3"));
        }
        printf("\n");
    }
}

static void print_case(const session *it, const cJSON *figures)
{
    bool latency = it->what->kind == CASE_LATENCY;
    const cJSON *peer = NULL;

    printf("\n%s\n", it->what->name);
    if (latency) {
        printf("  ns of a call (p50, p99, p99.99, worst of the least of %u "
               "replays), failed\n",
               rounds_of(it));
    } else {
        printf("  %-14s  %9s  %9s..%-9s %9s", "", it->what->unit, "q1", "q3",
               "failed");
        if (it->baseline < it->peers->count) {
            printf("  net, over %s", it->peers->at[it->baseline]->name);
        }
        printf("\n");
    }
    cJSON_ArrayForEach(peer, cJSON_GetObjectItemCaseSensitive(figures, "peers"))
    {
        print_peer(peer, latency);
    }
    fflush(stdout);
}

/* ------------------------------------------------------------------ session */

static bool needs_script(const bench_case *what)
{
    return what->kind == CASE_CHURN || what->kind == CASE_LATENCY ||
           what->kind == CASE_GROWTH;
}

static bool make_script(script *calls, const bench_case *what)
{
    churn_plan plan = {.pool = what->pool,
                       .size_low = what->size_low,
                       .size_high = what->size_high,
                       .live_low = what->live_low,
                       .live_high = what->live_high,
                       .pairs = what->count,
                       .seed = 42};

    if (what->kind == CASE_GROWTH) {
        plan = growth_plan(what->pool, what->count);
    }
    /* Each thread plays the script, so together they fill the band. */
    if (what->lock == LOCK_THREADS) {
        plan.pool /= 2;
    }
    return script_churn(calls, &plan);
}

static bool measure_case(session *it, cJSON *out)
{
    cJSON *figures = NULL;
    bool ready = it->what->kind != CASE_LATENCY || make_ticks(it);

    for (unsigned round = 0; ready && round < rounds_of(it); round++) {
        run_round(it);
    }
    if (ready) {
        figures = case_figures(it);
        if (!it->settings->quiet) {
            print_case(it, figures);
        }
        cJSON_AddItemToArray(out, figures);
    }
    for (size_t peer = 0; peer < it->peers->count; peer++) {
        free(it->by_peer[peer].ticks);
    }
    return ready;
}

static size_t find_peer(const peer_list *peers, const char *name)
{
    size_t at = 0;

    while (at < peers->count &&
           (name == NULL || strcmp(peers->at[at]->name, name) != 0)) {
        at++;
    }
    return at;
}

static bool measure(const bench_case *what, const peer_list *peers,
                    const trace_list *traces, const bench_settings *settings,
                    cJSON *out)
{
    session it = {.settings = settings, .peers = peers, .what = what};
    script own = {0};
    bool ok = true;

    it.baseline = find_peer(peers, settings->baseline);
    it.empty = find_peer(peers, "empty");
    if (needs_script(what)) {
        ok = make_script(&own, what);
        it.calls = &own;
    } else if (what->kind == CASE_REPLAY) {
        it.calls = &traces_find(traces, what->trace)->calls;
    }
    ok = ok && measure_case(&it, out);
    script_destroy(&own);
    return ok;
}

bool speed_measure(const case_list *cases, const peer_list *peers,
                   const trace_list *traces, const bench_settings *settings,
                   cJSON *out)
{
    for (size_t i = 0; i < cases->count; i++) {
        const bench_case *what = &cases->at[i];

        if (what->from <= settings->effort &&
            name_matches(settings->only, what->name) &&
            !measure(what, peers, traces, settings, out)) {
            return false;
        }
    }
    return true;
}
