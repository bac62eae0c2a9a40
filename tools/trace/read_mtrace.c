/*
 * What glibc's mtrace() writes. A line is a place in the program, if it is
 * known, then what happened:
 *
 *     @ PLACE + POINTER SIZE     allocated
 *     @ PLACE - POINTER          freed
 *     @ PLACE < POINTER          resized from; the next line says to where
 *     @ PLACE > POINTER SIZE
 *     @ PLACE ! POINTER SIZE     a resize that failed
 *
 * Lines that begin with '=' mark the start and the end.
 */
#include "input.h"

#include <string.h>

typedef struct mtrace {
    input_lines lines;
    builder *to;
    uint64_t resized; /* the address of a '<', 0 without one */
    bool ended;       /* by the last line that was read */
} mtrace;

static bool is_pointer(const char *text)
{
    return strncmp(text, "0x", 2) == 0 || strncmp(text, "(nil)", 5) == 0;
}

/* Where the last "+ 0x", "- 0x", ... of the line stands; NULL if nowhere. */
static char *find_sign(char *line)
{
    char *found = NULL;
    for (char *at = line; (at = strpbrk(at, "+-<>!")) != NULL; at++) {
        if (at[1] == ' ' && is_pointer(at + 2) && (at == line || at[-1] == ' '))
            found = at;
    }
    return found;
}

static bool is_mtrace(const trace_input *input)
{
    char copy[PEEK_SIZE];
    input_lines line = peek_line(input, copy);
    return take_text(&line, "= Start") || take_text(&line, "@ ") ||
           find_sign(line.at) == line.at;
}

/* "@ PLACE " stands before the sign. */
static bool take_place(mtrace *from, const char *line, const char *sign)
{
    from->to->site = 0;
    if (strncmp(line, "@ ", 2) != 0 || sign - line < 4)
        return true;
    return build_site(from->to, line + 2, (size_t)(sign - line) - 3,
                      &from->to->site);
}

static bool read_sign(mtrace *from, char *sign)
{
    uint64_t address;
    uint64_t size = 0;
    from->lines.at = sign + 1;
    if (!take_pointer(&from->lines, &address) ||
        (strchr("+>!", *sign) != NULL && !take_hex(&from->lines, &size)))
        return line_wrong(&from->lines, "an address or a size is missing");
    bool done = true;
    if (*sign == '+')
        done = build_alloc_at(from->to, address, size, 0);
    else if (*sign == '-')
        done = build_free_at(from->to, address);
    else if (*sign == '>')
        done = build_resize_at(from->to, from->resized, address, size);
    else if (*sign == '!')
        from->to->into->failed++;
    from->resized = *sign == '<' ? address : 0;
    return done || line_wrong(&from->lines, from->to->wrong);
}

static bool read_line(mtrace *from)
{
    char *line = from->lines.at;
    if (at_line_end(&from->lines))
        return true;
    from->ended = take_text(&from->lines, "= End");
    if (*line == '=')
        return true;
    char *sign = find_sign(line);
    if (sign == NULL)
        return line_wrong(&from->lines, "there is no event in this line");
    return (take_place(from, line, sign) ||
            line_wrong(&from->lines, from->to->wrong)) &&
           read_sign(from, sign);
}

static bool read_all(trace_input *input, builder *to)
{
    mtrace from = {.lines = {.input = input}, .to = to};
    while (next_line(&from.lines)) {
        if (!read_line(&from))
            return false;
    }
    if (next_unended_line(&from.lines) && take_text(&from.lines, "= End")) {
        from.ended = true;
        line_is_whole(&from.lines);
    }
    if (!from.ended && input->cut == NULL)
        input->cut = "there is no \"= End\"";
    return true;
}

const trace_reader read_mtrace = {"glibc mtrace", is_mtrace, read_all};
