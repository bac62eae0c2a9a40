/*
 * Who asks: the call stack, as text that names each frame by its file and the
 * address in it, "/usr/bin/app+0x1234;/lib/libc.so.6+0x5678", outermost first.
 * `bitfit record` replaces them by functions' names at the end.
 */
#ifndef RECORDER_STACKS_H
#define RECORDER_STACKS_H

#include <stddef.h>
#include <stdint.h>

enum { STACK_FRAMES_MAX = 48, STACK_TEXT_MAX = 8192 };

typedef struct call_stack {
    size_t count;
    uintptr_t frames[STACK_FRAMES_MAX]; /* innermost first */
} call_stack;

/* Finds the program's name; before the first use. */
void stacks_init(void);

/* Where a thread's stack ends; zero until it is known. */
typedef struct stack_bounds {
    uintptr_t high;
} stack_bounds;

/* The stack of the caller's caller outside this library. `bounds` are this
 * thread's; only to find them may allocate. */
void stack_walk(call_stack *stack, stack_bounds *bounds);

/* A number that stands for this stack. */
uint64_t stack_hash(const call_stack *stack);

/* Writes the text, without a NUL; returns its length. */
size_t stack_text(const call_stack *stack, char text[static STACK_TEXT_MAX]);

#endif
