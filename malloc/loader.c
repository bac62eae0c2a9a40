/*
 * dlopen(): with RTLD_DEEPBIND a library would find the C library's malloc()
 * and free() before these, and free there what was allocated here. So that flag
 * is left out.
 */
#include "entry.h"

#include <dlfcn.h>

typedef void *opener(const char *path, int flags);

/* A call in tail position, so that the C library still sees who called: the
 * folders that it looks in depend on that. */
EXPORT void *dlopen(const char *path, int flags)
{
    union {
        void *found;
        opener *open;
    } next = {dlsym(RTLD_NEXT, "dlopen")};
    if (next.found == NULL) {
        return NULL;
    }
#ifdef RTLD_DEEPBIND
    flags &= ~RTLD_DEEPBIND;
#endif
    return next.open(path, flags);
}
