#include "stop.h"

#include "../accesses.h"

#include <setjmp.h>
#include <stdint.h>

static uintptr_t low, high; /* what is watched */
static size_t made, limit;
static jmp_buf out;

static void before_store(const volatile void *to)
{
    if ((uintptr_t)to >= low && (uintptr_t)to < high && made++ == limit) {
        low = high = 0;
        longjmp(out, 1);
    }
}

static void accessed(const volatile void *at, size_t size, bool written)
{
    (void)size;
    if (written) {
        before_store(at);
    }
}

size_t stop_before(size_t stop, void *memory, size_t size,
                   void (*call)(void *context), void *context)
{
    made = 0;
    limit = stop;
    low = (uintptr_t)memory;
    high = low + size;
    if (setjmp(out) == 0) {
        call(context);
        low = high = 0;
        return made;
    }
    return made - 1;
}

/* The core's memset() and memcpy(), which can be stopped at every eighth byte.
 */
void *stopping_memset(void *to, int byte, size_t size);
void *stopping_memcpy(void *restrict to, const void *restrict from,
                      size_t size);

void *stopping_memset(void *to, int byte, size_t size)
{
    unsigned char *bytes = to;
    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0) {
            before_store(bytes + i);
        }
        bytes[i] = (unsigned char)byte;
    }
    return to;
}

void *stopping_memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *bytes = to;
    const unsigned char *source = from;
    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0) {
            before_store(bytes + i);
        }
        bytes[i] = source[i];
    }
    return to;
}
