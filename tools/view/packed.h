/*
 * A heap's stays as text for the pages: columns of 32-bit numbers, each as four
 * planes of bytes (the lowest first), one after the other, deflated, in base64.
 *
 *     of stays    start, count, waste, born (as differences), died (less born),
 *                 block (as differences), site
 *     of crowds   start, count, waste (its share, of 65,535), born (as
 *                 differences), died (less born), times, site, use (its share),
 *                 granules of a stay on average
 *     of times    microseconds (as differences) of each event that is a
 * multiple of the step, and of the last; none if the trace has no times
 *
 * Behind the columns stand the call sites, a line each.
 */
#ifndef PACKED_H
#define PACKED_H

#include "heap.h"

#include <stdio.h>

enum { PACKED_STAY_COLUMNS = 7, PACKED_CROWD_COLUMNS = 9 };

/* From an event that has a time there to the next. */
size_t packed_time_step(const heap_history *heap);

/* NULL, or why it cannot be written. */
const char *packed_write(FILE *to, const heap_history *heap);

#endif
