/* What the tests of shared pools play: every call that changes one, as data,
 * and what can be seen of a pool before and after it. */
#ifndef BITFIT_TESTS_PLAY_H
#define BITFIT_TESTS_PLAY_H

#include "bitfit_shared.h"
#include "intent.h"

enum { GRANULE = 8, GRANULES_MOST = 2400 };

bf_shared *shared_in(void *memory);
bitfit_link link_of(void *memory, size_t granule);

/* --------------------------------------------------------------- the calls */

typedef enum verb {
    ALLOC,
    ALIGNED,
    CALLOC,
    REALLOC,
    FREE,
    RESET,
    ALLOC_INTO,
    ALIGNED_INTO,
    CALLOC_INTO,
    REALLOC_IN,
    FREE_FROM,
    SWAP,
    SWEEP
} verb;

extern const char *const verb_names[];

/* Slots are the roots 0 and 1. */
typedef struct call {
    bitfit_pool *pool;
    verb verb;
    size_t block; /* its start */
    size_t count;
    bitfit_link result;
} call;

/* Whether the call has not happened if it is broken off. */
bool is_undone(verb which);

void make_call(void *one);

/* ------------------------------------------------------------ what is seen */

typedef struct view {
    char picture[GRANULES_MOST + 1];
    bitfit_link roots[2];
    bitfit_stats stats;
    int broken;
} view;

/* The first call repairs, if the lock is orphaned. */
void look(void *memory, view *seen);

bool same(const view *a, const view *b);

/* Whether the blocks of the picture have the same content in both. */
bool same_content(const char *picture, void *a, const void *b);

#endif
