/*
 * A heap's stays as text for the report's page: columns of 32-bit numbers, each
 * as four planes of bytes (the lowest first), one after the other, deflated, in
 * base64. The columns: start, count, waste, born (as differences), died (less
 * born), block (as differences), site; then, if the trace has times, the
 * microseconds of each event (as differences). Behind the columns stand the
 * call sites, a line each.
 */
#ifndef PACKED_H
#define PACKED_H

#include "heap.h"

#include <stdio.h>

/* NULL, or why it cannot be written. */
const char *packed_write(FILE *to, const heap_history *heap);

#endif
