#include "stacks.h"

#include "rules.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

/* On a stack of another kind, a coroutine's for instance, rules are not
 * followed. */
static const uintptr_t STACK_LARGEST = (uintptr_t)1 << 30;

static char program[PATH_MAX];
static struct dl_find_object own;          /* this library */
static uint64_t factors[STACK_FRAMES_MAX]; /* of the hash: odd, all bits used */

void stacks_init(void)
{
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    _dl_find_object((void *)(uintptr_t)stacks_init, &own);
    uint64_t factor = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < STACK_FRAMES_MAX; i++) {
        factors[i] = factor | 1;
        factor = (factor ^ factor >> 29) * 0xD6E8FEB86659FD93u;
    }
}

static bool is_own(uintptr_t address)
{
    return address >= (uintptr_t)own.dlfo_map_start &&
           address < (uintptr_t)own.dlfo_map_end;
}

static void add_frame(call_stack *stack, uintptr_t address)
{
    if (stack->count > 0 || !is_own(address))
        stack->frames[stack->count++] = address;
}

/* ------------------------------------------------------------ by an unwinder
 */

static _Unwind_Reason_Code add_context(struct _Unwind_Context *context,
                                       void *argument)
{
    call_stack *stack = argument;
    int is_exact = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &is_exact);
    if (address == 0 || stack->count == STACK_FRAMES_MAX)
        return _URC_END_OF_STACK;
    add_frame(stack, is_exact ? address : address - 1);
    return _URC_NO_REASON;
}

static void walk_slowly(call_stack *stack)
{
    stack->count = 0;
    _Unwind_Backtrace(add_context, stack);
}

/* ------------------------------------------------------------------- by rules
 */

/* Where this thread's stack is, so that a wrong rule reads nothing else. */
static bool find_bounds(stack_bounds *bounds)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    if (bounds->high != 0)
        return true;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return false;
    bool found = pthread_attr_getstack(&attributes, &low, &size) == 0;
    pthread_attr_destroy(&attributes);
    if (found)
        bounds->high = (uintptr_t)low + size;
    return found;
}

typedef struct frame {
    uintptr_t code; /* to which it returns */
    uintptr_t stack, pointer;
} frame;

static uintptr_t word_at(uintptr_t address)
{
    return *(const uintptr_t *)address;
}

/* Goes to the caller. False if that is not possible by this rule. */
static bool follow(frame *at, frame_rule rule, uintptr_t high)
{
    uintptr_t base = rule.kind == RULE_FRAME ? at->pointer : at->stack;
    uintptr_t stack = base + (uintptr_t)(intptr_t)rule.offset;
    uintptr_t saved = stack + (uintptr_t)(intptr_t)rule.saved;
    if (stack % sizeof stack != 0 || stack <= at->stack || stack > high ||
        (rule.saved != 0 && (saved < at->stack || saved % sizeof saved != 0)))
        return false;
    if (rule.saved != 0)
        at->pointer = word_at(saved);
    at->code = word_at(stack - sizeof stack);
    at->stack = stack;
    return true;
}

/* False if some frame has no rule. */
static bool walk_by_rules(call_stack *stack, frame at, uintptr_t high)
{
    stack->count = 0;
    while (stack->count < STACK_FRAMES_MAX) {
        frame_rule rule = rule_at(at.code);
        if (rule.kind == RULE_END)
            return true;
        if (rule.kind == RULE_NONE || !follow(&at, rule, high))
            return false;
        if (at.code == 0)
            return true;
        add_frame(stack, at.code - 1);
    }
    return true;
}

#ifdef __x86_64__
/* This very place, which has a rule as well. */
#define HERE(at)                                                               \
    __asm__ volatile("lea 1(%%rip), %0\n\t"                                    \
                     "mov %%rsp, %1\n\t"                                       \
                     "mov %%rbp, %2"                                           \
                     : "=r"((at).code), "=r"((at).stack), "=r"((at).pointer))
#else
#define HERE(at) ((at) = (frame){0, 0, 0})
#endif

void stack_walk(call_stack *stack, stack_bounds *bounds)
{
    frame at;
    bool known = find_bounds(bounds);
    HERE(at);
    if (!known || at.stack >= bounds->high ||
        bounds->high - at.stack > STACK_LARGEST ||
        !walk_by_rules(stack, at, bounds->high))
        walk_slowly(stack);
}

/* --------------------------------------------------------------------- texts
 */

/* A sum, whose products do not wait for each other. */
uint64_t stack_hash(const call_stack *stack)
{
    uint64_t sum = stack->count;
    for (size_t i = 0; i < stack->count; i++)
        sum += stack->frames[i] * factors[i];
    return sum ^ sum >> 32;
}

static size_t put_hex(char *to, uintptr_t value)
{
    char digits[2 * sizeof value];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0);
    for (size_t i = 0; i < count; i++)
        to[i] = digits[count - 1 - i];
    return count;
}

/* The file that holds an address; _dl_find_object() takes no lock, so that a
 * thread in dlopen() may allocate. */
static const char *file_of(uintptr_t *address)
{
    struct dl_find_object found;
    if (_dl_find_object((void *)*address, &found) != 0)
        return "";
    const char *name = found.dlfo_link_map->l_name;
    *address -= found.dlfo_link_map->l_addr;
    return *name == '\0' ? program : name;
}

/* Returns the length; 0 if there is no room. */
static size_t put_frame(uintptr_t address, char *text, size_t room)
{
    const char *name = file_of(&address);
    size_t length = strlen(name);
    if (length + 4 + 2 * sizeof address > room)
        return 0;
    memcpy(text, name, length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ';')
            text[i] = '_';
    }
    memcpy(text + length, "+0x", 3);
    return length + 3 + put_hex(text + length + 3, address);
}

size_t stack_text(const call_stack *stack, char text[static STACK_TEXT_MAX])
{
    size_t size = 0;
    for (size_t i = stack->count; i > 0; i--) {
        size_t part = put_frame(stack->frames[i - 1], text + size,
                                STACK_TEXT_MAX - size - 1);
        if (part == 0)
            break;
        size += part;
        if (i > 1)
            text[size++] = ';';
    }
    return size > 0 && text[size - 1] == ';' ? size - 1 : size;
}
