/*
 * Blocks that pass between threads' caches in batches, and how blocks get from
 * the pool into a cache and back. All of it under the heap's lock.
 */
#ifndef BITFIT_MALLOC_DEPOT_H
#define BITFIT_MALLOC_DEPOT_H

#include "heap.h"

enum { BATCH_MAX = 64 }; /* blocks that change hands at a time */

/* Marks new blocks of a bin, and turns them round: the lowest goes first. */
void blocks_mark(void **blocks, size_t number, size_t count);

/* How many of the blocks, which are `size` bytes, lie one behind the other from
 * the first on. */
size_t blocks_row(void *const *blocks, size_t number, size_t size);

/* Gives blocks that were marked back to the pool. */
void blocks_give(void *const *blocks, size_t number, size_t count);

/* Moves a batch of blocks of `count` granules, at most `most`, into the array;
 * how many they are: 0 if there is none. */
size_t depot_take(size_t count, void **blocks, size_t most);

/* Whether the depot took the blocks, at most a batch. */
bool depot_give(size_t count, void *const *blocks, size_t number);

/* Gives all of them back to the pool. */
void depot_empty(void);

/* Whether the block is in the depot. */
bool depot_has(const void *block, size_t count);

/* The bytes of all blocks in it, and how many they are. */
size_t depot_size(void);
size_t depot_blocks(void);

#endif
