/* Clocks, random numbers and order statistics. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A monotonic clock in nanoseconds. */
uint64_t clock_ns(void);

/* The processor time of this thread in nanoseconds: what others take of a busy
 * machine is not in it. A system call: not for the timing of single calls. */
uint64_t clock_cpu_ns(void);

/* The fastest counter there is, with nothing reordered around it. */
static inline uint64_t clock_ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    uint32_t low = 0;
    uint32_t high = 0;

    __asm__ volatile("lfence\n\trdtsc\n\tlfence"
                     : "=a"(low), "=d"(high)
                     :
                     : "memory");
    return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
    uint64_t ticks = 0;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
    return ticks;
#else
    return clock_ns();
#endif
}

/* Nanoseconds of one tick, measured once. */
double clock_tick_ns(void);

/* Ticks between two readings with nothing in between: the least ever seen. */
uint64_t clock_tick_overhead(void);

/* Keeps this thread on one core; false if the system refuses. */
bool pin_to_core(int core);

/* Lets this thread run anywhere again. */
void unpin(void);

/* SplitMix64: the same numbers on every machine. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t mixed = *state += 0x9E3779B97F4A7C15u;

    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
}

static inline uint64_t random_below(uint64_t *state, uint64_t bound)
{
    return random_next(state) % bound;
}

/* From low (a power of two) up to, not including, high (another): each doubling
 * is as likely as the next, and even within it. low itself if they are equal.
 */
uint64_t random_log_uniform(uint64_t *state, uint64_t low, uint64_t high);

/* The value below which the given part (0 to 1) of the values lies. Sorts them.
 */
double quantile(double *values, size_t count, double part);

int compare_doubles(const void *left, const void *right);

#endif
