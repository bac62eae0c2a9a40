/* A recording whose call stacks get other names; all else stays byte for byte.
 */
#ifndef TRACE_RENAME_H
#define TRACE_RENAME_H

#include "trace.h"

/* The new text of a call stack, which is freed; NULL leaves it as it is. */
typedef char *trace_namer(void *context, const char *stack);

typedef struct trace_renamed {
    size_t events;
    uint32_t blocks;
    bool cut;
} trace_renamed;

/*
 * Reads what the recorder wrote, not yet compressed, and writes it renamed and
 * compressed to another path. What the events say is not looked at. False if
 * the file is no such recording or damaged, or cannot be written; then the
 * error says why.
 */
bool trace_rename(const char *from, const char *to, trace_namer *name,
                  void *context, trace_renamed *result, trace_error *error);

#endif
