/*
 * A script: calls that are fixed before any clock runs, so that each allocator
 * is asked for the same in the same order and the harness costs next to
 * nothing. A call names a slot; the slot remembers the block.
 *
 * An allocation that fails leaves its slot empty, and the free that would match
 * it is skipped.
 */
#ifndef BENCH_SCRIPT_H
#define BENCH_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum script_verb { VERB_FREE, VERB_ALLOC, VERB_REALLOC, VERB_ALIGNED };

/* The size of VERB_ALIGNED holds the alignment's logarithm in its top bits. */
enum { ALIGNED_SIZE_BITS = 27 };

typedef struct script_call {
    uint32_t what; /* slot << 2 | verb */
    uint32_t size; /* bytes >> the script's shift */
} script_call;

typedef struct script {
    script_call *calls;
    size_t count;
    size_t capacity;
    size_t timed_from; /* the first call that is timed */
    size_t slots;
    unsigned shift;
    uint64_t peak_bytes;   /* most bytes requested and live at a time */
    uint64_t timed_allocs; /* allocating calls from timed_from on */
    bool resizes;          /* it has VERB_REALLOC */
    bool aligns;           /* it has VERB_ALIGNED */
} script;

/* Random churn: fills the pool to the middle of a band, keeps the requested
 * bytes within it, and turns every block over once before the clock starts. */
typedef struct churn_plan {
    uint64_t pool;
    uint64_t size_low; /* powers of two; see random_log_uniform() */
    uint64_t size_high;
    unsigned live_low; /* percent of the pool */
    unsigned live_high;
    size_t pairs; /* timed allocations */
    unsigned shift;
    uint64_t seed;
} churn_plan;

/* Churn whose sizes grow with the pool, from 16 bytes to a 64th of it: about as
 * many blocks in a pool of a TiB as in one of a MiB. */
churn_plan growth_plan(uint64_t pool, size_t pairs);

bool script_churn(script *result, const churn_plan *plan);

/* Appends a call; false if memory is out. */
bool script_add(script *target, enum script_verb verb, size_t slot,
                uint64_t size);

void script_destroy(script *target);

static inline size_t call_slot(script_call call)
{
    return call.what >> 2;
}

static inline enum script_verb call_verb(script_call call)
{
    return (enum script_verb)(call.what & 3);
}

#endif
