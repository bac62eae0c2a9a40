/*
 * Who asks: the call stack, as text that names each frame by its file and the
 * address in it, "/usr/bin/app+0x1234;/lib/libc.so.6+0x5678", outermost first.
 * `bitfit record` replaces them by functions' names at the end.
 */
#ifndef RECORDER_STACKS_H
#define RECORDER_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STACK_FRAMES_MAX = 48,
    STACK_TEXT_MAX = 8192,
    STACK_ROOM = 64 /* frames that a thread remembers */
};

typedef struct call_stack {
    size_t count;
    uint64_t hash;          /* a number that stands for this stack */
    const uintptr_t *codes; /* to which frames return, outermost first */
} call_stack;

/* A frame once it has returned: its caller's registers. */
typedef struct stack_frame {
    uintptr_t stack, pointer;
    uintptr_t saved; /* where the pointer was; 0: still in its register */
    uint64_t sum;    /* stands for this and all frames outside it */
    bool needed;     /* the pointer, to find the frames outside it */
} stack_frame;

/*
 * What a thread asked for last, and from where. Most of it is the same the next
 * time: where a frame is as it was, those outside it are, too, as long as their
 * return addresses are, and these are faster compared than found.
 */
typedef struct stack_memory {
    uintptr_t high; /* where the thread's stack ends; 0 until it is known */
    uint64_t generation;
    size_t count;
    bool from_root; /* no frame is outside these */
    uintptr_t codes[STACK_ROOM];
    stack_frame frames[STACK_ROOM]; /* outermost first */
} stack_memory;

/* Finds the program's name; before the first use. */
void stacks_init(void);

/* The stack of the caller's caller outside this library, until the next call
 * with the same memory, which is this thread's. The first call may allocate. */
call_stack stack_walk(stack_memory *memory);

/* Writes the text, without a NUL; returns its length. */
size_t stack_text(const call_stack *stack, char text[static STACK_TEXT_MAX]);

#endif
