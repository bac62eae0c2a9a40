/*
 * The calls of bitfit.h that change blocks, for a shared pool.
 */
#ifndef BITFIT_SHARED_INTERNAL_H
#define BITFIT_SHARED_INTERNAL_H

#include "pool.h"

void *bf_shared_alloc(bitfit_pool *pool, size_t size, const char *call);
void *bf_shared_calloc(bitfit_pool *pool, size_t count, size_t size);
void *bf_shared_aligned_alloc(bitfit_pool *pool, size_t alignment, size_t size);
void *bf_shared_realloc(bitfit_pool *pool, void *ptr, size_t size);
void bf_shared_free(bitfit_pool *pool, void *ptr);
void bf_shared_free_sized(bitfit_pool *pool, void *ptr, size_t size);
void bf_shared_reset(bitfit_pool *pool);
bool bf_shared_owns(const bitfit_pool *pool, const void *ptr);

#endif
