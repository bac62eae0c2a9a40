/*
 * How to get from a frame to its caller's, read from the tables that compilers
 * write for exceptions (.eh_frame) and kept, since a program asks from the same
 * places again and again. x86-64 only: elsewhere there are no rules.
 */
#ifndef RECORDER_RULES_H
#define RECORDER_RULES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __x86_64__
enum { HAS_RULES = 1 };
#else
enum { HAS_RULES = 0 };
#endif

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

/* How often code was unloaded: what is known from before may be of other code
 * now. */
extern _Atomic uint64_t rules_generation __attribute__((visibility("hidden")));

void rules_forget(void);

enum { RULES_KEPT = 1 << 14 };

/* Each is written by any thread at any time: the two halves belong together
 * if the address is what their difference says. */
typedef struct kept_rule {
    _Atomic uint64_t rule, check;
} kept_rule;

extern kept_rule rules_kept[RULES_KEPT] __attribute__((visibility("hidden")));

static inline uint64_t rule_pack(frame_rule rule)
{
    return (uint64_t)rule.kind << 48 | (uint64_t)(uint16_t)rule.saved << 32 |
           (uint32_t)rule.offset;
}

static inline frame_rule rule_unpack(uint64_t packed)
{
    return (frame_rule){.kind = (rule_kind)(packed >> 48),
                        .saved = (int16_t)(uint16_t)(packed >> 32),
                        .offset = (int32_t)(uint32_t)packed};
}

/* Where the rule of an address is kept, there or beside it. */
static inline size_t rule_place(uintptr_t address)
{
    return (address * 0x9E3779B97F4A7C15u >> 40) % RULES_KEPT;
}

static inline bool rule_find(size_t at, uint64_t name, uint64_t *packed)
{
    const kept_rule *kept = &rules_kept[at];
    *packed = atomic_load_explicit(&kept->rule, memory_order_relaxed);
    return (atomic_load_explicit(&kept->check, memory_order_relaxed) ^
            *packed) == name;
}

/* An address at a time. */
static inline uint64_t rule_name(uintptr_t address)
{
    return address +
           (atomic_load_explicit(&rules_generation, memory_order_relaxed)
            << 48);
}

/* Reads the rule from the tables, and keeps it. */
frame_rule rule_read(uintptr_t address);

/* Of the code that returns to, or is at, `address`. Takes no lock and does not
 * allocate. */
static inline frame_rule rule_at(uintptr_t address)
{
    uint64_t packed;
    uint64_t name = rule_name(address);
    size_t at = rule_place(address);
    if (rule_find(at, name, &packed) || rule_find(at ^ 1, name, &packed))
        return rule_unpack(packed);
    return rule_read(address);
}

#endif
