#include "measure.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

double clock_tick_ns(void)
{
    static double tick_ns;

    if (tick_ns <= 0) {
        uint64_t ns = clock_ns();
        uint64_t ticks = clock_ticks();

        while (clock_ns() - ns < 50000000) {
        }
        ns = clock_ns() - ns;
        ticks = clock_ticks() - ticks;
        tick_ns = (double)ns / (double)ticks;
    }
    return tick_ns;
}

uint64_t clock_tick_overhead(void)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < 100000; i++) {
        uint64_t start = clock_ticks();
        uint64_t taken = clock_ticks() - start;

        least = taken < least ? taken : least;
    }
    return least;
}

bool pin_to_core(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

void unpin(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (size_t core = 0; core < CPU_SETSIZE; core++) {
        CPU_SET(core, &set);
    }
    sched_setaffinity(0, sizeof set, &set);
}

static unsigned log2_floor(uint64_t value)
{
    unsigned result = 0;

    while (value >>= 1) {
        result++;
    }
    return result;
}

uint64_t random_log_uniform(uint64_t *state, uint64_t low, uint64_t high)
{
    unsigned doublings = log2_floor(high) - log2_floor(low);
    uint64_t base = low;

    if (doublings == 0) {
        return low;
    }
    base <<= random_below(state, doublings);
    return base + random_below(state, base);
}

int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

double quantile(double *values, size_t count, double part)
{
    double at = part * (double)(count - 1);
    size_t below = (size_t)at;
    double rest = at - (double)below;

    qsort(values, count, sizeof *values, compare_doubles);
    if (below + 1 >= count) {
        return values[count - 1];
    }
    return values[below] + rest * (values[below + 1] - values[below]);
}
