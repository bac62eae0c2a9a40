#include "heap.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

union settings_page heap_settings __attribute__((aligned(SETTINGS_SIZE)));
heap_state heap;

/* -------------------------------------------------------------------- lock */

enum { LOCK_FREE, LOCK_TAKEN, LOCK_AWAITED };

static _Atomic unsigned lock_state;

static void futex(int operation, unsigned value)
{
    int kept = errno;
    syscall(SYS_futex, &lock_state, operation, value, NULL, NULL, 0);
    errno = kept;
}

static void lock_and_wait(void)
{
    while (atomic_exchange_explicit(&lock_state, LOCK_AWAITED,
                                    memory_order_acquire) != LOCK_FREE) {
        futex(FUTEX_WAIT_PRIVATE, LOCK_AWAITED);
    }
}

/* What holds the lock is short: worth some patience before sleeping. */
static bool lock_patiently(void)
{
    for (int i = 0; i < 100; i++) {
        unsigned expected = LOCK_FREE;
        if (atomic_compare_exchange_weak_explicit(
                &lock_state, &expected, LOCK_TAKEN, memory_order_acquire,
                memory_order_relaxed)) {
            return true;
        }
        atomic_signal_fence(memory_order_seq_cst);
    }
    return false;
}

void heap_lock(void)
{
    if (bf_single_threaded()) {
        atomic_store_explicit(&lock_state, LOCK_TAKEN, memory_order_relaxed);
        return;
    }
    if (!lock_patiently()) {
        lock_and_wait();
    }
}

void heap_unlock(void)
{
    if (bf_single_threaded()) {
        atomic_store_explicit(&lock_state, LOCK_FREE, memory_order_relaxed);
    } else if (atomic_exchange_explicit(&lock_state, LOCK_FREE,
                                        memory_order_release) == LOCK_AWAITED) {
        futex(FUTEX_WAKE_PRIVATE, 1);
    }
}

void heap_lock_reset(void)
{
    atomic_store_explicit(&lock_state, LOCK_FREE, memory_order_relaxed);
}

/* ---------------------------------------------------------------- requests */

void *heap_take(size_t alignment, size_t size)
{
    return alignment <= SETTINGS->options.granule
               ? bitfit_alloc(SETTINGS->pool, size)
               : bitfit_aligned_alloc(SETTINGS->pool, alignment, size);
}

void heap_give(void *ptr, size_t size)
{
    if (size == SIZE_MAX) {
        bitfit_free(SETTINGS->pool, ptr);
    } else {
        bitfit_free_sized(SETTINGS->pool, ptr, size);
    }
}

void *heap_resize(void *ptr, size_t size)
{
    return bitfit_realloc(SETTINGS->pool, ptr, size);
}

size_t heap_room(void)
{
    return heap_size_of(bf_carve_room(SETTINGS->pool));
}

size_t heap_live(void)
{
    return heap_size_of(bf_carve_live(SETTINGS->pool)) - SETTINGS->marks_size;
}
