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
    size_t numbers;    /* after the name */
    unsigned pointers; /* a bit for each that is one */
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
        bool pointer = (of->pointers >> i & 1) != 0;
        if (!(pointer ? take_pointer(lines, &numbers[i])
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

static bool do_call(builder *to, size_t which,
                    const uint64_t numbers[static CALL_NUMBERS])
{
    uint64_t size = numbers[1];
    switch (which) {
    case THREAD_DONE:
        return true;
    case FREE:
        return build_free_at(to, numbers[0]);
    case REALLOC:
        return build_resize_at(to, numbers[1], numbers[0], numbers[2]);
    case MEMALIGN:
        return build_alloc_at(to, numbers[0], numbers[2],
                              alignment_log2(numbers[1]));
    case CALLOC:
        if (__builtin_mul_overflow(size, numbers[2], &size))
            size = UINT64_MAX;
        return build_alloc_at(to, numbers[0], size, 0);
    default:
        return build_alloc_at(to, numbers[0], size, 0);
    }
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
