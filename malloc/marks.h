/*
 * The caches' marks: a bit a granule, for a block in a cache starts here. Read
 * and written without a lock: see cache.h.
 */
#ifndef BITFIT_MALLOC_MARKS_H
#define BITFIT_MALLOC_MARKS_H

#include "heap.h"

static inline bf_word marks_load(const _Atomic bf_word *marks)
{
    return atomic_load_explicit(marks, memory_order_relaxed);
}

static inline void marks_store(_Atomic bf_word *marks, bf_word word)
{
    atomic_store_explicit(marks, word, memory_order_relaxed);
}

static inline bool cache_marked(const void *block)
{
    size_t granule = heap_granule_of(block);
    bf_word marks = marks_load(&SETTINGS->marks[bf_word_of(granule)]);
    return (marks >> bf_bit_of(granule) & 1) != 0;
}

static inline void cache_mark(const void *block)
{
    size_t granule = heap_granule_of(block);
    _Atomic bf_word *marks = &SETTINGS->marks[bf_word_of(granule)];
    marks_store(marks, marks_load(marks) | BF_ONE << bf_bit_of(granule));
}

static inline void cache_unmark(const void *block)
{
    size_t granule = heap_granule_of(block);
    _Atomic bf_word *marks = &SETTINGS->marks[bf_word_of(granule)];
    marks_store(marks, marks_load(marks) & ~(BF_ONE << bf_bit_of(granule)));
}

#endif
