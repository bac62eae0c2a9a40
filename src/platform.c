#include "platform.h"

#if BITFIT_FREESTANDING

void bf_mutex_init(bf_mutex *mutex)
{
    *mutex = 0;
}

bool bf_mutex_acquire(bf_mutex *mutex)
{
    (void)mutex;
    return true;
}

void bf_mutex_release(bf_mutex *mutex)
{
    (void)mutex;
}

__attribute__((weak)) void bitfit_trap(const bitfit_misuse *misuse)
{
    (void)misuse;
    __builtin_trap();
}

void bf_die(const char *line, size_t length, const bitfit_misuse *misuse)
{
    (void)line;
    (void)length;
    bitfit_trap(misuse);
}

#elif defined(_WIN32)

#include <windows.h>

#include <stdlib.h>

/* SRWLOCK does not know its owner, and re-entry must be seen, not hang. */
void bf_mutex_init(bf_mutex *mutex)
{
    InitializeSRWLock((SRWLOCK *)&mutex->lock);
    mutex->owner = 0;
}

bool bf_mutex_acquire(bf_mutex *mutex)
{
    unsigned long self = GetCurrentThreadId();
    if (__atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) == self) {
        return false;
    }
    AcquireSRWLockExclusive((SRWLOCK *)&mutex->lock);
    __atomic_store_n(&mutex->owner, self, __ATOMIC_RELAXED);
    return true;
}

void bf_mutex_release(bf_mutex *mutex)
{
    __atomic_store_n(&mutex->owner, 0, __ATOMIC_RELAXED);
    ReleaseSRWLockExclusive((SRWLOCK *)&mutex->lock);
}

void bf_die(const char *line, size_t length, const bitfit_misuse *misuse)
{
    DWORD written;
    (void)misuse;
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), line, (DWORD)length, &written,
              NULL);
    abort();
}

#else

#include <stdlib.h>
#include <unistd.h>

void bf_mutex_init(bf_mutex *mutex)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

bool bf_mutex_acquire(bf_mutex *mutex)
{
    return pthread_mutex_lock(mutex) == 0;
}

void bf_mutex_release(bf_mutex *mutex)
{
    /* A child of fork() has another thread id than the parent that locked. */
    if (pthread_mutex_unlock(mutex) != 0) {
        bf_mutex_init(mutex);
    }
}

void bf_die(const char *line, size_t length, const bitfit_misuse *misuse)
{
    (void)misuse;
    /* The line is a courtesy: there is nobody to tell if it cannot be said. */
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
    abort();
}

#endif

#ifdef BITFIT_COUNT_TOUCH
unsigned long bitfit_touched;
#endif
