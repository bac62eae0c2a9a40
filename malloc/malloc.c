/*
 * The C functions.
 */
#include "entry.h"
#include "start.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

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
    void *block = cache_take(bytes);
    if (LIKELY(block != NULL)) {
        return memset(block, 0, bytes);
    }
    return entry_take_full("calloc", 1, bytes, FILL_ZERO);
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
    return entry_resize(ptr, size);
}

EXPORT void *reallocarray(void *ptr, size_t count, size_t size)
{
    return realloc(ptr, product(count, size));
}

/* ------------------------------------------------------------------ aligned */

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    if (!bf_is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return entry_take_aligned("aligned_alloc", alignment, size);
}

EXPORT int posix_memalign(void **to, size_t alignment, size_t size)
{
    if (!bf_is_power_of_two(alignment) || alignment % sizeof(void *) != 0) {
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

EXPORT size_t malloc_usable_size(void *ptr)
{
    return entry_size("malloc_usable_size", ptr);
}
