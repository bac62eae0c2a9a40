/* One run of the workload, on malloc or in a pool, and the search for the
 * smallest pool that serves it. */
#ifndef TRIAL_H
#define TRIAL_H

#include "bitfit.h"
#include "workload.h"

/* Called at the end of each phase, the database still open. */
typedef void trial_observer(int phase, bitfit_pool *pool, void *context);

/* Where the pools lie, and what runs in them. */
typedef struct trial_setup {
    void *memory;
    size_t size;
    int readings;
    uint64_t digest; /* what the run on malloc gave */
} trial_setup;

typedef struct trial {
    size_t total;         /* bytes given to bitfit_init() */
    workload_result work; /* its .rc is the first error of the hooks as well */
    bitfit_stats stats;   /* after SQLite was shut down */
    size_t leaked;        /* blocks that were still live then */
    int broken;           /* the invariant that was broken then, or 0 */
} trial;

/* What a pool one granule smaller than the high-water mark does. */
typedef enum trial_case {
    TRIAL_EXACT, /* a request fails, SQLite reports SQLITE_NOMEM */
    TRIAL_COPED, /* a request fails, SQLite copes */
    TRIAL_MOVED  /* none fails: a block that grew in place at the very top
                    moves down instead */
} trial_case;

typedef struct trial_search {
    trial at_mark;
    trial one_less; /* than the mark */
    trial_case what;
    trial smallest; /* that served */
    trial below;    /* one granule less than the smallest: did not */
    int pools;      /* tried in all */
    int unclean;    /* of them, see trial_clean() */
} trial_search;

/* The workload on SQLite's own allocator. */
workload_result trial_on_malloc(int readings);

/* The workload in a pool made of the first `total` bytes of the memory. */
trial trial_in_pool(const trial_setup *setup, size_t total,
                    trial_observer *observe, void *context);

/* Whether the run came to its end, with malloc's answers. */
bool trial_served(const trial *t, const trial_setup *setup);

/* Whether the run served, or reported a lack of memory that the pool had
 * counted; and left no block and no damage behind in either case. */
bool trial_clean(const trial *t, const trial_setup *setup);

/* Tries a pool with `mark` bytes of payload and one with a granule less, and
 * searches on below if that served too. */
trial_search trial_find_smallest(const trial_setup *setup, size_t mark);

#endif
