/*
 * Pools that the threads of Zephyr share, each under a k_mutex, and one pool
 * for the whole application. Interrupt handlers cannot use them, because they
 * cannot wait for a mutex.
 */
#ifndef BITFIT_ZEPHYR_H
#define BITFIT_ZEPHYR_H

#include <bitfit.h>
#include <zephyr/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As bitfit_init(), with granules of CONFIG_BITFIT_GRANULE bytes. The mutex is
 * the pool's own from now on; k_mutex_init() was called for it. */
bitfit_pool *bitfit_zephyr_init(void *memory, size_t size,
                                struct k_mutex *mutex);

/* The application's pool: CONFIG_BITFIT_HEAP_SIZE bytes, bookkeeping included,
 * ready before main() and before any SYS_INIT() of the level APPLICATION. Only
 * with CONFIG_BITFIT_HEAP. */
bitfit_pool *bitfit_zephyr_heap(void);

#ifdef __cplusplus
}
#endif

#endif
