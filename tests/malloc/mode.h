/*
 * Which way the library works in this process.
 */
#ifndef BITFIT_TESTS_MALLOC_MODE_H
#define BITFIT_TESTS_MALLOC_MODE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool is_hardened(void)
{
    const char *value = getenv("BITFIT_HARDENED");
    return value != NULL && strcmp(value, "1") == 0;
}

#endif
