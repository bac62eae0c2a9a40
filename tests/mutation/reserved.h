/*
 * Address space for pools larger than the machine: of the payload nothing may
 * be touched, and of the bookkeeping what is touched is there.
 */
#ifndef TESTS_RESERVED_H
#define TESTS_RESERVED_H

#include "bitfit.h"

#include <stdlib.h>
#include <sys/mman.h>

typedef struct reserved {
    bitfit_pool *pool;
    void *payload;
    size_t size;
    bitfit_options options;
} reserved;

static void *reserve(size_t size, int protection)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *memory = mmap(NULL, size, protection, flags, -1, 0);
    if (memory == MAP_FAILED) {
        abort();
    }
    return memory;
}

/* A pool of so many granules of 8 bytes. */
static void open_reserved(reserved *r, size_t granules)
{
    r->options = (bitfit_options){.granule = 8, .zeroed = true};
    r->size = granules * r->options.granule;
    r->options.bookkeeping_size = bitfit_bookkeeping_size(r->size, &r->options);
    r->options.bookkeeping =
        reserve(r->options.bookkeeping_size, PROT_READ | PROT_WRITE);
    r->payload = reserve(r->size, PROT_NONE);
    r->pool = bitfit_init(r->payload, r->size, &r->options);
    if (r->pool == NULL) {
        abort();
    }
}

static void release_reserved(const reserved *r)
{
    munmap(r->payload, r->size);
    munmap(r->options.bookkeeping, r->options.bookkeeping_size);
}

#endif
