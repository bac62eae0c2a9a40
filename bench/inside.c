/*
 * Programs inside a pool: what the choice of an allocator costs a whole
 * program. Each run is a process of its own; the peers take turns.
 */
#include "inside.h"
#include "measure.h"
#include "peers.h"

#include <argp.h>
#include <cjson/cJSON.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MAX = 99, COUNTERS = 2 };

typedef struct arguments {
    const char *builtin;
    const char *json;
    const char *baseline;
    peer_list peers;
    unsigned rounds;
    int times;
    int core;
} arguments;

/* What one run took. */
typedef struct outcome {
    uint64_t digest; /* 0: it failed */
    double ns;
    double resident;          /* bytes, the program's own included */
    double counted[COUNTERS]; /* below 0: this machine does not count them */
} outcome;

static const char *const counter_names[COUNTERS] = {"instructions",
                                                    "cache_misses"};

/* ---------------------------------------------------------------- one run */

static int open_counter(uint64_t what)
{
    struct perf_event_attr wanted = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof wanted,
        .config = what,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0);
}

static double read_counter(int counter)
{
    uint64_t value = 0;
    bool there = counter >= 0 &&
                 read(counter, &value, sizeof value) == (ssize_t)sizeof value;
    return there ? (double)value : -1;
}

/* The most that was resident of this process, in bytes. */
static double most_resident(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    double kib = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kib = strtod(line + 6, NULL);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib * 1024;
}

static outcome measure(const inside_program *program, const bench_peer *peer,
                       int times)
{
    outcome out = {.digest = 0};
    int counters[COUNTERS] = {open_counter(PERF_COUNT_HW_INSTRUCTIONS),
                              open_counter(PERF_COUNT_HW_CACHE_MISSES)};
    double before[COUNTERS];
    void *memory = mmap(NULL, program->pool, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return out;
    }
    void *(*init)(void *, size_t) = /* the memory is all zero bytes */
        peer->init_zeroed != NULL ? peer->init_zeroed : peer->init;
    inside_heap in = {peer, init(memory, program->pool)};
    if (in.heap == NULL) {
        return out;
    }
    for (int i = 0; i < COUNTERS; i++) {
        before[i] = read_counter(counters[i]);
    }
    uint64_t start = clock_cpu_ns();
    out.digest = program->run(&in, times);
    out.ns = (double)(clock_cpu_ns() - start);
    for (int i = 0; i < COUNTERS; i++) {
        double after = read_counter(counters[i]);
        out.counted[i] = after < 0 ? -1 : after - before[i];
    }
    out.resident = most_resident();
    return out;
}

/* In a child, so that no run finds what another has left. */
static outcome measure_apart(const inside_program *program,
                             const bench_peer *peer, int times)
{
    outcome out = {.digest = 0};
    int ends[2];
    if (pipe(ends) != 0) {
        return out;
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        outcome mine = measure(program, peer, times);
        bool sent = write(ends[1], &mine, sizeof mine) == (ssize_t)sizeof mine;
        _exit(sent ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &out, sizeof out) != (ssize_t)sizeof out) {
        out.digest = 0;
    }
    close(ends[0]);
    waitpid(child, NULL, 0);
    return out;
}

/* ----------------------------------------------------------- all the runs */

typedef struct peer_runs {
    outcome runs[ROUNDS_MAX];
} peer_runs;

static double median_of(const peer_runs *its, unsigned rounds, size_t offset)
{
    double values[ROUNDS_MAX];
    for (unsigned i = 0; i < rounds; i++) {
        memcpy(&values[i], (const char *)&its->runs[i] + offset,
               sizeof values[i]);
    }
    return quantile(values, rounds, 0.5);
}

/* The median of the ratios within each round. */
static double ratio_of(const peer_runs *its, const peer_runs *base,
                       unsigned rounds)
{
    double ratios[ROUNDS_MAX];
    for (unsigned i = 0; i < rounds; i++) {
        ratios[i] = its->runs[i].ns / base->runs[i].ns;
    }
    return quantile(ratios, rounds, 0.5);
}

static void report_peer(cJSON *out, const bench_peer *peer,
                        const peer_runs *its, const peer_runs *base,
                        const arguments *given)
{
    double ns = median_of(its, given->rounds, offsetof(outcome, ns));
    double ratio = ratio_of(its, base, given->rounds);
    double resident =
        median_of(its, given->rounds, offsetof(outcome, resident));
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "peer", peer->name);
    cJSON_AddNumberToObject(row, "ns", ns);
    cJSON_AddNumberToObject(row, "ratio", ratio);
    cJSON_AddNumberToObject(row, "resident", resident);
    printf("    %-14s %9.2f ms  %6.3f  %8.2f MiB", peer->name, ns / 1e6, ratio,
           resident / (1 << 20));
    for (size_t i = 0; i < COUNTERS; i++) {
        double counted =
            median_of(its, given->rounds,
                      offsetof(outcome, counted) + i * sizeof(double));
        if (counted >= 0) {
            cJSON_AddNumberToObject(row, counter_names[i], counted);
            printf("  %.0f %s", counted, counter_names[i]);
        }
    }
    printf("\n");
    cJSON_AddItemToArray(out, row);
}

/* Each peer in turn, round after round. False, and said, if one of them fails
 * or answers differently from the first. */
static bool run_rounds(const inside_program *program, const arguments *given,
                       peer_runs *all)
{
    const peer_list *peers = &given->peers;
    for (unsigned round = 0; round < given->rounds; round++) {
        for (size_t i = 0; i < peers->count; i++) {
            outcome *out = &all[i].runs[round];
            *out = measure_apart(program, peers->at[i], given->times);
            if (out->digest == 0 || out->digest != all[0].runs[0].digest) {
                fprintf(stderr, "%s on %s: %s\n", program->name,
                        peers->at[i]->name,
                        out->digest == 0 ? "failed" : "another answer");
                return false;
            }
        }
    }
    return true;
}

static bool measure_program(const inside_program *program,
                            const arguments *given, cJSON *out)
{
    const peer_list *peers = &given->peers;
    peer_runs *all = calloc(peers->count, sizeof *all);
    bool good = all != NULL && run_rounds(program, given, all);
    if (good) {
        size_t base = 0;
        while (peers->at[base] != peers_find(peers, given->baseline)) {
            base++;
        }
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "program", program->name);
        cJSON_AddStringToObject(row, "version", program->version);
        cJSON_AddStringToObject(row, "work", program->work);
        cJSON *rows = cJSON_AddArrayToObject(row, "peers");
        printf("%s %s: %s\n", program->name, program->version, program->work);
        for (size_t i = 0; i < peers->count; i++) {
            report_peer(rows, peers->at[i], &all[i], &all[base], given);
        }
        cJSON_AddItemToArray(out, row);
    }
    free(all);
    return good;
}

/* ---------------------------------------------------------- the arguments */

static const struct argp_option options[] = {
    {"peers", 'b', "NAMES", 0,
     "Built-in peers, comma-separated (default: bitfit,glibc)", 0},
    {"peer", 'p', "FILE", 0,
     "Another peer: a shared object (see bench/peer.h); may be repeated", 0},
    {"baseline", 'r', "NAME", 0,
     "Peer that ratios refer to (default: the first --peer, else glibc)", 0},
    {"rounds", 'n', "N", 0, "Runs of each program on each peer (default: 7)",
     0},
    {"times", 't', "N", 0, "How often a run repeats its work (default: 3)", 0},
    {"core", 'c', "N", 0, "Processor to stay on; -1: any (default: 1)", 0},
    {"json", 'j', "FILE", 0, "Write the figures as JSON", 0},
    {0}};

static void add_peer(arguments *to, const char *path, struct argp_state *state)
{
    const char *wrong = peers_add_shared(&to->peers, path);
    if (wrong != NULL) {
        argp_failure(state, 1, 0, "%s: %s", path, wrong);
    } else if (to->baseline == NULL) {
        to->baseline = to->peers.at[to->peers.count - 1]->name;
    }
}

static int number(const char *text, int most, struct argp_state *state)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || value < 1 || value > most) {
        argp_error(state, "%s: a number from 1 to %d is wanted", text, most);
    }
    return (int)value;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *to = state->input;
    switch (key) {
    case 'b':
        to->builtin = text;
        break;
    case 'p':
        add_peer(to, text, state);
        break;
    case 'r':
        to->baseline = text;
        break;
    case 'n':
        to->rounds = (unsigned)number(text, ROUNDS_MAX, state);
        break;
    case 't':
        to->times = number(text, 1000, state);
        break;
    case 'c':
        to->core = (int)strtol(text, NULL, 10);
        break;
    case 'j':
        to->json = text;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* Built-in peers stand first. */
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
    to->peers = all;
    if (to->baseline == NULL) {
        to->baseline = "glibc";
    }
    if (peers_find(&all, to->baseline) == NULL) {
        fprintf(stderr, "no peer is called %s\n", to->baseline);
        return false;
    }
    return true;
}

static bool write_json(const cJSON *all, const char *path)
{
    char *text = cJSON_Print(all);
    FILE *file = fopen(path, "w");
    bool ok = text != NULL && file != NULL && fprintf(file, "%s\n", text) > 0;
    ok = file != NULL && fclose(file) == 0 && ok;
    if (!ok) {
        fprintf(stderr, "%s: cannot be written\n", path);
    }
    free(text);
    return ok;
}

int main(int count, char **values)
{
    static const struct argp parser = {
        options,
        parse,
        NULL,
        "Runs SQLite, Lua and Zstandard on bitfit and on other allocators, in "
        "turn: processor time, its ratio, and the memory that was resident.",
        NULL,
        NULL,
        NULL};
    arguments given = {
        .builtin = "bitfit,glibc", .rounds = 7, .times = 3, .core = 1};
    if (argp_parse(&parser, count, values, 0, NULL, &given) != 0 ||
        !gather_peers(&given)) {
        return EXIT_FAILURE;
    }
    if (given.core >= 0 && !pin_to_core(given.core)) {
        fprintf(stderr, "cannot stay on processor %d\n", given.core);
    }
    cJSON *all = cJSON_CreateObject();
    cJSON *rows = cJSON_AddArrayToObject(all, "inside");
    bool good = true;
    for (size_t i = 0; i < INSIDE_PROGRAMS && good; i++) {
        good = measure_program(&inside_programs()[i], &given, rows);
    }
    good = good && (given.json == NULL || write_json(all, given.json));
    cJSON_Delete(all);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
