/* Recorded programs as scripts. */
#ifndef BENCH_TRACES_H
#define BENCH_TRACES_H

#include "script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench_trace {
    char name[64]; /* the file's, without its endings */
    char *about;
    script calls;
    uint64_t allocs;
    uint64_t mean_size;
    uint64_t largest;
} bench_trace;

typedef struct trace_list {
    bench_trace *at;
    size_t count;
} trace_list;

/* Every *.trace and *.trace.zst of a folder, by name. False if one cannot be
 * loaded; then a line that says which and why was printed. */
bool traces_load(trace_list *list, const char *folder);

const bench_trace *traces_find(const trace_list *list, const char *name);

void traces_destroy(trace_list *list);

#endif
