#include "entry.h"

#include "early.h"
#include "empties.h"
#include "hardened.h"
#include "pages.h"
#include "slow.h"
#include "start.h"
#include "text.h"
#include "threads.h"

#include <errno.h>
#include <string.h>

bool entry_enter(const char *call)
{
    if (!heap_started() && (!heap_start() || !heap_started())) {
        return false;
    }
    threads_enter(call);
    return true;
}

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

/* A block of that many bytes, inside a slow path. */
static void *take(size_t alignment, size_t size, fill how)
{
    void *block = size == 0 ? empties_take(alignment) : NULL;
    if (block != NULL) {
        return block;
    }
    if (SETTINGS->options.hardened) {
        return hardened_take(alignment, size);
    }
    block = slow_take(alignment, size);
    if (block != NULL) {
        fill_block(block, size + (size == 0), how);
    }
    return block;
}

void *entry_take_full(const char *call, size_t alignment, size_t size, fill how)
{
    void *block = NULL;
    if (!entry_enter(call)) {
        block = early_take(alignment, size);
        return block != NULL ? block : fail(call);
    }
    if (!is_to_fail() && size <= PTRDIFF_MAX) {
        block = take(alignment, size, how);
    }
    if (block == NULL) {
        note_failure(size);
    }
    threads_leave();
    return LIKELY(block != NULL) ? block : fail(call);
}

void entry_give_full(const char *call, void *ptr, size_t size)
{
    if (early_owns(ptr)) {
        return;
    }
    int kept = errno;
    if (!entry_enter(call)) {
        die(bitfit_misuse_name(BITFIT_FOREIGN), call, ptr);
    }
    if (empties_own(ptr)) {
        empties_give(ptr, size);
    } else if (SETTINGS->options.hardened) {
        hardened_give(ptr, size);
    } else {
        slow_give(ptr, size);
    }
    threads_leave();
    errno = kept;
}

void *entry_take_slow(size_t size, const char *call)
{
    if (size - 1 < PTRDIFF_MAX) {
        void *block = SETTINGS->options.hardened
                          ? hardened_take_cached(call, size)
                          : cache_take_any(heap_count_for(size));
        if (LIKELY(block != NULL)) {
            return block;
        }
    }
    return entry_take_full(call, 1, size, FILL_NONE);
}

void entry_give_slow(const char *call, void *ptr, size_t size)
{
    if (ptr == NULL) {
        return;
    }
    bool given = false;
    if (UNLIKELY(SETTINGS->options.hardened)) {
        given = hardened_give_cached(call, ptr, size);
    } else if (size == SIZE_MAX) {
        size_t count = heap_count_of(ptr);
        given = count != 0 && cache_give_any(ptr, count);
    }
    if (!given) {
        entry_give_full(call, ptr, size);
    }
}

/* ---------------------------------------------------------------- resizing */

/* Whether a block of one count is better copied than resized under the lock. */
static bool is_small(size_t count)
{
    return count - 1 < SMALL_MAX;
}

static void *resize_in_pool(void *ptr, size_t size)
{
    void *block = NULL;
    if (!entry_enter("realloc")) {
        die(bitfit_misuse_name(BITFIT_FOREIGN), "realloc", ptr);
    }
    slow_verify(ptr);
    if (!is_to_fail() && size <= PTRDIFF_MAX) {
        block = slow_resize(ptr, size);
    }
    if (block == NULL) {
        note_failure(size);
    } else {
        pages_use(block, size);
    }
    threads_leave();
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

static void *resize_hardened(void *ptr, size_t count, size_t size)
{
    void *quick =
        count == 0 ? NULL : hardened_resize_cached("realloc", ptr, count, size);
    if (quick != NULL) {
        return quick;
    }
    if (!entry_enter("realloc")) {
        die(bitfit_misuse_name(BITFIT_FOREIGN), "realloc", ptr);
    }
    void *block = NULL;
    if (!is_to_fail() && size <= PTRDIFF_MAX) {
        block = hardened_resize(ptr, size);
    }
    if (block == NULL) {
        note_failure(size);
    }
    threads_leave();
    return block != NULL ? block : fail("realloc");
}

void *entry_resize(void *ptr, size_t size)
{
    size_t before = heap_count_of(ptr);
    if (UNLIKELY(before == 0 && (early_owns(ptr) || empties_own(ptr)))) {
        return move(ptr, entry_size("realloc", ptr), size);
    }
    if (UNLIKELY(SETTINGS->options.hardened)) {
        return resize_hardened(ptr, before, size);
    }
    size_t after = size <= PTRDIFF_MAX ? heap_count_for(size) : 0;
    bool copied = SETTINGS->marks != NULL && is_small(before) &&
                  is_small(after) && !cache_marked(ptr);
    if (copied && before == after) {
        return ptr;
    }
    if (copied && before < after) {
        return move(ptr, heap_size_of(before), size);
    }
    void *block = copied ? cache_take_any(after) : NULL;
    if (block != NULL) {
        memcpy(block, ptr, size);
        entry_give("realloc", ptr, SIZE_MAX);
        return block;
    }
    return resize_in_pool(ptr, size); /* a shrink succeeds there */
}

/* ------------------------------------------------------------------ seeing */

/* The slow way, which looks whether the block is one. */
static size_t verified_size(const char *call, const void *ptr)
{
    if (early_owns(ptr)) {
        return early_size(ptr);
    }
    if (!entry_enter(call)) {
        die(bitfit_misuse_name(BITFIT_FOREIGN), call, ptr);
    }
    size_t size = 0;
    if (empties_own(ptr)) {
        empties_verify(ptr);
    } else if (SETTINGS->options.hardened) {
        size = hardened_size((void *)(uintptr_t)ptr);
    } else {
        size = heap_size_of(slow_verify(ptr));
    }
    threads_leave();
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

/* Unless the pointer is no block at all. */
_Noreturn void entry_accuse_alignment(const char *call, const void *ptr)
{
    entry_size(call, ptr);
    die("wrong alignment", call, ptr);
}
