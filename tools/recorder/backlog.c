#include "backlog.h"

#include "../trace/system.h"

#include <string.h>

enum { FIRST_CAPACITY = 1 << 16 };

static size_t stack_size(const call_stack *stack)
{
    return offsetof(call_stack, frames) + stack->count * sizeof *stack->frames;
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

bool backlog_put(backlog *to, const event *what)
{
    size_t size = what->stack == NULL ? 0 : stack_size(what->stack);
    if (!make_room(to, sizeof *what + size))
        return false;
    memcpy(to->at + to->size, what, sizeof *what);
    to->size += sizeof *what;
    if (size > 0)
        memcpy(to->at + to->size, what->stack, size);
    to->size += size;
    return true;
}

bool backlog_next(const backlog *of, size_t *from, event *what)
{
    if (*from == of->size)
        return false;
    memcpy(what, of->at + *from, sizeof *what);
    *from += sizeof *what;
    if (what->stack != NULL) {
        /* Aligned: events and stacks are multiples of a stack's alignment. */
        const void *stack = of->at + *from;
        what->stack = stack;
        *from += stack_size(what->stack);
    }
    return true;
}

void backlog_clear(backlog *of)
{
    if (of->at != NULL)
        system_unmap(of->at, of->capacity);
    *of = (backlog){NULL, 0, 0};
}
