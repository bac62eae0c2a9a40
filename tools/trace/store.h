/* Writes the bytes as a Zstandard frame. False and an error if they cannot be
 * written. */
#ifndef TRACE_STORE_H
#define TRACE_STORE_H

#include "trace.h"

bool store_packed(const char *path, const void *content, size_t size,
                  trace_error *error);

#endif
