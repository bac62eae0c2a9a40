#include "backlog.h"

#include "../trace/system.h"

#include <string.h>

enum { FIRST_CAPACITY = 1 << 16 };

static size_t codes_size(const call_stack *stack)
{
    return stack->count * sizeof *stack->codes;
}

static bool make_room(backlog *in, size_t size)
{
    if (size <= in->capacity - in->size)
        return true;
    size_t capacity = in->capacity == 0 ? FIRST_CAPACITY : 2 * in->capacity;
    unsigned char *wide = system_pages(capacity);
    if (wide == NULL)
        return false;
    if (in->at != NULL) {
        memcpy(wide, in->at, in->size);
        system_unmap(in->at, in->capacity);
    }
    in->at = wide;
    in->capacity = capacity;
    return true;
}

static void put(backlog *to, const void *what, size_t size)
{
    memcpy(to->at + to->size, what, size);
    to->size += size;
}

bool backlog_put(backlog *to, const event *what)
{
    const call_stack *stack = what->stack;
    size_t more = stack == NULL ? 0 : sizeof *stack + codes_size(stack);
    if (!make_room(to, sizeof *what + more))
        return false;
    put(to, what, sizeof *what);
    if (stack != NULL) {
        put(to, stack, sizeof *stack);
        put(to, stack->codes, codes_size(stack));
    }
    return true;
}

/* Aligned: events, stacks and codes are multiples of a code's alignment. */
static const void *take(const backlog *of, size_t *from, size_t size)
{
    *from += size;
    return of->at + *from - size;
}

bool backlog_next(const backlog *of, size_t *from, event *what,
                  call_stack *stack)
{
    if (*from == of->size)
        return false;
    memcpy(what, take(of, from, sizeof *what), sizeof *what);
    if (what->stack != NULL) {
        memcpy(stack, take(of, from, sizeof *stack), sizeof *stack);
        stack->codes = take(of, from, codes_size(stack));
        what->stack = stack;
    }
    return true;
}

void backlog_clear(backlog *of)
{
    if (of->at != NULL)
        system_unmap(of->at, of->capacity);
    *of = (backlog){NULL, 0, 0};
}
