/*
 * Requests without a pool: from a signal's handler that interrupts its making,
 * or in a program whose pool could not be made. They are served from a small
 * static array, without a lock, by any thread, and never freed.
 */
#ifndef BITFIT_MALLOC_EARLY_H
#define BITFIT_MALLOC_EARLY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; NULL if the array is full. */
void *early_take(size_t alignment, size_t size);

bool early_owns(const void *ptr);

/* The bytes of such a block. */
size_t early_size(const void *ptr);

#endif
