/*
 * What an allocator has to offer to be measured: a shared object with one
 * function, bench_peer_entry(), that fills in this table.
 *
 *     cc -O2 -shared -fPIC -Ibench my_peer.c my_allocator.c -o my_peer.so
 *     bitfit_bench --peer ./my_peer.so
 *
 * bench/toy_peer.c is a complete example. Every function is called through its
 * pointer, so keep them to a plain call of the allocator: bitfit's own table
 * (bench/peer_bitfit.c) does the same.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_PEER_INTERFACE 1

enum {
    /* The blocks do not come from the memory given to init (the system's
     * malloc): no space figures, and every block is freed after a run. */
    BENCH_PEER_OUTSIDE = 1,
    /* No allocator at all: it stands for the harness' own cost. */
    BENCH_PEER_EMPTY = 2
};

typedef struct bench_peer {
    int interface_version; /* BENCH_PEER_INTERFACE */
    unsigned flags;        /* of the enum above, or 0 */
    const char *name;      /* short: it heads a column */
    const char *version;   /* a release or a commit */

    /* A heap in these bytes, which may hold anything and start at a multiple
     * of 4096. NULL if it cannot be: too small or too large. It is called again
     * and again on the same memory, without a word of warning. */
    void *(*init)(void *memory, size_t size);

    /* NULL if there is no room. Blocks are aligned to 8 bytes at least. */
    void *(*alloc)(void *heap, size_t size);

    /* A block of this heap, never NULL. */
    void (*free)(void *heap, void *ptr);

    /* From here on each may be NULL. */

    /* Without it: alloc, copy, free. */
    void *(*realloc)(void *heap, void *ptr, size_t size);

    /* Without it: alloc. */
    void *(*aligned_alloc)(void *heap, size_t alignment, size_t size);

    /* As init; calls then come from several threads at a time. Without it the
     * harness holds a mutex of its own around each call. */
    void *(*init_locked)(void *memory, size_t size);

    /* As init; the memory is all zero bytes. Heaps above 4 GiB of address space
     * are made of peers that have it, and only of them: it must not write to
     * more than a small part of the memory. */
    void *(*init_zeroed)(void *memory, size_t size);

    /* Ends a heap; blocks may still be live. */
    void (*done)(void *heap);

    /* Bytes from the payload's first to the highest ever handed out. Only for
     * allocators that place blocks whatever the size of the heap. */
    size_t (*high_water)(void *heap);

    /* Goes with high_water: the size of a heap with so much payload. */
    size_t (*size_for)(size_t payload);
} bench_peer;

const bench_peer *bench_peer_entry(void);

#ifdef __cplusplus
}
#endif

#endif
