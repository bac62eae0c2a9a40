/*
 * How to get from a frame to its caller's, read from the tables that compilers
 * write for exceptions (.eh_frame) and kept, since a program asks from the same
 * places again and again. x86-64 only: elsewhere there are no rules.
 */
#ifndef RECORDER_RULES_H
#define RECORDER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rule_kind {
    RULE_NONE,  /* not one of these: a full unwinder may know it */
    RULE_END,   /* there is no caller */
    RULE_STACK, /* the caller's stack begins `offset` above the stack pointer */
    RULE_FRAME  /* ... above the frame pointer */
} rule_kind;

/* The return address is right below the caller's stack. */
typedef struct frame_rule {
    rule_kind kind;
    int32_t offset;
    int16_t saved; /* where the caller's frame pointer is, counted from the
                      caller's stack; 0: still in its register */
} frame_rule;

/* Of the code that returns to, or is at, `address`. Takes no lock and does not
 * allocate. */
frame_rule rule_at(uintptr_t address);

/* Code was unloaded: what is known may be of other code now. */
void rules_forget(void);

#endif
