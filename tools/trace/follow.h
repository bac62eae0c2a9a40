/*
 * A recording while it grows: which call stacks hold how much by now. Each look
 * reads only what came since the last one. Memory grows with the blocks that
 * were ever allocated, by some 4 bytes each, and with what they ask
 * for.
 */
#ifndef TRACE_FOLLOW_H
#define TRACE_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct trace_follower trace_follower;

typedef struct site_holding {
    const char *stack;  /* as in a trace's sites; valid until the next look */
    uint64_t requested; /* bytes that live */
    uint64_t blocks;
} site_holding;

/* A file that bitfit record writes. NULL if it is none, cannot be read or
 * memory is short. */
trace_follower *follow_open(const char *path);
void follow_close(trace_follower *closed);

/* False if and only if the recording has ended, is damaged or memory is
 * short: then there is nothing more to see. */
bool follow_look(trace_follower *of);

/* The known call stacks that hold most after the last look, most first;
 * returns how many there are. O(blocks that lived at once). */
size_t follow_largest(const trace_follower *of, site_holding *largest,
                      size_t wanted);

#endif
