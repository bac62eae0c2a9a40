/* A moment for programs. */
#ifndef MOMENT_JSON_H
#define MOMENT_JSON_H

#include "moment.h"

#include <jansson.h>
#include <stdio.h>

/* One JSON object and a newline: the figures, the largest holes, and with
 * `runs` every run as [offset, size, live]; then the members of `more`, which
 * is given back, if it is not NULL. False if it cannot be written. */
bool moment_json(FILE *to, const heap_moment *moment, bool runs, json_t *more);

#endif
