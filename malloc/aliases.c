/*
 * The same functions by other names: C23's, glibc's own, and those of other
 * systems, none of which a header here declares.
 */
#include "entry.h"
#include "start.h"

#include <malloc.h>
#include <stdlib.h>

/* ---------------------------------------------------------------------- C23 */

void free_sized(void *ptr, size_t size);
EXPORT void free_sized(void *ptr, size_t size)
{
    entry_give("free_sized", ptr, entry_said(size));
}

void free_aligned_sized(void *ptr, size_t alignment, size_t size);
EXPORT void free_aligned_sized(void *ptr, size_t alignment, size_t size)
{
    entry_give_aligned("free_aligned_sized", ptr, alignment, entry_said(size));
}

/* -------------------------------------------------------------------- glibc */

void *__libc_malloc(size_t size);
EXPORT void *__libc_malloc(size_t size)
{
    return malloc(size);
}

void *__libc_calloc(size_t count, size_t size);
EXPORT void *__libc_calloc(size_t count, size_t size)
{
    return calloc(count, size);
}

void *__libc_realloc(void *ptr, size_t size);
EXPORT void *__libc_realloc(void *ptr, size_t size)
{
    return realloc(ptr, size);
}

void *__libc_reallocarray(void *ptr, size_t count, size_t size);
EXPORT void *__libc_reallocarray(void *ptr, size_t count, size_t size)
{
    return reallocarray(ptr, count, size);
}

void *__libc_memalign(size_t alignment, size_t size);
EXPORT void *__libc_memalign(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int __posix_memalign(void **to, size_t alignment, size_t size);
EXPORT int __posix_memalign(void **to, size_t alignment, size_t size)
{
    return posix_memalign(to, alignment, size);
}

void *__libc_valloc(size_t size);
EXPORT void *__libc_valloc(size_t size)
{
    return valloc(size);
}

void *__libc_pvalloc(size_t size);
EXPORT void *__libc_pvalloc(size_t size)
{
    return pvalloc(size);
}

void __libc_free(void *ptr);
EXPORT void __libc_free(void *ptr)
{
    free(ptr);
}

void __libc_cfree(void *ptr);
EXPORT void __libc_cfree(void *ptr)
{
    free(ptr);
}

void cfree(void *ptr);
EXPORT void cfree(void *ptr)
{
    free(ptr);
}

/* -------------------------------------------------------------- other systems
 */

size_t malloc_size(const void *ptr);
EXPORT size_t malloc_size(const void *ptr)
{
    return entry_size("malloc_size", ptr);
}

size_t malloc_good_size(size_t size);
EXPORT size_t malloc_good_size(size_t size)
{
    if (!heap_started()) {
        heap_start();
    }
    if (size > PTRDIFF_MAX || (size == 0 && SETTINGS->empties != NULL) ||
        SETTINGS->options.hardened) {
        return size; /* hardened, nobody may use more than was asked for */
    }
    return heap_count_for(size) << SETTINGS->view.granule_shift;
}

/* Frees the block if it cannot be resized. */
void *reallocf(void *ptr, size_t size);
EXPORT void *reallocf(void *ptr, size_t size)
{
    void *block = realloc(ptr, size);
    if (block == NULL && size != 0) {
        free(ptr);
    }
    return block;
}
