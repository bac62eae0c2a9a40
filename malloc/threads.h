/*
 * Which threads have a cache, how one begins and ends, how others are kept out
 * of theirs, and how a thread gets into the slow paths and out.
 */
#ifndef BITFIT_MALLOC_THREADS_H
#define BITFIT_MALLOC_THREADS_H

#include "cache.h"

/* Whether threads can be kept out of their caches; before any is. Again in a
 * fork's child. */
bool threads_can_stop(void);

/* Registers for threads' ends: caches may be made from now on. */
void threads_begin(void);

/* ------------------------------------------------------------------ inside */

/* Enters this thread for a call that takes the lock; takes it. Makes the
 * thread's cache where it is missing. A re-entry is fatal. */
void threads_enter(const char *call);
void threads_leave(void);

/* Whether this thread is inside any call: who asks is a signal's handler. */
bool threads_is_inside(void);

/* Leaves as if by threads_leave(), but keeps the lock: for who is to die. */
void threads_abandon(void);

/* ---------------------------------------------------- under the heap's lock */

/* All caches, by their `next`; NULL if there is none. */
cache *threads_first(void);

/* Keeps the other threads out of their caches. */
void threads_stop(void);

/* Lets them in again; without caching they stay where they are. */
void threads_go(void);

/* In a fork's child, which has this thread alone: gives back what the caches of
 * the others held. */
void threads_end_others(void);

/* Whether this cache can be touched now, others being stopped. */
bool threads_is_still(const cache *c);

#endif
