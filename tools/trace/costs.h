/* What lives at a moment of a trace, by the size or the call stack that asked
 * for it. */
#ifndef TRACE_COSTS_H
#define TRACE_COSTS_H

#include "trace.h"

typedef struct cost {
    uint64_t size; /* requested, of each; if it is by size */
    uint32_t site; /* if it is by site */
    uint64_t blocks;
    uint64_t requested; /* bytes */
    uint64_t live;      /* bytes, rounded up to granules */
} cost;

/*
 * After the first `events` events, by call stack or by size, the most live
 * bytes first. The caller frees it. NULL if and only if there is not enough
 * memory.
 */
cost *costs_at(const trace *from, size_t events, bool by_site, size_t granule,
               size_t *count);

#endif
