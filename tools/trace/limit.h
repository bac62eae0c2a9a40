/* How much memory this process may have. */
#ifndef TRACE_LIMIT_H
#define TRACE_LIMIT_H

#include <stddef.h>

/* Bytes: the least of the machine's memory, the limits of the control groups
 * that this process is in (versions 1 and 2, and every group above) and its
 * own resource limits. */
size_t memory_limit(void);

#endif
