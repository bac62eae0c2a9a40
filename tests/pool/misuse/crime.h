/*
 * What the programs in this folder share. Each commits one crime against a pool
 * with the default handler, and is named after it. It announces on standard
 * output what the message on standard error must show behind the call's name;
 * misuse.c runs it and compares. Verdicts stand there, too.
 */
#ifndef BITFIT_TESTS_CRIME_H
#define BITFIT_TESTS_CRIME_H

#include "bitfit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What main() returns: the crime went unnoticed; nothing was harmed; or the
 * preparations went wrong. */
enum { UNNOTICED = 1, UNHARMED = 0, UNPREPARED = 2 };

static inline bitfit_pool *open_pool(void)
{
    static _Alignas(max_align_t) unsigned char memory[65536];
    return bitfit_init(memory, sizeof memory, NULL);
}

static inline bitfit_pool *open_other_pool(void)
{
    static _Alignas(max_align_t) unsigned char memory[65536];
    return bitfit_init(memory, sizeof memory, NULL);
}

static inline void announce(const bitfit_pool *pool, const void *pointer)
{
    printf("(0x%" PRIxPTR ") in pool 0x%" PRIxPTR "\n", (uintptr_t)pointer,
           (uintptr_t)pool);
    fflush(stdout);
}

static inline void announce_sized(const bitfit_pool *pool, const void *pointer,
                                  size_t size)
{
    printf("(0x%" PRIxPTR ", %zu) in pool 0x%" PRIxPTR "\n", (uintptr_t)pointer,
           size, (uintptr_t)pool);
    fflush(stdout);
}

static inline void announce_reentry(const bitfit_pool *pool)
{
    printf("() in pool 0x%" PRIxPTR "\n", (uintptr_t)pool);
    fflush(stdout);
}

/* What main() returns if nothing must have happened to the pool itself. */
static inline int verdict(bitfit_pool *pool, size_t blocks)
{
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    bool whole = bitfit_check(pool) == 0 && stats.blocks == blocks;
    return whole ? UNHARMED : UNNOTICED;
}

/* A pointer as an uninitialised variable might hold it. */
static inline void *wild_pointer(void)
{
    void *pointer;
    memset(&pointer, 0xA5, sizeof pointer);
    return pointer;
}

#endif
