/*
 * Events that have to wait. While a process forks, what is recorded must stay
 * as it is, since the child copies it, but no thread may wait for the end of
 * the fork: it may hold a lock that fork() wants. So events are kept here
 * until then.
 */
#ifndef RECORDER_BACKLOG_H
#define RECORDER_BACKLOG_H

#include "stacks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum event_kind {
    EVENT_ALLOC,
    EVENT_FREE,
    EVENT_HOLD,   /* `ptr` is about to be resized: from now on it is `other` */
    EVENT_RESIZE, /* ... and then at `ptr` */
    EVENT_KEEP    /* ... or still at `ptr`, as it was */
} event_kind;

typedef struct event {
    event_kind kind;
    unsigned align_log2; /* of an allocation; 0: what every block has */
    uint64_t ptr, other;
    uint64_t size;
    uint64_t thread; /* from 1 */
    uint64_t time_us;
    const call_stack *stack; /* who asks; NULL: not known */
} event;

typedef struct backlog {
    unsigned char *at;
    size_t size, capacity;
} backlog;

/* Copies the event and its stack. False if and only if there is no memory. */
bool backlog_put(backlog *to, const event *what);

/* Takes the event at `*from`, which begins with 0, and its stack, and moves on.
 * False at the end. */
bool backlog_next(const backlog *of, size_t *from, event *what,
                  call_stack *stack);

void backlog_clear(backlog *of);

#endif
