/*
 * What the examples share: a library's work in a pool that is large enough and
 * in one that is not, and malloc() and friends over that pool, for libraries
 * whose hooks hand over no context.
 */
#ifndef IN_POOL_H
#define IN_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "bitfit.h"

typedef struct in_pool_example {
    const char *name; /* the library's, and its version */

    /* Uses the library in the pool. Returns NULL if all went well, else the
     * error in the library's own words, which has to outlive the call. */
    const char *(*work)(bitfit_pool *pool);

    size_t enough;         /* bytes of the pool in which all goes well */
    size_t too_small;      /* and of one in which ... */
    const char *complaint; /* ... the library says this */

    /* The library gives some blocks back only when the process ends; or it may
     * lose some where memory ends in the middle of its work. */
    bool keeps_blocks;
    bool loses_blocks;
} in_pool_example;

/*
 * Runs the work in both pools, each time in a process of its own, since many
 * libraries take their allocator once, and prints how it went. Returns the exit
 * code of main(): 0 if and only if the first went well without a refusal, the
 * second ended in the complaint, and both left a sound pool, empty unless the
 * library keeps or loses blocks.
 */
int in_pool_run(const in_pool_example *example);

/* The pool of the work under way, in which these live. Their names are malloc's
 * and so is what they do, but that a size of 0 gets a block. */
void *in_pool_malloc(size_t size);
void *in_pool_calloc(size_t count, size_t size);
void *in_pool_realloc(void *ptr, size_t size);
void in_pool_free(void *ptr);
char *in_pool_strdup(const char *text);

#endif
