/* What a trace asks for, whoever serves it. */
#ifndef TRACE_SUMMARY_H
#define TRACE_SUMMARY_H

#include "trace.h"

typedef struct trace_summary {
    uint64_t allocations;
    uint64_t frees;
    uint64_t resizes;
    uint64_t peak_requested; /* the most bytes requested and live at a time */
    size_t peak_event;       /* the first event after which they are live */
    uint64_t largest;        /* bytes */
    uint64_t requested;      /* bytes, all requests together */
    uint32_t live_at_end;    /* blocks */
    unsigned align_log2;     /* the greatest alignment; 0: what malloc gives */
} trace_summary;

/* False if and only if there is not enough memory. */
bool trace_summarize(const trace *from, trace_summary *summary);

/* The greatest alignment that is asked for; 0: what malloc gives. */
unsigned trace_align_log2(const trace *from);

/* What bitfit_bytes_for() asks for. */
typedef struct trace_granules {
    uint64_t peak;      /* the most granules live at a time */
    uint64_t peak_move; /* the same, a resize counted with both copies */
    uint64_t largest;   /* of the largest block */
    size_t peak_event;  /* the first event after which `peak` are live */
} trace_granules;

/* False if and only if there is not enough memory. */
bool trace_count_granules(const trace *from, uint64_t granule,
                          trace_granules *counts);

/* Granules of a block for a request of so many bytes: at least one. */
static inline uint64_t granules_of(uint64_t size, uint64_t granule)
{
    return size == 0 ? 1 : (size - 1) / granule + 1;
}

/*
 * The size of each slot's block after the first `events` events; slots that are
 * unused then have TRACE_NO_SIZE. `sites`, unless NULL, gets the call
 * stack of each. The caller frees both. NULL if and only if there is not enough
 * memory.
 */
#define TRACE_NO_SIZE UINT64_MAX
uint64_t *trace_sizes_at(const trace *from, size_t events, uint32_t **sites);

#endif
