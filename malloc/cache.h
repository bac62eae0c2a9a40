/*
 * The threads' caches in front of the pool, and the depot between them.
 *
 *     thread   bin of 1 granule   [ 17 4 9 ]       starts of free blocks
 *              bin of 2 granules  [ 20 ]
 *              ...
 *     depot    2 granules         [ 30 52 ... ] -> [ 80 82 ... ]
 *     pool     what is cached is a block
 *
 * A bin holds the granule numbers of free blocks of one count of granules:
 * exactly that count, so nothing is ever rounded up to a class. Nothing is
 * written into the blocks themselves: an overflow cannot reach the caches.
 *
 * Besides, a cache keeps the last larger block that was freed: programs often
 * want it back at once.
 *
 * An empty bin takes a batch from the depot, or else carves blocks from the
 * first holes under one lock; a full one gives the depot a batch, or else gives
 * blocks back to the pool. A bin starts small and doubles with use, as far as
 * the room above the pool's high-water mark allows: in a pool that is nearly
 * full caches shrink to nothing. Before a request fails all are given back.
 *
 * *Marks.* The pool takes a cached block for a live one. A bit a granule says
 * that it is in a cache, which makes a second free a crime that is seen. The
 * bits of a word belong to several threads, which do not wait for each other:
 * an update may be lost. A lost clearing is found out by looking through all
 * caches before anybody is accused; a lost setting can miss a second free that
 * runs at the same moment as another thread's call nearby.
 *
 * *The gate* of a cache is open, or says that its thread is inside: a signal's
 * handler that calls malloc() meanwhile is a re-entry. *Stopping* lets another
 * thread into a cache. The owner writes the gate and then reads `stop`; the
 * other writes `stop`, makes every processor of the process pass a barrier, and
 * then reads the gate. So one of them sees the other, and only the one who
 * stops pays for the barrier.
 */
#ifndef BITFIT_MALLOC_CACHE_H
#define BITFIT_MALLOC_CACHE_H

#include "heap.h"

enum {
    CACHE_SMALL_MAX = 64,   /* counts up to here have a bin of their own */
    CACHE_SHARED_BINS = 32, /* the others share these */
    CACHE_COUNT_MAX = 2048, /* larger blocks are in no bin */
    CACHE_BINS = CACHE_SMALL_MAX + 1 + CACHE_SHARED_BINS
};

enum cache_gate {
    GATE_OPEN,
    GATE_FAST,  /* its thread is inside, without the lock */
    GATE_SLOW,  /* its thread is inside, and touches it under the lock only */
    GATE_CLOSED /* no cache at all */
};

/* Blocks are put in and taken out at `top`, between `floor` and `ceiling`. */
typedef struct bin {
    uint32_t *top;
    uint32_t *floor;
    uint32_t *ceiling;
    size_t count; /* granules of each block, if it ever had one */
} bin;

typedef struct cache {
    _Atomic unsigned gate;
    _Atomic unsigned stop;
    struct cache *next;
    struct cache **link;
    bool registered;   /* thread_ends() will come for it */
    uint32_t last;     /* one more free block, larger than those in bins, */
    size_t last_count; /* and its granules; 0 if there is none */
    size_t last_most;  /* granules that it may have */
    unsigned others;   /* blocks freed by cache_push_any() */
    unsigned visits;   /* of slow paths */
    size_t published;  /* bytes in it, as last made known */
    unsigned rounds;   /* of the thread's destructors that it has outlived */
    _Alignas(64) bin bins[CACHE_BINS];
} cache;

/* This thread's; never NULL: without one it is one that is closed. */
extern __thread cache *cache_mine
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Registers for threads' ends and for forks; whether caches can be stopped. */
bool cache_register(void);

/* Caches may be made from now on. */
void cache_start(void);

/* ----------------------------------------------------------- the slow paths */

/* Enters this thread for a call that takes the lock; takes it. Makes the pool
 * and the thread's cache where they are missing. False if there is no pool
 * (yet): then nothing was entered. A re-entry is fatal. */
bool cache_enter_slow(const char *call);
void cache_leave_slow(void);

/* Whether this thread is inside any call: who asks is a signal's handler. */
bool cache_is_inside(void);

/* Leaves as if by cache_leave_slow(), but keeps the lock: for who is to die. */
void cache_abandon(void);

/* Inside: a block for the request, from the bin for its size or the pool. When
 * there is none, from the pool again after all caches were given back. */
void *cache_take(size_t alignment, size_t size);

/* Inside: takes the block at `ptr`, or dies naming the crime. size: as
 * heap_give(). */
void cache_give(void *ptr, size_t size);

/* Inside: the granules of the live block at `ptr`. Dies if there is none, or if
 * it is in a cache. */
size_t cache_verify(const void *ptr);

/* Inside: as heap_resize(), after all caches were given back if need be. */
void *cache_resize(void *ptr, size_t size);

/* Inside: gives all caches back. */
void cache_give_back_all(void);

/* Inside: the blocks in all caches and the depot, and their bytes. */
void cache_sizes(size_t *blocks, size_t *size);

/* -------------------------------------------------------------- fast paths */

static inline void cache_leave(cache *c)
{
    atomic_store_explicit(&c->gate, GATE_OPEN, memory_order_release);
}

/* False if this thread is inside already, has no cache, or another thread is in
 * it. Whether one is must be asked before anything in the cache is read. */
static inline bool cache_enter(cache *c)
{
    if (UNLIKELY(atomic_load_explicit(&c->gate, memory_order_relaxed) !=
                 GATE_OPEN)) {
        return false;
    }
    atomic_store_explicit(&c->gate, GATE_FAST, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (UNLIKELY(atomic_load_explicit(&c->stop, memory_order_acquire) != 0)) {
        cache_leave(c);
        return false;
    }
    return true;
}

static inline bin *cache_bin(cache *c, size_t count)
{
    size_t shared = CACHE_SMALL_MAX + 1 +
                    (count + count / CACHE_SMALL_MAX) % CACHE_SHARED_BINS;
    return &c->bins[LIKELY(count <= CACHE_SMALL_MAX) ? count : shared];
}

static inline bool cache_marked(size_t granule)
{
    uint64_t word = atomic_load_explicit(&SETTINGS->marks[granule / 64],
                                         memory_order_relaxed);
    return (word >> granule % 64 & 1) != 0;
}

static inline void cache_mark(size_t granule)
{
    _Atomic uint64_t *word = &SETTINGS->marks[granule / 64];
    uint64_t bits = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store_explicit(word, bits | UINT64_C(1) << granule % 64,
                          memory_order_relaxed);
}

static inline void cache_unmark(size_t granule)
{
    _Atomic uint64_t *word = &SETTINGS->marks[granule / 64];
    uint64_t bits = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store_explicit(word, bits & ~(UINT64_C(1) << granule % 64),
                          memory_order_relaxed);
}

/* A block of so many granules from this thread's bin for them; NULL if that is
 * empty, or out of reach. count is at most CACHE_SMALL_MAX, granules are fast.
 */
static inline void *cache_pop(size_t count)
{
    cache *c = cache_mine;
    if (UNLIKELY(!cache_enter(c))) {
        return NULL;
    }
    bin *b = &c->bins[count];
    uint32_t *top = b->top;
    if (UNLIKELY(top == b->floor)) {
        cache_leave(c);
        return NULL;
    }
    size_t granule = *--top;
    b->top = top;
    cache_unmark(granule);
    cache_leave(c);
    return heap_fast_pointer_to(granule);
}

/* Takes a live block of at most CACHE_SMALL_MAX granules into this thread's bin
 * for them; false if that is full, or out of reach, or the block is marked:
 * nothing has changed. */
static inline bool cache_push(size_t granule, size_t count)
{
    cache *c = cache_mine;
    if (UNLIKELY(!cache_enter(c))) {
        return false;
    }
    bin *b = &c->bins[count];
    uint32_t *top = b->top;
    _Atomic uint64_t *marks = &SETTINGS->marks[granule / 64];
    uint64_t before = atomic_load_explicit(marks, memory_order_relaxed);
    uint64_t after = before | UINT64_C(1) << granule % 64;
    if (UNLIKELY(top == b->ceiling || before == after)) {
        cache_leave(c);
        return false;
    }
    *top = (uint32_t)granule;
    b->top = top + 1;
    atomic_store_explicit(marks, after, memory_order_relaxed);
    cache_leave(c);
    return true;
}

/* How many blocks a bin holds, and how many it can hold. */
static inline size_t bin_blocks(const bin *b)
{
    return (size_t)(b->top - b->floor);
}

static inline size_t bin_capacity(const bin *b)
{
    return (size_t)(b->ceiling - b->floor);
}

/* As cache_pop() and cache_push(), of any granules. */
void *cache_pop_any(size_t count);
bool cache_push_any(size_t granule, size_t count);

#endif
