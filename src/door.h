/*
 * The door of a pool: how a public call takes the lock, gives it back, and
 * tells the misuse handler. bitfit.c and the rooms beside it share it.
 *
 * `pool->door` is the kind of the lock for calls on blocks of memory. In three
 * sorts of pools it is no such kind: without memory, shared, and with guards.
 * There these calls fail where they would take the lock, so calls on ordinary
 * pools pay nothing for the question.
 */
#ifndef BITFIT_DOOR_H
#define BITFIT_DOOR_H

#include "create.h"
#include "platform_shadow.h"
#include "recover.h"

/* ---------------------------------------------------------------- the lock */

BF_INLINE bf_caller_lock *caller_lock_of(const bitfit_pool *pool)
{
    return bf_plan_lock_of(pool);
}

BF_NOINLINE BF_STATIC void unlock(const bitfit_pool *pool)
{
    bitfit_lock_kind kind = bf_lock_kind_of(pool);
    if (BF_HAS_MUTEX && kind == BITFIT_LOCK_MUTEX) {
        bf_mutex_release(bf_plan_lock_of(pool));
    } else if (kind == BITFIT_LOCK_CALLER) {
        caller_lock_of(pool)->unlock(caller_lock_of(pool)->context);
    } else if (bf_is_shared(pool)) {
        bf_shared_unlock(pool);
    }
}

/* ------------------------------------------------------------------ misuse */

BF_NOINLINE BF_STATIC void report(const bitfit_misuse *misuse)
{
    if (misuse->pool->has_handler) {
        bf_handler handler = *bf_plan_handler_of(misuse->pool);
        handler.on_misuse(misuse, handler.context);
    } else {
        bf_die(misuse);
    }
}

BF_NOINLINE BF_STATIC void report_call(bitfit_pool *pool, const char *call,
                                       int kind, const void *pointer,
                                       size_t size)
{
    report(&(bitfit_misuse){.kind = (bitfit_misuse_kind)kind,
                            .call = call,
                            .pool = pool,
                            .pointer = pointer,
                            .size = size});
}

/* Reports what is wrong with the pointer, if anything is. */
BF_INLINE void accuse(bitfit_pool *pool, const char *call, int kind,
                      const void *pointer, size_t size)
{
    if (BF_UNLIKELY(kind != BF_NO_MISUSE)) {
        report_call(pool, call, kind, pointer, size);
    }
}

BF_NOINLINE BF_STATIC bool refuse(bitfit_pool *pool, const char *call,
                                  bitfit_misuse_kind kind)
{
    report_call(pool, call, (int)kind, NULL, 0);
    return false;
}

/* ---------------------------------------------------------------- the door */

/* Enters a shared pool, which is repaired if that is needed. Where there is no
 * such mutex, all that lies behind it is left out. */
BF_INLINE bool enter_shared(bitfit_pool *pool, const char *call)
{
    bool shared = BF_HAS_SHARED_MUTEX && bf_is_shared(pool);
    bf_taking taking = shared ? bf_shared_lock(pool) : BF_NO_MUTEX;
    if (BF_LIKELY(taking == BF_TAKEN)) {
        return true;
    }
    return refuse(pool, call,
                  taking == BF_MINE ? BITFIT_REENTRY : BITFIT_WRONG_POOL);
}

/* A call that finds no lock of its kind: the pool's calls go another way in, or
 * it is misuse. */
BF_NOINLINE BF_STATIC bool shut_out(bitfit_pool *pool, const char *call,
                                    unsigned kind)
{
    if (kind == BF_GUARDED || (kind == BF_NO_DOOR && bf_is_shared(pool))) {
        return false;
    }
    return refuse(pool, call, BITFIT_WRONG_POOL);
}

/* Takes a lock of this kind for real; refuses a call that knows no such lock,
 * or whose thread is inside already. */
BF_NOINLINE BF_STATIC bool enter_by_lock(bitfit_pool *pool, const char *call,
                                         unsigned kind)
{
    if (BF_HAS_MUTEX && kind == BITFIT_LOCK_MUTEX) {
        if (!bf_mutex_acquire(bf_plan_lock_of(pool))) {
            return refuse(pool, call, BITFIT_REENTRY);
        }
    } else if (kind == BITFIT_LOCK_CALLER) {
        caller_lock_of(pool)->lock(caller_lock_of(pool)->context);
    } else if (kind != BITFIT_LOCK_NONE) {
        return shut_out(pool, call, kind);
    }
    if (pool->state != BF_IDLE) {
        unlock(pool);
        return refuse(pool, call, BITFIT_REENTRY);
    }
    pool->state = BF_LOCKED;
    return true;
}

/* No lock is needed without one, or while there is one thread. */
BF_INLINE bool enter_by(bitfit_pool *pool, const char *call, unsigned kind)
{
    bool elide = kind == BITFIT_LOCK_NONE ||
                 (kind == BITFIT_LOCK_MUTEX && bf_single_threaded());
    if (!elide) {
        return enter_by_lock(pool, call, kind);
    }
    if (BF_UNLIKELY(pool->state != BF_IDLE)) {
        return refuse(pool, call, BITFIT_REENTRY);
    }
    pool->state = BF_ELIDED;
    return true;
}

/* Enters for a call on blocks of memory. False if the pool has none, or if this
 * thread is in a call on the pool already; that was reported. Also false, and
 * nothing was reported, if the pool is watched or shared: these have ways of
 * their own. */
BF_INLINE bool enter(bitfit_pool *pool, const char *call)
{
    if (BF_SHADOW && pool->door != BF_NO_DOOR) {
        return false;
    }
    return enter_by(pool, call, pool->door);
}

/* As enter() where no lock is needed and nothing is wrong. False otherwise, and
 * nothing was reported. */
BF_INLINE bool enter_quickly(bitfit_pool *pool)
{
    bool elide = BF_LIKELY(pool->door == BITFIT_LOCK_NONE) ||
                 (pool->door == BITFIT_LOCK_MUTEX && bf_single_threaded());
    if (BF_SHADOW || BF_UNLIKELY(!elide) ||
        BF_UNLIKELY(pool->state != BF_IDLE)) {
        return false;
    }
    pool->state = BF_ELIDED;
    return true;
}

/* Enters for a call on offsets, which no pool with guards has, nor a shared
 * one. */
BF_INLINE bool enter_offsets(bitfit_pool *pool, const char *call)
{
    return enter_by(pool, call, pool->lock_kind);
}

/* Enters for a call that serves every pool. */
BF_INLINE bool enter_any(bitfit_pool *pool, const char *call)
{
    return bf_is_shared(pool) ? enter_shared(pool, call)
                              : enter_by(pool, call, bf_lock_kind_of(pool));
}

/* Enters for a call that serves every pool with memory. */
BF_INLINE bool enter_memory(bitfit_pool *pool, const char *call)
{
    bool has_door = pool->door != BF_NO_DOOR || bf_is_shared(pool);
    return has_door ? enter_any(pool, call)
                    : enter_by_lock(pool, call, BF_NO_DOOR);
}

BF_INLINE bool enter_offsets_locked(bitfit_pool *pool, const char *call)
{
    return enter_by_lock(pool, call, pool->lock_kind);
}

/* The same two for a call that may run the caller's code or last longer than
 * the call: a thread that begins meanwhile must find the mutex taken. */
BF_INLINE bool enter_any_locked(bitfit_pool *pool, const char *call)
{
    return bf_is_shared(pool)
               ? enter_shared(pool, call)
               : enter_by_lock(pool, call, bf_lock_kind_of(pool));
}

BF_INLINE bool enter_memory_locked(bitfit_pool *pool, const char *call)
{
    bool has_door = pool->door != BF_NO_DOOR || bf_is_shared(pool);
    return has_door ? enter_any_locked(pool, call)
                    : enter_by_lock(pool, call, BF_NO_DOOR);
}

BF_INLINE void leave(bitfit_pool *pool)
{
    bool locked = pool->state == BF_LOCKED;
    pool->state = BF_IDLE;
    if (BF_UNLIKELY(locked)) {
        unlock(pool);
    }
}

#endif
