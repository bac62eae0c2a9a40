/*
 * The seam's part for checkers of memory: a build with BITFIT_ASAN tells
 * AddressSanitizer, one with BITFIT_VALGRIND tells Valgrind's memcheck, which
 * bytes of a payload a program may use. Those are *open*, all others *closed*.
 * In any other build the functions below are empty and BF_SHADOW is 0.
 */
#ifndef BITFIT_PLATFORM_SHADOW_H
#define BITFIT_PLATFORM_SHADOW_H

#include "platform.h"

#if defined(BITFIT_ASAN) && defined(BITFIT_VALGRIND)
#error "BITFIT_ASAN or BITFIT_VALGRIND: one program cannot run under both"
#endif

#if defined(BITFIT_ASAN)

#if !defined(__SANITIZE_ADDRESS__)
#if !defined(__has_feature)
#error "BITFIT_ASAN needs a build with -fsanitize=address"
#elif !__has_feature(address_sanitizer)
#error "BITFIT_ASAN needs a build with -fsanitize=address"
#endif
#endif
#include <sanitizer/asan_interface.h>

#define BF_SHADOW 1

BF_STATIC void bf_shadow_hide(const void *bytes, size_t size)
{
    __asan_poison_memory_region(bytes, size);
}

BF_STATIC void bf_shadow_reach(const void *bytes, size_t size)
{
    __asan_unpoison_memory_region(bytes, size);
}

BF_STATIC size_t bf_shadow_size(const void *block, size_t room)
{
    void *bytes = (void *)(uintptr_t)block;
    const void *closed = __asan_region_is_poisoned(bytes, room);
    return closed == NULL ? room : (uintptr_t)closed - (uintptr_t)block;
}

BF_STATIC void bf_shadow_begin(const void *payload, size_t size)
{
    bf_shadow_hide(payload, size);
}

BF_STATIC void bf_shadow_end(const void *payload, size_t size)
{
    bf_shadow_reach(payload, size);
}

BF_STATIC void bf_shadow_take(const void *payload, const void *block,
                              size_t size)
{
    (void)payload;
    bf_shadow_reach(block, size);
}

BF_STATIC void bf_shadow_resize(const void *payload, const void *block,
                                size_t before, size_t room, size_t size)
{
    size_t most = before < room ? room : before;
    (void)payload;
    bf_shadow_reach(block, size);
    bf_shadow_hide((const unsigned char *)block + size, most - size);
}

BF_STATIC void bf_shadow_give(const void *payload, const void *block,
                              size_t room)
{
    (void)payload;
    bf_shadow_hide(block, room);
}

#elif defined(BITFIT_VALGRIND)

#include <valgrind/memcheck.h>

#define BF_SHADOW 1

BF_STATIC void bf_shadow_hide(const void *bytes, size_t size)
{
    (void)VALGRIND_MAKE_MEM_NOACCESS(bytes, size);
}

BF_STATIC void bf_shadow_reach(const void *bytes, size_t size)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(bytes, size);
}

/* The question is no error of the program's. */
BF_STATIC size_t bf_shadow_size(const void *block, size_t room)
{
    VALGRIND_DISABLE_ERROR_REPORTING;
    uintptr_t closed = VALGRIND_CHECK_MEM_IS_ADDRESSABLE(block, room);
    VALGRIND_ENABLE_ERROR_REPORTING;
    return closed == 0 ? room : closed - (uintptr_t)block;
}

BF_STATIC void bf_shadow_begin(const void *payload, size_t size)
{
    VALGRIND_CREATE_MEMPOOL(payload, 0, 0);
    bf_shadow_hide(payload, size);
}

BF_STATIC void bf_shadow_end(const void *payload, size_t size)
{
    VALGRIND_DESTROY_MEMPOOL(payload);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(payload, size);
}

BF_STATIC void bf_shadow_take(const void *payload, const void *block,
                              size_t size)
{
    VALGRIND_MEMPOOL_ALLOC(payload, block, size);
}

BF_STATIC void bf_shadow_resize(const void *payload, const void *block,
                                size_t before, size_t room, size_t size)
{
    const unsigned char *bytes = block;
    size_t most = before < room ? room : before;
    size_t open = bf_shadow_size(block, most);
    VALGRIND_MEMPOOL_CHANGE(payload, block, block, room);
    if (size > open) {
        (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes + open, size - open);
    }
    bf_shadow_hide(bytes + size, most - size);
}

BF_STATIC void bf_shadow_give(const void *payload, const void *block,
                              size_t room)
{
    VALGRIND_MEMPOOL_FREE(payload, block);
    bf_shadow_hide(block, room);
}

#else

#define BF_SHADOW 0

/* Closes bytes, and opens them with what they hold. */
BF_STATIC void bf_shadow_hide(const void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
}

BF_STATIC void bf_shadow_reach(const void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
}

/* How many bytes of the block are open, of `room`; all, where nobody knows. */
BF_STATIC size_t bf_shadow_size(const void *block, size_t room)
{
    (void)block;
    return room;
}

/* A payload without blocks begins and ends. */
BF_STATIC void bf_shadow_begin(const void *payload, size_t size)
{
    (void)payload;
    (void)size;
}

BF_STATIC void bf_shadow_end(const void *payload, size_t size)
{
    (void)payload;
    (void)size;
}

/* A new block, open as a whole. */
BF_STATIC void bf_shadow_take(const void *payload, const void *block,
                              size_t size)
{
    (void)payload;
    (void)block;
    (void)size;
}

/* The block had `before` bytes and has `room`, of which `size` are open. What
 * it had it keeps; what it gains holds nothing. */
BF_STATIC void bf_shadow_resize(const void *payload, const void *block,
                                size_t before, size_t room, size_t size)
{
    (void)payload;
    (void)block;
    (void)before;
    (void)room;
    (void)size;
}

/* The block is no more. */
BF_STATIC void bf_shadow_give(const void *payload, const void *block,
                              size_t room)
{
    (void)payload;
    (void)block;
    (void)room;
}

#endif

#endif
