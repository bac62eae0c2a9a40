/*
 * What is unloaded, of which the recorder knows rules.
 */
#include "rules.h"

#include <dlfcn.h>
#include <string.h>

__attribute__((visibility("default"))) int dlclose(void *library)
{
    int (*next)(void *);
    void *found = dlsym(RTLD_NEXT, "dlclose");
    memcpy(&next, &found, sizeof found);
    int result = next(library);
    rules_forget();
    return result;
}
