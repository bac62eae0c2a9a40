/*
 * System calls that nothing stands in front of: a library that another program
 * preloads may replace mmap() or open() by one that allocates, and the recorder
 * works inside malloc. They return what the kernel does: -errno on an error.
 */
#ifndef TRACE_SYSTEM_H
#define TRACE_SYSTEM_H

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__) && defined(__LP64__)
static inline long system_call(long number, long a, long b, long c, long d,
                               long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__) && defined(__LP64__)
static inline long system_call(long number, long a, long b, long c, long d,
                               long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
static inline long system_call(long number, long a, long b, long c, long d,
                               long e, long f)
{
    int kept = errno;
    long result = syscall(number, a, b, c, d, e, f);
    if (result == -1)
        result = -errno;
    errno = kept;
    return result;
}
#endif

static inline bool system_failed(long result)
{
    return result < 0 && result >= -4095;
}

/* ------------------------------------------------------------------- memory */

/* NULL if and only if that is not possible. */
static inline void *system_map(size_t size, int flags, int file,
                               uint64_t offset)
{
#ifdef SYS_mmap2
    long at = system_call(SYS_mmap2, 0, (long)size, PROT_READ | PROT_WRITE,
                          flags, file, (long)(offset >> 12));
#else
    long at = system_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
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
    system_call(SYS_munmap, (long)at, (long)size, 0, 0, 0, 0);
}

/* Puts zeroed pages of this process' own in the place of what is there. */
static inline void system_replace(void *at, size_t size)
{
#ifdef SYS_mmap2
    const long number = SYS_mmap2;
#else
    const long number = SYS_mmap;
#endif
    system_call(number, (long)at, (long)size, PROT_READ | PROT_WRITE,
                MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* -------------------------------------------------------------------- files */

/* A descriptor that programs do not inherit; negative where that fails. */
static inline int system_open(const char *path, int flags)
{
    return (int)system_call(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC,
                            0666, 0, 0);
}

static inline void system_close(int file)
{
    system_call(SYS_close, file, 0, 0, 0, 0, 0);
}

static inline long system_read(int file, void *to, size_t size)
{
    return system_call(SYS_read, file, (long)to, (long)size, 0, 0, 0);
}

static inline long system_write(int file, const void *from, size_t size)
{
    return system_call(SYS_write, file, (long)from, (long)size, 0, 0, 0);
}

/* Where a long is no offset, the kernel takes offsets in ways of its own. */
#ifdef __LP64__
static inline long system_read_at(int file, void *to, size_t size,
                                  uint64_t offset)
{
    return system_call(SYS_pread64, file, (long)to, (long)size, (long)offset, 0,
                       0);
}

static inline long system_allocate(int file, uint64_t size)
{
    return system_call(SYS_fallocate, file, 0, 0, (long)size, 0, 0);
}

static inline long system_truncate(int file, uint64_t size)
{
    return system_call(SYS_ftruncate, file, (long)size, 0, 0, 0, 0);
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
    return system_call(SYS_statx, file, (long)"", AT_EMPTY_PATH,
                       STATX_INO | STATX_TYPE, (long)about, 0) == 0;
}

static inline long system_pid(void)
{
    return system_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

/* -------------------------------------------------------------------- others
 */

/* Sleeps while *word is `value`, up to a second. False if that was over. */
static inline bool system_wait(const void *word, unsigned value)
{
    struct timespec second = {.tv_sec = 1};
    return system_call(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, (long)value,
                       (long)&second, 0, 0) != -ETIMEDOUT;
}

static inline void system_wake(const void *word)
{
    system_call(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static inline void system_sleep_ms(long milliseconds)
{
    struct timespec pause = {.tv_nsec = milliseconds * 1000000};
    system_call(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
}

#endif
