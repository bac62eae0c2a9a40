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
 * Lines that begin with '=' mark the start and the end. Blocks from before the
 * start are freed, too: those are left out.
 */
#include "input.h"

#include <string.h>

typedef struct mtrace {
    input_lines lines;
    builder *to;
    uint64_t resized; /* the address of a '<', 0 without one */
    bool ended;
} mtrace;

static bool is_mtrace(const trace_input *input)
{
    char copy[PEEK_SIZE];
    input_lines line = peek_line(input, copy);
    return take_text(&line, "= Start") || take_text(&line, "@ ");
}

/* Where the last "+ 0x", "- 0x", ... of the line stands; NULL if nowhere. */
static char *find_sign(char *line)
{
    char *found = NULL;
    for (char *at = line; (at = strpbrk(at, "+-<>!")) != NULL; at++) {
        if (strncmp(at + 1, " 0x", 3) == 0 && (at == line || at[-1] == ' '))
            found = at;
    }
    return found;
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

/* Of a block whose free was not seen there is no more than this trace of it. */
static bool clear_address(mtrace *from, uint64_t address)
{
    return !build_knows(from->to, address) || build_free_at(from->to, address);
}

static bool allocate(mtrace *from, uint64_t address, uint64_t size)
{
    return clear_address(from, address) &&
           build_alloc_at(from->to, address, size, 0);
}

static bool resize(mtrace *from, uint64_t address, uint64_t size)
{
    uint64_t old = from->resized;
    from->resized = 0;
    if (old == 0 || !build_knows(from->to, old))
        return allocate(from, address, size);
    return (old == address || clear_address(from, address)) &&
           build_resize_at(from->to, old, address, size);
}

static bool read_sign(mtrace *from, char *sign)
{
    uint64_t address;
    uint64_t size = 0;
    from->lines.at = sign + 1;
    if (!take_hex(&from->lines, &address) ||
        (strchr("+>!", *sign) != NULL && !take_hex(&from->lines, &size)))
        return line_wrong(&from->lines, "an address or a size is missing");
    bool done = true;
    if (*sign == '+') {
        done = allocate(from, address, size);
    } else if (*sign == '-') {
        done = clear_address(from, address);
    } else if (*sign == '>') {
        done = resize(from, address, size);
    } else if (*sign == '<') {
        from->resized = address;
    }
    return done || line_wrong(&from->lines, from->to->wrong);
}

static bool read_line(mtrace *from)
{
    char *line = from->lines.at;
    if (*line == '=' || at_line_end(&from->lines)) {
        from->ended = take_text(&from->lines, "= End");
        return true;
    }
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
    to->into->cut = !from.ended;
    return true;
}

const trace_reader read_mtrace = {"glibc mtrace", is_mtrace, read_all};
