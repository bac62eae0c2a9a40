/* First fit with no bookkeeping at all: how far up a script reaches. It is the
 * bound that no allocator with this policy can beat, and a second opinion on
 * bitfit's placement. Simple and slow on purpose. */
#ifndef BENCH_FIRSTFIT_H
#define BENCH_FIRSTFIT_H

#include "script.h"

#include <stddef.h>
#include <stdint.h>

/* The high-water mark in bytes; 0 if memory is out. */
uint64_t firstfit_high_water(const script *calls, size_t granule);

#endif
