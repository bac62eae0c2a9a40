/*
 * The lock of a shared pool, and the repair of what its last owner broke off.
 * intent.h draws what a repair goes by.
 */
#ifndef BITFIT_RECOVER_H
#define BITFIT_RECOVER_H

#include "create.h"
#include "intent.h"

/* The bytes of bookkeeping before tree and map. */
BF_INLINE size_t bf_shared_header(void)
{
    return bf_plan_header((bf_parts){.lock = BF_LOCK_SHARED});
}

BF_INLINE bf_shared *bf_shared_of(const bitfit_pool *pool)
{
    return bf_plan_lock_of(pool);
}

/* The place so many bytes from the pool, wherever it is mapped. */
BF_INLINE void *bf_at_distance(const bitfit_pool *pool, uint64_t distance)
{
    return (unsigned char *)(uintptr_t)pool + (size_t)distance;
}

/* Takes the lock, and repairs what its last owner broke off. */
bf_taking bf_shared_lock(bitfit_pool *pool);
void bf_shared_unlock(const bitfit_pool *pool);

/* The three steps of a repair, in this order. Each may be broken off at any
 * store and made again. */

/* Makes the pool's pointers those of this process. */
void bf_recover_place(bitfit_pool *pool);

/* Makes map, slots and counters what the intent says. */
void bf_recover_carry_out(bitfit_pool *pool);

/* Derives tree and counters from the map, then crosses the intent out. */
void bf_recover_derive(bitfit_pool *pool);

/* Ordinary calls use two parts of the second step, too: */

/* Writes the intent's values into its slots. */
void bf_recover_slots(const bitfit_pool *pool);

/* Frees every block and clears the roots. */
void bf_recover_empty(bitfit_pool *pool);

#endif
