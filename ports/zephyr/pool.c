/* A pool whose lock is a k_mutex. */
#include "bitfit_zephyr.h"

static void lock(void *mutex)
{
    (void)k_mutex_lock(mutex, K_FOREVER);
}

static void unlock(void *mutex)
{
    (void)k_mutex_unlock(mutex);
}

bitfit_pool *bitfit_zephyr_init(void *memory, size_t size,
                                struct k_mutex *mutex)
{
    const bitfit_options options = {
        .granule = CONFIG_BITFIT_GRANULE,
        .lock_kind = BITFIT_LOCK_CALLER,
        .lock = lock,
        .unlock = unlock,
        .lock_context = mutex,
    };
    return bitfit_init(memory, size, &options);
}
