/*
 * From options to a pool: what goes where in the memory, or why it cannot.
 *
 *     memory   | pool | lock | handler | index | skip | payload ...... | rest |
 *
 * The first four are the bookkeeping; the options may place them elsewhere.
 */
#ifndef BITFIT_PLAN_H
#define BITFIT_PLAN_H

#include "pool.h"

typedef struct bf_plan {
    bitfit_options options; /* every default filled in */
    unsigned char *bookkeeping;
    unsigned char *payload;
    size_t granules;
} bf_plan;

typedef struct bf_caller_lock {
    void (*lock)(void *context);
    void (*unlock)(void *context);
    void *context;
} bf_caller_lock;

typedef struct bf_handler {
    bitfit_misuse_handler *on_misuse;
    void *context;
} bf_handler;

/* Fills in the options' defaults. BITFIT_OK, or what is wrong with them. */
bitfit_status bf_plan_options(const bitfit_options *given,
                              bitfit_options *options);

/* Lays a pool out. BITFIT_OK, or why there can be none; nothing is written but
 * the plan. */
bitfit_status bf_plan_make(bf_plan *plan, void *memory, size_t size,
                           const bitfit_options *options);

/* Bytes of bookkeeping for that many granules. */
size_t bf_plan_bookkeeping(bitfit_lock_kind kind, bool has_handler,
                           size_t granules);

/* Where the parts behind the pool's struct are. */
void *bf_plan_lock_of(const bitfit_pool *pool);
bf_handler *bf_plan_handler_of(const bitfit_pool *pool);

/* Writes the pool that was planned. */
bitfit_pool *bf_plan_carry_out(const bf_plan *plan);

#endif
