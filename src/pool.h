/*
 * The pool: bytes and pointers over the index, for one thread at a time. This
 * is the one place where sizes become counts, and pointers granules.
 */
#ifndef BITFIT_POOL_H
#define BITFIT_POOL_H

#include "index.h"

/* Behind it lie the lock, the misuse handler if there is one, and the index.
 * Small matters: it is a tenth of a 1 KiB pool. All counts are granules. */
struct bitfit_pool {
    unsigned char *payload;
    bf_index index;
    size_t live;
    size_t high_water;
    size_t peak_live;
    size_t largest_block;
    uint64_t allocations; /* blocks live: allocations - frees */
    uint64_t frees;
    uint64_t reallocations;
    uint64_t failures;
    uint8_t granule_shift;
    uint8_t lock_kind;
    bool busy;   /* a call is inside; written by the lock's holder only */
    bool elided; /* that call did not take the mutex */
    bool resize_moves;
    bool zeroed; /* the payload above the high-water mark is all zero bytes */
    bool has_handler;
};

/* The requests: as their public namesakes. */
void *bf_pool_alloc(bitfit_pool *pool, size_t size);
void *bf_pool_calloc(bitfit_pool *pool, size_t count, size_t size);
void *bf_pool_aligned_alloc(bitfit_pool *pool, size_t alignment, size_t size);

/* The rest say what is wrong with the pointer, before anything changes; 0 if
 * it is the start of a live block. */
int bf_pool_free(bitfit_pool *pool, void *ptr);
int bf_pool_free_sized(bitfit_pool *pool, void *ptr, size_t size);
int bf_pool_realloc(bitfit_pool *pool, void *ptr, size_t size, void **result);
int bf_pool_usable_size(const bitfit_pool *pool, const void *ptr, size_t *size);

size_t bf_pool_good_size(const bitfit_pool *pool, size_t size);
bool bf_pool_owns(const bitfit_pool *pool, const void *ptr);
size_t bf_pool_blocks(const bitfit_pool *pool);
void bf_pool_reset(bitfit_pool *pool);
void bf_pool_stats(const bitfit_pool *pool, bitfit_stats *stats);
bool bf_pool_walk(const bitfit_pool *pool, bitfit_visitor *visit,
                  void *context);
int bf_pool_check(const bitfit_pool *pool);
size_t bf_pool_draw(const bitfit_pool *pool, char *buffer, size_t size);

#endif
