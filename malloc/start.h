/*
 * How the pool comes to be: divides the budget, maps it, makes the pools and
 * says to others where they are.
 */
#ifndef BITFIT_MALLOC_START_H
#define BITFIT_MALLOC_START_H

#include "heap.h"

/* Makes the pool, once. False if this is a call from inside itself: whoever
 * reads the environment or maps memory may allocate. */
bool heap_start(void);

/* The bytes of payload in a budget. */
size_t heap_payload_of(size_t budget);

#endif
