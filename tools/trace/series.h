/* What a pool looked like, again and again, while a trace ran through it. */
#ifndef TRACE_SERIES_H
#define TRACE_SERIES_H

#include "playback.h"

/* All sizes are bytes. */
typedef struct series_point {
    size_t event; /* this many events were done */
    uint64_t time_ns;
    uint64_t requested;    /* by callers, of blocks that live */
    uint64_t live;         /* the same, rounded up to granules */
    uint64_t high_water;   /* so far */
    uint64_t largest_free; /* the largest request that would succeed */
    uint64_t failures;     /* so far */
} series_point;

typedef struct series {
    series_point *points; /* the last one is the end */
    size_t count;
    series_point peak;       /* when most was live, first */
    uint64_t least_largest;  /* the least that largest_free ever was */
    size_t least_largest_at; /* after so many events, first */
    bitfit_stats end;
} series;

/*
 * Runs the trace from its beginning, at most `points` points apart evenly. The
 * minima and maxima are those of all events. False if and only if there is not
 * enough memory. `advance`, unless NULL, is told how far it is.
 */
bool series_run(series *result, playback *it, size_t points,
                void (*advance)(size_t done, size_t total));

void series_free(series *of);

#endif
