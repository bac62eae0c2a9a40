/*
 * A consistent look at the heap.
 */
#ifndef BITFIT_MALLOC_INSPECT_H
#define BITFIT_MALLOC_INSPECT_H

#include "bitfit.h"
#include "text.h"

typedef struct inspection {
    bitfit_stats pool;
    size_t budget;
    size_t own;           /* bytes besides the payload */
    size_t cached;        /* bytes in caches and depot */
    size_t cached_blocks; /* and how many blocks */
    size_t empties;       /* live blocks of no bytes, not in the pool */
    size_t guards;        /* bytes of live blocks that nobody can touch */
    uint64_t failures;
    size_t first_failure; /* the size asked for */
} inspection;

enum { INSPECTION_SIZE = 1024 }; /* bytes of text that hold any report */

/* False if there is no pool. */
bool inspect_heap(inspection *to);

/* Lines of "FRONTkey: value (value as people read it)". */
void inspect_report(text *to, const inspection *now, const char *front);

#endif
