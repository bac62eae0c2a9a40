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

static const uint64_t FACTOR = 0x9E3779B97F4A7C15u; /* of the hash */

static char program[PATH_MAX];
static uintptr_t own_start, own_size; /* this library */
static uint64_t window_factor;        /* FACTOR to the power of the frames */

void stacks_init(void)
{
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    struct dl_find_object own;
    if (_dl_find_object((void *)(uintptr_t)stacks_init, &own) == 0) {
        own_start = (uintptr_t)own.dlfo_map_start;
        own_size = (uintptr_t)own.dlfo_map_end - own_start;
    }
    window_factor = 1;
    for (size_t i = 0; i < STACK_FRAMES_MAX; i++)
        window_factor *= FACTOR;
}

static bool is_own(uintptr_t address)
{
    return address - own_start < own_size;
}

/* Digits of a number whose base is FACTOR, so that what is outside a frame, or
 * beyond the frames that count, can be taken away from the sum. */
static uint64_t sum_with(uint64_t outside, uintptr_t code)
{
    return outside * FACTOR + code;
}

static uint64_t hash_of(uint64_t sum, size_t count)
{
    uint64_t hash = sum + count;
    return hash ^ hash >> 32;
}

/* ------------------------------------------------------------ by an unwinder
 */

/* Fills the codes from the end of the first frames' room. */
static _Unwind_Reason_Code add_context(struct _Unwind_Context *context,
                                       void *argument)
{
    stack_memory *to = argument;
    int is_exact = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &is_exact);
    if (address == 0 || to->count == STACK_FRAMES_MAX)
        return _URC_END_OF_STACK;
    uintptr_t code = is_exact ? address + 1 : address;
    if (to->count > 0 || !is_own(code))
        to->codes[STACK_FRAMES_MAX - ++to->count] = code;
    return _URC_NO_REASON;
}

static call_stack walk_slowly(stack_memory *memory)
{
    uint64_t sum = 0;
    memory->count = 0;
    _Unwind_Backtrace(add_context, memory);
    size_t count = memory->count;
    const uintptr_t *codes = memory->codes + STACK_FRAMES_MAX - count;
    for (size_t i = 0; i < count; i++)
        sum = sum_with(sum, codes[i]);
    memory->count = 0; /* the frames are not known */
    return (call_stack){count, hash_of(sum, count), codes};
}

/* ------------------------------------------------------------------- by rules
 */

/* Where this thread's stack is, so that a wrong rule reads nothing else. */
static bool find_high(stack_memory *memory)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    if (memory->high != 0)
        return true;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return false;
    bool found = pthread_attr_getstack(&attributes, &low, &size) == 0;
    pthread_attr_destroy(&attributes);
    if (found)
        memory->high = (uintptr_t)low + size;
    return found;
}

typedef struct frame {
    uintptr_t code; /* to which it returns */
    stack_frame then;
} frame;

static uintptr_t word_at(uintptr_t address)
{
    return *(const uintptr_t *)address;
}

/* The return address is right below the caller's stack. */
static uintptr_t code_before(uintptr_t stack)
{
    return word_at(stack - sizeof stack);
}

/* Goes to the caller. False if that is not possible by this rule. */
static bool follow(frame *at, frame_rule rule, uintptr_t high)
{
    uintptr_t low = at->then.stack;
    uintptr_t base = rule.kind == RULE_FRAME ? at->then.pointer : low;
    uintptr_t stack = base + (uintptr_t)(intptr_t)rule.offset;
    uintptr_t saved = stack + (uintptr_t)(intptr_t)rule.saved;
    if (stack % sizeof stack != 0 || stack <= low || stack > high ||
        (rule.saved != 0 && (saved < low || saved % sizeof saved != 0)))
        return false;
    at->then.saved = 0;
    if (rule.saved != 0) {
        at->then.saved = saved;
        at->then.pointer = word_at(saved);
    }
    at->code = code_before(stack);
    at->then.stack = stack;
    return true;
}

/* ------------------------------------------------------- by the last stack
 */

typedef struct walk {
    stack_memory *memory;
    frame at;
    size_t below; /* how many remembered frames may be outside `at` */
    size_t kept;  /* of them, what is outside all frames that follow */
    bool to_root;
    size_t count;
    frame found[STACK_FRAMES_MAX]; /* innermost first */
} walk;

/* Whether this frame stood here the last time. */
static bool find_known(walk *in)
{
    const stack_memory *memory = in->memory;
    uintptr_t stack = in->at.then.stack;
    size_t below = in->below;
    while (below > 0 && memory->frames[below - 1].stack < stack)
        below--;
    in->below = below;
    if (below == 0)
        return false;
    const stack_frame *then = &memory->frames[below - 1];
    return then->stack == stack && memory->codes[below - 1] == in->at.code &&
           (!then->needed || then->pointer == in->at.then.pointer);
}

/* The outermost frame that is as it was, given that the one before `end` is;
 * those outside `least` do not matter. */
static size_t first_unchanged(const stack_memory *memory, size_t end,
                              size_t least)
{
    size_t first = end - 1;
    const stack_frame *then = &memory->frames[first];
    const uintptr_t *code = &memory->codes[first];
    while (first > least) {
        then--;
        code--;
        if (code_before(then->stack) != *code ||
            (then->needed && then->saved != 0 &&
             word_at(then->saved) != then->pointer))
            break;
        first--;
    }
    return first;
}

/* Counts the remembered frame as found. Where nothing needed its pointer, this
 * may be another by now. */
static void find_again(walk *in, size_t i)
{
    uintptr_t pointer = in->at.then.pointer;
    in->at = (frame){in->memory->codes[i], in->memory->frames[i]};
    if (in->at.then.saved != 0)
        pointer = word_at(in->at.then.saved);
    in->at.then.pointer = pointer;
    in->found[in->count++] = in->at;
}

/* Takes the known frame and those outside it that are unchanged. True if these
 * are all that are wanted; else they count as found, and others follow. */
static bool take_known(walk *in)
{
    const stack_memory *memory = in->memory;
    size_t wanted = STACK_FRAMES_MAX - in->count;
    size_t end = in->below;
    size_t least = end > wanted ? end - wanted : 0;
    size_t first = first_unchanged(memory, end, least);
    if (first == least && (end >= wanted || memory->from_root)) {
        in->kept = end;
        return true;
    }
    in->at.then.needed = memory->frames[end - 1].needed;
    in->found[in->count++] = in->at;
    for (size_t i = end - 1; i > first; i--)
        find_again(in, i - 1);
    in->below = first;
    return false;
}

/* False if some frame has no rule. */
static bool walk_by_rules(walk *in)
{
    while (true) {
        if (!find_known(in))
            in->found[in->count++] = in->at;
        else if (take_known(in))
            return true;
        if (in->count == STACK_FRAMES_MAX)
            return true;
        frame_rule rule = rule_at(in->at.code);
        in->found[in->count - 1].then.needed = rule.kind == RULE_FRAME;
        in->to_root = rule.kind == RULE_END;
        if (in->to_root)
            return true;
        if (rule.kind == RULE_NONE || !follow(&in->at, rule, in->memory->high))
            return false;
        in->to_root = in->at.code == 0;
        if (in->to_root)
            return true;
    }
}

/* Of `count` frames, only the innermost `left` are remembered. */
static void forget_outermost(stack_memory *memory, size_t count, size_t left)
{
    size_t gone = count - left;
    memmove(memory->codes, memory->codes + gone, left * sizeof *memory->codes);
    memmove(memory->frames, memory->frames + gone,
            left * sizeof *memory->frames);
    memory->from_root = false;
    uint64_t sum = 0;
    for (size_t i = 0; i < left; i++) {
        sum = sum_with(sum, memory->codes[i]);
        memory->frames[i].sum = sum;
    }
}

/* Adds a frame inside of all others. Its pointer is needed as well if it stays
 * in its register for a frame outside that needs it. */
static void add_inside(stack_memory *memory, const frame *found)
{
    size_t i = memory->count++;
    const stack_frame *outside = &memory->frames[i - (i > 0)];
    stack_frame then = found->then;
    bool stays = i > 0 && outside->saved == 0;
    then.needed |= stays && outside->needed;
    then.sum = sum_with(i > 0 ? outside->sum : 0, found->code);
    memory->codes[i] = found->code;
    memory->frames[i] = then;
}

/* Remembers what was found, inside of what was kept. */
static void remember(const walk *in)
{
    stack_memory *memory = in->memory;
    size_t kept = in->kept;
    size_t left = STACK_FRAMES_MAX - in->count;
    if (kept + in->count > STACK_ROOM) {
        forget_outermost(memory, kept, left);
        kept = left;
    }
    if (kept == 0)
        memory->from_root = in->to_root;
    memory->count = kept;
    for (size_t i = in->count; i > 0; i--)
        add_inside(memory, &in->found[i - 1]);
}

static call_stack innermost(const stack_memory *memory)
{
    size_t count = memory->count;
    uint64_t sum = count == 0 ? 0 : memory->frames[count - 1].sum;
    if (count > STACK_FRAMES_MAX) {
        size_t outside = count - STACK_FRAMES_MAX;
        sum -= memory->frames[outside - 1].sum * window_factor;
        count = STACK_FRAMES_MAX;
    }
    return (call_stack){count, hash_of(sum, count),
                        memory->codes + memory->count - count};
}

/* Goes to the first frame outside this library, which keeps frame pointers: at
 * each are the caller's, and where the frame returns to. */
static frame leave_own(uintptr_t pointer)
{
    frame at = {0};
    do {
        at.code = word_at(pointer + sizeof pointer);
        at.then.saved = pointer;
        pointer = word_at(pointer);
    } while (is_own(at.code));
    at.then.pointer = pointer;
    at.then.stack = at.then.saved + 2 * sizeof pointer;
    return at;
}

/* Whether there are rules, and all that they will read is this stack's. */
static bool is_known_stack(stack_memory *memory, uintptr_t pointer)
{
    return HAS_RULES && find_high(memory) && pointer < memory->high &&
           memory->high - pointer <= STACK_LARGEST;
}

call_stack stack_walk(stack_memory *memory)
{
    walk in; /* not cleared as a whole: it is large */
    in.memory = memory;
    in.count = 0;
    in.kept = 0;
    in.to_root = false;
    uint64_t generation =
        atomic_load_explicit(&rules_generation, memory_order_relaxed);
    uintptr_t pointer = (uintptr_t)__builtin_frame_address(0);
    if (!is_known_stack(memory, pointer))
        return walk_slowly(memory);
    if (memory->generation != generation)
        memory->count = 0;
    memory->generation = generation;
    in.below = memory->count;
    in.at = leave_own(pointer);
    if (!walk_by_rules(&in))
        return walk_slowly(memory);
    remember(&in);
    return innermost(memory);
}

/* --------------------------------------------------------------------- texts
 */

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
    for (size_t i = 0; i < stack->count; i++) {
        size_t part = put_frame(stack->codes[i] - 1, text + size,
                                STACK_TEXT_MAX - size - 1);
        if (part == 0)
            break;
        size += part;
        if (i + 1 < stack->count)
            text[size++] = ';';
    }
    return size > 0 && text[size - 1] == ';' ? size - 1 : size;
}
