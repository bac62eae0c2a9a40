/* The workloads by name. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include "run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum effort { EFFORT_SMOKE, EFFORT_QUICK, EFFORT_FULL };

enum case_kind {
    CASE_LIFO,
    CASE_CHURN,
    CASE_REPLAY,
    CASE_FILL,
    CASE_DRAIN,
    CASE_CHECKER,
    CASE_LATENCY,
    CASE_INIT,
    CASE_GROWTH
};

typedef struct bench_case {
    char name[64];
    const char *group; /* heads a table */
    const char *unit;  /* what the nanoseconds are of */
    char trace[64];    /* CASE_REPLAY: its name */
    enum case_kind kind;
    enum lock_mode lock;
    enum effort from; /* the least effort that runs it */
    size_t pool;
    uint64_t size_low;
    uint64_t size_high;
    unsigned live_low;
    unsigned live_high;
    size_t depth;
    size_t count;
    bool full;
    bool touch;
    bool fresh; /* memory of its own for each run, all zero bytes */
} bench_case;

typedef struct case_list {
    bench_case *at;
    size_t count;
    size_t capacity;
} case_list;

/* Every case but the replays; false if memory is out. */
bool cases_add_standard(case_list *list);

/* The replay of a trace, in a pool of this size. */
bool cases_add_replay(case_list *list, const char *trace, size_t pool,
                      enum effort from);

void cases_destroy(case_list *list);

enum { SIZE_NAME_ROOM = 24 };

/* "64K", "1M": SIZE_NAME_ROOM bytes are enough. */
void size_name(char *text, size_t room, uint64_t size);

/* Whether one of the comma-separated patterns (shell style; without a star it
 * may match any part, with = in front it is the name) fits the name. NULL fits
 * all. */
bool name_matches(const char *patterns, const char *name);

#endif
