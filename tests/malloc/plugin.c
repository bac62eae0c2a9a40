/* A library to be loaded and unloaded, with a constructor that allocates. */
#include <stdlib.h>
#include <string.h>

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

char *plugin_swap(char *given);

/* Frees what its program allocated, which frees what this allocates. */
char *plugin_swap(char *given)
{
    free(given);
    return strdup("from the plugin");
}

void *plugin_take(void)
{
    return malloc(200);
}
