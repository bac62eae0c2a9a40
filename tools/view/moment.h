/* A heap at one moment: every block and hole in the order of addresses. What
 * lies between two of them is the guard behind a block. */
#ifndef MOMENT_H
#define MOMENT_H

#include "heap.h"

#include <bitfit.h>

typedef struct moment_run {
    uint64_t offset;       /* bytes from the payload's start */
    uint64_t size;         /* bytes */
    uint32_t waste;        /* bytes at its end that were not requested */
    bool live;             /* a block; else a hole */
    const heap_stay *stay; /* of a block from a trace; else NULL */
} moment_run;

typedef struct heap_moment {
    bitfit_stats stats;
    uint64_t requested; /* bytes; 0 where it is not known */
    moment_run *runs;
    size_t count;
    uint64_t top;     /* the end of the highest block */
    uint64_t payload; /* its address in a pool; 0 where there is none */
    bool torn;        /* some runs may be wrong */
} heap_moment;

/* Makes a moment run by run, in the order of their addresses; all but `moment`
 * is zero at first. */
typedef struct moment_maker {
    heap_moment *moment;
    size_t room;
    bool failed;    /* memory is short */
    uintptr_t base; /* of a copy: the address of offset 0 */
    bool based;
} moment_maker;

/* Nothing where the end is the start. */
void moment_add_hole(moment_maker *to, uint64_t start, uint64_t end);
void moment_add_block(moment_maker *to, const moment_run *block);

/* A heap after the event. False if and only if memory is short. */
bool moment_of_heap(heap_moment *moment, const heap_history *heap,
                    uint32_t event);

/* From a copy of a pool's bookkeeping. False if memory is short or it is no
 * pool. */
bool moment_of_copy(heap_moment *moment, const void *copy, size_t size);

void moment_close(heap_moment *moment);

/* Fills in the largest holes, the largest first; returns how many there are. */
size_t moment_holes(const heap_moment *moment, const moment_run **holes,
                    size_t wanted);

#endif
