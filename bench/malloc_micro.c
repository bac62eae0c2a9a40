/*
 * malloc beside malloc: one program for every allocator, which is preloaded.
 *
 *     malloc_micro [--empty] [--quick] [CASE...]
 *
 * Prints "CASE NANOSECONDS" for each case: of one pair of malloc and free, or,
 * for the cases that end in p9999, the time that one operation of 10,000
 * exceeds. With --empty the calls go to functions that do nothing: the cost of
 * the harness, which is contained in every figure and subtracted from none.
 *
 * What is asked for is fixed before the clock runs. The first byte of every
 * block is written, as programs do.
 */
#include "measure.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------ the calls measured */

static char nothing[1 << 20];

static void *empty_malloc(size_t size)
{
    __asm__ volatile("" : : "r"(size));
    return nothing;
}

static void empty_free(void *block)
{
    __asm__ volatile("" : : "r"(block));
}

/* Pointers, so that the compiler takes no pair for superfluous. */
static void *(*volatile chosen_malloc)(size_t) = malloc;
static void (*volatile chosen_free)(void *) = free;

static char *must(char *block)
{
    if (block == NULL) {
        fputs("malloc_micro: out of memory\n", stderr);
        exit(1);
    }
    *(volatile char *)block = 1;
    return block;
}

/* -------------------------------------------------------------- the cases */

typedef struct micro_case {
    const char *name;
    double (*run)(const struct micro_case *it, double share);
    size_t first;  /* the size of a block; or how many slots */
    size_t second; /* the largest size */
} micro_case;

/* Sizes from 1 to the largest, and slots in random order, for all to share. */
static uint32_t *random_numbers(size_t count, size_t bound)
{
    uint64_t state = 42;
    uint32_t *numbers = malloc(count * sizeof *numbers);

    if (numbers == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (uint32_t)random_below(&state, bound);
    }
    return numbers;
}

static double run_pair(const micro_case *it, double share)
{
    void *(*allocate)(size_t) = chosen_malloc;
    void (*release)(void *) = chosen_free;
    size_t pairs = (size_t)(2e6 * share);

    release(must(allocate(it->first)));
    uint64_t start = clock_cpu_ns();
    for (size_t i = 0; i < pairs; i++) {
        release(must(allocate(it->first)));
    }
    return (double)(clock_cpu_ns() - start) / (double)pairs;
}

/* Sizes for all pairs, and the slot that each replaces. */
typedef struct churn {
    char **slots;
    size_t slot_count;
    uint32_t *sizes;
    uint32_t *places;
    size_t pairs;
} churn;

static churn churn_start(const micro_case *it, double share)
{
    churn plan = {.slot_count = it->first, .pairs = (size_t)(3e6 * share)};

    if (plan.pairs < 4 * plan.slot_count) {
        plan.pairs = 4 * plan.slot_count;
    }
    plan.slots = calloc(plan.slot_count, sizeof *plan.slots);
    plan.sizes = random_numbers(plan.pairs, it->second);
    plan.places = random_numbers(plan.pairs + 1, plan.slot_count);
    for (size_t i = 0; i < plan.slot_count; i++) {
        plan.slots[i] = must(chosen_malloc(plan.sizes[i] + 1));
    }
    return plan;
}

static void churn_end(churn *plan)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        chosen_free(plan->slots[i]);
    }
    free(plan->slots);
    free(plan->sizes);
    free(plan->places);
}

static double run_churn(const micro_case *it, double share)
{
    void *(*allocate)(size_t) = chosen_malloc;
    void (*release)(void *) = chosen_free;
    churn plan = churn_start(it, share);
    size_t warm = plan.pairs / 4;
    uint64_t start = 0;

    for (size_t i = 0; i < plan.pairs; i++) {
        char **slot = &plan.slots[plan.places[i + 1]];

        if (i == warm) {
            start = clock_cpu_ns();
        }
        release(*slot);
        *slot = must(allocate(plan.sizes[i] + 1));
    }
    start = clock_cpu_ns() - start;
    churn_end(&plan);
    return (double)start / (double)(plan.pairs - warm);
}

/* Each malloc and each free of the churn is timed by itself. */
static double run_tail(const micro_case *it, double share)
{
    void *(*allocate)(size_t) = chosen_malloc;
    void (*release)(void *) = chosen_free;
    churn plan = churn_start(it, share);
    double *ticks = malloc(2 * plan.pairs * sizeof *ticks);
    double overhead = (double)clock_tick_overhead();

    if (ticks == NULL) {
        exit(1);
    }
    memset(ticks, 0, 2 * plan.pairs * sizeof *ticks);
    for (size_t i = 0; i < plan.pairs; i++) {
        char **slot = &plan.slots[plan.places[i + 1]];
        uint64_t begin = clock_ticks();

        release(*slot);
        uint64_t middle = clock_ticks();
        *slot = allocate(plan.sizes[i] + 1);
        ticks[2 * i] = (double)(middle - begin);
        ticks[2 * i + 1] = (double)(clock_ticks() - middle);
        must(*slot);
    }
    double tail = quantile(ticks, 2 * plan.pairs, 0.9999) - overhead;
    free(ticks);
    churn_end(&plan);
    return tail * clock_tick_ns();
}

/* Allocates all, then frees all in random order, over and over. */
static double run_batch(const micro_case *it, double share)
{
    size_t count = it->first;
    size_t rounds = (size_t)(2e3 * share) + 1;
    uint32_t *sizes = random_numbers(count, it->second);
    uint32_t *order = random_numbers(count, 1);
    char **blocks = calloc(count, sizeof *blocks);
    uint64_t state = 7;
    uint64_t start = clock_cpu_ns();

    for (uint32_t i = 0; i < count; i++) {
        size_t other = random_below(&state, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (size_t round = 0; round <= rounds; round++) {
        start = round == 1 ? clock_cpu_ns() : start;
        for (size_t i = 0; i < count; i++) {
            blocks[i] = must(chosen_malloc(sizes[i] + 1));
        }
        for (size_t i = 0; i < count; i++) {
            chosen_free(blocks[order[i]]);
        }
    }
    start = clock_cpu_ns() - start;
    free(sizes);
    free(order);
    free(blocks);
    return (double)start / (double)(rounds * count);
}

/* ------------------------------------------------ from thread to thread */

/* A ring from one thread to another; a group of blocks is handed over at a
 * time, so that the ring itself costs little. */
enum { RING = 4096, GROUP = 64 };

typedef struct ring {
    char *blocks[RING];
    _Alignas(64) atomic_size_t written;
    _Alignas(64) atomic_size_t read;
    size_t total;
} ring;

static void *consume(void *context)
{
    ring *it = context;

    for (size_t done = 0; done < it->total;) {
        size_t end = atomic_load_explicit(&it->written, memory_order_acquire);
        if (done == end) {
            sched_yield();
        }
        for (; done < end; done++) {
            chosen_free(it->blocks[done % RING]);
        }
        atomic_store_explicit(&it->read, done, memory_order_release);
    }
    return NULL;
}

static void produce(ring *it, size_t size)
{
    for (size_t made = 0; made < it->total; made += GROUP) {
        while (made + GROUP -
                   atomic_load_explicit(&it->read, memory_order_acquire) >
               RING) {
            sched_yield();
        }
        for (size_t i = made; i < made + GROUP; i++) {
            it->blocks[i % RING] = must(chosen_malloc(size));
        }
        atomic_store_explicit(&it->written, made + GROUP, memory_order_release);
    }
}

static uint64_t process_cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Half the processor time of both threads. On a quiet machine, where who waits
 * spins, that is the wall-clock time; on a busy one it stays meaningful. */
static double run_hand_over(const micro_case *it, double share)
{
    static ring shared;
    pthread_t consumer;

    memset(&shared, 0, sizeof shared);
    shared.total = (size_t)(2e6 * share) / GROUP * GROUP;
    uint64_t start = process_cpu_ns();
    if (pthread_create(&consumer, NULL, consume, &shared) != 0) {
        exit(1);
    }
    produce(&shared, it->first);
    pthread_join(consumer, NULL);
    return (double)(process_cpu_ns() - start) / (2 * (double)shared.total);
}

/* ------------------------------------------------------------- the program */

static const micro_case cases[] = {
    {"pair-16", run_pair, 16, 0},
    {"pair-64", run_pair, 64, 0},
    {"pair-256", run_pair, 256, 0},
    {"pair-1024", run_pair, 1024, 0},
    {"pair-4K", run_pair, 4096, 0},
    {"pair-32K", run_pair, 32768, 0},
    {"pair-256K", run_pair, 262144, 0},
    {"pair-1M", run_pair, 1048576, 0},
    {"churn-1000", run_churn, 1000, 512},
    {"churn-100000", run_churn, 100000, 512},
    {"batch-1000", run_batch, 1000, 512},
    {"hand-over-64", run_hand_over, 64, 0},
    {"hand-over-512", run_hand_over, 512, 0},
    {"churn-10000-p9999", run_tail, 10000, 512},
};

enum { CASES = sizeof cases / sizeof *cases };

static bool wanted(const char *name, char **names)
{
    bool any = false;

    for (; *names != NULL; names++) {
        if (strncmp(*names, "--", 2) != 0) {
            any = true;
            if (strcmp(*names, name) == 0) {
                return true;
            }
        }
    }
    return !any;
}

int main(int argc, char **argv)
{
    double share = 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--empty") == 0) {
            chosen_malloc = empty_malloc;
            chosen_free = empty_free;
        } else if (strcmp(argv[i], "--quick") == 0) {
            share = 0.1;
        }
    }
    for (size_t i = 0; i < CASES; i++) {
        if (wanted(cases[i].name, argv + 1)) {
            printf("%s %.2f\n", cases[i].name, cases[i].run(&cases[i], share));
        }
    }
    return 0;
}
