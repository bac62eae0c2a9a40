/*
 * What the test programs share: a rig (a pool with guarded memory of its own),
 * pictures, a recorder of misuse, random numbers and the comparison of a pool
 * with the model.
 */
#ifndef BITFIT_TESTS_SUPPORT_H
#define BITFIT_TESTS_SUPPORT_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bitfit.h"
#include "model.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* ------------------------------------------------------------------- a rig */

/* A pool in memory of its own. Memory and bookkeeping stand between guard
 * bytes, which rig_close() inspects. */
typedef struct rig {
    void *memory_raw;
    void *bookkeeping_raw;
    unsigned char *memory;
    size_t size;
    bitfit_options options;
    bitfit_pool *pool;
    unsigned char *payload;
    size_t granule;
    size_t count; /* granules of the payload */
    char *names;  /* the letter of the block that starts at each granule */
} rig;

/* The memory's address is a multiple of it. */
#define RIG_ALIGNMENT ((size_t)65536)

/* What the memory holds before bitfit_init() unless declared zeroed. */
#define RIG_GARBAGE 0xA5

/* Memory for a pool or its bookkeeping, to free(): aligned as malloc() owes it,
 * which aligns to less on some boards. */
void *memory_for_pool(size_t size);

/* A pool of `count` granules, its bookkeeping in separate memory. NULL options
 * are the defaults, but for the lock: there is none. */
void rig_open(rig *r, size_t count, const bitfit_options *options);

/* A pool of `size` bytes that holds its bookkeeping itself. */
void rig_open_inside(rig *r, size_t size, const bitfit_options *options);

/* Ends the pool, inspects the guards, frees the memory. */
void rig_close(rig *r);

/* The pointer for an index, and back. NULL and MODEL_NONE stand for each
 * other. */
void *rig_pointer(const rig *r, size_t index);
size_t rig_index(const rig *r, const void *pointer);

/* As the calls of the API, in granules; MODEL_NONE for NULL. */
size_t rig_alloc(rig *r, size_t count);
void rig_free(rig *r, size_t index);

bitfit_stats rig_stats(const rig *r);

/* The address of the payload's first byte, whatever the pool holds. */
unsigned char *payload_of(bitfit_pool *pool);

/* ---------------------------------------------------------------- pictures */

/*
 * "AABB..CC" shows a granule a character; "A{64}.{3}" is short for 64 A and 3
 * dots. Returns a new string without braces. Not for untrusted strings.
 */
char *picture_expand(const char *picture);

/* The other way: runs of 13 and more in braces. Returns a new string. */
char *picture_shorten(const char *picture);

/* Brings an empty pool into the state shown, from its first granule on, by
 * allocating run after run and then freeing the dots. Expanded or not. */
void rig_build(rig *r, const char *picture);

/* The pool by bitfit_walk(), with the names that rig_build() and the test gave.
 * Returns a new string of `count` characters. */
char *rig_picture(const rig *r);

/* Fails, showing both pictures, unless they are the same. Expanded or not. */
void assert_picture_(const rig *r, const char *expect, const char *what,
                     const char *file, int line);
#define assert_picture(r, expect)                                              \
    assert_picture_((r), (expect), "the pool", __FILE__, __LINE__)

/* Fails unless bitfit_check() finds every invariant whole. */
#define assert_sound(pool) assert_int_equal(bitfit_check(pool), 0)

/* Whether all `size` bytes have the value. */
bool all_are(const unsigned char *bytes, size_t size, unsigned char value);

/* ------------------------------------------------- comparing with the model */

/* The count of granules that a request makes; 0 if it can never be met. */
size_t granules_for(const rig *r, size_t size);

/* Where blocks may start for bitfit_aligned_alloc(); false if nowhere. */
bool places_for(const rig *r, size_t alignment, model_places *places);

void assert_same_runs(const rig *r, const model *m);
void assert_same_stats(const rig *r, const model *m);

/* ------------------------------------------------------------------ misuse */

/* A handler that returns, and what it saw last. */
typedef struct recorder {
    size_t calls;
    bitfit_misuse last;
} recorder;

void record_misuse(const bitfit_misuse *misuse, void *context);

/* Options without a lock whose misuse goes to `into`. */
bitfit_options recording(recorder *into);

/* ---------------------------------------------------------- random numbers */

/* xorshift64*: the same numbers on every machine. */
typedef struct dice {
    uint64_t state;
} dice;

dice dice_from(uint64_t seed);
uint64_t dice_next(dice *d);
/* From 0 to bound - 1. */
size_t dice_below(dice *d, size_t bound);
/* From low to high, both included. */
size_t dice_between(dice *d, size_t low, size_t high);

/* Frees one of the `count` slots and fills it with a block of random size and
 * alignment, or NULL. */
void change_slot(rig *r, dice *d, void **slots, size_t count);

/* BITFIT_SEED of the environment, else one from the clock; printed either way,
 * so that every failure can be repeated. */
uint64_t seed_for_this_run(void);

#endif
