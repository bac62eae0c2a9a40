/*
 * AOSP's memory_replay text, as Android's malloc_debug records it:
 *
 *     THREAD: malloc POINTER SIZE            [START END]
 *     THREAD: calloc POINTER COUNT SIZE      [START END]
 *     THREAD: memalign POINTER ALIGN SIZE    [START END]
 *     THREAD: realloc POINTER OLD SIZE       [START END]
 *     THREAD: free POINTER                   [START END]
 *     THREAD: thread_done 0x0                [END]
 *
 * The times are nanoseconds.
 */
#include "input.h"

#include <string.h>

enum { CALL_NUMBERS = 3 };

typedef struct call {
    const char *name;
    size_t numbers; /* after the name, hexadecimal where it names memory */
    unsigned hex;   /* a bit for each */
} call;

enum { MALLOC, CALLOC, MEMALIGN, REALLOC, FREE, THREAD_DONE, CALLS };

static const call calls[CALLS] = {
    [MALLOC] = {"malloc", 2, 1},     [CALLOC] = {"calloc", 3, 1},
    [MEMALIGN] = {"memalign", 3, 1}, [REALLOC] = {"realloc", 3, 3},
    [FREE] = {"free", 1, 1},         [THREAD_DONE] = {"thread_done", 1, 1},
};

/* Which call stands next; CALLS if none. */
static size_t take_call(input_lines *lines)
{
    const char *word;
    size_t length = take_word(lines, &word);
    size_t which = 0;
    while (which < CALLS && !word_is(word, length, calls[which].name))
        which++;
    return which;
}

static bool is_aosp(const trace_input *input)
{
    char copy[PEEK_SIZE];
    input_lines line = peek_line(input, copy);
    uint64_t thread;
    return take_decimal(&line, &thread) && take_text(&line, ":") &&
           take_call(&line) < CALLS;
}

static bool take_numbers(input_lines *lines, const call *of,
                         uint64_t numbers[static CALL_NUMBERS])
{
    for (size_t i = 0; i < of->numbers; i++) {
        bool hex = (of->hex >> i & 1) != 0;
        if (!(hex ? take_hex(lines, &numbers[i])
                  : take_decimal(lines, &numbers[i])))
            return false;
    }
    return true;
}

static bool take_times(input_lines *lines, builder *to)
{
    uint64_t start;
    uint64_t end;
    if (at_line_end(lines))
        return true;
    if (!take_decimal(lines, &start))
        return false;
    take_decimal(lines, &end);
    build_time(to, start);
    to->into->timed = true;
    return at_line_end(lines);
}

static bool resize(builder *to, uint64_t address, uint64_t old, uint64_t size)
{
    if (old == 0)
        return address == 0 || build_alloc_at(to, address, size, 0);
    if (address == 0)
        return size > 0 || build_free_at(to, old);
    return build_resize_at(to, old, address, size);
}

/* A NULL was a failure, or nothing. */
static bool do_call(builder *to, size_t which,
                    const uint64_t numbers[static CALL_NUMBERS])
{
    uint64_t size = numbers[1];
    uint64_t log2 = 0;
    if (which == REALLOC)
        return resize(to, numbers[0], numbers[1], numbers[2]);
    if (which == THREAD_DONE || numbers[0] == 0)
        return true;
    if (which == FREE)
        return build_free_at(to, numbers[0]);
    if (which == CALLOC && __builtin_mul_overflow(size, numbers[2], &size))
        size = UINT64_MAX;
    if (which == MEMALIGN) {
        size = numbers[2];
        to->wrong = "an alignment that is no power of two";
        if (!alignment_log2(numbers[1], &log2))
            return false;
    }
    return build_alloc_at(to, numbers[0], size, log2);
}

static bool read_line(input_lines *lines, builder *to)
{
    uint64_t numbers[CALL_NUMBERS] = {0};
    uint64_t thread;
    if (at_line_end(lines))
        return true;
    if (!take_decimal(lines, &thread) || !take_text(lines, ":"))
        return line_wrong(lines, "there is no thread before the call");
    size_t which = take_call(lines);
    if (which == CALLS)
        return line_wrong(lines, "there is no such call");
    if (!take_numbers(lines, &calls[which], numbers) || !take_times(lines, to))
        return line_wrong(lines, "the call's numbers make no sense");
    return (build_thread(to, thread) && do_call(to, which, numbers)) ||
           line_wrong(lines, to->wrong);
}

static bool read_all(trace_input *input, builder *to)
{
    input_lines lines = {.input = input};
    while (next_line(&lines)) {
        if (!read_line(&lines, to))
            return false;
    }
    return true;
}

const trace_reader read_aosp = {"AOSP memory_replay", is_aosp, read_all};
