/*
 * C++'s operators, for programs whose malloc brings its own: those do not call
 * malloc. Each reaches the hooks of the malloc family; only where that finds no
 * memory, the operator that the program would have is asked, which calls the
 * new-handler and throws.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A std::align_val_t is a size; a std::nothrow_t is passed by reference. */
typedef void *plain_new(size_t size);
typedef void *aligned_new(size_t size, size_t alignment);

#define EXPORTED __attribute__((visibility("default")))

/* The names as compilers mangle them where size_t is unsigned long. */
EXPORTED plain_new _Znwm, _Znam;
EXPORTED aligned_new _ZnwmSt11align_val_t, _ZnamSt11align_val_t;
EXPORTED void *_ZnwmRKSt9nothrow_t(size_t size, const void *nothrow);
EXPORTED void *_ZnamRKSt9nothrow_t(size_t size, const void *nothrow);
EXPORTED void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment,
                                                  const void *nothrow);
EXPORTED void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment,
                                                  const void *nothrow);
EXPORTED void _ZdlPv(void *ptr);
EXPORTED void _ZdaPv(void *ptr);
EXPORTED void _ZdlPvm(void *ptr, size_t size);
EXPORTED void _ZdaPvm(void *ptr, size_t size);
EXPORTED void _ZdlPvRKSt9nothrow_t(void *ptr, const void *nothrow);
EXPORTED void _ZdaPvRKSt9nothrow_t(void *ptr, const void *nothrow);
EXPORTED void _ZdlPvSt11align_val_t(void *ptr, size_t alignment);
EXPORTED void _ZdaPvSt11align_val_t(void *ptr, size_t alignment);
EXPORTED void _ZdlPvmSt11align_val_t(void *ptr, size_t size, size_t alignment);
EXPORTED void _ZdaPvmSt11align_val_t(void *ptr, size_t size, size_t alignment);
EXPORTED void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *ptr, size_t alignment,
                                                  const void *nothrow);
EXPORTED void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *ptr, size_t alignment,
                                                  const void *nothrow);

/* -------------------------------------------------------------------- new */

/* Whoever calls operator new has the library that defines it. */
static void find(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    memcpy(function, &found, sizeof found);
}

void *_Znwm(size_t size)
{
    void *ptr = malloc(size);
    plain_new *next;
    if (ptr != NULL)
        return ptr;
    find("_Znwm", &next);
    return next(size);
}

void *_ZnwmSt11align_val_t(size_t size, size_t alignment)
{
    void *ptr = memalign(alignment, size);
    aligned_new *next;
    if (ptr != NULL)
        return ptr;
    find("_ZnwmSt11align_val_t", &next);
    return next(size, alignment);
}

void *_ZnwmRKSt9nothrow_t(size_t size, const void *nothrow)
{
    void *ptr = malloc(size);
    void *(*next)(size_t, const void *);
    if (ptr != NULL)
        return ptr;
    find("_ZnwmRKSt9nothrow_t", &next);
    return next(size, nothrow);
}

void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment,
                                         const void *nothrow)
{
    void *ptr = memalign(alignment, size);
    void *(*next)(size_t, size_t, const void *);
    if (ptr != NULL)
        return ptr;
    find("_ZnwmSt11align_val_tRKSt9nothrow_t", &next);
    return next(size, alignment, nothrow);
}

void *_Znam(size_t size)
{
    return _Znwm(size);
}

void *_ZnamSt11align_val_t(size_t size, size_t alignment)
{
    return _ZnwmSt11align_val_t(size, alignment);
}

void *_ZnamRKSt9nothrow_t(size_t size, const void *nothrow)
{
    return _ZnwmRKSt9nothrow_t(size, nothrow);
}

void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment,
                                         const void *nothrow)
{
    return _ZnwmSt11align_val_tRKSt9nothrow_t(size, alignment, nothrow);
}

/* ----------------------------------------------------------------- delete */

void _ZdlPv(void *ptr)
{
    free(ptr);
}

void _ZdaPv(void *ptr)
{
    free(ptr);
}

void _ZdlPvm(void *ptr, size_t size)
{
    (void)size;
    free(ptr);
}

void _ZdaPvm(void *ptr, size_t size)
{
    (void)size;
    free(ptr);
}

void _ZdlPvRKSt9nothrow_t(void *ptr, const void *nothrow)
{
    (void)nothrow;
    free(ptr);
}

void _ZdaPvRKSt9nothrow_t(void *ptr, const void *nothrow)
{
    (void)nothrow;
    free(ptr);
}

void _ZdlPvSt11align_val_t(void *ptr, size_t alignment)
{
    (void)alignment;
    free(ptr);
}

void _ZdaPvSt11align_val_t(void *ptr, size_t alignment)
{
    (void)alignment;
    free(ptr);
}

void _ZdlPvmSt11align_val_t(void *ptr, size_t size, size_t alignment)
{
    (void)size;
    (void)alignment;
    free(ptr);
}

void _ZdaPvmSt11align_val_t(void *ptr, size_t size, size_t alignment)
{
    (void)size;
    (void)alignment;
    free(ptr);
}

void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *ptr, size_t alignment,
                                         const void *nothrow)
{
    (void)alignment;
    (void)nothrow;
    free(ptr);
}

void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *ptr, size_t alignment,
                                         const void *nothrow)
{
    (void)alignment;
    (void)nothrow;
    free(ptr);
}
