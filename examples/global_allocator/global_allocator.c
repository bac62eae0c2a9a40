#include "global_allocator.h"

#include <pthread.h>
#include <stdio.h>

allocator global_allocator;

/* Cannot fail: even the smallest pool has room for the bookkeeping and one of
 * the largest blocks. */
static void start(void)
{
    const bitfit_options options = {
        .struct_size = sizeof options,
        .granule = BLOCK_BYTES,
        .lock_kind = BITFIT_LOCK_MUTEX,
        .on_misuse = global_allocator.on_misuse,
        .misuse_context = global_allocator.misuse_context,
    };
    global_allocator.pool =
        bitfit_init(global_allocator.memory, POOL_BYTES, &options);
}

bitfit_pool *allocator_pool(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
    return global_allocator.pool;
}

void *allocate(size_t size)
{
    return bitfit_alloc(allocator_pool(), size);
}

void deallocate(void *ptr, size_t size)
{
    bitfit_free_sized(allocator_pool(), ptr, size);
}

int allocator_describe(char *text, size_t size)
{
    static const char rounded[] = ", rounded up to a power of two";
    return snprintf(text, size,
                    "POOL_SIZE %d: a pool of %d bytes%s\n"
                    "MIN_BLOCK_SIZE %d: blocks of %d bytes or more%s\n",
                    POOL_SIZE, POOL_BYTES,
                    POOL_SIZE == POOL_BYTES ? "" : rounded, MIN_BLOCK_SIZE,
                    BLOCK_BYTES, MIN_BLOCK_SIZE == BLOCK_BYTES ? "" : rounded);
}
