/*
 * What malloc/ asks about the platform: here, in system.h and in glibc.c.
 */
#ifndef BITFIT_MALLOC_ABI_H
#define BITFIT_MALLOC_ABI_H

#include <stdint.h>

/* Makes a name of the library's known outside. */
#define EXPORT __attribute__((visibility("default")))

/* How size_t is written in a C++ name. */
#if SIZE_MAX == UINT64_MAX
#define SIZE_NAME "m"
#else
#define SIZE_NAME "j"
#endif

#endif
