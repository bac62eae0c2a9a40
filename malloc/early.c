#include "early.h"

#include <stdatomic.h>
#include <stdint.h>

enum { EARLY_SIZE = 16384, HEADER = 16 };

static _Alignas(16) unsigned char memory[EARLY_SIZE];
static _Atomic size_t used;

bool early_owns(const void *ptr)
{
    return (uintptr_t)ptr - (uintptr_t)memory < EARLY_SIZE;
}

size_t early_size(const void *ptr)
{
    return ((const size_t *)ptr)[-1];
}

void *early_take(size_t alignment, size_t size)
{
    size_t mask = alignment < HEADER ? HEADER - 1 : alignment - 1;
    uintptr_t base = (uintptr_t)memory;
    size_t before = atomic_load(&used);
    size_t start;
    do {
        start = ((base + before + HEADER + mask) & ~mask) - base;
        if (start > EARLY_SIZE || size > EARLY_SIZE - start) {
            return NULL;
        }
    } while (!atomic_compare_exchange_weak(&used, &before, start + size));
    ((size_t *)(void *)(memory + start))[-1] = size;
    return memory + start;
}
