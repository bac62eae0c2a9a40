/* Reads traces (bench/trace_format.h) into scripts. */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include "script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct trace {
    char name[64]; /* the file's, without its endings */
    char *about;
    script calls;
    uint64_t allocs;
    uint64_t mean_size;
    uint64_t largest;
} trace;

typedef struct trace_list {
    trace *at;
    size_t count;
} trace_list;

/* Returns NULL or what is wrong with the file. */
const char *trace_load(trace *result, const char *path);

/* Every *.trace and *.trace.zst of a folder, by name. Returns NULL or what went
 * wrong; then *where is the file. */
const char *traces_load(trace_list *list, const char *folder,
                        char where[static 512]);

const trace *traces_find(const trace_list *list, const char *name);

void traces_destroy(trace_list *list);

#endif
