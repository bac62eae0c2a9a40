/*
 * The threads' caches in front of the pool, and the depot between them.
 *
 *     thread   bin of 1 granule   [ 17 4 9 ]       where free blocks are
 *              bin of 2 granules  [ 20 ]
 *              ...
 *     depot    2 granules         [ 30 52 ... ] -> [ 80 82 ... ]
 *     pool     what is cached is a block
 *
 * A bin holds the addresses of free blocks of one count of granules: exactly
 * that count, so nothing is ever rounded up to a class. Nothing is
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
 * *Waiting.* In the hardened mode a freed block does not go into its bin at
 * once: it waits, and a random one of those that wait goes in its place.
 *
 * *Marks.* The pool takes a cached block for a live one. A bit a granule says
 * that it is in a cache, which makes a second free a misuse that is seen. The
 * bits of a word belong to several threads, which do not wait for each other:
 * an update may be lost. A lost clearing is found out by looking through all
 * caches before anybody is accused; a lost setting can miss a second free that
 * runs at the same moment as another thread's call nearby.
 *
 * *The gate* of a cache is open, or says that its thread is inside: a signal's
 * handler that calls malloc() meanwhile is a re-entry. *Stopping* lets another
 * thread into a cache. The owner writes the gate and then reads a limit, 0 if
 * it is stopped; the other writes the limits, makes every processor of the
 * process pass a barrier, and then reads the gate. So one of them sees the
 * other, and only the one who stops pays for the barrier.
 *
 * *The fast ways* serve blocks of few granules of the default size. What they
 * cost is the loads from the pointer to the bin, one waiting for another, more
 * than the instructions beside them.
 */
#ifndef BITFIT_MALLOC_CACHE_H
#define BITFIT_MALLOC_CACHE_H

#include "marks.h"

enum {
    CACHE_SHARED_BINS = 32, /* for counts above SMALL_MAX */
    CACHE_COUNT_MAX = 2048, /* larger blocks are in no bin */
    CACHE_BINS = SMALL_MAX + 1 + CACHE_SHARED_BINS
};

enum cache_gate {
    GATE_OPEN,
    GATE_FAST,  /* its thread is inside, without the lock */
    GATE_SLOW,  /* its thread is inside, and touches it under the lock only */
    GATE_CLOSED /* no cache at all */
};

/* In the hardened mode: a free block that waits, and its granules. */
typedef struct waiting_block {
    void *ptr;
    size_t count;
} waiting_block;

typedef struct cache {
    unsigned gate;        /* an enum cache_gate; only its thread writes it */
    _Atomic bool stopped; /* another thread has it, or nobody; then */
    _Atomic size_t fast_size;     /* these limits are 0: bytes of a request, */
    _Atomic size_t fast_granules; /* and granules below which blocks start */
    struct cache *next;
    struct cache **link;
    bool registered;   /* thread_ends() will come for it */
    void *last;        /* one more free block, larger than those in bins, */
    size_t last_count; /* and its granules; 0 if there is none */
    size_t last_most;  /* granules that it may have */
    unsigned others;   /* blocks freed by cache_give_any() */
    unsigned visits;   /* of slow paths */
    size_t published;  /* bytes in it, as last made known */
    unsigned rounds;   /* of the thread's destructors that it has outlived */
    waiting_block *waiting; /* in any order; NULL by default */
    size_t waits;           /* how many there are, */
    size_t waits_most;      /* and may be */
    uint64_t dice;
    uint64_t gives; /* of blocks that waited, until somebody counts them */
    _Alignas(64) void **top[CACHE_BINS]; /* where blocks are put in, up to */
    void **ceiling[CACHE_BINS]; /* this, and below which they are taken out, */
    void **floor[CACHE_BINS];   /* from this up; before it stands NULL */
    size_t count[CACHE_BINS];   /* granules of a block, if there ever was one */
} cache;

/* This thread's; never NULL: without one it is one that is closed. */
extern __thread cache *cache_mine
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* How many threads the caches share the room between; at least one. */
extern size_t cache_sharers;

/* Threads without a cache share these: closed, as they always are. */
extern cache cache_none_yet __attribute__((visibility("hidden")));
extern cache cache_no_more __attribute__((visibility("hidden")));

static inline bool cache_is_real(const cache *c)
{
    return c->gate != GATE_CLOSED;
}

/* Under the lock, the cache being the thread's own or stopped: makes bins
 * without room, gives all blocks back, and tells those who look from outside
 * what caches hold. */
void cache_begin(cache *c);
void cache_empty(cache *c);
void cache_publish(cache *c);

/* The same: gives the last block back, if there is one. */
void cache_empty_last(cache *c);

/* The same: adds its blocks, and their bytes. */
void cache_add_sizes(const cache *c, size_t *blocks, size_t *size);

/* -------------------------------------------------------------------- bins */

static inline size_t bin_blocks(const cache *c, size_t i)
{
    return (size_t)(c->top[i] - c->floor[i]);
}

static inline size_t bin_capacity(const cache *c, size_t i)
{
    return (size_t)(c->ceiling[i] - c->floor[i]);
}

/* Under the lock: the bin for blocks of that many granules, twice as large as
 * it was if there is room. One that others share changes hands. */
size_t bin_prepare(cache *c, size_t count);

/* Under the lock: takes the oldest blocks out, into the depot or the pool. */
void bin_shed(cache *c, size_t i, size_t blocks);

/* -------------------------------------------------------------- fast paths */

static inline void cache_leave(cache *c)
{
    __atomic_store_n(&c->gate, GATE_OPEN, __ATOMIC_RELEASE);
}

/* False if this thread is inside already, or has no cache. Whether it is
 * stopped must be asked afterwards, and before anything in the cache is read.
 */
static inline bool cache_enter(cache *c)
{
    if (UNLIKELY(c->gate != GATE_OPEN)) {
        return false;
    }
    __atomic_store_n(&c->gate, GATE_FAST, __ATOMIC_RELAXED);
    atomic_signal_fence(memory_order_seq_cst);
    return true;
}

/* As cache_enter(), but false, too, if another thread is in the cache. */
FAST bool cache_enter_any(cache *c)
{
    if (!cache_enter(c)) {
        return false;
    }
    bool stopped = atomic_load_explicit(&c->stopped, memory_order_acquire);
    if (stopped) {
        cache_leave(c);
    }
    return !stopped;
}

/* A limit of the fast ways, inside. */
static inline size_t cache_limit(_Atomic size_t *limit)
{
    return atomic_load_explicit(limit, memory_order_acquire);
}

/* Which bin is for blocks of so many granules. */
static inline size_t cache_bin(size_t count)
{
    size_t shared =
        SMALL_MAX + 1 + (count + count / SMALL_MAX) % CACHE_SHARED_BINS;
    return count <= SMALL_MAX ? count : shared;
}

/* Takes the last block out of a bin, the cache's gate being shut; NULL if there
 * is none. */
FAST void *bin_take(cache *c, size_t i)
{
    void **last = c->top[i] - 1;
    void *block = *last;
    if (LIKELY(block != NULL)) {
        _Atomic bf_word *marks = heap_fast_marks(block);
        bf_word bit = BF_ONE << bf_bit_of(heap_fast_bit(block));
        c->top[i] = last;
        marks_store(marks, marks_load(marks) & ~bit);
    }
    return block;
}

/* Puts a block into a bin; false if that is full. */
FAST bool bin_give(cache *c, size_t i, void *block)
{
    void **top = c->top[i];
    if (UNLIKELY(top == c->ceiling[i])) {
        return false;
    }
    *top = block;
    c->top[i] = top + 1;
    return true;
}

/* The same for blocks of any count. */
FAST bool bin_give_any(cache *c, void *block, size_t count)
{
    size_t i = cache_bin(count);
    return c->count[i] == count && bin_give(c, i, block);
}

/* A block for the request from this thread's bin for its size. NULL if that is
 * empty, or out of reach, or the size is 0 or large. */
FAST void *cache_take(size_t size)
{
    cache *c = cache_mine;
    if (size > FAST_GRANULE * SMALL_MAX || UNLIKELY(!cache_enter(c))) {
        return NULL;
    }
    void *block = NULL;
    if (LIKELY(size - 1 < cache_limit(&c->fast_size))) {
        block = bin_take(c, heap_fast_count_for(size));
    }
    cache_leave(c);
    return block;
}

/* The granules of the live block at `ptr`; 0, too, if there may be none, or it
 * has not the fast way. */
FAST size_t cache_peek(const void *ptr)
{
    size_t granule = bf_rotate(heap_offset_of(ptr), FAST_GRANULE_SHIFT);
    if (UNLIKELY(granule >= SETTINGS->fast_granules)) {
        return 0;
    }
    return bf_view_count_small(heap_fast_pair(ptr), heap_fast_bit(ptr),
                               marks_load(heap_fast_marks(ptr)));
}

/* As cache_give(), the gate being shut. */
FAST bool give_inside(cache *c, void *ptr, size_t size)
{
    size_t granule = bf_rotate(heap_offset_of(ptr), FAST_GRANULE_SHIFT);
    if (UNLIKELY(granule >= cache_limit(&c->fast_granules))) {
        return false;
    }
    size_t bit = heap_fast_bit(ptr);
    _Atomic bf_word *marks = heap_fast_marks(ptr);
    bf_word before = marks_load(marks);
    size_t count = bf_view_count_small(heap_fast_pair(ptr), bit, before);
    bool right = size == SIZE_MAX || heap_fast_count_for(size) == count;
    if (UNLIKELY(count == 0 || !right || !bin_give(c, count, ptr))) {
        return false;
    }
    marks_store(marks, before | BF_ONE << bf_bit_of(bit));
    return true;
}

/* Takes the live block at `ptr` into this thread's bin for its size. size: as
 * for heap_give(). False if the bin is full, or out of reach, or there may be
 * no such block: nothing has changed. */
FAST bool cache_give(void *ptr, size_t size)
{
    cache *c = cache_mine;
    if (UNLIKELY(!cache_enter(c))) {
        return false;
    }
    bool given = give_inside(c, ptr, size);
    cache_leave(c);
    return given;
}

/* Puts a marked block among those that wait, the gate being shut. True if `one`
 * is now another, a random one, which leaves for it. */
static inline bool cache_delay(cache *c, waiting_block *one)
{
    size_t waits = c->waits;
    c->gives++;
    if (UNLIKELY(waits < c->waits_most)) {
        c->waiting[c->waits++] = *one;
        return false;
    }
    c->dice = c->dice * UINT64_C(6364136223846793005) + SETTINGS->secret;
    if (LIKELY(waits != 0)) {
        waiting_block *at = &c->waiting[(c->dice >> 32) * waits >> 32];
        waiting_block leaving = *at;
        *at = *one;
        *one = leaving;
    }
    return true;
}

/* As cache_take() and cache_give(), of any granules. */
void *cache_take_any(size_t count);
bool cache_give_any(void *ptr, size_t count);

#endif
