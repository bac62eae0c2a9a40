/*
 * What a call costs on a board, in instructions: a heap is filled to three
 * quarters and churned, or to a quarter; each call is counted by the machine's
 * own counter, which QEMU drives by instructions (-icount). The allocator is
 * bench/peer.h's: bitfit, or another. Prints a line for each size that it makes
 * a heap of, the second for heaps that are filled to a quarter:
 *
 *     calls SIZE alloc LEAST MEAN WORST free LEAST MEAN WORST refused PER_CENT
 *     light SIZE alloc LEAST MEAN WORST free LEAST MEAN WORST refused PER_CENT
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../peer.h"

enum { LARGEST = 256 * 1024, SLOTS = 8192, WARM = 4000, COUNTED = 4000 };

static _Alignas(4096) unsigned char memory[LARGEST];
static const bench_peer *peer;

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

typedef struct slot {
    void *block;
    size_t size;
} slot;

static slot slots[SLOTS];

typedef struct churn {
    void *heap;
    size_t live, wanted;
    size_t largest; /* 0: all blocks are small */
    unsigned blocks, refused;
    cost alloc, free;
} churn;

/* Most blocks are small, a few are as large as an eighth of the heap. */
static size_t random_size(const churn *c)
{
    if (c->largest == 0) {
        return 1 + dice(64);
    }
    return dice(16) == 0 ? 1 + dice((unsigned)c->largest) : 1 + dice(96);
}

static void give_one(churn *c)
{
    unsigned i = dice(c->blocks);
    slot given = slots[i];
    slots[i] = slots[--c->blocks];
    c->live -= given.size;
    __typeof__(counter()) before = counter();
    peer->free(c->heap, given.block);
    note(&c->free, instructions(before, counter()));
}

/* Sizes count as if they were rounded up to 16 bytes, whoever serves them. */
static void take_one(churn *c)
{
    size_t size = random_size(c);
    __typeof__(counter()) before = counter();
    void *block = peer->alloc(c->heap, size);
    note(&c->alloc, instructions(before, counter()));
    size = (size + 15) / 16 * 16;
    if (block != NULL) {
        slots[c->blocks++] = (slot){block, size};
        c->live += size;
        return;
    }
    c->refused++;
    if (c->blocks > 0) {
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

static void measure(const char *name, size_t size, size_t wanted,
                    size_t largest)
{
    const cost none = {0, 0, UINT_MAX, 0};
    churn c = {
        .heap = peer->init(memory, size), .wanted = wanted, .largest = largest};
    if (c.heap == NULL) {
        return;
    }
    for (int i = 0; i < WARM; i++) {
        step(&c);
    }
    c.alloc = c.free = none;
    c.refused = 0;
    for (int i = 0; i < COUNTED; i++) {
        step(&c);
    }
    printf("%s %lu alloc %u %u %u free %u %u %u refused %u\n", name,
           (unsigned long)size, c.alloc.least, c.alloc.sum / c.alloc.calls,
           c.alloc.worst, c.free.least, c.free.sum / c.free.calls, c.free.worst,
           100 * c.refused / c.alloc.calls);
}

int main(void)
{
    peer = bench_peer_entry();
    counter_start();
    __typeof__(counter()) before = counter();
    overhead = instructions(before, counter());
    static const size_t sizes[] = {1024, 4096, 64 * 1024, 256 * 1024};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        measure("calls", sizes[i], sizes[i] / 4 * 3, sizes[i] / 8);
    }
    measure("light", 1024, 256, 0);
    measure("light", 4096, 1024, 0);
    return 0;
}
