/*
 * The model: first fit as a beginner would write it, on a byte for each
 * granule. The tests compare the pool with it, address by address. It knows
 * granules only and has no bound on its work but one: runs are skipped as a
 * whole, so that long random runs stay affordable.
 */
#ifndef BITFIT_TESTS_MODEL_H
#define BITFIT_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "No such granule": what the model answers where the pool answers NULL. */
#define MODEL_NONE SIZE_MAX

typedef enum model_state { MODEL_FREE, MODEL_START, MODEL_INNER } model_state;

/* As bitfit_stats, in granules. */
typedef struct model_stats {
    size_t live;
    size_t blocks;
    size_t high_water;
    size_t peak_live;
    size_t largest_block;
    uint64_t allocations;
    uint64_t frees;
    uint64_t reallocations;
    uint64_t failures;
} model_stats;

typedef struct model {
    size_t count;
    bool resize_moves;
    unsigned char *state; /* a model_state for each granule */
    size_t *run;          /* a run's count, at its first and last granule */
    model_stats stats;
} model;

/* Where a block may start: at every index with index % step == first. */
typedef struct model_places {
    size_t step;
    size_t first;
} model_places;

#define MODEL_ANYWHERE ((model_places){1, 0})

bool model_open(model *m, size_t count, bool resize_moves);
void model_close(model *m);
void model_reset(model *m);

/* The lowest index that fits, taken; MODEL_NONE if there is none. A count of 0
 * stands for a request that can never be met. */
size_t model_alloc(model *m, size_t count, model_places places);

/* The block's new index; MODEL_NONE if it stays as it was and the call fails.
 * `index` is the start of a block. */
size_t model_resize(model *m, size_t index, size_t count);

/* `index` is the start of a block. */
void model_release(model *m, size_t index);

/* The count of the block that starts at `index`, 0 if none does. */
size_t model_block(const model *m, size_t index);

/* The run that starts at `index`, of either kind: its count. */
size_t model_run(const model *m, size_t index);

size_t model_largest_hole(const model *m);

/* One character for each granule as bitfit_draw() has it, and a NUL. */
void model_draw(const model *m, char *picture);

#endif
