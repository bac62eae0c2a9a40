/*
 * How much memory this process may have: the machine's, what its control groups
 * leave of it, and its resource limits.
 */
#ifndef BITFIT_MALLOC_LIMITS_H
#define BITFIT_MALLOC_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes: the machine's memory, or the least that its group or one of the groups
 * around that may use, of either version of control groups. */
uint64_t limits_memory(void);

/* Bytes of private memory that may be mapped: the least of the resource limits
 * that count it; SIZE_MAX if there is none. */
size_t limits_private(void);

#endif
