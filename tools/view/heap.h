/*
 * A heap over time: what a trace's requests become in a pool.
 *
 * The trace is played through a pool. Each *stay* is a block at one place with
 * one size: a resize ends one and begins another. Times are event numbers; a
 * stay is there after event t if and only if born <= t < died.
 */
#ifndef HEAP_H
#define HEAP_H

#include "../trace/trace.h"

typedef struct heap_stay {
    uint32_t start; /* granules */
    uint32_t count; /* granules */
    uint32_t waste; /* bytes at its end that were not requested */
    uint32_t born;
    uint32_t died; /* the trace's count if it never did */
    uint32_t block;
    uint32_t site;
} heap_stay;

/* What a part of the trace came to: bytes, each the worst in that part. */
typedef struct heap_sample {
    uint64_t live;
    uint64_t requested; /* when `live` was highest */
    uint64_t high_water;
    uint64_t largest; /* the largest request possible, at its lowest */
    uint64_t free;    /* then */
    uint32_t event;   /* the part's first */
} heap_sample;

typedef struct heap_options {
    size_t granule; /* bytes; 0 is 16 */
    size_t pool;    /* bytes, bookkeeping included; 0: a payload of exactly
                       the trace's high-water mark */
    size_t samples; /* how many are wanted at most; 0 is faster */
} heap_options;

typedef struct heap_history {
    const trace *trace;
    size_t granule;
    size_t capacity; /* bytes of the payload: the pool's, or the mark */
    size_t high_water;
    size_t peak_live; /* after an event; a move's two copies do not count */
    size_t peak_requested; /* requested bytes at the peak of live bytes */
    uint32_t peak_event;   /* after it, live bytes were highest first */
    uint32_t failures;     /* requests that found no place */
    heap_stay *stays;      /* by birth */
    size_t stay_count;
    heap_sample *samples;
    size_t sample_count;
} heap_history;

/* Replays the trace, which must outlive the heap. NULL if and only if memory is
 * short, the pool is impossible or the heap is larger than 2^32 granules;
 * `why` then says so. */
heap_history *heap_open(const trace *from, const heap_options *options,
                        const char **why);

/* NULL does nothing. */
void heap_close(heap_history *heap);

/* How the time axis counts. */
typedef enum heap_clock { CLOCK_EVENTS, CLOCK_TIME } heap_clock;

/* Where an event stands on the axis: its number, or nanoseconds. An event
 * beyond the last stands at the end. */
uint64_t heap_position(const heap_history *heap, heap_clock clock,
                       uint32_t event);

#endif
