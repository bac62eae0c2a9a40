/* The smallest allocator there is, as an example of bench/peer.h: a pointer
 * that only moves up, and moves back when the last block is freed. */
#include "peer.h"

#include <stdint.h>

typedef struct toy_heap {
    unsigned char *next;
    unsigned char *end;
    unsigned char *last; /* the block that free() can take back */
} toy_heap;

static size_t rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static void *toy_init(void *memory, size_t size)
{
    toy_heap *heap = memory;
    size_t head = rounded(sizeof *heap);

    if (size < head) {
        return NULL;
    }
    heap->next = (unsigned char *)memory + head;
    heap->end = (unsigned char *)memory + size;
    heap->last = NULL;
    return heap;
}

static void *toy_alloc(void *handle, size_t size)
{
    toy_heap *heap = handle;

    if (size > SIZE_MAX - 15 ||
        rounded(size) > (size_t)(heap->end - heap->next)) {
        return NULL;
    }
    heap->last = heap->next;
    heap->next += rounded(size);
    return heap->last;
}

static void toy_free(void *handle, void *ptr)
{
    toy_heap *heap = handle;

    if (ptr == heap->last) {
        heap->next = heap->last;
        heap->last = NULL;
    }
}

const bench_peer *bench_peer_entry(void)
{
    static const bench_peer toy = {
        .interface_version = BENCH_PEER_INTERFACE,
        .name = "toy",
        .version = "example",
        .init = toy_init,
        .alloc = toy_alloc,
        .free = toy_free,
    };

    return &toy;
}
