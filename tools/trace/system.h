/*
 * What the recorder asks of the kernel, past every library: see system_call.h.
 * They return what the kernel does: -errno on an error.
 */
#ifndef TRACE_SYSTEM_H
#define TRACE_SYSTEM_H

#include "../../kernel/system_call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static inline bool system_failed(long result)
{
    return result < 0 && result >= -4095;
}

/* ------------------------------------------------------------------- memory */

/* The bytes of a page here: 4096 or more. */
static inline size_t system_page(void)
{
    return getauxval(AT_PAGESZ);
}

/* NULL if and only if that is not possible. */
static inline void *system_map(size_t size, int flags, int file,
                               uint64_t offset)
{
#ifdef SYS_mmap2
    long at = system_call6(SYS_mmap2, 0, (long)size, PROT_READ | PROT_WRITE,
                           flags, file, (long)(offset >> 12));
#else
    long at = system_call6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                           flags, file, (long)offset);
#endif
    return system_failed(at) ? NULL : (void *)at;
}

/* Zeroed pages. */
static inline void *system_pages(size_t size)
{
    return system_map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static inline void system_unmap(void *at, size_t size)
{
    system_call6(SYS_munmap, (long)at, (long)size, 0, 0, 0, 0);
}

/* Puts zeroed pages of this process' own in the place of what is there. */
static inline void system_replace(void *at, size_t size)
{
#ifdef SYS_mmap2
    const long number = SYS_mmap2;
#else
    const long number = SYS_mmap;
#endif
    system_call6(number, (long)at, (long)size, PROT_READ | PROT_WRITE,
                 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* -------------------------------------------------------------------- files */

/* A descriptor that programs do not inherit; negative where that fails. */
static inline int system_open(const char *path, int flags)
{
    return (int)system_call6(SYS_openat, AT_FDCWD, (long)path,
                             flags | O_CLOEXEC, 0666, 0, 0);
}

static inline void system_close(int file)
{
    system_call6(SYS_close, file, 0, 0, 0, 0, 0);
}

static inline long system_read(int file, void *to, size_t size)
{
    return system_call6(SYS_read, file, (long)to, (long)size, 0, 0, 0);
}

static inline long system_write(int file, const void *from, size_t size)
{
    return system_call6(SYS_write, file, (long)from, (long)size, 0, 0, 0);
}

/* Where a long is no offset, the kernel takes offsets in ways of its own. */
#ifdef __LP64__
static inline long system_read_at(int file, void *to, size_t size,
                                  uint64_t offset)
{
    return system_call6(SYS_pread64, file, (long)to, (long)size, (long)offset,
                        0, 0);
}

static inline long system_allocate(int file, uint64_t size)
{
    return system_call6(SYS_fallocate, file, 0, 0, (long)size, 0, 0);
}

static inline long system_truncate(int file, uint64_t size)
{
    return system_call6(SYS_ftruncate, file, (long)size, 0, 0, 0, 0);
}
#else
static inline long system_read_at(int file, void *to, size_t size,
                                  uint64_t offset)
{
    return (long)pread64(file, to, size, (off64_t)offset);
}

static inline long system_allocate(int file, uint64_t size)
{
    return fallocate64(file, 0, 0, (off64_t)size) == 0 ? 0 : -errno;
}

static inline long system_truncate(int file, uint64_t size)
{
    return ftruncate64(file, (off64_t)size) == 0 ? 0 : -errno;
}
#endif

static inline bool system_about(int file, struct statx *about)
{
    return system_call6(SYS_statx, file, (long)"", AT_EMPTY_PATH,
                        STATX_INO | STATX_TYPE, (long)about, 0) == 0;
}

static inline long system_pid(void)
{
    return system_call6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

/* -------------------------------------------------------------------- others
 */

/* Sleeps while *word is `value`, up to a second. False if that was over. */
static inline bool system_wait(const void *word, unsigned value)
{
    struct timespec second = {.tv_sec = 1};
    return system_call6(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, (long)value,
                        (long)&second, 0, 0) != -ETIMEDOUT;
}

static inline void system_wake(const void *word)
{
    system_call6(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static inline void system_sleep_ms(long milliseconds)
{
    struct timespec pause = {.tv_nsec = milliseconds * 1000000};
    system_call6(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
}

#endif
