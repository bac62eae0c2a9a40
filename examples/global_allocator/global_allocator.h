/*
 * The textbook's global allocator: one static pool, allocate and deallocate.
 *
 * First fit over a bitmap of allocated and free blocks, under a mutex. All of
 * it is bitfit's: bitmap, mutex and statistics lie in the first bytes of the
 * pool's own memory, the rest is handed out.
 */
#ifndef GLOBAL_ALLOCATOR_H
#define GLOBAL_ALLOCATOR_H

#include <stdalign.h>
#include <stddef.h>

#include "bitfit.h"

/* Bytes of the pool, 1024 to 4096, and of its smallest block, 16 to 256.
 * One that is no power of two is rounded up to one. */
#ifndef POOL_SIZE
#define POOL_SIZE 1024
#endif
#ifndef MIN_BLOCK_SIZE
#define MIN_BLOCK_SIZE 16
#endif

_Static_assert(POOL_SIZE >= 1024 && POOL_SIZE <= 4096,
               "POOL_SIZE is off range");
_Static_assert(MIN_BLOCK_SIZE >= 16 && MIN_BLOCK_SIZE <= 256,
               "MIN_BLOCK_SIZE is off range");

/* The two as they are used: powers of two. */
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
    bitfit_pool *pool; /* made at the first call */

    /* What happens at a bad deallocate. Set before the first call; NULL is a
     * line on standard error, then abort(). */
    bitfit_misuse_handler *on_misuse;
    void *misuse_context;

    alignas(max_align_t) unsigned char memory[POOL_BYTES];
} allocator;

extern allocator global_allocator;

/* The lowest block of `size` bytes that is free, or NULL if there is none. */
void *allocate(size_t size);

/* Gives a block back: `ptr` from allocate(), `size` as it was asked for.
 * NULL does nothing. Anything else is misuse, and changes nothing. */
void deallocate(void *ptr, size_t size);

/* The pool below, to look at: bitfit_draw(), bitfit_get_stats(). */
bitfit_pool *allocator_pool(void);

/* Writes which constants are in use, and which of them had to be rounded, as
 * lines of text; returns what snprintf() would. */
int allocator_describe(char *text, size_t size);

#endif
