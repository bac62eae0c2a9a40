/*
 * The C++ operators, in C: a program without C++ needs no C++ library for them.
 * What only that library can do, throwing, is looked up in it when a request
 * has failed.
 */
#include "abi.h"
#include "entry.h"
#include "text.h"

#include <dlfcn.h>
#include <stdlib.h>

#define CXX(name) __asm__(name) EXPORT

typedef struct nothrow_t nothrow_t;

/* ------------------------------------------------------------- no more memory
 */

typedef void cxx_function(void);
typedef cxx_function *cxx_get_handler(void);

/* A function of the C++ library, not of this one. The library may have been
 * loaded out of sight. NULL if there is none. */
static void *cxx_library(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    void *library = NULL;
    if (found == NULL) {
        library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
    }
    return library == NULL ? found : dlsym(library, name);
}

/* The handler that std::set_new_handler() set, or NULL. */
static cxx_function *cxx_handler(void)
{
    union {
        void *found;
        cxx_get_handler *get;
    } handler = {cxx_library("_ZSt15get_new_handlerv")};
    return handler.found == NULL ? NULL : handler.get();
}

static void throw_bad_alloc(const char *call)
{
    union {
        void *found;
        cxx_function *call;
    } thrower = {cxx_library("_ZSt17__throw_bad_allocv")};
    if (thrower.found == NULL) {
        die("out of memory, and no C++ library to throw", call, NULL);
    }
    thrower.call();
}

/* As operator new does: the handler may make room, or throw. */
static void *take_or_throw(const char *call, size_t alignment, size_t size)
{
    for (;;) {
        void *block = entry_take_aligned(call, alignment, size);
        if (LIKELY(block != NULL)) {
            return block;
        }
        cxx_function *handler = cxx_handler();
        if (handler == NULL) {
            throw_bad_alloc(call);
        } else {
            handler();
        }
    }
}

/* Where there is a handler, the library's own operator `name` is left to catch
 * what it throws. Alignment 0 is none. */
static void *take_or_null(const char *name, const char *call, size_t alignment,
                          size_t size, const nothrow_t *nothrow)
{
    void *block = entry_take_aligned(call, alignment, size);
    if (LIKELY(block != NULL) || cxx_handler() == NULL) {
        return block;
    }
    union {
        void *found;
        void *(*plain)(size_t, const nothrow_t *);
        void *(*aligned)(size_t, size_t, const nothrow_t *);
    } next = {cxx_library(name)};
    if (next.found == NULL) {
        return NULL;
    }
    return alignment == 0 ? next.plain(size, nothrow)
                          : next.aligned(size, alignment, nothrow);
}

/* ----------------------------------------------------------------- operators
 */

static inline void *take_plain(const char *call, size_t size)
{
    void *block = cache_take(size);
    return LIKELY(block != NULL) ? block : take_or_throw(call, 0, size);
}

void *new_plain(size_t) CXX("_Znw" SIZE_NAME);
void *new_plain(size_t size)
{
    return take_plain("operator new", size);
}

void *new_array(size_t) CXX("_Zna" SIZE_NAME);
void *new_array(size_t size)
{
    return take_plain("operator new[]", size);
}

#define NEW_NOTHROW "_Znw" SIZE_NAME "RKSt9nothrow_t"
void *new_nothrow(size_t, const nothrow_t *) CXX(NEW_NOTHROW);
void *new_nothrow(size_t size, const nothrow_t *nothrow)
{
    return take_or_null(NEW_NOTHROW, "operator new", 0, size, nothrow);
}

#define NEW_ARRAY_NOTHROW "_Zna" SIZE_NAME "RKSt9nothrow_t"
void *new_array_nothrow(size_t, const nothrow_t *) CXX(NEW_ARRAY_NOTHROW);
void *new_array_nothrow(size_t size, const nothrow_t *nothrow)
{
    return take_or_null(NEW_ARRAY_NOTHROW, "operator new[]", 0, size, nothrow);
}

void *new_aligned(size_t, size_t) CXX("_Znw" SIZE_NAME "St11align_val_t");
void *new_aligned(size_t size, size_t alignment)
{
    return take_or_throw("operator new", alignment, size);
}

void *new_array_aligned(size_t, size_t) CXX("_Zna" SIZE_NAME "St11align_val_t");
void *new_array_aligned(size_t size, size_t alignment)
{
    return take_or_throw("operator new[]", alignment, size);
}

#define NEW_ALIGNED_NOTHROW "_Znw" SIZE_NAME "St11align_val_tRKSt9nothrow_t"
void *new_aligned_nothrow(size_t, size_t, const nothrow_t *)
    CXX(NEW_ALIGNED_NOTHROW);
void *new_aligned_nothrow(size_t size, size_t alignment,
                          const nothrow_t *nothrow)
{
    return take_or_null(NEW_ALIGNED_NOTHROW, "operator new", alignment, size,
                        nothrow);
}

#define NEW_ARRAY_ALIGNED_NOTHROW                                              \
    "_Zna" SIZE_NAME "St11align_val_tRKSt9nothrow_t"
void *new_array_aligned_nothrow(size_t, size_t, const nothrow_t *)
    CXX(NEW_ARRAY_ALIGNED_NOTHROW);
void *new_array_aligned_nothrow(size_t size, size_t alignment,
                                const nothrow_t *nothrow)
{
    return take_or_null(NEW_ARRAY_ALIGNED_NOTHROW, "operator new[]", alignment,
                        size, nothrow);
}

void delete_plain(void *) CXX("_ZdlPv");
void delete_plain(void *ptr)
{
    entry_give("operator delete", ptr, SIZE_MAX);
}

void delete_array(void *) CXX("_ZdaPv");
void delete_array(void *ptr)
{
    entry_give("operator delete[]", ptr, SIZE_MAX);
}

void delete_nothrow(void *, const nothrow_t *) CXX("_ZdlPvRKSt9nothrow_t");
void delete_nothrow(void *ptr, const nothrow_t *nothrow)
{
    (void)nothrow;
    entry_give("operator delete", ptr, SIZE_MAX);
}

void delete_array_nothrow(void *, const nothrow_t *)
    CXX("_ZdaPvRKSt9nothrow_t");
void delete_array_nothrow(void *ptr, const nothrow_t *nothrow)
{
    (void)nothrow;
    entry_give("operator delete[]", ptr, SIZE_MAX);
}

void delete_sized(void *, size_t) CXX("_ZdlPv" SIZE_NAME);
void delete_sized(void *ptr, size_t size)
{
    entry_give("operator delete", ptr, entry_said(size));
}

void delete_array_sized(void *, size_t) CXX("_ZdaPv" SIZE_NAME);
void delete_array_sized(void *ptr, size_t size)
{
    entry_give("operator delete[]", ptr, entry_said(size));
}

void delete_aligned(void *, size_t) CXX("_ZdlPvSt11align_val_t");
void delete_aligned(void *ptr, size_t alignment)
{
    entry_give_aligned("operator delete", ptr, alignment, SIZE_MAX);
}

void delete_array_aligned(void *, size_t) CXX("_ZdaPvSt11align_val_t");
void delete_array_aligned(void *ptr, size_t alignment)
{
    entry_give_aligned("operator delete[]", ptr, alignment, SIZE_MAX);
}

void delete_aligned_nothrow(void *, size_t, const nothrow_t *)
    CXX("_ZdlPvSt11align_val_tRKSt9nothrow_t");
void delete_aligned_nothrow(void *ptr, size_t alignment,
                            const nothrow_t *nothrow)
{
    (void)nothrow;
    entry_give_aligned("operator delete", ptr, alignment, SIZE_MAX);
}

void delete_array_aligned_nothrow(void *, size_t, const nothrow_t *)
    CXX("_ZdaPvSt11align_val_tRKSt9nothrow_t");
void delete_array_aligned_nothrow(void *ptr, size_t alignment,
                                  const nothrow_t *nothrow)
{
    (void)nothrow;
    entry_give_aligned("operator delete[]", ptr, alignment, SIZE_MAX);
}

void delete_sized_aligned(void *, size_t, size_t)
    CXX("_ZdlPv" SIZE_NAME "St11align_val_t");
void delete_sized_aligned(void *ptr, size_t size, size_t alignment)
{
    entry_give_aligned("operator delete", ptr, alignment, entry_said(size));
}

void delete_array_sized_aligned(void *, size_t, size_t)
    CXX("_ZdaPv" SIZE_NAME "St11align_val_t");
void delete_array_sized_aligned(void *ptr, size_t size, size_t alignment)
{
    entry_give_aligned("operator delete[]", ptr, alignment, entry_said(size));
}
