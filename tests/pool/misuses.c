/*
 * The misuses, each with its verdict and named once. Each runs in a process of
 * its own, against a pool with the default handler. It announces on standard
 * output what the message on standard error must show after the call's name.
 */
#include "misuses.h"

#include "bitfit_offsets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

misuse_case misuses[MISUSES_MAX];
size_t misuse_count;

static void enlist(const misuse_case *m)
{
    if (misuse_count == MISUSES_MAX) {
        fputs("MISUSES_MAX is too small\n", stderr);
        abort();
    }
    misuses[misuse_count++] = *m;
}

/* A function that is one misuse, and its row in the table. */
#define MISUSE(name, ...)                                                      \
    static int name(void);                                                     \
    __attribute__((constructor)) static void enlist_##name(void)               \
    {                                                                          \
        enlist(&(misuse_case){#name, name, __VA_ARGS__});                      \
    }                                                                          \
    static int name(void)

#define CAUGHT(name, kind, call) MISUSE(name, MISUSE_CAUGHT, kind, call)
#define HARMLESS(name) MISUSE(name, MISUSE_HARMLESS, NULL, NULL)
#define UNDETECTABLE(name, reason)                                             \
    MISUSE(name, MISUSE_UNDETECTABLE, reason, NULL)

/* What a misuse returns: it went unnoticed; nothing was harmed; or it could not
 * be prepared. */
enum { UNNOTICED = 1, UNHARMED = 0, UNPREPARED = 2 };

static bitfit_pool *open_pool(void)
{
    static _Alignas(max_align_t) unsigned char memory[65536];
    return bitfit_init(memory, sizeof memory, NULL);
}

static bitfit_pool *open_other_pool(void)
{
    static _Alignas(max_align_t) unsigned char memory[65536];
    return bitfit_init(memory, sizeof memory, NULL);
}

static void announce(const bitfit_pool *pool, const void *pointer)
{
    printf("(0x%" PRIxPTR ") in pool 0x%" PRIxPTR "\n", (uintptr_t)pointer,
           (uintptr_t)pool);
    fflush(stdout);
}

static void announce_sized(const bitfit_pool *pool, const void *pointer,
                           size_t size)
{
    printf("(0x%" PRIxPTR ", %zu) in pool 0x%" PRIxPTR "\n", (uintptr_t)pointer,
           size, (uintptr_t)pool);
    fflush(stdout);
}

static void announce_reentry(const bitfit_pool *pool)
{
    printf("() in pool 0x%" PRIxPTR "\n", (uintptr_t)pool);
    fflush(stdout);
}

/* The result where nothing must have happened to the pool itself. */
static int verdict(bitfit_pool *pool, size_t blocks)
{
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    bool whole = bitfit_check(pool) == 0 && stats.blocks == blocks;
    return whole ? UNHARMED : UNNOTICED;
}

/* A pointer as an uninitialised variable might hold it. */
static void *wild_pointer(void)
{
    void *pointer;
    memset(&pointer, 0xA5, sizeof pointer);
    return pointer;
}

/* A call from inside a call: the visitor breaks in while the pool is walked. */
static int walk_with(bitfit_visitor *visit)
{
    bitfit_pool *pool = open_pool();
    bitfit_alloc(pool, 100);
    bitfit_walk(pool, visit, pool);
    return UNNOTICED;
}

/* ----------------------------------------------------------- what is caught */

CAUGHT(double_free_small, "double free", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 16);
    bitfit_free(pool, block);
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}

CAUGHT(double_free_large, "double free", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 40000);
    bitfit_free(pool, block);
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}

/* Another free in between hides it from lists (fastbin_dup, tcache_dup). */
CAUGHT(double_free_delayed, "double free", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    void *first = bitfit_alloc(pool, 32);
    void *second = bitfit_alloc(pool, 32);
    bitfit_free(pool, first);
    bitfit_free(pool, second);
    announce(pool, first);
    bitfit_free(pool, first);
    return UNNOTICED;
}

/* The second block lies inside a larger hole by now (house_of_botcake). */
CAUGHT(double_free_merged, "double free", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    void *first = bitfit_alloc(pool, 256);
    void *second = bitfit_alloc(pool, 256);
    bitfit_free(pool, second);
    bitfit_free(pool, first);
    announce(pool, second);
    bitfit_free(pool, second);
    return UNNOTICED;
}

CAUGHT(double_free_sized, "double free", "bitfit_free_sized")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    bitfit_free_sized(pool, block, 100);
    announce(pool, block);
    bitfit_free_sized(pool, block, 100);
    return UNNOTICED;
}

CAUGHT(double_free_through_realloc, "double free", "bitfit_realloc")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    bitfit_free(pool, block);
    announce(pool, block);
    bitfit_realloc(pool, block, 200);
    return UNNOTICED;
}

static bitfit_pool *open_offsets(void)
{
    static _Alignas(max_align_t) unsigned char books[8192];
    const bitfit_options options = {.granule = 1 << 20,
                                    .bookkeeping = books,
                                    .bookkeeping_size = sizeof books};
    return bitfit_init_offsets(UINT64_C(0x300000000), &options);
}

CAUGHT(double_free_of_an_offset, "double free", "bitfit_free_offset")
{
    bitfit_pool *pool = open_offsets();
    if (!bitfit_alloc_at_offset(pool, UINT64_C(0x2ffe00000), 1)) {
        return UNPREPARED;
    }
    bitfit_free_offset(pool, UINT64_C(0x2ffe00000));
    printf("(0x2ffe00000) in pool 0x%" PRIxPTR "\n", (uintptr_t)pool);
    fflush(stdout);
    bitfit_free_offset(pool, UINT64_C(0x2ffe00000));
    return UNNOTICED;
}

CAUGHT(alloc_without_memory, "wrong kind of pool", "bitfit_alloc")
{
    bitfit_pool *pool = open_offsets();
    announce_reentry(pool);
    bitfit_alloc(pool, 100);
    return UNNOTICED;
}

/* realloc() moved the block; the old pointer is stale. */
CAUGHT(free_of_moved, "double free", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    void *behind = bitfit_alloc(pool, 100);
    void *moved = bitfit_realloc(pool, block, 4000);
    if (behind == NULL || moved == NULL || moved == block) {
        return UNPREPARED;
    }
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}

CAUGHT(free_after_reset, "double free", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    bitfit_reset(pool);
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}

/* A block outlives its pool, and another pool takes the memory. */
CAUGHT(free_of_ended_pool, "double free", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    bitfit_destroy(pool);
    pool = open_pool();
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}

CAUGHT(interior_free_small, "interior pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 32);
    announce(pool, block + 16);
    bitfit_free(pool, block + 16);
    return UNNOTICED;
}

CAUGHT(interior_free_large, "interior pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 50000);
    announce(pool, block + 32768);
    bitfit_free(pool, block + 32768);
    return UNNOTICED;
}

CAUGHT(misaligned_free, "misaligned pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 32);
    announce(pool, block + 1);
    bitfit_free(pool, block + 1);
    return UNNOTICED;
}

CAUGHT(foreign_free_stack, "foreign pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    int local = 0;
    announce(pool, &local);
    bitfit_free(pool, &local);
    return UNNOTICED;
}

CAUGHT(foreign_free_malloc, "foreign pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    void *block = malloc(16);
    announce(pool, block);
    bitfit_free(pool, block);
    free(block);
    return UNNOTICED;
}

CAUGHT(foreign_free_other_pool, "foreign pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    bitfit_pool *other = open_other_pool();
    void *block = bitfit_alloc(other, 16);
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}

/* A forged header in front of the memory (house_of_spirit): nothing reads it.
 */
CAUGHT(foreign_free_spirit, "foreign pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    static _Alignas(max_align_t) size_t forged[16] = {0, 0x41};
    announce(pool, &forged[2]);
    bitfit_free(pool, &forged[2]);
    return UNNOTICED;
}

/* The pool itself lies in its memory, too. */
CAUGHT(free_bookkeeping, "foreign pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    announce(pool, pool);
    bitfit_free(pool, pool);
    return UNNOTICED;
}

/* The first address behind the payload. */
CAUGHT(free_past_end, "foreign pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    unsigned char *all = bitfit_alloc(pool, stats.capacity);
    announce(pool, all + stats.capacity);
    bitfit_free(pool, all + stats.capacity);
    return UNNOTICED;
}

CAUGHT(uninitialised_free, "foreign pointer", "bitfit_free")
{
    bitfit_pool *pool = open_pool();
    void *block = wild_pointer();
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}

CAUGHT(uninitialised_realloc, "foreign pointer", "bitfit_realloc")
{
    bitfit_pool *pool = open_pool();
    void *block = wild_pointer();
    announce(pool, block);
    bitfit_realloc(pool, block, 16);
    return UNNOTICED;
}

CAUGHT(uninitialised_usable_size, "foreign pointer", "bitfit_usable_size")
{
    bitfit_pool *pool = open_pool();
    void *block = wild_pointer();
    announce(pool, block);
    return bitfit_usable_size(pool, block) == 0 ? UNNOTICED : UNPREPARED;
}

CAUGHT(usable_size_freed, "double free", "bitfit_usable_size")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 16);
    bitfit_free(pool, block);
    announce(pool, block);
    return bitfit_usable_size(pool, block) == 0 ? UNNOTICED : UNPREPARED;
}

CAUGHT(usable_size_interior, "interior pointer", "bitfit_usable_size")
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 64);
    announce(pool, block + 32);
    return bitfit_usable_size(pool, block + 32) == 0 ? UNNOTICED : UNPREPARED;
}

CAUGHT(realloc_foreign, "foreign pointer", "bitfit_realloc")
{
    bitfit_pool *pool = open_pool();
    int local = 0;
    announce(pool, &local);
    bitfit_realloc(pool, &local, 100);
    return UNNOTICED;
}

CAUGHT(realloc_interior, "interior pointer", "bitfit_realloc")
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 64);
    announce(pool, block + 32);
    bitfit_realloc(pool, block + 32, 100);
    return UNNOTICED;
}

CAUGHT(realloc_misaligned, "misaligned pointer", "bitfit_realloc")
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 64);
    announce(pool, block + 8);
    bitfit_realloc(pool, block + 8, 100);
    return UNNOTICED;
}

/* 17 bytes are two granules, the block is one. */
CAUGHT(sized_free_small_wrong, "wrong size", "bitfit_free_sized")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 16);
    announce_sized(pool, block, 17);
    bitfit_free_sized(pool, block, 17);
    return UNNOTICED;
}

CAUGHT(sized_free_large_wrong, "wrong size", "bitfit_free_sized")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 40000);
    announce_sized(pool, block, 20000);
    bitfit_free_sized(pool, block, 20000);
    return UNNOTICED;
}

/* The size of a negative number. */
CAUGHT(sized_free_wild, "wrong size", "bitfit_free_sized")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    announce_sized(pool, block, SIZE_MAX);
    bitfit_free_sized(pool, block, SIZE_MAX);
    return UNNOTICED;
}

CAUGHT(aligned_sized_free_wrong, "wrong size", "bitfit_free_sized")
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_aligned_alloc(pool, 4096, 100);
    announce_sized(pool, block, 4096);
    bitfit_free_sized(pool, block, 4096);
    return UNNOTICED;
}

CAUGHT(overflow, "overflow", "bitfit_free")
{
    static _Alignas(max_align_t) unsigned char memory[4096];
    const bitfit_options options = {.guard = true};
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, &options);
    unsigned char *block = bitfit_alloc(pool, 16);
    printf("(0x%" PRIxPTR ") in pool 0x%" PRIxPTR
           ": the block was written beyond its end, at 0x%" PRIxPTR "\n",
           (uintptr_t)block, (uintptr_t)pool, (uintptr_t)(block + 20));
    fflush(stdout);
    block[20] ^= 1;
    bitfit_free(pool, block);
    return UNNOTICED;
}

CAUGHT(double_free_offset_0, "double free", "bitfit_free_offset")
{
    static uint64_t books[512];
    const bitfit_options options = {.bookkeeping = books,
                                    .bookkeeping_size = sizeof books};
    bitfit_pool *pool = bitfit_init_offsets(4096, &options);
    bitfit_free_offset(pool, bitfit_alloc_offset(pool, 16));
    announce(pool, NULL);
    bitfit_free_offset(pool, 0);
    return UNNOTICED;
}

static bool takes(const bitfit_run *run, void *context)
{
    bitfit_pool *pool = context;
    (void)run;
    announce_reentry(pool);
    bitfit_alloc(pool, 16);
    return true;
}

CAUGHT(reentry_alloc, "re-entry", "bitfit_alloc")
{
    return walk_with(takes);
}

static bool takes_aligned(const bitfit_run *run, void *context)
{
    bitfit_pool *pool = context;
    (void)run;
    announce_reentry(pool);
    bitfit_aligned_alloc(pool, 64, 16);
    return true;
}

CAUGHT(reentry_aligned_alloc, "re-entry", "bitfit_aligned_alloc")
{
    return walk_with(takes_aligned);
}

static bool frees(const bitfit_run *run, void *context)
{
    bitfit_pool *pool = context;
    announce_reentry(pool);
    bitfit_free(pool, run->start);
    return true;
}

CAUGHT(reentry_free, "re-entry", "bitfit_free")
{
    return walk_with(frees);
}

static bool checks(const bitfit_run *run, void *context)
{
    bitfit_pool *pool = context;
    (void)run;
    announce_reentry(pool);
    bitfit_check(pool);
    return true;
}

CAUGHT(reentry_check, "re-entry", "bitfit_check")
{
    return walk_with(checks);
}

static bool resets(const bitfit_run *run, void *context)
{
    bitfit_pool *pool = context;
    (void)run;
    announce_reentry(pool);
    bitfit_reset(pool);
    return true;
}

CAUGHT(reentry_reset, "re-entry", "bitfit_reset")
{
    return walk_with(resets);
}

CAUGHT(reentry_under_lock, "re-entry", "bitfit_alloc")
{
    bitfit_pool *pool = open_pool();
    bitfit_lock(pool);
    announce_reentry(pool);
    bitfit_alloc(pool, 16);
    return UNNOTICED;
}

/* A pool without a lock is marked as busy all the same. */
CAUGHT(reentry_unlocked_pool, "re-entry", "bitfit_alloc")
{
    static _Alignas(max_align_t) unsigned char memory[4096];
    bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE};
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, &options);
    bitfit_walk(pool, takes, pool);
    return UNNOTICED;
}

/* ----------------------------------- what is allowed, or answered with NULL */

/* Any size that rounds up to the block's granules is right. */
HARMLESS(sized_free_right)
{
    bitfit_pool *pool = open_pool();
    bitfit_free_sized(pool, bitfit_alloc(pool, 17), 17);
    bitfit_free_sized(pool, bitfit_alloc(pool, 17), 32);
    bitfit_free_sized(pool, bitfit_alloc(pool, 32), 18);
    bitfit_free_sized(pool, bitfit_alloc(pool, 0), 0);
    bitfit_free_sized(pool, bitfit_alloc(pool, 40000), 40000);
    return verdict(pool, 0);
}

HARMLESS(aligned_sized_free_right)
{
    bitfit_pool *pool = open_pool();
    bitfit_free_sized(pool, bitfit_aligned_alloc(pool, 8, 100), 100);
    bitfit_free_sized(pool, bitfit_aligned_alloc(pool, 4096, 100), 100);
    bitfit_free_sized(pool, bitfit_aligned_alloc(pool, 64, 20000), 20000);
    return verdict(pool, 0);
}

/* The product wraps around to 16. */
HARMLESS(calloc_overflow)
{
    bitfit_pool *pool = open_pool();
    if (bitfit_calloc(pool, SIZE_MAX / 16 + 2, 16) != NULL) {
        return UNNOTICED;
    }
    return verdict(pool, 0);
}

HARMLESS(impossibly_large)
{
    bitfit_pool *pool = open_pool();
    size_t huge = SIZE_MAX;
    if (bitfit_alloc(pool, huge) != NULL ||
        bitfit_alloc(pool, huge - 15) != NULL ||
        bitfit_alloc(pool, huge / 2) != NULL ||
        bitfit_aligned_alloc(pool, 4096, huge - 4095) != NULL) {
        return UNNOTICED;
    }
    return verdict(pool, 0);
}

/* Into what the rounding left over, which belongs to the block. */
HARMLESS(overflow_by_1)
{
    bitfit_pool *pool = open_pool();
    char *block = bitfit_alloc(pool, 31);
    char *next = bitfit_alloc(pool, 31);
    memset(next, 'n', 32);
    memset(block, 'b', 32);
    bitfit_free(pool, block);
    return next[0] == 'n' ? verdict(pool, 1) : UNNOTICED;
}

HARMLESS(zero_size_distinct)
{
    bitfit_pool *pool = open_pool();
    void *first = bitfit_alloc(pool, 0);
    void *second = bitfit_alloc(pool, 0);
    if (first == NULL || second == NULL || first == second) {
        return UNNOTICED;
    }
    return verdict(pool, 2);
}

/* A block of size 0 is one granule, all of it usable. */
HARMLESS(zero_size_write)
{
    bitfit_pool *pool = open_pool();
    char *first = bitfit_alloc(pool, 0);
    char *second = bitfit_alloc(pool, 0);
    memset(second, 's', bitfit_usable_size(pool, second));
    memset(first, 'f', 16);
    return second[0] == 's' ? verdict(pool, 2) : UNNOTICED;
}

HARMLESS(free_null_twice)
{
    bitfit_pool *pool = open_pool();
    bitfit_free(pool, NULL);
    bitfit_free(pool, NULL);
    bitfit_free_sized(pool, NULL, 100);
    return verdict(pool, 0);
}

/* --------------- what nobody can tell, and the reason; the pool stays whole */

/* Into the next block: its content is lost, the pool is not. */
UNDETECTABLE(overflow_by_8, "there is no guard between blocks")
{
    bitfit_pool *pool = open_pool();
    char *block = bitfit_alloc(pool, 32);
    char *next = bitfit_alloc(pool, 32);
    memset(next, 'n', 32);
    memset(block, 'b', 40);
    if (next[7] != 'b' || next[8] != 'n') {
        return UNPREPARED;
    }
    bitfit_free(pool, block);
    bitfit_free(pool, next);
    return verdict(pool, 0);
}

/* A string without its end, over all the payload behind it. */
UNDETECTABLE(overflow_string, "there is no guard between blocks")
{
    bitfit_pool *pool = open_pool();
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    char *block = bitfit_alloc(pool, 16);
    bitfit_alloc(pool, 100);
    memset(block, 'x', stats.capacity);
    bitfit_free(pool, block);
    return verdict(pool, 1);
}

/* free() does not write: the old content is still there to be read. */
UNDETECTABLE(read_after_free, "the payload is never written")
{
    bitfit_pool *pool = open_pool();
    char *block = bitfit_alloc(pool, 32);
    memset(block, 's', 32);
    bitfit_free(pool, block);
    return block[31] == 's' ? verdict(pool, 0) : UNNOTICED;
}

/* First fit makes it predictable: the next block of the size lies there. */
UNDETECTABLE(read_after_free_reused, "the payload is never written")
{
    bitfit_pool *pool = open_pool();
    char *stale = bitfit_alloc(pool, 32);
    bitfit_free(pool, stale);
    char *block = bitfit_alloc(pool, 32);
    memset(block, 'b', 32);
    return stale[31] == 'b' ? verdict(pool, 1) : UNNOTICED;
}

/* Free memory holds nothing of the pool's that could be overwritten. */
UNDETECTABLE(write_after_free, "the payload is never read")
{
    bitfit_pool *pool = open_pool();
    char *block = bitfit_alloc(pool, 32);
    bitfit_free(pool, block);
    memset(block, 0xFF, 32);
    if (bitfit_alloc(pool, 32) != block) {
        return UNNOTICED;
    }
    return verdict(pool, 1);
}

/* The new block's content is lost, the pool is not. */
UNDETECTABLE(write_after_free_reused, "the payload is never read")
{
    bitfit_pool *pool = open_pool();
    char *stale = bitfit_alloc(pool, 32);
    bitfit_free(pool, stale);
    char *block = bitfit_calloc(pool, 1, 32);
    memset(stale, 0xFF, 32);
    if (block[0] == 0) {
        return UNPREPARED;
    }
    bitfit_free(pool, block);
    return verdict(pool, 0);
}

/* The block starts where the old one did: no allocator without tags can tell.
 */
UNDETECTABLE(stale_free_of_reused, "a block starts there again")
{
    bitfit_pool *pool = open_pool();
    void *stale = bitfit_alloc(pool, 32);
    bitfit_free(pool, stale);
    void *block = bitfit_alloc(pool, 32);
    if (block != stale) {
        return UNPREPARED;
    }
    bitfit_free(pool, stale);
    return verdict(pool, 0);
}
