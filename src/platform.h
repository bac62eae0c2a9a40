/*
 * The seam: everything that differs between platforms, and nothing else.
 *
 * The core above it is plain C11 with freestanding headers. A port supplies
 * a word, three bit operations, a lock and a way to report; platform_lanes.h
 * supplies the vector searches.
 */
#ifndef BITFIT_PLATFORM_H
#define BITFIT_PLATFORM_H

/* A strict -std=c11 hides the kinds of mutexes otherwise. */
#if !defined(_POSIX_C_SOURCE) && !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L
#endif

/* The options of the build in a header, in place of -D flags: what stands after
 * #include, such as -DBITFIT_CONFIG_HEADER='"board.h"'. */
#ifdef BITFIT_CONFIG_HEADER
#include BITFIT_CONFIG_HEADER
#endif

#include "bitfit.h"

/* ------------------------------------------------------------------ words */

#ifndef BITFIT_WORD_BITS
#if UINTPTR_MAX > 0xffffffffu
#define BITFIT_WORD_BITS 64
#else
#define BITFIT_WORD_BITS 32
#endif
#endif

#if BITFIT_WORD_BITS == 64
typedef uint64_t bf_word;
#define BF_WORD_SHIFT 6
#elif BITFIT_WORD_BITS == 32
typedef uint32_t bf_word;
#define BF_WORD_SHIFT 5
#else
#error "BITFIT_WORD_BITS is 32 or 64"
#endif

enum { BF_WORD_BITS = BITFIT_WORD_BITS };

#if defined(__GNUC__)
#define BF_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define BF_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#ifdef __OPTIMIZE_SIZE__
#define BF_INLINE static inline
#else
#define BF_INLINE static inline __attribute__((always_inline))
#endif
#define BF_NOINLINE __attribute__((noinline))

/* Before a short loop of fixed length on the hot path. -Os leaves it rolled. */
#ifdef __OPTIMIZE_SIZE__
#define BF_UNROLL
#elif defined(__clang__)
#define BF_UNROLL _Pragma("clang loop unroll(full)")
#else
#define BF_UNROLL _Pragma("GCC unroll 16")
#endif

/* Index of the lowest and of the highest set bit; the word is not 0. */
BF_INLINE unsigned bf_lowest_bit(bf_word word)
{
    return (unsigned)(BITFIT_WORD_BITS == 64 ? __builtin_ctzll(word)
                                             : __builtin_ctz((uint32_t)word));
}

BF_INLINE unsigned bf_highest_bit(bf_word word)
{
    return (unsigned)(BITFIT_WORD_BITS == 64
                          ? 63 - __builtin_clzll(word)
                          : 31 - __builtin_clz((uint32_t)word));
}
#else
#define BF_LIKELY(condition) (condition)
#define BF_UNLIKELY(condition) (condition)
#define BF_INLINE static inline
#define BF_NOINLINE
#define BF_UNROLL

BF_INLINE unsigned bf_highest_bit(bf_word word)
{
    unsigned bit = 0;
    while (word >>= 1) {
        bit++;
    }
    return bit;
}

BF_INLINE unsigned bf_lowest_bit(bf_word word)
{
    return bf_highest_bit(word & (0 - word));
}
#endif

/* Whether to have a path of its own for what lies in one word. Smaller without,
 * and as exact. */
#ifdef __OPTIMIZE_SIZE__
#define BF_FAST_PATHS 0
#else
#define BF_FAST_PATHS 1
#endif

/* A function that reads bits of words in which others change other bits,
 * without a lock: BF_LOAD_RACING() is one load of a word. ThreadSanitizer is
 * told that the race is meant, which it believes of functions that are not
 * inlined. */
#if defined(__SANITIZE_THREAD__)
#define BF_SEES_RACES 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BF_SEES_RACES 1
#endif
#endif
#ifdef BF_SEES_RACES
#define BF_RACES __attribute__((no_sanitize("thread"), noinline, unused)) static
#elif defined(__GNUC__)
#define BF_RACES BF_INLINE __attribute__((unused))
#else
#define BF_RACES BF_INLINE
#endif
#define BF_LOAD_RACING(word) (*(const volatile bf_word *)&(word))

/* A test build counts the words of bookkeeping that each call touches. */
#ifdef BITFIT_COUNT_TOUCH
extern unsigned long bitfit_touched;
#define BF_TOUCH() ((void)bitfit_touched++)
#else
#define BF_TOUCH() ((void)0)
#endif

/* ------------------------------------------------------------ from outside */

/* All that a freestanding build must supply. */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);

/* ------------------------------------------------------------------- locks */

#ifndef BITFIT_FREESTANDING
#if __STDC_HOSTED__
#define BITFIT_FREESTANDING 0
#else
#define BITFIT_FREESTANDING 1
#endif
#endif

#if BITFIT_FREESTANDING
#define BF_HAS_MUTEX 0
typedef char bf_mutex;
#elif defined(_WIN32)
#define BF_HAS_MUTEX 1
typedef struct bf_mutex {
    void *lock;          /* an SRWLOCK, which is one pointer */
    unsigned long owner; /* thread id, 0 while it is free */
} bf_mutex;
#else
#include <pthread.h>
#define BF_HAS_MUTEX 1
typedef pthread_mutex_t bf_mutex;
#endif

void bf_mutex_init(bf_mutex *mutex);

/* False if and only if this thread holds the mutex already. */
bool bf_mutex_acquire(bf_mutex *mutex);

/* Works in the child of a fork too, where the holder has another identity. */
void bf_mutex_release(bf_mutex *mutex);

#ifdef __has_include
#if !BITFIT_FREESTANDING && __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define BF_KNOWS_SINGLE_THREADED 1
#endif
#endif

/* Whether this process surely has one thread only. */
BF_INLINE bool bf_single_threaded(void)
{
#ifdef BF_KNOWS_SINGLE_THREADED
    return __libc_single_threaded;
#else
    return false;
#endif
}

/* ------------------------------------------------------------------- misuse */

/* The default handler: says what happened and aborts; freestanding:
 * bitfit_trap(). */
void bf_die(const bitfit_misuse *misuse);

#endif
