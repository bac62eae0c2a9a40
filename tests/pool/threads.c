/*
 * Several threads on one pool, under the default mutex and under the caller's
 * lock; and fork() in a program with threads. Run under ThreadSanitizer, too.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, STEPS = 6000, SLOTS = 64, GRANULES = 3000 };

/* cmocka's assertions are for the main thread: the others count what is wrong.
 */
typedef struct worker {
    pthread_t thread;
    bitfit_pool *pool;
    unsigned char tag; /* what this worker writes into its blocks */
    unsigned char *blocks[SLOTS];
    size_t sizes[SLOTS];
    size_t wrong;
    size_t made;
    size_t freed;
    size_t failed;
    size_t resized;
} worker;

static bool filled_with(const unsigned char *bytes, size_t size,
                        unsigned char tag)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != tag) {
            return false;
        }
    }
    return true;
}

static void give_back(worker *w, size_t slot)
{
    size_t size = w->sizes[slot];
    w->wrong += !filled_with(w->blocks[slot], size, w->tag);
    /* A shrink that found no place may have kept a larger block. */
    size = bitfit_usable_size(w->pool, w->blocks[slot]);
    bitfit_free_sized(w->pool, w->blocks[slot], size);
    w->blocks[slot] = NULL;
    w->freed++;
}

static void take(worker *w, size_t slot, size_t size)
{
    unsigned char *block = slot % 2 == 0 ? bitfit_alloc(w->pool, size)
                                         : bitfit_calloc(w->pool, 1, size);
    if (block == NULL) {
        w->failed++;
        return;
    }
    w->wrong += slot % 2 != 0 && !filled_with(block, size, 0);
    w->blocks[slot] = block;
    w->sizes[slot] = size;
    w->made++;
    memset(block, w->tag, size);
}

static void resize(worker *w, size_t slot, size_t size)
{
    size_t old = w->sizes[slot];
    unsigned char *block = bitfit_realloc(w->pool, w->blocks[slot], size);
    if (block == NULL) {
        w->failed++;
        return;
    }
    w->wrong += !filled_with(block, old < size ? old : size, w->tag);
    w->blocks[slot] = block;
    w->sizes[slot] = size;
    w->resized++;
    memset(block, w->tag, size);
}

/* Looks at the whole pool while the others work. */
static void look(worker *w)
{
    bitfit_stats stats;
    bitfit_get_stats(w->pool, &stats);
    w->wrong += stats.live + stats.free != stats.capacity;
    w->wrong += stats.largest_free > stats.free;
    w->wrong += bitfit_check(w->pool) != 0;
}

static void *work(void *context)
{
    worker *w = context;
    dice d = dice_from(w->tag);
    for (size_t i = 0; i < STEPS; i++) {
        size_t slot = dice_below(&d, SLOTS);
        size_t size = dice_between(&d, 1, 700);
        if (w->blocks[slot] == NULL) {
            take(w, slot, size);
        } else if (size % 3 == 0) {
            resize(w, slot, size);
        } else {
            give_back(w, slot);
        }
        if (i % 500 == 0) {
            look(w);
        }
    }
    return NULL;
}

static void give_all_back(worker *w)
{
    for (size_t slot = 0; slot < SLOTS; slot++) {
        if (w->blocks[slot] != NULL) {
            give_back(w, slot);
        }
    }
}

static void assert_consistent(rig *r, worker *workers)
{
    bitfit_stats expect = {0};
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].wrong, 0);
        expect.allocations += workers[i].made;
        expect.frees += workers[i].freed;
        expect.failures += workers[i].failed;
        expect.reallocations += workers[i].resized;
    }
    bitfit_stats stats = rig_stats(r);
    assert_int_equal(stats.allocations, expect.allocations);
    assert_int_equal(stats.frees, expect.frees);
    assert_int_equal(stats.failures, expect.failures);
    assert_int_equal(stats.reallocations, expect.reallocations);
    assert_int_equal(stats.blocks, expect.allocations - expect.frees);
    assert_sound(r->pool);
}

static void run_workers(const bitfit_options *options)
{
    static worker workers[THREADS];
    rig r;
    rig_open(&r, GRANULES, options);
    memset(workers, 0, sizeof workers);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i].pool = r.pool;
        workers[i].tag = (unsigned char)(i + 1);
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    assert_consistent(&r, workers);
    for (size_t i = 0; i < THREADS; i++) {
        give_all_back(&workers[i]);
    }
    assert_consistent(&r, workers);
    assert_picture(&r, ".{3000}");
    rig_close(&r);
}

static void threads_share_a_pool_with_a_mutex(void **state)
{
    (void)state;
    bitfit_options defaults = {0};
    bitfit_options mutex = {.lock_kind = BITFIT_LOCK_MUTEX,
                            .resize_moves = true};
    run_workers(&defaults);
    run_workers(&mutex);
}

static void lock_mutex(void *mutex)
{
    pthread_mutex_lock(mutex);
}

static void unlock_mutex(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

static void threads_share_a_pool_with_the_callers_lock(void **state)
{
    (void)state;
    pthread_mutex_t mutex;
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&mutex, &recursive);
    bitfit_options options = {.lock_kind = BITFIT_LOCK_CALLER,
                              .lock = lock_mutex,
                              .unlock = unlock_mutex,
                              .lock_context = &mutex};
    run_workers(&options);
    pthread_mutex_destroy(&mutex);
    pthread_mutexattr_destroy(&recursive);
}

/* One thread a pool needs no lock at all. */
static void calls_on_different_pools_never_interfere(void **state)
{
    (void)state;
    static worker workers[THREADS];
    rig rigs[THREADS];
    memset(workers, 0, sizeof workers);
    for (size_t i = 0; i < THREADS; i++) {
        rig_open(&rigs[i], GRANULES, NULL);
        workers[i].pool = rigs[i].pool;
        workers[i].tag = 9; /* the same calls in each */
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
        assert_sound(rigs[i].pool);
    }
    for (size_t i = 0; i < THREADS; i++) {
        bitfit_stats stats = rig_stats(&rigs[i]);
        bitfit_stats first = rig_stats(&rigs[0]);
        assert_memory_equal(&stats, &first, sizeof stats);
        if (i > 0) {
            rig_close(&rigs[i]);
        }
    }
    rig_close(&rigs[0]);
}

/* A thread started after the pool's first calls: the lock was not needed
 * before, and is from then on. */
static void *free_it(void *context)
{
    worker *w = context;
    give_back(w, 0);
    return NULL;
}

static void a_block_is_freed_by_another_thread(void **state)
{
    (void)state;
    bitfit_options defaults = {0};
    worker w = {.tag = 7};
    rig r;
    rig_open(&r, 100, &defaults);
    w.pool = r.pool;
    take(&w, 0, 100);
    assert_int_equal(pthread_create(&w.thread, NULL, free_it, &w), 0);
    assert_int_equal(pthread_join(w.thread, NULL), 0);
    assert_int_equal(w.wrong, 0);
    assert_int_equal(rig_stats(&r).blocks, 0);
    rig_close(&r);
}

/* ------------------------------------------------------------------- forking
 */

static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;
static bool stop;

static bool stopped(void)
{
    pthread_mutex_lock(&stop_lock);
    bool now = stop;
    pthread_mutex_unlock(&stop_lock);
    return now;
}

static void *churn(void *pool)
{
    while (!stopped()) {
        void *block = bitfit_alloc(pool, 100);
        bitfit_free(pool, block);
    }
    return NULL;
}

/* What the child does: the pool is whole, unlocked, and its own. */
static int use_in_child(bitfit_pool *pool)
{
    void *block = bitfit_alloc(pool, 5000);
    if (block == NULL || bitfit_check(pool) != 0) {
        return 1;
    }
    bitfit_free(pool, block);
    bitfit_lock(pool);
    bitfit_unlock(pool);
    return bitfit_check(pool) == 0 ? 0 : 2;
}

static void fork_once(bitfit_pool *pool)
{
    int status = 0;
    bitfit_lock(pool);
    pid_t child = fork();
    bitfit_unlock(pool);
    if (child == 0) {
        alarm(20); /* a child that hangs ends, and the test fails */
        _exit(use_in_child(pool));
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void fork_between_lock_and_unlock(void **state)
{
    (void)state;
    bitfit_options defaults = {0};
    pthread_t threads[2];
    rig r;
    rig_open(&r, 2000, &defaults);
    stop = false;
    for (size_t i = 0; i < LENGTH(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, churn, r.pool), 0);
    }
    alarm(60);
    for (size_t i = 0; i < 20; i++) {
        fork_once(r.pool);
        assert_sound(r.pool);
    }
    pthread_mutex_lock(&stop_lock);
    stop = true;
    pthread_mutex_unlock(&stop_lock);
    for (size_t i = 0; i < LENGTH(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    alarm(0);
    assert_int_equal(rig_stats(&r).blocks, 0);
    rig_close(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_freed_by_another_thread),
        cmocka_unit_test(threads_share_a_pool_with_a_mutex),
        cmocka_unit_test(threads_share_a_pool_with_the_callers_lock),
        cmocka_unit_test(calls_on_different_pools_never_interfere),
        cmocka_unit_test(fork_between_lock_and_unlock),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
