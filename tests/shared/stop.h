/*
 * A stop before any store of the core, whose stores are seen (accesses.h).
 */
#ifndef BITFIT_TESTS_STOP_H
#define BITFIT_TESTS_STOP_H

#include <stdbool.h>
#include <stddef.h>

/* Makes the call and stops before store number `stop` that goes to
 * [memory, memory + size); STOP_NEVER to let it finish. Returns the number of
 * stores that were made. */
#define STOP_NEVER SIZE_MAX
size_t stop_before(size_t stop, void *memory, size_t size,
                   void (*call)(void *context), void *context);

#endif
