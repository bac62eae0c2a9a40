/*
 * The C functions.
 */
#include "cache.h"
#include "early.h"
#include "entry.h"
#include "hardened.h"
#include "pages.h"
#include "text.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------- requests */

/* Counts requests for BITFIT_FAIL_AT; whether this one is to fail. */
static bool is_to_fail(void)
{
    const option_set *options = &SETTINGS->options;
    uint64_t number = ++heap.requests;
    return options->fail_at != 0 &&
           (number == options->fail_at ||
            (options->fail_on && number > options->fail_at));
}

static void note_failure(size_t size)
{
    if (heap.failures++ == 0) {
        heap.first_failure = size;
    }
    if (SETTINGS->published != NULL) {
        SETTINGS->published->failures = heap.failures;
    }
}

/* The end of a request that failed, after everything was left. */
static void *fail(const char *call)
{
    if (SETTINGS->options.abort_on_failure) {
        die("out of memory", call, NULL);
    }
    errno = ENOMEM;
    return NULL;
}

static void fill_block(void *block, size_t size, fill how)
{
    if (how == FILL_ZERO && heap_count_for(size) > CACHE_COUNT_MAX) {
        pages_use_zeroed(block, size);
        return;
    }
    pages_use(block, size);
    if (how == FILL_ZERO) {
        memset(block, 0, size);
    }
}

void *entry_request(const char *call, size_t alignment, size_t size, fill how)
{
    if (!cache_enter_slow(call)) {
        void *block = early_take(alignment, size);
        return block != NULL ? block : fail(call);
    }
    void *block = NULL;
    if (!is_to_fail() && size <= PTRDIFF_MAX) {
        block = SETTINGS->options.hardened ? hardened_take(alignment, size)
                                           : cache_take(alignment, size);
    }
    if (block == NULL) {
        note_failure(size);
    } else if (!SETTINGS->options.hardened) {
        fill_block(block, size + (size == 0), how);
    }
    cache_leave_slow();
    return LIKELY(block != NULL) ? block : fail(call);
}

void entry_return(const char *call, void *ptr, size_t size)
{
    if (early_owns(ptr)) {
        return;
    }
    int kept = errno;
    if (!cache_enter_slow(call)) {
        die(bitfit_crime_name(BITFIT_FOREIGN), call, ptr);
    }
    if (SETTINGS->options.hardened) {
        hardened_give(ptr, size);
    } else {
        cache_give(ptr, size);
    }
    cache_leave_slow();
    errno = kept;
}

void *entry_take_slow(size_t size, const char *call)
{
    if (size <= PTRDIFF_MAX) {
        void *block = cache_pop_any(heap_count_for(size));
        if (block != NULL) {
            return block;
        }
    }
    return entry_request(call, 1, size, FILL_NONE);
}

void entry_give_slow(const char *call, void *ptr, size_t size)
{
    if (ptr == NULL) {
        return;
    }
    size_t count = heap_count_of(ptr);
    if (count != 0 && size == SIZE_MAX && cache_push_any(ptr, count)) {
        return;
    }
    entry_return(call, ptr, size);
}

/* ---------------------------------------------------------------- resizing */

/* Whether a block of one count is better copied than resized under the lock. */
static bool is_small(size_t count)
{
    return count - 1 < CACHE_SMALL_MAX;
}

static void *resize_in_pool(void *ptr, size_t size)
{
    void *block = NULL;
    if (!cache_enter_slow("realloc")) {
        die(bitfit_crime_name(BITFIT_FOREIGN), "realloc", ptr);
    }
    cache_verify(ptr);
    if (!is_to_fail() && size <= PTRDIFF_MAX) {
        block = cache_resize(ptr, size);
    }
    if (block == NULL) {
        note_failure(size);
    } else {
        pages_use(block, size);
    }
    cache_leave_slow();
    return block != NULL ? block : fail("realloc");
}

static void *move(void *ptr, size_t kept, size_t size)
{
    void *block = entry_take("realloc", size);
    if (block != NULL) {
        memcpy(block, ptr, kept < size ? kept : size);
        entry_give("realloc", ptr, SIZE_MAX);
    }
    return block;
}

/* A shrink that finds no place keeps the block. */
static void *resize_hardened(void *ptr, size_t size)
{
    size_t kept = entry_size("realloc", ptr);
    void *block = move(ptr, kept, size);
    return block == NULL && size <= kept ? ptr : block;
}

static void *resize(void *ptr, size_t size)
{
    if (UNLIKELY(early_owns(ptr))) {
        return move(ptr, early_size(ptr), size);
    }
    if (UNLIKELY(SETTINGS->options.hardened)) {
        return resize_hardened(ptr, size);
    }
    size_t before = heap_count_of(ptr);
    size_t after = size <= PTRDIFF_MAX ? heap_count_for(size) : 0;
    bool copied = SETTINGS->marks != NULL && is_small(before) &&
                  is_small(after) && !cache_marked(ptr);
    if (copied && before == after) {
        return ptr;
    }
    if (copied && before < after) {
        return move(ptr, heap_size_of(before), size);
    }
    void *block = copied ? cache_pop_any(after) : NULL;
    if (block != NULL) {
        memcpy(block, ptr, size);
        entry_give("realloc", ptr, SIZE_MAX);
        return block;
    }
    return resize_in_pool(ptr, size); /* a shrink succeeds there */
}

/* ------------------------------------------------------------- C functions */

EXPORT void *malloc(size_t size)
{
    return entry_take("malloc", size);
}

EXPORT void free(void *ptr)
{
    entry_give("free", ptr, SIZE_MAX);
}

/* The product; one that overflows is a size that nobody has. */
static size_t product(size_t count, size_t size)
{
    size_t bytes;
    return UNLIKELY(__builtin_mul_overflow(count, size, &bytes)) ? SIZE_MAX
                                                                 : bytes;
}

EXPORT void *calloc(size_t count, size_t size)
{
    size_t bytes = product(count, size);
    void *block = cache_pop(bytes);
    if (LIKELY(block != NULL)) {
        return memset(block, 0, bytes);
    }
    return entry_request("calloc", 1, bytes, FILL_ZERO);
}

EXPORT void *realloc(void *ptr, size_t size)
{
    if (ptr == NULL) {
        return entry_take("realloc", size);
    }
    if (size == 0) {
        entry_give("realloc", ptr, SIZE_MAX);
        return NULL;
    }
    return resize(ptr, size);
}

EXPORT void *reallocarray(void *ptr, size_t count, size_t size)
{
    return realloc(ptr, product(count, size));
}

/* ------------------------------------------------------------------ aligned */

static bool is_power_of_two(size_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return entry_take_aligned("aligned_alloc", alignment, size);
}

EXPORT int posix_memalign(void **to, size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment) || alignment % sizeof(void *) != 0) {
        return EINVAL;
    }
    int kept = errno;
    void *block = entry_take_aligned("posix_memalign", alignment, size);
    errno = kept;
    if (block == NULL) {
        return ENOMEM;
    }
    *to = block;
    return 0;
}

/* As glibc's: an alignment that is no power of two is rounded up to one. */
EXPORT void *memalign(size_t alignment, size_t size)
{
    size_t rounded = 1;
    if (alignment > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    while (rounded < alignment) {
        rounded *= 2;
    }
    return entry_take_aligned("memalign", rounded, size);
}

static size_t page_size(void)
{
    if (!heap_started()) {
        heap_start();
    }
    return (size_t)1 << SETTINGS->page_shift;
}

EXPORT void *valloc(size_t size)
{
    return entry_take_aligned("valloc", page_size(), size);
}

EXPORT void *pvalloc(size_t size)
{
    size_t mask = page_size() - 1;
    size_t rounded = size > SIZE_MAX - mask ? size : (size + mask) & ~mask;
    return entry_take_aligned("pvalloc", page_size(), rounded);
}

/* ------------------------------------------------------------------- seeing */

/* The slow way, which looks whether the block is one. */
static size_t verified_size(const char *call, const void *ptr)
{
    if (early_owns(ptr)) {
        return early_size(ptr);
    }
    if (!cache_enter_slow(call)) {
        die(bitfit_crime_name(BITFIT_FOREIGN), call, ptr);
    }
    size_t size;
    if (SETTINGS->options.hardened) {
        size = hardened_size(ptr);
    } else {
        size = heap_size_of(cache_verify(ptr));
    }
    cache_leave_slow();
    return size;
}

/* As verified_size(), but without the lock where nothing is wrong. */
__attribute__((noinline)) static size_t size_of(const char *call,
                                                const void *ptr)
{
    if (ptr == NULL) {
        return 0;
    }
    size_t count = heap_count_of(ptr);
    bool cached = count != 0 && SETTINGS->marks != NULL && cache_marked(ptr);
    if (UNLIKELY(count == 0 || cached || SETTINGS->options.hardened)) {
        return verified_size(call, ptr);
    }
    return heap_size_of(count);
}

/* Some programs ask for every block that they get or free. */
size_t entry_size(const char *call, const void *ptr)
{
    size_t count = cache_peek(ptr);
    return LIKELY(count != 0) ? count << FAST_GRANULE_SHIFT
                              : size_of(call, ptr);
}

EXPORT size_t malloc_usable_size(void *ptr)
{
    return entry_size("malloc_usable_size", ptr);
}
