/*
 * Threads that allocate, free each other's blocks, end in any order and fork
 * meanwhile. Everything here ends within a minute or fails. Linked with the
 * library; under a sanitizer with its sources, whose names then have a prefix,
 * since the sanitizer has a malloc of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { THREADS = 4, SLOTS = 512, ROUNDS = 20000, FORKS = 30, MINUTE = 60 };

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void run_threads(size_t count, void *(*run)(void *))
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, run, (void *)(i + 1)), 0);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* ------------------------------------------------------------------ a storm */

/* A block that says how long it is, and has that content. */
typedef struct parcel {
    size_t size;
    unsigned char bytes[];
} parcel;

static _Atomic(parcel *) slots[SLOTS];
static _Atomic bool spoilt;

static size_t random_size(uint64_t *dice)
{
    uint64_t kind = next(dice) % 1000;
    size_t most = kind < 900 ? 500 : kind < 990 ? 5000 : 100000;
    return next(dice) % most;
}

static parcel *pack(uint64_t *dice)
{
    size_t size = random_size(dice);
    parcel *p = next(dice) % 4 == 0 ? calloc(1, sizeof *p + size)
                                    : malloc(sizeof *p + size);
    if (next(dice) % 8 == 0) {
        size = random_size(dice);
        p = realloc(p, sizeof *p + size);
    }
    p->size = size;
    memset(p->bytes, (int)(size & 0xff), size);
    return p;
}

static void unpack(parcel *p)
{
    for (size_t i = 0; p != NULL && i < p->size; i++) {
        if (p->bytes[i] != (p->size & 0xff)) {
            spoilt = true;
        }
    }
    free(p);
}

static void *exchange(void *number)
{
    uint64_t dice = (uintptr_t)number * UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < ROUNDS; i++) {
        unpack(atomic_exchange(&slots[next(&dice) % SLOTS], pack(&dice)));
    }
    return NULL;
}

static size_t live(void)
{
    return mallinfo2().uordblks;
}

static void blocks_survive_a_storm_of_exchanges(void **state)
{
    (void)state;
    run_threads(1, exchange);
    for (size_t i = 0; i < SLOTS; i++) {
        unpack(atomic_exchange(&slots[i], NULL));
    }
    size_t before = live();
    run_threads(THREADS, exchange);
    for (size_t i = 0; i < SLOTS; i++) {
        unpack(atomic_exchange(&slots[i], NULL));
    }
    assert_false(spoilt);
    assert_true(live() < before + 65536);
}

/* Looking, trimming and running out stop the other threads' caches. */
static void *look_and_trim(void *number)
{
    if ((uintptr_t)number != 1) {
        return exchange(number);
    }
    for (int i = 0; i < 200; i++) {
        malloc_trim(0);
        void *impossible = malloc((size_t)1 << 46);
        if (impossible != NULL || live() > (size_t)1 << 40) {
            spoilt = true;
        }
    }
    return NULL;
}

static void caches_can_be_stopped_at_any_time(void **state)
{
    (void)state;
    run_threads(THREADS, look_and_trim);
    for (size_t i = 0; i < SLOTS; i++) {
        unpack(atomic_exchange(&slots[i], NULL));
    }
    assert_false(spoilt);
}

/* -------------------------------------------------------- producer, consumer
 */

static _Atomic(parcel *) belt[64];

static void *produce_or_consume(void *number)
{
    uint64_t dice = 88172645463325252u;
    for (size_t i = 0; i < 2 * ROUNDS; i++) {
        _Atomic(parcel *) *place = &belt[i % LENGTH(belt)];
        if ((uintptr_t)number == 1) {
            parcel *p = pack(&dice);
            while (atomic_load(place) != NULL) {
                sched_yield();
            }
            atomic_store(place, p);
        } else {
            while (atomic_load(place) == NULL) {
                sched_yield();
            }
            unpack(atomic_exchange(place, NULL));
        }
    }
    return NULL;
}

static void one_thread_may_free_all_that_another_allocates(void **state)
{
    (void)state;
    run_threads(2, produce_or_consume);
    assert_false(spoilt);
}

/* What follows ends the sanitizers' own bookkeeping of threads. */
#ifndef SANITIZED

/* ------------------------------------------------------------ threads' ends */

static pthread_key_t early_key; /* made before any thread's cache, */
static pthread_key_t late_key;  /* and after */

/* Frees and allocates in every round of destructors that there is. */
static void free_late(void *block)
{
    static __thread int rounds;
    pthread_key_t key = *(pthread_key_t *)block;
    free(block);
    free(malloc(100));
    if (++rounds < 6) {
        pthread_key_t *again = malloc(sizeof *again);
        *again = key;
        pthread_setspecific(key, again);
    }
}

static void *leave_work_behind(void *number)
{
    pthread_key_t *early = malloc(sizeof *early);
    pthread_key_t *late = malloc(sizeof *late);
    void *blocks[200];
    *early = early_key;
    *late = late_key;
    pthread_setspecific(early_key, early);
    pthread_setspecific(late_key, late);
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        blocks[i] = malloc(i);
    }
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        free(blocks[i]);
    }
    return number;
}

static void threads_may_free_after_their_cache_has_ended(void **state)
{
    (void)state;
    free(malloc(1));
    assert_int_equal(pthread_key_create(&late_key, free_late), 0);
    run_threads(THREADS, leave_work_behind);
    size_t before = live();
    for (int i = 0; i < 100; i++) {
        run_threads(THREADS, leave_work_behind);
    }
    /* glibc runs four rounds: what the last one leaves is the program's. */
    assert_in_range(live(), before, before + 100 * THREADS * 2 * 16);
    pthread_key_delete(late_key);
}

/* --------------------------------------------------------------------- fork
 */

static _Atomic bool stop;

static void *work_until_told(void *number)
{
    uint64_t dice = (uintptr_t)number * UINT64_C(0x9e3779b97f4a7c15);
    while (!stop) {
        unpack(atomic_exchange(&slots[next(&dice) % SLOTS], pack(&dice)));
    }
    return NULL;
}

static void child(void)
{
    pthread_t thread;
    alarm(MINUTE);
    exchange((void *)7);
    int failed = pthread_create(&thread, NULL, exchange, (void *)8);
    if (failed == 0) {
        pthread_join(thread, NULL);
    }
    _exit(failed != 0 || spoilt);
}

static void both_sides_of_a_fork_go_on(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    stop = false;
    for (size_t i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work_until_told, (void *)(i + 1));
    }
    for (int i = 0; i < FORKS; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            child();
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    stop = true;
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_false(spoilt);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_survive_a_storm_of_exchanges),
        cmocka_unit_test(caches_can_be_stopped_at_any_time),
        cmocka_unit_test(one_thread_may_free_all_that_another_allocates),
#ifndef SANITIZED
        cmocka_unit_test(threads_may_free_after_their_cache_has_ended),
        cmocka_unit_test(both_sides_of_a_fork_go_on),
#endif
    };
    alarm(4 * MINUTE);
#ifndef SANITIZED
    pthread_key_create(&early_key, free_late);
#endif
    return cmocka_run_group_tests_name("malloc threads", tests, NULL, NULL);
}
