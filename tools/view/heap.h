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
    uint32_t born;  /* that event says what was asked: heap_asked() */
    uint32_t died;  /* the trace's count if it never did */
    uint32_t block; /* its number: blocks count from 0 as they are allocated */
} heap_stay;

/*
 * Of millions of events a picture shows only how much of its time a place is in
 * use: there the short stays of one call site, near one another in place, time
 * and size, may be kept as one crowd. It is all that is known of them. Stays
 * that live at the peak or at the end, or reach up to the high-water mark, are
 * never in a crowd.
 */
typedef struct heap_crowd {
    uint32_t start; /* granules: they all lie in here ... */
    uint32_t count;
    uint32_t born; /* ... and in this time */
    uint32_t died;
    uint32_t site;
    uint32_t times;  /* how many stays */
    uint64_t counts; /* granules of all of them */
    uint64_t area;   /* granules x events */
    uint64_t waste;  /* bytes x events */
} heap_crowd;

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
    size_t columns; /* of a picture: what is shorter than half of one may be in
                       crowds; 0: nothing is */
    size_t stays;   /* with columns: where more than these would be kept, what
                       is longer may be in crowds, too; 0: as many as there are */
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
    heap_crowd *crowds; /* by birth */
    size_t crowd_count;
    uint32_t
        blur; /* stays in crowds are shorter than this; 0: there are none */
    heap_sample *samples;
    size_t sample_count;
} heap_history;

/* So many columns where the trace is too long to keep every stay, else 0. */
size_t heap_columns(const trace *from, size_t columns);

/* Replays the trace, which must outlive the heap. NULL if and only if memory is
 * short, the pool is impossible or the heap is larger than 2^32 granules;
 * `why` then says so. */
heap_history *heap_open(const trace *from, const heap_options *options,
                        const char **why);

/* NULL does nothing. */
void heap_close(heap_history *heap);

/* The event that began the stay. */
static inline trace_event heap_asked(const heap_history *heap,
                                     const heap_stay *stay)
{
    return trace_at(heap->trace, stay->born);
}

/* Bytes at the stay's end that were not requested. */
static inline uint32_t heap_waste(const heap_history *heap,
                                  const heap_stay *stay)
{
    return (uint32_t)(stay->count * heap->granule -
                      heap_asked(heap, stay).size);
}

/* Of a block: up to 32, 64, 256 bytes, 1, 4, 64 KiB, or larger. */
enum { HEAP_SIZE_CLASSES = 7 };
unsigned heap_size_class(uint64_t bytes);

/* How the time axis counts. */
typedef enum heap_clock { CLOCK_EVENTS, CLOCK_TIME } heap_clock;

/* Where an event stands on the axis: its number, or nanoseconds. An event
 * beyond the last stands at the end. */
uint64_t heap_position(const heap_history *heap, heap_clock clock,
                       uint32_t event);

#endif
