/* One allocator on one piece of memory, called as a workload calls it. */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "peer.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum lock_mode {
    LOCK_NONE,
    LOCK_MUTEX,  /* one thread, but locked as if there were more */
    LOCK_THREADS /* two threads */
};

typedef struct subject {
    const bench_peer *peer;
    void *heap;
    bool guarded; /* the harness' mutex around each call */
    pthread_mutex_t mutex;
} subject;

/* False if the peer refuses this memory. `zeroed`: it is all zero bytes. */
static inline bool subject_open(subject *it, const bench_peer *peer,
                                void *memory, size_t size, enum lock_mode lock,
                                bool zeroed)
{
    void *(*init)(void *, size_t) = peer->init;
    bool own_lock = lock != LOCK_NONE && peer->init_locked != NULL;

    if (own_lock) {
        init = peer->init_locked;
    } else if (zeroed && peer->init_zeroed != NULL) {
        init = peer->init_zeroed;
    }
    it->peer = peer;
    it->guarded = lock != LOCK_NONE && !own_lock;
    pthread_mutex_init(&it->mutex, NULL);
    it->heap = init(memory, size);
    return it->heap != NULL;
}

static inline void subject_close(subject *it)
{
    if (it->heap != NULL && it->peer->done != NULL) {
        it->peer->done(it->heap);
    }
    it->heap = NULL;
    pthread_mutex_destroy(&it->mutex);
}

static inline void *subject_alloc(subject *it, bool guarded, size_t size)
{
    void *block = NULL;

    if (guarded) {
        pthread_mutex_lock(&it->mutex);
    }
    block = it->peer->alloc(it->heap, size);
    if (guarded) {
        pthread_mutex_unlock(&it->mutex);
    }
    return block;
}

static inline void subject_free(subject *it, bool guarded, void *ptr)
{
    if (guarded) {
        pthread_mutex_lock(&it->mutex);
    }
    it->peer->free(it->heap, ptr);
    if (guarded) {
        pthread_mutex_unlock(&it->mutex);
    }
}

/* `held` bytes of the old block are kept. Without a lock: only the replays
 * resize. */
static inline void *subject_realloc(subject *it, void *ptr, size_t held,
                                    size_t size)
{
    void *moved = NULL;

    if (it->peer->realloc != NULL) {
        return it->peer->realloc(it->heap, ptr, size);
    }
    moved = it->peer->alloc(it->heap, size);
    if (moved != NULL) {
        if ((it->peer->flags & BENCH_PEER_EMPTY) == 0) {
            memcpy(moved, ptr, held < size ? held : size);
        }
        it->peer->free(it->heap, ptr);
    }
    return moved;
}

static inline void *subject_aligned(subject *it, size_t alignment, size_t size)
{
    if (it->peer->aligned_alloc != NULL) {
        return it->peer->aligned_alloc(it->heap, alignment, size);
    }
    return it->peer->alloc(it->heap, size);
}

#endif
