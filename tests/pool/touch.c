#include "touch.h"

#include "../accesses.h"

#include <stdint.h>
#include <stdlib.h>

/* A table of the words that were touched; those of earlier calls are empty
 * places. */
enum { PLACES = 16384, FULL = PLACES / 2 };

static struct {
    uintptr_t start;
    size_t size;
    size_t count;
    unsigned call;
    uintptr_t words[PLACES];
    unsigned calls[PLACES];
} seen;

#ifdef BITFIT_TOUCH_IS_SEEN
const bool touch_is_seen = true;
#else
const bool touch_is_seen = false;
#endif

static void note_word(uintptr_t word)
{
    size_t at = (word ^ word >> 12) % PLACES;
    while (seen.calls[at] == seen.call) {
        if (seen.words[at] == word) {
            return;
        }
        at = (at + 1) % PLACES;
    }
    if (++seen.count > FULL) {
        abort();
    }
    seen.calls[at] = seen.call;
    seen.words[at] = word;
}

static void accessed(const volatile void *at, size_t size, bool written)
{
    uintptr_t first = (uintptr_t)at;
    (void)written;
    if (first - seen.start < seen.size) {
        uintptr_t last = (first + size - 1) / sizeof(size_t);
        for (uintptr_t word = first / sizeof(size_t); word <= last; word++) {
            note_word(word);
        }
    }
}

void touch_begin(const void *memory, size_t size)
{
    seen.start = (uintptr_t)memory;
    seen.size = size;
    seen.count = 0;
    seen.call++;
}

size_t touch_end(void)
{
    seen.size = 0;
    return seen.count;
}
