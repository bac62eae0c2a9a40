/* One run of the workload, on malloc or in a pool, and the search for the
 * smallest pool in which it works. */
#ifndef TRIAL_H
#define TRIAL_H

#include "bitfit.h"
#include "workload.h"

/* Called at the end of each phase, the database still open. */
typedef void trial_observer(int phase, bitfit_pool *pool, void *context);

/* Where the pools are, and what runs in them. */
typedef struct trial_setup {
    void *memory;
    size_t size;
    int readings;
    uint64_t digest; /* of the run on malloc */
} trial_setup;

typedef struct trial {
    size_t total;         /* bytes given to bitfit_init() */
    workload_result work; /* its .rc also holds the first error of the hooks */
    bitfit_stats stats;   /* after SQLite was shut down */
    size_t leaked;        /* blocks still live then */
    int broken;           /* the invariant broken then, or 0 */
} trial;

/* What happens in a pool one granule smaller than the high-water mark. */
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
    trial smallest; /* that works */
    trial below;    /* one granule less than the smallest: fails */
    int pools;      /* tried in all */
    int unclean;    /* of these; see trial_clean() */
} trial_search;

/* The workload on SQLite's own allocator. */
workload_result trial_on_malloc(int readings);

/* The workload in a pool made of the first `total` bytes of the memory. */
trial trial_in_pool(const trial_setup *setup, size_t total,
                    trial_observer *observe, void *context);

/* Whether the run finished, with the same answers as on malloc. */
bool trial_served(const trial *t, const trial_setup *setup);

/* Whether the run worked, or reported a lack of memory that the pool had
 * counted too; and in both cases left no block and no damage behind. */
bool trial_clean(const trial *t, const trial_setup *setup);

/* Tries a pool with `mark` bytes of payload and one with a granule less. If
 * that works too, it searches on below. */
trial_search trial_find_smallest(const trial_setup *setup, size_t mark);

#endif
