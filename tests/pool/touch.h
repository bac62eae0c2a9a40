/* Counts the words that a call touches, in a part of the memory. */
#ifndef BITFIT_TESTS_TOUCH_H
#define BITFIT_TESTS_TOUCH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the core is compiled so that its accesses are seen (accesses.h). */
extern const bool touch_is_seen;

/* Counts from 0 on, and only in [memory, memory + size). */
void touch_begin(const void *memory, size_t size);

/* Ends the count: the words of a size_t that were touched, each one once. */
size_t touch_end(void);

#endif
