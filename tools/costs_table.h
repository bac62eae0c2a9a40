/* What lives at a moment of a trace, for people and for scripts. */
#ifndef COSTS_TABLE_H
#define COSTS_TABLE_H

#include "trace/costs.h"

#include <jansson.h>

/* The first `most` of them, by call stack where the trace has some, else by
 * size. */
void costs_print(const trace *from, const cost *costs, size_t count,
                 size_t most);

json_t *costs_json(const trace *from, const cost *costs, size_t count,
                   size_t most);

#endif
