/*
 * What the program has in memory besides the pool: it mapped that by itself.
 */
#ifndef BITFIT_MALLOC_OUTSIDE_H
#define BITFIT_MALLOC_OUTSIDE_H

#include <stddef.h>

/* Bytes in memory that the program mapped outside the budget: its own heaps,
 * threads' stacks, shared memory; not files, nor the first thread's stack. What
 * there is now, or, if that is more, the most that there was at one time as far
 * as the process' peak tells: at least this much. 0 if the system does not say.
 * pool_most: the bytes of the payload that were ever used. */
size_t outside_most(size_t pool_most);

#endif
