/* Real programs that get all their memory from one peer, through the hook that
 * each of them has for this. */
#ifndef BENCH_INSIDE_H
#define BENCH_INSIDE_H

#include "peer.h"

#include <stddef.h>
#include <stdint.h>

typedef struct inside_heap {
    const bench_peer *peer;
    void *heap;
} inside_heap;

typedef struct inside_program {
    const char *name;
    const char *version;
    const char *work; /* what it does, in a few words */
    size_t pool;      /* bytes that serve every peer */

    /* Does the work `times` times. Returns a digest of the answers, the same
     * with every allocator; 0 if the program failed. */
    uint64_t (*run)(const inside_heap *heap, int times);
} inside_program;

enum { INSIDE_PROGRAMS = 3 };

const inside_program *inside_programs(void);

#endif
