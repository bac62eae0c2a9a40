/* A moment, and a shared pool, for programs. */
#ifndef MOMENT_JSON_H
#define MOMENT_JSON_H

#include "moment.h"
#include "pool_file.h"

#include <jansson.h>

/* The figures, the largest holes, and with `runs` every run as [offset, size,
 * live]. */
json_t *moment_json(const heap_moment *moment, bool runs);

/* Adds what a look at a shared pool found besides: its state, how many changes
 * were repaired, its roots. */
void pool_file_json(const pool_file *from, json_t *object);

#endif
