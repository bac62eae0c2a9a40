/* The application's pool. */
#include "bitfit_zephyr.h"

#include <errno.h>
#include <zephyr/init.h>

static _Alignas(max_align_t) unsigned char memory[CONFIG_BITFIT_HEAP_SIZE];
static struct k_mutex mutex;
static bitfit_pool *pool;

static int make_heap(void)
{
    k_mutex_init(&mutex);
    pool = bitfit_zephyr_init(memory, sizeof memory, &mutex);
    return pool != NULL ? 0 : -ENOMEM;
}

SYS_INIT(make_heap, POST_KERNEL, CONFIG_KERNEL_INIT_PRIORITY_OBJECTS);

bitfit_pool *bitfit_zephyr_heap(void)
{
    return pool;
}
