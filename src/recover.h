/*
 * The lock of a shared pool, and the repair of what its last owner broke off.
 * intent.h draws what a repair goes by.
 */
#ifndef BITFIT_RECOVER_H
#define BITFIT_RECOVER_H

#include "create.h"
#include "intent.h"

BF_INLINE size_t bf_shared_header(void)
{
    return bf_plan_header((bf_parts){.lock = BF_LOCK_SHARED});
}

BF_INLINE bf_shared *bf_shared_of(const bitfit_pool *pool)
{
    return bf_plan_lock_of(pool);
}

BF_INLINE void *bf_at_distance(const bitfit_pool *pool, uint64_t distance)
{
    return (unsigned char *)(uintptr_t)pool + (size_t)distance;
}

/* Takes the lock, and repairs what its last owner broke off. */
bf_taking bf_shared_lock(bitfit_pool *pool);
void bf_shared_unlock(const bitfit_pool *pool);

/* The steps of a repair, each of which may be broken off and made again: */

/* makes the pool's pointers those of this process; */
void bf_recover_place(bitfit_pool *pool);

/* makes map, slots and counters what the intent says; */
void bf_recover_carry_out(bitfit_pool *pool);

/* and derives from the map all that it tells, and crosses the intent out. */
void bf_recover_derive(bitfit_pool *pool);

/* Of the second: the slots alone, and the pool alone. */
void bf_recover_slots(const bitfit_pool *pool);
void bf_recover_empty(bitfit_pool *pool);

#endif
