/* The numbers of a trace's blocks: from 0, as they are allocated. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include <stdlib.h>
#include <trace/trace.h>

typedef struct block_numbers {
    uint32_t *of; /* by slot */
    uint32_t next;
} block_numbers;

static inline block_numbers numbers_open(const trace *of)
{
    return (block_numbers){calloc((size_t)of->slots + 1, sizeof(uint32_t)), 0};
}

static inline void numbers_close(block_numbers *closed)
{
    free(closed->of);
}

/* Of the event's block. Events must come in their order. */
static inline uint32_t number_of(block_numbers *in, const trace_event *event)
{
    if (event->op == TRACE_ALLOC)
        in->of[event->slot] = in->next++;
    return in->of[event->slot];
}

#endif
