/* The smallest pool that serves a trace. */
#ifndef TRACE_SMALLEST_H
#define TRACE_SMALLEST_H

#include "playback.h"

/* All in bytes. */
typedef struct smallest {
    size_t granule;
    size_t high_water; /* of one replay in a pool with room to spare */
    size_t payload;    /* of the smallest pool */
    size_t pool;       /* the same with the bookkeeping and what alignment
                          skips: for bitfit_init() */
    size_t bookkeeping;
    size_t bound; /* in such a pool nothing can fail, whatever the order of the
                     requests; 0 where there is no such promise, since the trace
                     asks for alignments above the granule */
    bool below_mark; /* less than the high-water mark serves, since a block that
                        grew in place at the very top moves down there */
    unsigned replays; /* that it took */
} smallest;

/*
 * Finds it and verifies it: the trace was served in exactly `pool` bytes, and
 * not with one granule less. The plan's sizes are ignored. `advance`, unless
 * NULL, is called after each replay. NULL, or why there is no such pool.
 */
const char *smallest_find(smallest *result, const playback_plan *plan,
                          void (*advance)(void));

/* Bytes of the pool with this payload. */
size_t smallest_pool_for(const playback_plan *plan, size_t payload);

#endif
