/* A library to be loaded and unloaded, with a constructor that allocates. */
#include <stdlib.h>

static void *kept;

void *plugin_take(void);

__attribute__((constructor)) static void begin(void)
{
    kept = malloc(1000);
}

__attribute__((destructor)) static void end(void)
{
    free(kept);
}

void *plugin_take(void)
{
    return malloc(200);
}
