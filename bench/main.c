/* The benchmark: its arguments, its peers, its cases. */
#include "cases.h"
#include "machine.h"
#include "measure.h"
#include "peers.h"
#include "space.h"
#include "speed.h"
#include "traces.h"

#include <argp.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef BENCH_TRACE_FOLDER
#define BENCH_TRACE_FOLDER "bench/traces"
#endif

typedef struct arguments {
    const char *builtin;
    const char *json;
    const char *trace_folder;
    peer_list peers;
    bench_settings settings;
    int core;
    bool list;
    bool speed;
    bool space;
} arguments;

enum {
    KEY_PEERS = 256,
    KEY_PEER,
    KEY_BASELINE,
    KEY_ONLY,
    KEY_QUICK,
    KEY_FULL,
    KEY_SMOKE,
    KEY_ROUNDS,
    KEY_CORE,
    KEY_JSON,
    KEY_TRACES,
    KEY_LIST,
    KEY_SPEED,
    KEY_SPACE
};

static const struct argp_option options[] = {
    {"peers", KEY_PEERS, "NAMES", 0,
     "Built-in peers to measure, comma-separated; all (the default) or none",
     0},
    {"peer", KEY_PEER, "FILE", 0,
     "Another peer: a shared object (see bench/peer.h); may be repeated", 0},
    {"baseline", KEY_BASELINE, "NAME", 0,
     "Peer that ratios refer to (default: the first --peer, else glibc)", 0},
    {"only", KEY_ONLY, "PATTERNS", 0,
     "Cases whose names match one of these, comma-separated; "
     "'churn-1M', 'lifo-*-64' or, exactly, '=churn-1M-small'",
     0},
    {"quick", KEY_QUICK, NULL, 0, "At most three minutes (the default)", 0},
    {"full", KEY_FULL, NULL, 0, "Every case, more rounds", 0},
    {"smoke", KEY_SMOKE, NULL, 0, "A few cases for seconds: is it alive?", 0},
    {"rounds", KEY_ROUNDS, "N", 0, "Repetitions of each case", 0},
    {"core", KEY_CORE, "N", 0, "Processor to stay on; -1: any (default: 1)", 0},
    {"json", KEY_JSON, "FILE", 0, "Write the figures as JSON", 0},
    {"traces", KEY_TRACES, "FOLDER", 0, "Where the traces are", 0},
    {"list", KEY_LIST, NULL, 0, "Name the cases and the peers", 0},
    {"speed", KEY_SPEED, NULL, 0, "Speed only, no space", 0},
    {"space", KEY_SPACE, NULL, 0, "Space only, no speed", 0},
    {0}};

static void set_effort(bench_settings *settings, enum effort effort)
{
    static const unsigned rounds[] = {1, 5, 11};
    static const uint64_t limit_ms[] = {300, 600, 5000};

    settings->effort = effort;
    settings->rounds = rounds[effort];
    settings->limit_ns = limit_ms[effort] * 1000000;
}

static void add_peer(arguments *to, const char *path, struct argp_state *state)
{
    const char *wrong = peers_add_shared(&to->peers, path);

    if (wrong != NULL) {
        argp_failure(state, 1, 0, "%s: %s", path, wrong);
    } else if (to->settings.baseline == NULL) {
        to->settings.baseline = to->peers.at[to->peers.count - 1]->name;
    }
}

static void set_rounds(arguments *to, const char *text,
                       struct argp_state *state)
{
    long rounds = strtol(text, NULL, 10);

    if (rounds < 1 || rounds > ROUNDS_MAX) {
        argp_error(state, "rounds: 1 to %d", (int)ROUNDS_MAX);
    }
    to->settings.rounds = (unsigned)rounds;
}

static error_t parse_flag(int key, arguments *to)
{
    switch (key) {
    case KEY_QUICK:
        set_effort(&to->settings, EFFORT_QUICK);
        break;
    case KEY_FULL:
        set_effort(&to->settings, EFFORT_FULL);
        break;
    case KEY_SMOKE:
        set_effort(&to->settings, EFFORT_SMOKE);
        break;
    case KEY_LIST:
        to->list = true;
        break;
    case KEY_SPEED:
        to->space = false;
        break;
    case KEY_SPACE:
        to->speed = false;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *to = state->input;

    switch (key) {
    case KEY_PEERS:
        to->builtin = text;
        break;
    case KEY_PEER:
        add_peer(to, text, state);
        break;
    case KEY_BASELINE:
        to->settings.baseline = text;
        break;
    case KEY_ONLY:
        to->settings.only = text;
        break;
    case KEY_ROUNDS:
        set_rounds(to, text, state);
        break;
    case KEY_CORE:
        to->core = (int)strtol(text, NULL, 10);
        break;
    case KEY_JSON:
        to->json = text;
        break;
    case KEY_TRACES:
        to->trace_folder = text;
        break;
    default:
        return parse_flag(key, to);
    }
    return 0;
}

/* Built-in peers stand first, whatever the order of the arguments. */
static bool gather_peers(arguments *to)
{
    peer_list all = {.count = 0};
    const char *unknown = peers_add_builtin(&all, to->builtin);

    if (unknown != NULL) {
        fprintf(stderr, "no built-in peer: %s\n", unknown);
        return false;
    }
    for (size_t i = 0; i < to->peers.count && all.count < PEERS_MAX; i++) {
        all.at[all.count++] = to->peers.at[i];
    }
    if (peers_find(&all, "empty") == NULL && all.count < PEERS_MAX) {
        all.at[all.count++] = peer_empty(); /* no ratio is net without it */
    }
    to->peers = all;
    if (to->settings.baseline == NULL) {
        to->settings.baseline = "glibc";
    }
    return true;
}

/* Twice the peak and up to a power of two: room enough for everyone. */
static size_t replay_pool(const script *calls)
{
    size_t pool = 4096;

    while (pool < 2 * calls->peak_bytes) {
        pool *= 2;
    }
    return pool;
}

static bool gather_cases(case_list *cases, trace_list *traces,
                         const char *folder)
{
    bool ok = true;

    if (!traces_load(traces, folder)) {
        return false;
    }
    for (size_t i = 0; i < traces->count; i++) {
        const bench_trace *it = &traces->at[i];

        ok = cases_add_replay(cases, it->name, replay_pool(&it->calls),
                              i == 0 ? EFFORT_SMOKE : EFFORT_QUICK) &&
             ok;
    }
    return cases_add_standard(cases) && ok;
}

static void list_all(const case_list *cases, const peer_list *peers)
{
    static const char *const efforts[] = {"smoke", "quick", "full"};

    for (size_t i = 0; i < cases->count; i++) {
        printf("%-28s %s\n", cases->at[i].name, efforts[cases->at[i].from]);
    }
    for (size_t i = 0; i < peers->count; i++) {
        printf("peer %-20s %s\n", peers->at[i]->name, peers->at[i]->version);
    }
}

static size_t largest_pool(const case_list *cases,
                           const bench_settings *settings)
{
    size_t largest = (size_t)64 << 20;

    for (size_t i = 0; i < cases->count; i++) {
        const bench_case *it = &cases->at[i];

        if (it->from <= settings->effort &&
            name_matches(settings->only, it->name) && !it->fresh &&
            it->pool > largest) {
            largest = it->pool;
        }
    }
    return largest;
}

static void add_peers(cJSON *out, const peer_list *peers)
{
    cJSON *array = cJSON_AddArrayToObject(out, "peers");

    for (size_t i = 0; i < peers->count; i++) {
        cJSON *peer = cJSON_CreateObject();

        cJSON_AddStringToObject(peer, "name", peers->at[i]->name);
        cJSON_AddStringToObject(peer, "version", peers->at[i]->version);
        cJSON_AddItemToArray(array, peer);
    }
}

/* The command, without the folders. */
static void add_command(cJSON *out, int count, char **values)
{
    char text[2048] = "";
    size_t used = 0;

    for (int i = 0; i < count && used < sizeof text; i++) {
        const char *slash = strrchr(values[i], '/');
        int wrote =
            snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : " ",
                     slash == NULL ? values[i] : slash + 1);

        used += wrote > 0 ? (size_t)wrote : 0;
    }
    cJSON_AddStringToObject(out, "command", text);
}

static bool write_json(const cJSON *all, const char *path)
{
    char *text = cJSON_Print(all);
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    bool ok = file != NULL && text != NULL && fputs(text, file) >= 0;

    ok = file != NULL && fputc('\n', file) != EOF && ok;
    if (file != NULL && file != stdout) {
        ok = fclose(file) == 0 && ok;
    }
    if (!ok) {
        fprintf(stderr, "%s: cannot be written\n", path);
    }
    free(text);
    return ok;
}

static bool measure_all(arguments *given, const case_list *cases,
                        const trace_list *traces, cJSON *all)
{
    static const char *const efforts[] = {"smoke", "quick", "full"};
    bool ok = true;

    machine_describe(cJSON_AddObjectToObject(all, "machine"), given->core);
    cJSON_AddStringToObject(all, "effort", efforts[given->settings.effort]);
    cJSON_AddNumberToObject(all, "rounds", given->settings.rounds);
    cJSON_AddStringToObject(all, "baseline", given->settings.baseline);
    add_peers(all, &given->peers);
    if (given->speed) {
        ok = speed_measure(cases, &given->peers, traces, &given->settings,
                           cJSON_AddArrayToObject(all, "speed"));
    }
    if (given->space) {
        ok = space_measure(&given->peers, traces, &given->settings,
                           cJSON_AddObjectToObject(all, "space")) &&
             ok;
    }
    if (given->json != NULL) {
        ok = write_json(all, given->json) && ok;
    }
    return ok;
}

static bool run(arguments *given, cJSON *all)
{
    case_list cases = {0};
    trace_list traces = {0};
    bool ok = gather_peers(given) &&
              gather_cases(&cases, &traces, given->trace_folder);

    if (ok && given->list) {
        list_all(&cases, &given->peers);
    } else if (ok) {
        ok = arena_open(&given->settings.arena,
                        largest_pool(&cases, &given->settings));
        if (ok) {
            arena_warm(&given->settings.arena, (size_t)64 << 20);
            ok = measure_all(given, &cases, &traces, all);
            arena_close(&given->settings.arena);
        }
    }
    cases_destroy(&cases);
    traces_destroy(&traces);
    return ok;
}

int main(int count, char **values)
{
    static const struct argp parser = {
        options,
        parse,
        NULL,
        "Measures bitfit beside other allocators, in turn and in one process.",
        NULL,
        NULL,
        NULL};
    arguments given = {.trace_folder = BENCH_TRACE_FOLDER,
                       .core = 1,
                       .speed = true,
                       .space = true};
    cJSON *all = NULL;
    bool ok = false;

    set_effort(&given.settings, EFFORT_QUICK);
    if (argp_parse(&parser, count, values, 0, NULL, &given) != 0) {
        return EXIT_FAILURE;
    }
    given.settings.quiet = given.json != NULL && strcmp(given.json, "-") == 0;
    if (given.core >= 0 && !pin_to_core(given.core)) {
        fprintf(stderr, "cannot stay on processor %d\n", given.core);
    }
    all = cJSON_CreateObject();
    add_command(all, count, values);
    ok = run(&given, all);
    cJSON_Delete(all);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
