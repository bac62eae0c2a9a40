/* What two traces hold at a moment of each, side by side. */
#ifndef TRACE_CHANGES_H
#define TRACE_CHANGES_H

#include "costs.h"

typedef struct trace_moment {
    const trace *from;
    size_t events; /* so many are done */
} trace_moment;

/* One call stack or one size. A side that does not have it is all 0. */
typedef struct change {
    uint64_t size;    /* requested, of each; if it is by size */
    const char *site; /* if it is by site: one of the traces' call stacks */
    cost before;
    cost after;
} change;

/* Live bytes that came; negative: went. */
static inline int64_t change_of(const change *it)
{
    return (int64_t)it->after.live - (int64_t)it->before.live;
}

/*
 * By call stack or by size, the most growth first. Call stacks are one if they
 * lead through the same functions: an edit of a program moves its lines. The
 * caller frees it. NULL if and only if there is not enough memory.
 */
change *changes_between(const trace_moment *before, const trace_moment *after,
                        bool by_site, size_t granule, size_t *count);

#endif
