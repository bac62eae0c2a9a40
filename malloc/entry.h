/*
 * The ways in that the C functions and the C++ operators share: first the
 * thread's cache, without a lock, and else the slow path.
 */
#ifndef BITFIT_MALLOC_ENTRY_H
#define BITFIT_MALLOC_ENTRY_H

#include "abi.h"
#include "cache.h"

typedef enum fill { FILL_NONE, FILL_ZERO } fill;

/* Enters this thread for a call that takes the lock, as threads_enter() does,
 * and makes the pool where it is missing. False if there is none (yet): then
 * nothing was entered. */
bool entry_enter(const char *call);

/* A request in full: any size, any power of two for an alignment, any state of
 * the heap. NULL and ENOMEM if it cannot be met. */
__attribute__((noinline)) void *
entry_take_full(const char *call, size_t alignment, size_t size, fill how);

/* Takes back what is not NULL; `size` as for heap_give(). errno stays. */
__attribute__((noinline)) void entry_give_full(const char *call, void *ptr,
                                               size_t size);

/* As realloc() of a pointer and a size that are not 0. */
void *entry_resize(void *ptr, size_t size);

/* The bytes of a live block; 0 for NULL. */
size_t entry_size(const char *call, const void *ptr);

/* Dies: what is to be freed was not taken with such an alignment. */
_Noreturn void entry_accuse_alignment(const char *call, const void *ptr);

/* As entry_take_full() without alignment and filling, if the thread's cache for
 * small blocks is of no help. */
__attribute__((noinline)) void *entry_take_slow(size_t size, const char *call);

/* As entry_give_full(), where the pointer may be anything. */
__attribute__((noinline)) void entry_give_slow(const char *call, void *ptr,
                                               size_t size);

static inline void *entry_take(const char *call, size_t size)
{
    void *block = cache_take(size);
    return LIKELY(block != NULL) ? block : entry_take_slow(size, call);
}

/* alignment: a power of two, or 0 for none. */
static inline void *entry_take_aligned(const char *call, size_t alignment,
                                       size_t size)
{
    return alignment <= SETTINGS->options.granule
               ? entry_take(call, size)
               : entry_take_full(call, alignment, size, FILL_NONE);
}

/* A size that the caller states: SIZE_MAX would mean that none was. */
static inline size_t entry_said(size_t size)
{
    return size - (size == SIZE_MAX);
}

/* size: as for heap_give(). */
FAST void entry_give(const char *call, void *ptr, size_t size)
{
    if (UNLIKELY(!cache_give(ptr, size))) {
        entry_give_slow(call, ptr, size);
    }
}

/* The same of a block that was taken with an alignment, as the caller says. One
 * that is larger than needed is seen unless the place happens to fit. */
static inline void entry_give_aligned(const char *call, void *ptr,
                                      size_t alignment, size_t size)
{
    bool may_be = bf_is_power_of_two(alignment) &&
                  ((uintptr_t)ptr & (alignment - 1)) == 0;
    if (UNLIKELY(!may_be && ptr != NULL)) {
        entry_accuse_alignment(call, ptr);
    }
    entry_give(call, ptr, size);
}

#endif
