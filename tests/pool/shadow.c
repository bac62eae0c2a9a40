/*
 * usage: shadow FAULT
 * One wrong access to a pool's memory, which a checker should report; `none` is
 * a long run without any, which it should not. For builds with BITFIT_ASAN or
 * BITFIT_VALGRIND: shadow.sh reads the reports.
 */
#include "bitfit_offsets.h"
#include "bitfit_shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(64) unsigned char memory[1 << 16];

static bitfit_pool *make_pool(bool guard)
{
    const bitfit_options options = {.guard = guard};
    return bitfit_init(memory, sizeof memory, &options);
}

static volatile unsigned char sink;

static void read_byte(const unsigned char *at)
{
    sink = *at;
}

/* ------------------------------------------------------------------ faults */

static void use_after_free(void)
{
    bitfit_pool *pool = make_pool(false);
    unsigned char *block = bitfit_calloc(pool, 1, 40);
    bitfit_free(pool, block);
    read_byte(block + 8);
}

static void use_after_move(void)
{
    bitfit_pool *pool = make_pool(false);
    unsigned char *block = bitfit_calloc(pool, 1, 40);
    bitfit_alloc(pool, 1);
    bitfit_realloc(pool, block, 400);
    read_byte(block);
}

static void use_after_reset(void)
{
    bitfit_pool *pool = make_pool(false);
    unsigned char *block = bitfit_calloc(pool, 1, 40);
    bitfit_reset(pool);
    read_byte(block);
}

/* Within the block's last granule. */
static void beyond_the_size(void)
{
    unsigned char *block = bitfit_alloc(make_pool(false), 20);
    block[20] = 1;
}

/* Where the next block would be, but for the guard. */
static void beyond_the_block(void)
{
    bitfit_pool *pool = make_pool(true);
    unsigned char *block = bitfit_alloc(pool, 32);
    bitfit_alloc(pool, 32);
    block[32] = 1;
}

static void beyond_what_was_shrunk(void)
{
    bitfit_pool *pool = make_pool(false);
    unsigned char *block = bitfit_calloc(pool, 1, 100);
    bitfit_realloc(pool, block, 98);
    read_byte(block + 98);
}

static void never_given(void)
{
    bitfit_pool *pool = make_pool(false);
    unsigned char *block = bitfit_calloc(pool, 1, 16);
    read_byte(block + 4096);
}

/* Only memcheck knows. */
static void not_initialised(void)
{
    unsigned char *block = bitfit_alloc(make_pool(false), 20);
    if (block[3] == 7) {
        puts("seven");
    }
}

/* What a block gains is not initialised; what it had, is. */
static void grown_not_initialised(void)
{
    bitfit_pool *pool = make_pool(false);
    unsigned char *block = bitfit_calloc(pool, 1, 20);
    block = bitfit_realloc(pool, block, 60);
    if (block[19] == 7 || block[20] == 7) {
        puts("seven");
    }
}

/* ------------------------------------------------------------------- none */

enum { SLOTS = 50, ROUNDS = 5000, SIZE_MAX_ASKED = 900 };

static unsigned random_below(unsigned bound)
{
    static unsigned state = 12345;
    state = state * 1103515245u + 12345u;
    return state / 65536u % bound;
}

/* One of all the ways to a block, of which every byte may be used. */
static unsigned char *any_block(bitfit_pool *pool, unsigned char *old,
                                size_t size)
{
    unsigned char *block = NULL;
    switch (random_below(4)) {
    case 0:
        block = bitfit_realloc(pool, old, size);
        return block == NULL ? old : block;
    case 1:
        block = bitfit_calloc(pool, size, 1);
        break;
    case 2:
        block = bitfit_aligned_alloc(pool, 256, size);
        break;
    default:
        block = bitfit_alloc(pool, size);
        break;
    }
    bitfit_free(pool, old);
    return block;
}

static void churn(bitfit_pool *pool)
{
    unsigned char *blocks[SLOTS] = {NULL};
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned char **slot = &blocks[random_below(SLOTS)];
        size_t size = 1 + random_below(SIZE_MAX_ASKED);
        unsigned char *old = *slot;
        unsigned char *block = any_block(pool, old, size);
        *slot = block;
        if (block != NULL && random_below(2) == 0) {
            size = bitfit_usable_size(pool, block);
        }
        if (block != NULL && block != old) {
            memset(block, 7, size);
        }
    }
    if (bitfit_check(pool) != 0) {
        abort();
    }
}

/* Its offsets are no addresses: a checker is told nothing of them. */
static void without_pointers(void)
{
    static _Alignas(64) unsigned char bookkeeping[1 << 18];
    const bitfit_options options = {.granule = 4096,
                                    .bookkeeping = bookkeeping,
                                    .bookkeeping_size = sizeof bookkeeping};
    bitfit_pool *pool = bitfit_init_offsets((uint64_t)1 << 31, &options);
    if (pool == NULL || bitfit_alloc_offset(pool, 1 << 20) != 0) {
        abort();
    }
    bitfit_reset(pool);
    bitfit_destroy(pool);
}

/* Others write to it, too, so it is open throughout. */
static void shared(void)
{
    bitfit_pool *pool = bitfit_init_shared(memory, sizeof memory, NULL);
    if (pool == NULL) {
        return; /* no such lock here */
    }
    unsigned char *block = bitfit_calloc(pool, 1, 40);
    bitfit_reset(pool);
    read_byte(block);
    bitfit_destroy(pool);
    read_byte(block);
}

static void none(void)
{
    for (int guard = 0; guard < 2; guard++) {
        bitfit_pool *pool = make_pool(guard != 0);
        churn(pool);
        bitfit_reset(pool);
        churn(pool);
        bitfit_destroy(pool);
        memset(memory, 1, sizeof memory); /* the memory is ours again */
    }
    without_pointers();
    shared();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } faults[] = {
        {"none", none},
        {"use_after_free", use_after_free},
        {"use_after_move", use_after_move},
        {"use_after_reset", use_after_reset},
        {"beyond_the_size", beyond_the_size},
        {"beyond_the_block", beyond_the_block},
        {"beyond_what_was_shrunk", beyond_what_was_shrunk},
        {"never_given", never_given},
        {"not_initialised", not_initialised},
        {"grown_not_initialised", grown_not_initialised},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (argc == 2 && strcmp(argv[1], faults[i].name) == 0) {
            faults[i].run();
            return 0;
        }
    }
    return 2;
}
