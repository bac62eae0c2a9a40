/* Writes a file as one Zstandard frame. */
#ifndef TRACE_STORE_H
#define TRACE_STORE_H

#include "trace.h"

typedef struct store_piece {
    const void *at;
    size_t size;
} store_piece;

/* The pieces, one behind the other. False and an error if they cannot be
 * written. */
bool store_packed(const char *path, const store_piece *pieces, size_t count,
                  trace_error *error);

#endif
