/*
 * The malloc family, in front of the one that the program would have.
 */
#include "recorder.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void (*free)(void *);
} next;

/* ------------------------------------------------------------- the first call
 */

/* While the dynamic linker looks the next malloc up, it may need memory. */
static _Alignas(16) unsigned char early[4096];
static size_t early_used;

static void *early_alloc(size_t size)
{
    size_t rounded = (size + 31) / 16 * 16; /* the size stands in front */
    if (size > sizeof early || early_used + rounded > sizeof early)
        return NULL;
    unsigned char *at = early + early_used;
    early_used += rounded;
    memcpy(at, &size, sizeof size);
    return at + 16;
}

static bool is_early(const void *ptr)
{
    uintptr_t at = (uintptr_t)ptr - (uintptr_t)early;
    return at < sizeof early;
}

static size_t early_size(const void *ptr)
{
    size_t size;
    memcpy(&size, (const unsigned char *)ptr - 16, sizeof size);
    return size;
}

static void find(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

/* Whether the next malloc is known. */
static bool ready(void)
{
    static bool looking;
    if (next.malloc != NULL)
        return true;
    if (looking)
        return false;
    looking = true;
    find("free", &next.free);
    find("calloc", &next.calloc);
    find("realloc", &next.realloc);
    find("memalign", &next.memalign);
    find("aligned_alloc", &next.aligned_alloc);
    find("posix_memalign", &next.posix_memalign);
    find("malloc", &next.malloc);
    return next.malloc != NULL;
}

/* -------------------------------------------------------------- the family */

static void *recorded(void *ptr, size_t size)
{
    if (recorder_on())
        recorder_note_alloc(ptr, 0, size);
    return ptr;
}

/* Where it is no power of two, the next one is what the program gets. */
static size_t alignment_got(size_t alignment)
{
    size_t got = 1;
    while (got < alignment && got <= SIZE_MAX / 2)
        got *= 2;
    return got;
}

static void *recorded_aligned(void *ptr, size_t alignment, size_t size)
{
    if (recorder_on())
        recorder_note_alloc(ptr, alignment_got(alignment), size);
    return ptr;
}

EXPORTED void *malloc(size_t size)
{
    return ready() ? recorded(next.malloc(size), size) : early_alloc(size);
}

EXPORTED void *calloc(size_t count, size_t size)
{
    if (ready())
        return recorded(next.calloc(count, size), count * size);
    return early_alloc(count * size);
}

EXPORTED void free(void *ptr)
{
    if (ptr == NULL || is_early(ptr) || !ready())
        return;
    if (recorder_on())
        recorder_note_free(ptr);
    next.free(ptr);
}

static void *move_early(void *ptr, size_t size)
{
    size_t old = early_size(ptr);
    void *moved = malloc(size);
    if (moved != NULL)
        memcpy(moved, ptr, old < size ? old : size);
    return moved;
}

static void *resize(void *ptr, size_t size)
{
    void *moved;
    recorder_begin_resize(ptr, &moved);
    moved = next.realloc(ptr, size);
    recorder_end_resize(ptr, &moved, moved, size);
    return moved;
}

EXPORTED void *realloc(void *ptr, size_t size)
{
    if (ptr == NULL)
        return malloc(size);
    if (is_early(ptr))
        return move_early(ptr, size);
    if (!ready() || !recorder_on())
        return next.realloc(ptr, size);
    if (size > 0)
        return resize(ptr, size);
    recorder_note_free(ptr);
    return next.realloc(ptr, 0);
}

EXPORTED void *reallocarray(void *ptr, size_t count, size_t size)
{
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(ptr, whole);
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
    return ready() ? recorded_aligned(next.memalign(alignment, size), alignment,
                                      size)
                   : NULL;
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    return ready() ? recorded_aligned(next.aligned_alloc(alignment, size),
                                      alignment, size)
                   : NULL;
}

EXPORTED int posix_memalign(void **result, size_t alignment, size_t size)
{
    int error = ready() ? next.posix_memalign(result, alignment, size) : ENOMEM;
    if (error == 0)
        recorded_aligned(*result, alignment, size);
    return error;
}

EXPORTED void *valloc(size_t size)
{
    return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

EXPORTED void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > SIZE_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return memalign(page, (size + page - 1) / page * page);
}
