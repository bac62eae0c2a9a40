/*
 * The textbook's global allocator: one static pool and two calls.
 *
 *     void *block = allocate(32);
 *     deallocate(block, 32);
 *
 * The parts of the exercise, and where they are:
 *
 *     the pool     global_allocator.memory, POOL_SIZE bytes
 *     the bitmap   in the pool's first bytes; a block knows nothing of it
 *     first fit    allocate() returns the lowest address that fits
 *     the mutex    in the pool's first bytes; each call takes it, unless the
 *                  C library knows that there is one thread
 *
 *     memory   | bitmap, mutex, statistics | AA..BBBB........ |
 *
 * The work is bitfit's: this file shows how little is left to write.
 */
#ifndef GLOBAL_ALLOCATOR_H
#define GLOBAL_ALLOCATOR_H

#include <stdalign.h>
#include <stddef.h>

#include "bitfit.h"

/* Bytes of the pool: 1024 to 4096. */
#ifndef POOL_SIZE
#define POOL_SIZE 1024
#endif

/* Bytes of the smallest block: 16 to 256. */
#ifndef MIN_BLOCK_SIZE
#define MIN_BLOCK_SIZE 16
#endif

_Static_assert(POOL_SIZE >= 1024 && POOL_SIZE <= 4096,
               "POOL_SIZE must be from 1024 to 4096");
_Static_assert(MIN_BLOCK_SIZE >= 16 && MIN_BLOCK_SIZE <= 256,
               "MIN_BLOCK_SIZE must be from 16 to 256");

/* Both, rounded up to a power of two: these are the sizes in use. */
enum {
    POOL_BYTES = POOL_SIZE <= 1024   ? 1024
                 : POOL_SIZE <= 2048 ? 2048
                                     : 4096,
    BLOCK_BYTES = MIN_BLOCK_SIZE <= 16    ? 16
                  : MIN_BLOCK_SIZE <= 32  ? 32
                  : MIN_BLOCK_SIZE <= 64  ? 64
                  : MIN_BLOCK_SIZE <= 128 ? 128
                                          : 256
};

typedef struct allocator {
    bitfit_pool *pool; /* made by the first call */

    /* What a bad deallocate() calls. Set it before the first call. NULL: print
     * a line on standard error, then abort(). */
    bitfit_misuse_handler *on_misuse;
    void *misuse_context;

    alignas(max_align_t) unsigned char memory[POOL_BYTES];
} allocator;

extern allocator global_allocator;

/* A block of `size` bytes at the lowest address that fits. NULL if and only if
 * it fits nowhere. */
void *allocate(size_t size);

/* Gives back a block: its address, and the size that was asked for. NULL does
 * nothing. A wrong address or size is misuse: it is caught, and the pool stays
 * as it is. */
void deallocate(void *ptr, size_t size);

/* The pool itself, for bitfit_draw(), bitfit_get_stats() and the like. */
bitfit_pool *allocator_pool(void);

/* Writes the constants in use as text, and says which were rounded. Returns
 * what snprintf() would. */
int allocator_describe(char *text, size_t size);

#endif
