/*
 * Sees every load and store of code that is compiled with -fsanitize=thread:
 * the compiler calls a hook before each, and those here stand in for the
 * sanitizer's. Nothing in that code is marked for it, so none can be forgotten.
 *
 * One file of a program includes this, and defines accessed(). Code that is
 * not compiled so is not seen.
 */
#ifndef BITFIT_TESTS_ACCESSES_H
#define BITFIT_TESTS_ACCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `size` bytes at `at` are about to be read, or written. */
static void accessed(const volatile void *at, size_t size, bool written);

/* The names and types below are the compiler's. */
#define ACCESS(name, size, written)                                            \
    void name(void *at);                                                       \
    void name(void *at)                                                        \
    {                                                                          \
        accessed(at, size, written);                                           \
    }

#define ACCESSES(size)                                                         \
    ACCESS(__tsan_read##size, size, false)                                     \
    ACCESS(__tsan_write##size, size, true)                                     \
    ACCESS(__tsan_unaligned_read##size, size, false)                           \
    ACCESS(__tsan_unaligned_write##size, size, true)                           \
    ACCESS(__tsan_volatile_read##size, size, false)                            \
    ACCESS(__tsan_volatile_write##size, size, true)

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(void *at, size_t size);
void __tsan_write_range(void *at, size_t size);
void __tsan_atomic_signal_fence(int order);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *at, size_t size)
{
    accessed(at, size, false);
}

void __tsan_write_range(void *at, size_t size)
{
    accessed(at, size, true);
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}

#define ATOMICS(bits, type)                                                    \
    type __tsan_atomic##bits##_load(const volatile type *at, int order);       \
    void __tsan_atomic##bits##_store(volatile type *at, type value,            \
                                     int order);                               \
    type __tsan_atomic##bits##_exchange(volatile type *at, type value,         \
                                        int order);                            \
    type __tsan_atomic##bits##_load(const volatile type *at, int order)        \
    {                                                                          \
        (void)order;                                                           \
        accessed(at, sizeof *at, false);                                       \
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);                          \
    }                                                                          \
    void __tsan_atomic##bits##_store(volatile type *at, type value, int order) \
    {                                                                          \
        (void)order;                                                           \
        accessed(at, sizeof *at, true);                                        \
        __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                         \
    }                                                                          \
    type __tsan_atomic##bits##_exchange(volatile type *at, type value,         \
                                        int order)                             \
    {                                                                          \
        (void)order;                                                           \
        accessed(at, sizeof *at, true);                                        \
        return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);               \
    }

ATOMICS(8, unsigned char)
ATOMICS(32, unsigned int)
#if SIZE_MAX > 0xffffffffu
ATOMICS(64, unsigned long)
#endif

#endif
