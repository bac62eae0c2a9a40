/*
 * What the examples share: they run a library in a pool that is large enough
 * and in one that is too small. For libraries whose hooks get no context, there
 * is malloc() and its family over that pool.
 */
#ifndef IN_POOL_H
#define IN_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "bitfit.h"

typedef struct in_pool_example {
    const char *name; /* the library and its version */

    /* Uses the library in the pool. Returns NULL if all went well, else the
     * error in the library's own words. The text must outlive the call. */
    const char *(*work)(bitfit_pool *pool);

    size_t enough;         /* bytes of the pool in which all goes well */
    size_t too_small;      /* and of one in which ... */
    const char *complaint; /* ... the library says this */

    /* The library keeps some blocks until the process ends; or it may lose
     * some when memory runs out in the middle of its work. */
    bool keeps_blocks;
    bool loses_blocks;
} in_pool_example;

/*
 * Runs the work in both pools and prints how it went. Each run has its own
 * process, since many libraries take an allocator only once. Returns the exit
 * code of main(): 0 if and only if no request failed in the first run, the
 * second ended in the complaint, and both left a sound pool, which is empty
 * unless the library keeps or loses blocks.
 */
int in_pool_run(const in_pool_example *example);

/* These take their memory from the pool of the current run. They do what
 * malloc() and the others do, but a size of 0 gets a block. */
void *in_pool_malloc(size_t size);
void *in_pool_calloc(size_t count, size_t size);
void *in_pool_realloc(void *ptr, size_t size);
void in_pool_free(void *ptr);
char *in_pool_strdup(const char *text);

#endif
