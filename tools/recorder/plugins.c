/*
 * Plugins that are loaded with RTLD_DEEPBIND would ask the C library for memory
 * and give it what comes from here, or the other way round: it is left out.
 * Where there is no such flag this file is empty.
 */
#include <dlfcn.h>
#include <string.h>

#ifdef RTLD_DEEPBIND

#define EXPORT __attribute__((visibility("default")))

/* The C library finds out who calls it: the call must be a jump, whatever else
 * is optimized. */
#if defined(__clang__)
#define JUMP __attribute__((musttail)) return
#define JUMPS
#else
#define JUMP return
#define JUMPS __attribute__((optimize("O2")))
#endif

typedef void *open_function(const char *file, int flags);
typedef void *open_in_function(Lmid_t space, const char *file, int flags);

static void find(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

JUMPS EXPORT void *dlopen(const char *file, int flags)
{
    static open_function *volatile next;
    if (next == NULL) {
        open_function *found;
        find("dlopen", &found);
        next = found;
    }
    JUMP next(file, flags & ~RTLD_DEEPBIND);
}

/* Other name spaces have a C library of their own, with its malloc. */
JUMPS EXPORT void *dlmopen(Lmid_t space, const char *file, int flags)
{
    static open_in_function *volatile next;
    if (next == NULL) {
        open_in_function *found;
        find("dlmopen", &found);
        next = found;
    }
    JUMP next(space, file, flags & ~RTLD_DEEPBIND);
}

#else
typedef int plugins_nothing;
#endif
