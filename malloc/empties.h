/*
 * Blocks of no bytes: what malloc(0) returns.
 *
 * They lie apart, in address space that nobody can touch, so that reading or
 * writing there ends the program. They are a pool of their own, which never
 * looks at its payload: each has an address of its own, and a second free is
 * seen as anywhere. All calls but empties_own() are made inside a slow path.
 */
#ifndef BITFIT_MALLOC_EMPTIES_H
#define BITFIT_MALLOC_EMPTIES_H

#include "heap.h"

/* A block, or NULL if there are none left: then any other will do. */
void *empties_take(size_t alignment);

/* Whether the address is there. */
static inline bool empties_own(const void *ptr)
{
    return (uintptr_t)ptr - SETTINGS->parts[PART_EMPTIES].start <
           SETTINGS->parts[PART_EMPTIES].size;
}

/* Takes the block back, or dies naming the misuse. size: as for heap_give(). */
void empties_give(void *ptr, size_t size);

/* Dies unless the block is live. */
void empties_verify(const void *ptr);

/* How many are live. */
size_t empties_live(void);

#endif
