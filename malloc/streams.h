/*
 * glibc's lock of the list of all streams, which fork() takes and under which
 * a stream's own functions may allocate: whoever holds the heap's lock for a
 * fork must have this one before. Elsewhere there is no such lock.
 */
#ifndef BITFIT_MALLOC_STREAMS_H
#define BITFIT_MALLOC_STREAMS_H

#include <stdio.h>

#ifdef __GLIBC__
void _IO_list_lock(void) __attribute__((weak));
void _IO_list_unlock(void) __attribute__((weak));
void _IO_list_resetlock(void) __attribute__((weak));

static inline void streams_lock(void)
{
    if (_IO_list_lock != NULL) {
        _IO_list_lock();
    }
}

static inline void streams_unlock(void)
{
    if (_IO_list_unlock != NULL) {
        _IO_list_unlock();
    }
}

/* In a fork's child, where the holder is another thread by name. */
static inline void streams_reset(void)
{
    if (_IO_list_resetlock != NULL) {
        _IO_list_resetlock();
    }
}
#else
static inline void streams_lock(void)
{
}

static inline void streams_unlock(void)
{
}

static inline void streams_reset(void)
{
}
#endif

#endif
