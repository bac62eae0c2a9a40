#include "threads.h"

#include "text.h"

#include <linux/membarrier.h>
#include <pthread.h>

enum {
    VISITS_A_LOOK = 64,    /* slow paths between looks at what is cached */
    ROUNDS = 2,            /* of thread's destructors before the cache goes */
    WAITS_MAX = 128,       /* blocks that wait in a cache, each below a page, */
    WAITS_SHARE = 64,      /* and this share of the budget at the most */
    STOP_PATIENCE = 100000 /* looks at a gate before it is passed by */
};

/* Whether this thread is in a slow path. */
static __thread bool inside __attribute__((tls_model("initial-exec")));

/* Under the heap's lock. */
static struct {
    pthread_key_t key; /* its destructor ends a thread's cache */
    cache *all;
} threads;

cache *threads_first(void)
{
    return threads.all;
}

/* -------------------------------------------------------- stopping the others
 */

static bool is_outside(const cache *c)
{
    for (int i = 0; i < STOP_PATIENCE; i++) {
        if (__atomic_load_n(&c->gate, __ATOMIC_ACQUIRE) != GATE_FAST) {
            return true;
        }
        if (i % 64 == 63) {
            system_call(SYS_sched_yield, 0, 0, 0, 0);
        }
    }
    return false;
}

static void set_stopped(cache *c, bool stopped)
{
    size_t size = stopped ? 0 : SETTINGS->fast_size;
    size_t granules = stopped ? 0 : SETTINGS->fast_granules;
    atomic_store_explicit(&c->stopped, stopped, memory_order_release);
    atomic_store_explicit(&c->fast_size, size, memory_order_release);
    atomic_store_explicit(&c->fast_granules, granules, memory_order_release);
}

void threads_stop(void)
{
    for (cache *c = threads.all; c != NULL; c = c->next) {
        set_stopped(c, c != cache_mine);
    }
    if (SETTINGS->stoppable && cache_sharers > 1) {
        system_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0);
    }
}

void threads_go(void)
{
    for (cache *c = threads.all; c != NULL; c = c->next) {
        set_stopped(c, !heap.caching);
    }
}

bool threads_is_still(const cache *c)
{
    return c == cache_mine || (SETTINGS->stoppable && is_outside(c));
}

/* ---------------------------------------------------------- threads' lives */

/* In the hardened mode: blocks may wait, as many as there is room for. */
static void make_waiting(cache *c)
{
    size_t pages = SETTINGS->options.budget >> SETTINGS->page_shift;
    size_t most = pages / WAITS_SHARE < WAITS_MAX ? pages / WAITS_SHARE
                                                  : (size_t)WAITS_MAX;
    c->waiting = bitfit_alloc(SETTINGS->caches, most * sizeof *c->waiting);
    c->waits_most = c->waiting == NULL ? 0 : most;
}

static cache *cache_make(void)
{
    cache *c =
        bitfit_aligned_alloc(SETTINGS->caches, _Alignof(cache), sizeof *c);
    if (c == NULL) {
        return &cache_no_more;
    }
    *c = (cache){.gate = GATE_SLOW};
    set_stopped(c, false);
    cache_begin(c);
    if (SETTINGS->options.hardened) {
        make_waiting(c);
    }
    c->next = threads.all;
    c->link = &threads.all;
    if (c->next != NULL) {
        c->next->link = &c->next;
        cache_sharers++;
    }
    threads.all = c;
    return c;
}

static void cache_end(cache *c)
{
    cache_empty(c);
    cache_publish(c);
    *c->link = c->next;
    if (c->next != NULL) {
        c->next->link = c->link;
    }
    cache_sharers -= threads.all != NULL;
    bitfit_free(SETTINGS->caches, c->waiting);
    bitfit_free(SETTINGS->caches, c);
}

/* Other destructors may run after this one and free: it lets them, for some
 * rounds. What comes later finds no cache, and the pool. */
static void thread_ends(void *value)
{
    cache *c = value;
    if (c->rounds++ < ROUNDS && pthread_setspecific(threads.key, c) == 0) {
        return;
    }
    threads_enter("thread exit");
    cache_mine = &cache_no_more;
    cache_end(c);
    threads_leave();
}

/* But for a cache that was being changed at the moment. */
void threads_end_others(void)
{
    for (cache *c = threads.all; c != NULL;) {
        cache *next = c->next;
        if (c != cache_mine && c->gate != GATE_FAST) {
            cache_end(c);
        }
        c = next;
    }
}

bool threads_can_stop(void)
{
    return system_call(SYS_membarrier,
                       MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0, 0) == 0;
}

/* What registers may allocate, and take locks of its own: without ours. */
void threads_begin(void)
{
    bool has_key = pthread_key_create(&threads.key, thread_ends) == 0;
    heap_lock();
    heap.caching = has_key && SETTINGS->caches != NULL;
    heap_unlock();
}

/* -------------------------------------------------------------- slow paths */

bool threads_is_inside(void)
{
    return inside || cache_mine->gate == GATE_FAST;
}

static void enter_gate(const char *call)
{
    if (threads_is_inside()) {
        die(bitfit_misuse_name(BITFIT_REENTRY), call, NULL);
    }
    inside = true;
    if (cache_mine->gate == GATE_OPEN) {
        __atomic_store_n(&cache_mine->gate, GATE_SLOW, __ATOMIC_RELAXED);
    }
    atomic_signal_fence(memory_order_seq_cst);
}

void threads_enter(const char *call)
{
    enter_gate(call);
    heap_lock();
    heap.call = call;
    if (UNLIKELY(cache_mine == &cache_none_yet && heap.caching)) {
        cache_mine = cache_make();
    }
}

static void leave_gate(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (cache_is_real(cache_mine)) {
        cache_leave(cache_mine);
    }
    inside = false;
}

void threads_leave(void)
{
    cache *c = cache_mine;
    if (cache_is_real(c) && ++c->visits % VISITS_A_LOOK == 0) {
        cache_publish(c);
    }
    heap_unlock();
    leave_gate();
    if (UNLIKELY(cache_is_real(c) && !c->registered)) {
        /* Not before, since it may allocate. */
        c->registered = true;
        pthread_setspecific(threads.key, c);
    }
}
