/* Runs a workload once on one allocator. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "script.h"
#include "subject.h"

#include <stdint.h>

typedef struct run_arena {
    unsigned char *memory; /* at a multiple of 2 MiB */
    size_t size;
    void *mapped;
    size_t mapped_size;
} run_arena;

enum run_state {
    RUN_DONE,
    RUN_REFUSED, /* the peer cannot use so much or so little memory */
    RUN_SLOW     /* stopped by the time limit; the time is a lower bound */
};

typedef struct run_result {
    enum run_state state;
    double ns; /* of one unit: a pair, a call, ... */
    uint64_t allocs;
    uint64_t failures;
    size_t high_water; /* where the peer knows it, else 0 */
} run_result;

typedef struct run_plan {
    run_arena arena;
    const bench_peer *peer;
    size_t pool; /* bytes given to the peer */
    enum lock_mode lock;
    uint64_t limit_ns; /* for the whole run */
    bool touch;        /* write the first and last byte of each new block */
    bool stop_at_failure;
    bool zeroed; /* the arena is all zero bytes */
} run_plan;

/* Reserves address space; false if the system refuses. */
bool arena_open(run_arena *arena, size_t size);
/* Makes sure that the first bytes have memory behind them. */
void arena_warm(const run_arena *arena, size_t size);
void arena_close(run_arena *arena);

/* ns is the time of the timed part over its allocating calls. */
run_result run_script(const run_plan *plan, const script *calls);

/* Each call's ticks, the least of this run and those before it. */
run_result run_latency(const run_plan *plan, const script *calls,
                       uint32_t *least_ticks);

/* ns of making the heap. */
run_result run_init(const run_plan *plan);

/* Bursts of `depth` blocks of one size, freed last one first; ns of a pair. */
run_result run_lifo(const run_plan *plan, size_t size, size_t depth,
                    size_t pairs);

enum fill_part { FILL_ALLOC, FILL_FREE };

/* Fills the pool with blocks of low to high bytes until the first NULL, then
 * frees them in random order; ns of one call of the part asked for. */
run_result run_fill(const run_plan *plan, uint64_t low, uint64_t high,
                    enum fill_part part);

/* A checkerboard of 16-byte blocks (every second one free, and the topmost
 * quarter of the pool unless `full`), then pairs of one size. */
run_result run_checker(const run_plan *plan, size_t size, bool full,
                       size_t pairs);

#endif
