/*
 * Runs a trace through a pool. The pool's memory is virtual: all of its payload
 * is the same few pages, over and over, so that a pool of a terabyte costs no
 * more than its bookkeeping. What blocks hold is of no interest.
 */
#ifndef TRACE_PLAYBACK_H
#define TRACE_PLAYBACK_H

#include "summary.h"

#include <bitfit.h>

typedef struct playback_plan {
    const trace *from;
    size_t granule; /* bytes */

    /* The payload's alignment: at least 16, and the greatest that the trace
     * asks for, so that places do not depend on where the memory lies. */
    size_t alignment;

    /* One of the two, in bytes: the pool's memory, which holds the bookkeeping
     * too, or the payload's, with the bookkeeping apart. */
    size_t pool;
    size_t payload;
} playback_plan;

typedef struct playback {
    playback_plan plan;
    bitfit_pool *pool;
    void **places; /* by slot; NULL where no block lives */
    void *payload; /* where it starts */
    size_t next;   /* the event to come */
    uint64_t failures;
    size_t first_failure; /* its event, if there is one */
    void *start;          /* the pool's memory, and how it was made */
    size_t size;
    bitfit_options options;
    void *memory, *bookkeeping;           /* as mapped */
    size_t memory_size, bookkeeping_size; /* as mapped */
} playback;

/* The alignment that a plan should have, whose trace asks for so much. */
size_t playback_alignment(unsigned align_log2);

/* Returns NULL or why there is no such pool: then nothing is to be closed. */
const char *playback_open(playback *it, const playback_plan *plan);

void playback_close(playback *it);

/* Back to an empty pool, before the first event. */
void playback_rewind(playback *it);

/* Does events up to, not including, event `end`. A request that fails is
 * counted; what the trace does to that block later is left out. */
void playback_run(playback *it, size_t end);

/* As above, but stops after the first failure. Returns whether there was
 * none. */
bool playback_serves(playback *it, size_t end);

/* Where a slot's block is, in bytes from the payload's start. It must live. */
size_t playback_offset(const playback *it, uint32_t slot);

/* As playback_open(), of a pool whose payload is the trace's high-water mark,
 * unless the plan has a pool's size: it serves the trace, and what is free in
 * it has a meaning. */
const char *playback_open_fitting(playback *it, const playback_plan *plan);

/*
 * Runs the whole trace in pools that grow until none of its requests fails, and
 * gives the statistics of that run: its high-water mark is what the trace
 * needs. The plan's sizes are ignored. NULL, or why there is no such pool.
 */
const char *playback_measure(const playback_plan *plan, bitfit_stats *stats);

#endif
