/* A moment for programs. */
#ifndef MOMENT_JSON_H
#define MOMENT_JSON_H

#include "moment.h"

#include <jansson.h>

/* The figures, the largest holes, and with `runs` every run as [offset, size,
 * live]. */
json_t *moment_json(const heap_moment *moment, bool runs);

#endif
