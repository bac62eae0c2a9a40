/*
 * A pool in memory that processes share, or that a file keeps. A process may be
 * killed at any store. So every change is an *intent*: it is written down
 * before the first bit changes and crossed out after the last. Who finds the
 * owner of the lock dead makes the map what the intent says.
 *
 *     target     the runs of [left, right) will be: hole, block, hole
 *
 *                left      start        end        right
 *                  |.........|BBBBBBBBBBB|...........|      any may be empty
 *
 *     intent     one target, then another, then up to two slots
 *
 *     call              before        targets, if it is broken off
 *     alloc_into 3      "A.......B"   [1, 8): block [1, 4), hole [4, 8)
 *     alloc 3           "A.......B"   [1, 8): hole; nobody learnt of the block
 *     free B            "A..BB..C"    [1, 7): hole
 *     realloc_in, grow  "BB...C"      [0, 5): block [0, 3), hole [3, 5)
 *
 * The bits outside the targets belong to other runs; each store changes one
 * word and keeps them. So a target can be written anew from any state in which
 * the stores may have been broken off, and the core's ordinary code makes the
 * change in any order it likes. Tree and counters are derived from the map.
 *
 * The pool's pointers are those of the process that had the lock last. Who
 * takes it next, and sees the pool elsewhere, makes them anew.
 */
#ifndef BITFIT_INTENT_H
#define BITFIT_INTENT_H

#include "pool.h"

enum { BF_ROOTS = 4 };

typedef enum bf_op {
    BF_NO_OP, /* the map tells everything, and so do counters and slots */
    BF_CHANGE,
    BF_RESET /* the pool is empty, and so are the roots */
} bf_op;

typedef struct bf_target {
    uint64_t left, start, end, right; /* granules */
} bf_target;

typedef struct bf_intent {
    uint64_t op; /* a bf_op: written last, and taken back last */
    bf_target targets[2];
    uint64_t slots[2]; /* distances from the pool; 0 is none */
    uint64_t values[2];
    uint64_t allocations, frees; /* the pool's counters */
} bf_intent;

/* Stands where the lock of another pool does. */
typedef struct bf_shared {
    bf_shared_mutex lock;
    uint64_t magic;
    uint64_t size;      /* bytes of the whole region */
    uint64_t alignment; /* of the region */
    uint64_t granules;
    uint64_t payload; /* its distance from the pool */
    uint64_t home;    /* the pool's address for who had the lock last */
    uint64_t repairs;
    bf_intent intent;
    uint64_t roots[BF_ROOTS];
} bf_shared;

BF_INLINE bool bf_is_shared(const bitfit_pool *pool)
{
    return BF_HAS_SHARED_MUTEX && pool->lock_kind == (uint8_t)BF_LOCK_SHARED;
}

#endif
