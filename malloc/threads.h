/*
 * Which threads have a cache, how one begins and ends, and how others are kept
 * out of theirs. All of it under the heap's lock. The ways in and out of the
 * slow paths (cache.h) stand in threads.c, too.
 */
#ifndef BITFIT_MALLOC_THREADS_H
#define BITFIT_MALLOC_THREADS_H

#include "cache.h"

/* All caches, by their `next`; NULL if there is none. */
cache *threads_first(void);

/* How many threads the caches share the room between; at least one. */
size_t threads_count(void);

/* Whether this thread has a cache. */
bool threads_has_cache(void);

/* Keeps the other threads out of their caches. */
void threads_stop(void);

/* Lets them in again; without caching they stay where they are. */
void threads_go(void);

/* Whether this cache can be touched now, others being stopped. */
bool threads_is_still(const cache *c);

/* What cache.c does for a cache that begins, ends or is left: makes bins
 * without room, gives all blocks back, and tells those who look from outside
 * what caches hold. */
void cache_begin(cache *c);
void cache_empty(cache *c);
void cache_publish(cache *c);

#endif
