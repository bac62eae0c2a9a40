/*
 * The log of RMM, the memory manager of RAPIDS:
 *
 *     Thread,Time,Action,Pointer,Size,Stream
 *
 * The time is HH:MM:SS and microseconds, or seconds with a fraction; the
 * actions are allocate, "allocate failure" and free (or deallocate).
 */
#include "input.h"

#include <string.h>

static bool is_rmm(const trace_input *input)
{
    char copy[PEEK_SIZE];
    input_lines line = peek_line(input, copy);
    return take_text(&line, "Thread,Time,Action,Pointer,Size");
}

/* Digits after a point, as nanoseconds. */
static uint64_t take_fraction(input_lines *lines)
{
    uint64_t value = 0;
    uint64_t unit = 1000000000;
    for (; *lines->at >= '0' && *lines->at <= '9'; lines->at++) {
        unit /= 10;
        value += (uint64_t)(*lines->at - '0') * unit;
    }
    return value;
}

static bool take_time(input_lines *lines, uint64_t *time_ns)
{
    uint64_t parts[3] = {0};
    size_t count = 0;
    do {
        if (count == 3 || !take_decimal(lines, &parts[count++]))
            break;
    } while (take_text(lines, ":"));
    uint64_t seconds =
        count == 1 ? parts[0] : parts[0] * 3600 + parts[1] * 60 + parts[2];
    if (count == 2 || seconds > UINT32_MAX)
        return false;
    take_text(lines, ".");
    *time_ns = seconds * 1000000000 + take_fraction(lines);
    return true;
}

static bool do_action(builder *to, const char *action, size_t length,
                      uint64_t address, uint64_t size)
{
    if (word_is(action, length, "allocate"))
        return build_alloc_at(to, address, size, 0);
    if (word_is(action, length, "free") ||
        word_is(action, length, "deallocate"))
        return address == 0 || build_free_at(to, address);
    to->wrong = "there is no such action";
    return word_is(action, length, "allocate failure");
}

static bool read_line(input_lines *lines, builder *to)
{
    uint64_t thread;
    uint64_t time_ns = 0;
    uint64_t address;
    uint64_t size;
    if (!take_decimal(lines, &thread) || !take_text(lines, ",") ||
        !take_time(lines, &time_ns) || !take_text(lines, ","))
        return line_wrong(lines, "the thread or the time makes no sense");
    const char *action = lines->at;
    size_t length = strcspn(action, ",");
    lines->at += length;
    if (!take_text(lines, ",") || !take_hex(lines, &address) ||
        !take_text(lines, ",") || !take_decimal(lines, &size))
        return line_wrong(lines, "the pointer or the size makes no sense");
    build_time(to, time_ns);
    return (build_thread(to, thread) &&
            do_action(to, action, length, address, size)) ||
           line_wrong(lines, to->wrong);
}

static bool read_all(trace_input *input, builder *to)
{
    input_lines lines = {.input = input};
    to->into->timed = true;
    next_line(&lines);
    while (next_line(&lines)) {
        if (!at_line_end(&lines) && !read_line(&lines, to))
            return false;
    }
    return true;
}

const trace_reader read_rmm = {"RMM", is_rmm, read_all};
