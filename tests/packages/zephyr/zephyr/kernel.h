/* What bitfit uses of Zephyr's kernel, for one thread. */
#ifndef STAND_IN_KERNEL_H
#define STAND_IN_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define ARG_UNUSED(name) (void)(name)
#define CONFIG_KERNEL_INIT_PRIORITY_OBJECTS 30

typedef struct {
    int64_t ticks;
} k_timeout_t;
#define K_FOREVER ((k_timeout_t){-1})

struct k_mutex {
    uint32_t lock_count;
};

int k_mutex_init(struct k_mutex *mutex);
int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout);
int k_mutex_unlock(struct k_mutex *mutex);

#endif
