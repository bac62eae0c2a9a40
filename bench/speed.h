/* Runs the cases on every peer in turn, round after round. */
#ifndef BENCH_SPEED_H
#define BENCH_SPEED_H

#include "cases.h"
#include "peers.h"
#include "traces.h"

#include <cjson/cJSON.h>

enum { ROUNDS_MAX = 64 };

typedef struct bench_settings {
    const char *only; /* patterns of case names, or NULL */
    const char *baseline;
    enum effort effort;
    unsigned rounds;
    uint64_t limit_ns;
    run_arena arena;
    bool quiet;
} bench_settings;

/* Prints a table for each case and appends it to the array. */
bool speed_measure(const case_list *cases, const peer_list *peers,
                   const trace_list *traces, const bench_settings *settings,
                   cJSON *out);

#endif
