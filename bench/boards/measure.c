/*
 * What a call costs on a board, in instructions: a pool is filled to three
 * quarters and churned; each call is counted by the machine's own counter,
 * which QEMU drives by instructions (-icount). Prints a line for each pool:
 *
 *     calls SIZE alloc LEAST MEAN WORST free LEAST MEAN WORST
 *     usable SIZE BYTES
 */
#include <bitfit.h>
#include <limits.h>
#include <stdio.h>

enum { LARGEST = 256 * 1024, SLOTS = 8192, WARM = 4000, COUNTED = 4000 };

static _Alignas(max_align_t) unsigned char memory[LARGEST];
static void *slots[SLOTS];

/* ------------------------------------------------------------- the counter */

#if defined(__arm__)
#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CONTROL REGISTER(0xE000E010)
#define RELOAD REGISTER(0xE000E014)
#define VALUE REGISTER(0xE000E018)

/* The counter ticks at 25 MHz, downwards, 24 bits; under -icount shift=10 an
 * instruction takes 1024 ns. */
static void counter_start(void)
{
    RELOAD = 0xFFFFFF;
    VALUE = 0;
    CONTROL = 5;
}

static uint32_t counter(void)
{
    return VALUE;
}

static unsigned instructions(uint32_t before, uint32_t after)
{
    return (unsigned)((((before - after) & 0xFFFFFF) * 40 + 512) / 1024);
}
#else
static void counter_start(void)
{
}

static unsigned long counter(void)
{
    unsigned long count;
    __asm__ volatile("rdinstret %0" : "=r"(count));
    return count;
}

static unsigned instructions(unsigned long before, unsigned long after)
{
    return (unsigned)(after - before);
}
#endif

typedef struct cost {
    unsigned calls, sum, least, worst;
} cost;

/* What the counting itself takes. */
static unsigned overhead;

static void note(cost *c, unsigned count)
{
    count -= count < overhead ? count : overhead;
    c->calls++;
    c->sum += count;
    c->least = count < c->least ? count : c->least;
    c->worst = count > c->worst ? count : c->worst;
}

/* --------------------------------------------------------------- the churn */

static unsigned dice(unsigned bound)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 12) % bound;
}

typedef struct churn {
    bitfit_pool *pool;
    size_t live, wanted, largest;
    unsigned blocks;
    cost alloc, free;
} churn;

/* Most blocks are small, a few are as large as an eighth of the pool. */
static size_t random_size(const churn *c)
{
    return dice(16) == 0 ? 1 + dice((unsigned)c->largest) : 1 + dice(96);
}

static void give_one(churn *c)
{
    unsigned i = dice(c->blocks);
    void *block = slots[i];
    slots[i] = slots[--c->blocks];
    c->live -= bitfit_usable_size(c->pool, block);
    __typeof__(counter()) before = counter();
    bitfit_free(c->pool, block);
    note(&c->free, instructions(before, counter()));
}

static void take_one(churn *c)
{
    size_t size = random_size(c);
    __typeof__(counter()) before = counter();
    void *block = bitfit_alloc(c->pool, size);
    note(&c->alloc, instructions(before, counter()));
    if (block != NULL) {
        slots[c->blocks++] = block;
        c->live += bitfit_usable_size(c->pool, block);
    } else if (c->blocks > 0) {
        give_one(c);
    }
}

static void step(churn *c)
{
    if (c->blocks > 0 && (c->live > c->wanted || c->blocks == SLOTS)) {
        give_one(c);
    } else {
        take_one(c);
    }
}

static void measure(size_t size)
{
    const bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE};
    const cost none = {0, 0, UINT_MAX, 0};
    bitfit_pool *pool = bitfit_init(memory, size, &options);
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    churn c = {.pool = pool,
               .wanted = stats.capacity / 4 * 3,
               .largest = stats.capacity / 8};
    for (int i = 0; i < WARM; i++) {
        step(&c);
    }
    c.alloc = c.free = none;
    for (int i = 0; i < COUNTED; i++) {
        step(&c);
    }
    printf("calls %lu alloc %u %u %u free %u %u %u\n", (unsigned long)size,
           c.alloc.least, c.alloc.sum / c.alloc.calls, c.alloc.worst,
           c.free.least, c.free.sum / c.free.calls, c.free.worst);
    if (size <= 4096) {
        printf("usable %lu %lu\n", (unsigned long)size,
               (unsigned long)stats.capacity);
    }
    bitfit_destroy(pool);
}

int main(void)
{
    counter_start();
    __typeof__(counter()) before = counter();
    overhead = instructions(before, counter());
    measure(1024);
    measure(2048);
    measure(4096);
    measure(64 * 1024);
    measure(256 * 1024);
    return 0;
}
