/*
 * The ways in that the C functions and the C++ operators share: first the
 * thread's cache, without a lock, and else the slow path.
 */
#ifndef BITFIT_MALLOC_ENTRY_H
#define BITFIT_MALLOC_ENTRY_H

#include "cache.h"

typedef enum fill { FILL_NONE, FILL_ZERO } fill;

/* Makes a name of the library's known outside. */
#define EXPORT __attribute__((visibility("default")))

/* A request in full: any size, any power of two for an alignment, any state of
 * the heap. NULL and ENOMEM if it cannot be met. */
void *entry_request(const char *call, size_t alignment, size_t size, fill how);

/* Takes back what is not NULL; `size` as for heap_give(). errno stays. */
void entry_return(const char *call, void *ptr, size_t size);

static inline void *entry_take(const char *call, size_t size)
{
    if (LIKELY(size <= PTRDIFF_MAX)) {
        size_t count = heap_count_for(size);
        void *block =
            LIKELY(count <= CACHE_COUNT_MAX) ? cache_pop(count) : NULL;
        if (LIKELY(block != NULL)) {
            return block;
        }
    }
    return entry_request(call, 1, size, FILL_NONE);
}

static inline void entry_give(const char *call, void *ptr)
{
    size_t count = heap_count_of(ptr);
    if (LIKELY(count - 1 < CACHE_COUNT_MAX && cache_push(ptr, count))) {
        return;
    }
    if (ptr != NULL) {
        entry_return(call, ptr, SIZE_MAX);
    }
}

static inline void entry_give_sized(const char *call, void *ptr, size_t size)
{
    size_t count = heap_count_of(ptr);
    if (LIKELY(count - 1 < CACHE_COUNT_MAX && size <= PTRDIFF_MAX &&
               heap_count_for(size) == count && cache_push(ptr, count))) {
        return;
    }
    if (ptr != NULL) {
        entry_return(call, ptr, size < PTRDIFF_MAX ? size : PTRDIFF_MAX);
    }
}

#endif
