/*
 * The .rep files of the malloc lab: numbers, one a line (the suggested heap
 * size, how many ids and operations there are, the weight), then
 *
 *     a ID SIZE     allocated
 *     r ID SIZE     resized
 *     f ID          freed; -1 is NULL
 */
#include "input.h"

enum { HEADER_NUMBERS = 4, OPERATIONS = 2 };

static bool is_rep(const trace_input *input)
{
    char copy[PEEK_SIZE];
    input_lines line = peek_line(input, copy);
    uint64_t number;
    return take_decimal(&line, &number) && at_line_end(&line);
}

/* Leaves the first operation's line as the one to read. */
static bool read_header(input_lines *lines, uint64_t *operations)
{
    uint64_t number;
    size_t numbers = 0;
    while (next_line(lines)) {
        if (at_line_end(lines))
            continue;
        if (!take_decimal(lines, &number))
            break;
        if (numbers++ == OPERATIONS)
            *operations = number;
    }
    return numbers == HEADER_NUMBERS ||
           line_wrong(lines, "four numbers should stand before the operations");
}

static bool read_operation(input_lines *lines, builder *to)
{
    uint64_t id;
    uint64_t size = 0;
    bool frees = take_text(lines, "f ");
    bool resizes = !frees && take_text(lines, "r ");
    if (!frees && !resizes && !take_text(lines, "a "))
        return line_wrong(lines, "there is no such operation");
    if (frees && take_text(lines, "-1"))
        return true;
    if (!take_decimal(lines, &id) || (!frees && !take_decimal(lines, &size)) ||
        !at_line_end(lines))
        return line_wrong(lines, "the operation's numbers make no sense");
    id++; /* address 0 would be NULL */
    bool done = frees     ? build_free_at(to, id)
                : resizes ? build_resize_at(to, id, id, size)
                          : build_alloc_at(to, id, size, 0);
    return done || line_wrong(lines, to->wrong);
}

static bool read_all(trace_input *input, builder *to)
{
    input_lines lines = {.input = input};
    uint64_t operations = 0;
    uint64_t seen = 0;
    if (!read_header(&lines, &operations))
        return false;
    do {
        if (at_line_end(&lines))
            continue;
        if (!read_operation(&lines, to))
            return false;
        seen++;
    } while (next_line(&lines));
    if (seen + 1 == operations && next_unended_line(&lines) &&
        read_operation(&lines, to)) {
        line_is_whole(&lines);
        seen++;
    }
    if (seen < operations && input->cut == NULL)
        input->cut = "it has fewer operations than its third line says";
    return true;
}

const trace_reader read_rep = {".rep", is_rep, read_all};
