/*
 * The slow paths: what a thread that is inside (threads.h) does with the lock,
 * between its cache and the pool.
 */
#ifndef BITFIT_MALLOC_SLOW_H
#define BITFIT_MALLOC_SLOW_H

#include "heap.h"

/* A block for the request, from the bin for its size or the pool. When there is
 * none, from the pool again after all caches were given back. */
void *slow_take(size_t alignment, size_t size);

/* Takes the block at `ptr`, or dies naming the misuse. size: as heap_give(). */
void slow_give(void *ptr, size_t size);

/* Takes a block of that many granules, which waited, into the bin for its size;
 * false if that has no room. */
bool slow_keep(void *block, size_t count);

/* The granules of the live block at `ptr`. Dies if there is none, or if it is
 * in a cache. */
size_t slow_verify(const void *ptr);

/* As heap_resize(), after all caches were given back if need be. */
void *slow_resize(void *ptr, size_t size);

/* Gives all caches back. */
void slow_give_all(void);

/* The blocks in all caches and the depot, and their bytes. */
void slow_sizes(size_t *blocks, size_t *size);

#endif
