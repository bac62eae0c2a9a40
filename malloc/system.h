/*
 * What malloc() asks of the kernel, past every library: see system_call.h. All
 * return what the kernel does, and leave errno as it is.
 */
#ifndef BITFIT_MALLOC_SYSTEM_H
#define BITFIT_MALLOC_SYSTEM_H

#include "../kernel/system_call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

static inline long system_call(long number, long a, long b, long c, long d)
{
    return system_call6(number, a, b, c, d, 0, 0);
}

/* ------------------------------------------------------------------ memory */

/* Private memory, zeroed, at this place if it is not 0 and free; file: -1, or
 * what it shows. NULL if there is none. */
static inline void *system_map_at(uintptr_t place, size_t size, int protection,
                                  int file)
{
#ifdef SYS_mmap2
    const long number = SYS_mmap2;
#else
    const long number = SYS_mmap;
#endif
    int flags = MAP_PRIVATE | (file < 0 ? MAP_ANONYMOUS | MAP_NORESERVE : 0);
    long at = system_call6(number, (long)place, (long)size, protection, flags,
                           file, 0);
    return at < 0 && at >= -4095 ? NULL : (void *)at;
}

static inline void *system_map(size_t size, int protection, int file)
{
    return system_map_at(0, size, protection, file);
}

static inline void system_unmap(void *start, size_t size)
{
    system_call(SYS_munmap, (long)start, (long)size, 0, 0);
}

static inline bool system_protect(void *start, size_t size, int protection)
{
    return system_call(SYS_mprotect, (long)start, (long)size, protection, 0) ==
           0;
}

static inline bool system_advise(void *start, size_t size, int advice)
{
    return system_call(SYS_madvise, (long)start, (long)size, advice, 0) == 0;
}

/* Gives these pages now, as if each were written to. False, too, on systems
 * that know no such call (before Linux 5.14). */
static inline bool system_populate(void *start, size_t size)
{
    enum { POPULATE_WRITE = 23 };
    return system_advise(start, size, POPULATE_WRITE);
}

static inline bool system_lock(void *start, size_t size)
{
    return system_call(SYS_mlock, (long)start, (long)size, 0, 0) == 0;
}

/* ------------------------------------------------------------------- files */

static inline int system_open(const char *path, int flags)
{
    return (int)system_call(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC,
                            0666);
}

static inline void system_close(int file)
{
    system_call(SYS_close, file, 0, 0, 0);
}

static inline long system_read(int file, void *to, size_t size)
{
    return system_call(SYS_read, file, (long)to, (long)size, 0);
}

/* As the old calls of the kernel's have it, whatever time_t is here. */
typedef struct system_time {
    long seconds;
    long nanoseconds;
} system_time;

/* Waits until something can be written, but not for ever: whether it can. */
static inline bool system_can_write(int file)
{
    enum { PATIENCE_SECONDS = 5 };
    struct pollfd wanted = {.fd = file, .events = POLLOUT};
    system_time patience = {PATIENCE_SECONDS, 0};
    system_call(SYS_ppoll, (long)&wanted, 1, (long)&patience, 0);
    return (wanted.revents & POLLOUT) != 0;
}

/* Whether all of it was written. */
static inline bool system_write(int file, const char *from, size_t size)
{
    while (size > 0) {
        long written = system_call(SYS_write, file, (long)from, (long)size, 0);
        if (written == -EINTR ||
            (written == -EAGAIN && system_can_write(file))) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        from += written;
        size -= (size_t)written;
    }
    return true;
}

/* A descriptor from `least` on for the same file; negative if there is none. */
static inline int system_duplicate(int file, int least)
{
    return (int)system_call(SYS_fcntl, file, F_DUPFD_CLOEXEC, least, 0);
}

static inline bool system_extend(int file, size_t size)
{
    return system_call(SYS_ftruncate, file, (long)size, 0, 0) == 0;
}

/* The folder that the process is in; false if its name does not fit. */
static inline bool system_folder(char *to, size_t size)
{
    return system_call(SYS_getcwd, (long)to, (long)size, 0, 0) > 0 &&
           to[0] == '/';
}

/* Which file a descriptor is; all zeros if that is not known. */
typedef struct file_identity {
    uint64_t device;
    uint64_t number;
} file_identity;

static inline file_identity system_identity(int file)
{
    struct statx about;
    if (system_call6(SYS_statx, file, (long)"", AT_EMPTY_PATH, STATX_INO,
                     (long)&about, 0) != 0) {
        return (file_identity){0, 0};
    }
    return (file_identity){.device = (uint64_t)about.stx_dev_major << 32 |
                                     about.stx_dev_minor,
                           .number = about.stx_ino};
}

static inline bool system_is_same(int file, file_identity known)
{
    file_identity now = system_identity(file);
    return known.number != 0 && now.device == known.device &&
           now.number == known.number;
}

/* ----------------------------------------------------------------- signals */

/* Signals as the kernel has them. The C library's calls would leave out those
 * of its own, by which it cancels threads. */
enum { SIGNALS = _NSIG - 1, SIGNALS_SIZE = (SIGNALS + 7) / 8 };

typedef struct signal_set {
    unsigned long words[SIGNALS_SIZE / sizeof(long)];
} signal_set;

/* SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK; what was blocked before. */
static inline signal_set system_mask(int how, signal_set signals)
{
    signal_set before = {{0}};
    system_call(SYS_rt_sigprocmask, how, (long)&signals, (long)&before,
                SIGNALS_SIZE);
    return before;
}

static inline signal_set system_block_signals(void)
{
    signal_set all;
    memset(&all, 0xff, sizeof all);
    return system_mask(SIG_BLOCK, all);
}

/* ---------------------------------------------------------------- the rest */

/* Nanoseconds since some moment, to a few milliseconds. */
static inline int64_t system_clock(void)
{
    system_time now = {0, 0};
    system_call(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, (long)&now, 0, 0);
    return (int64_t)now.seconds * 1000000000 + now.nanoseconds;
}

static inline pid_t system_process(void)
{
    return (pid_t)system_call(SYS_getpid, 0, 0, 0, 0);
}

static inline unsigned system_thread(void)
{
    return (unsigned)system_call(SYS_gettid, 0, 0, 0, 0);
}

/* The limit, in bytes; SIZE_MAX where there is none. */
static inline size_t system_limit(int which)
{
    struct {
        uint64_t now;
        uint64_t most;
    } limit;
    long failed = system_call(SYS_prlimit64, 0, which, 0, (long)&limit);
    return failed != 0 || limit.now > SIZE_MAX ? SIZE_MAX : (size_t)limit.now;
}

#endif
