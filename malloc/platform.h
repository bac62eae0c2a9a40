/*
 * What differs between platforms: this and platform_glibc.c hold all that
 * malloc/ asks about them.
 */
#ifndef BITFIT_MALLOC_PLATFORM_H
#define BITFIT_MALLOC_PLATFORM_H

#include <stdint.h>

/* How size_t is written in a C++ name. */
#if SIZE_MAX == UINT64_MAX
#define SIZE_NAME "m"
#else
#define SIZE_NAME "j"
#endif

#endif
