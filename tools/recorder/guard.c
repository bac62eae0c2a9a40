#include "guard.h"

#include "../trace/system.h"

#include <stdatomic.h>

__thread guard_thread guard_mine __attribute__((tls_model("initial-exec")));

enum { FREE, TAKEN, AWAITED };

static atomic_uint lock = FREE;

bool guard_enter(void)
{
    if (guard_mine.inside)
        return false;
    guard_mine.inside = 1;
    atomic_signal_fence(memory_order_seq_cst);
    return true;
}

void guard_leave(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    guard_mine.inside = 0;
}

/* One wait that is over proves nothing: the process may have been stopped. */
static bool wait_for_lock(void)
{
    enum { PATIENCE = 3 };
    int in_vain = 0;
    while (atomic_exchange(&lock, AWAITED) != FREE) {
        in_vain = system_wait(&lock, AWAITED) ? 0 : in_vain + 1;
        if (in_vain == PATIENCE)
            return false;
    }
    return true;
}

bool guard_lock(void)
{
    unsigned expected = FREE;
    guard_mine.locked = 1;
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_compare_exchange_strong(&lock, &expected, TAKEN) ||
        wait_for_lock())
        return true;
    guard_mine.locked = 0;
    return false;
}

void guard_unlock(void)
{
    if (atomic_exchange(&lock, FREE) == AWAITED)
        system_wake(&lock);
    atomic_signal_fence(memory_order_seq_cst);
    guard_mine.locked = 0;
}

void guard_reset(void)
{
    atomic_store(&lock, FREE);
}
