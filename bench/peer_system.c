/* Two peers without a heap of their own: nothing at all, which shows what the
 * harness costs, and the C library's malloc. */
#include "peers.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#include <malloc.h>
#endif

static void *empty_init(void *memory, size_t size)
{
    (void)size;
    return memory;
}

static void *empty_alloc(void *heap, size_t size)
{
    (void)size;
    return heap;
}

static void empty_free(void *heap, void *ptr)
{
    (void)heap;
    (void)ptr;
}

static void *empty_realloc(void *heap, void *ptr, size_t size)
{
    (void)heap;
    (void)size;
    return ptr;
}

static void *libc_alloc(void *heap, size_t size)
{
    (void)heap;
    return malloc(size);
}

static void libc_free(void *heap, void *ptr)
{
    (void)heap;
    free(ptr);
}

static void *libc_realloc(void *heap, void *ptr, size_t size)
{
    (void)heap;
    return realloc(ptr, size == 0 ? 1 : size);
}

static void *libc_aligned(void *heap, size_t alignment, size_t size)
{
    void *block = NULL;
    size_t least = alignment < sizeof(void *) ? sizeof(void *) : alignment;

    (void)heap;
    return posix_memalign(&block, least, size) == 0 ? block : NULL;
}

const bench_peer *peer_empty(void)
{
    static const bench_peer peer = {
        .interface_version = BENCH_PEER_INTERFACE,
        .flags = BENCH_PEER_EMPTY,
        .name = "empty",
        .version = "no allocator",
        .init = empty_init,
        .alloc = empty_alloc,
        .free = empty_free,
        .realloc = empty_realloc,
        .init_locked = empty_init, /* a lock is not the harness' own cost */
        .init_zeroed = empty_init,
    };

    return &peer;
}

const bench_peer *peer_libc(void)
{
    static bench_peer peer = {
        .interface_version = BENCH_PEER_INTERFACE,
        .flags = BENCH_PEER_OUTSIDE,
        .name = "libc",
        .version = "unknown",
        .init = empty_init,
        .alloc = libc_alloc,
        .free = libc_free,
        .realloc = libc_realloc,
        .aligned_alloc = libc_aligned,
        .init_locked = empty_init,
    };

#ifdef __GLIBC__
    peer.name = "glibc";
    peer.version = gnu_get_libc_version();
#endif
    return &peer;
}
