/*
 * What `heaptrack --raw` writes, versions 2 and 3. All numbers are hexadecimal;
 * in version 3 a text comes after its length. Of its lines these matter:
 *
 *     v HEAPTRACK FORMAT           the first line
 *     x PATH                       the program
 *     X COMMAND...                 what was recorded
 *     m PATH BASE {START SIZE}...  a module that is loaded; "x" is the program
 *                                  itself, "-" says that none is any more
 *     t ADDRESS PARENT             the next call stack: this, called from that
 *     c MILLISECONDS               time
 *     + SIZE STACK POINTER         allocated
 *     - POINTER                    freed
 *
 * Addresses in modules become frames such as "libc.so.6+0x1f3a". The file that
 * heaptrack writes without --raw has no pointers: it is refused.
 */
#include "input.h"

#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_TEXT_MAX = 8192, FRAMES_MAX = 64 };

typedef struct module {
    char *name;
    uint64_t base;
} module;

/* Where a module is loaded: all its segments. */
typedef struct span {
    uint64_t start;
    uint64_t end;
    uint32_t module;
} span;

/* A call stack: the frame, and who called it. */
typedef struct stack {
    uint32_t module_plus_1; /* 0: none */
    uint32_t parent;        /* from 1; 0 is the root */
    uint64_t address;       /* in the module, if there is one */
    uint32_t site;          /* its number in the trace, 0 if not yet asked */
} stack;

typedef struct heaptrack {
    input_lines lines;
    builder *to;
    uint64_t format;
    char *program;   /* its name, NULL if not known */
    module *modules; /* all that ever were loaded */
    size_t module_count, module_capacity;
    void *loaded; /* a tree of those that are now, by their addresses */
    stack *stacks;
    size_t stack_count, stack_capacity;
} heaptrack;

static bool is_heaptrack(const trace_input *input)
{
    char copy[PEEK_SIZE];
    input_lines line = peek_line(input, copy);
    uint64_t heaptrack_version, format;
    return take_text(&line, "v ") && take_hex(&line, &heaptrack_version) &&
           take_hex(&line, &format) && at_line_end(&line);
}

static bool no_memory(const heaptrack *from)
{
    return line_wrong(&from->lines, "there is not enough memory to read it");
}

/* ----------------------------------------------------------------- modules */

/* A text: after its length in version 3, else up to a blank. */
static bool take_string(heaptrack *from, const char **text, size_t *length)
{
    uint64_t given = 0;
    input_lines *lines = &from->lines;
    if (from->format < 3) {
        *length = take_word(lines, text);
        return *length > 0;
    }
    if (!take_hex(lines, &given) || *lines->at != ' ' ||
        strlen(lines->at) <= given)
        return false;
    *text = lines->at + 1;
    *length = (size_t)given;
    lines->at += given + 1;
    return true;
}

static const char *base_name(const char *path, size_t *length)
{
    const char *slash = memrchr(path, '/', *length);
    if (slash == NULL)
        return path;
    *length -= (size_t)(slash + 1 - path);
    return slash + 1;
}

/* Spans that overlap are the same to the tree, which has none of them. */
static int compare_spans(const void *left, const void *right)
{
    const span *a = left;
    const span *b = right;
    return (a->start >= b->end) - (b->start >= a->end);
}

/* Of modules that overlap the first one counts. */
static bool load(heaptrack *from, const span *at)
{
    if (at->start >= at->end)
        return true;
    span *added = malloc(sizeof *added);
    if (added == NULL)
        return no_memory(from);
    *added = *at;
    const void *found = tsearch(added, &from->loaded, compare_spans);
    if (found == NULL || *(span *const *)found != added)
        free(added);
    return found != NULL || no_memory(from);
}

static void unload_all(heaptrack *from)
{
    tdestroy(from->loaded, free);
    from->loaded = NULL;
}

static span take_segments(heaptrack *from, uint64_t base)
{
    uint64_t start, size;
    span all = {.start = UINT64_MAX, .module = (uint32_t)from->module_count};
    while (take_hex(&from->lines, &start) && take_hex(&from->lines, &size)) {
        if (base + start < all.start)
            all.start = base + start;
        if (base + start + size > all.end)
            all.end = base + start + size;
    }
    return all;
}

static bool read_module(heaptrack *from)
{
    const char *name;
    size_t length;
    module found = {0};
    if (!take_string(from, &name, &length))
        return line_wrong(&from->lines, "the module has no name");
    if (word_is(name, length, "-")) {
        unload_all(from);
        return true;
    }
    if (!take_hex(&from->lines, &found.base))
        return line_wrong(&from->lines, "the module has no address");
    span at = take_segments(from, found.base);
    bool itself = word_is(name, length, "x") && from->program != NULL;
    const char *base = base_name(name, &length);
    found.name = itself ? strdup(from->program) : strndup(base, length);
    if (found.name == NULL ||
        !build_grow(from->to, &from->modules, &from->module_capacity,
                    from->module_count, sizeof *from->modules)) {
        free(found.name);
        return no_memory(from);
    }
    from->modules[from->module_count++] = found;
    return load(from, &at);
}

/* ------------------------------------------------------------- call stacks */

static void locate(const heaptrack *from, stack *at)
{
    if (at->address == UINT64_MAX)
        return;
    const span key = {.start = at->address, .end = at->address + 1};
    const void *found = tfind(&key, &from->loaded, compare_spans);
    if (found == NULL)
        return;
    uint32_t in = (*(span *const *)found)->module;
    at->module_plus_1 = in + 1;
    at->address -= from->modules[in].base;
}

static bool read_stack(heaptrack *from)
{
    stack found = {0};
    uint64_t parent;
    if (!take_hex(&from->lines, &found.address) ||
        !take_hex(&from->lines, &parent) || parent > from->stack_count ||
        from->stack_count == UINT32_MAX)
        return line_wrong(&from->lines, "the call stack makes no sense");
    found.parent = (uint32_t)parent;
    locate(from, &found);
    if (!build_grow(from->to, &from->stacks, &from->stack_capacity,
                    from->stack_count, sizeof *from->stacks))
        return no_memory(from);
    from->stacks[from->stack_count++] = found;
    return true;
}

static size_t put_frame(const heaptrack *from, const stack *at, char *text,
                        size_t room)
{
    const char *name =
        at->module_plus_1 == 0 ? "" : from->modules[at->module_plus_1 - 1].name;
    int size = snprintf(text, room, "%s%s0x%" PRIx64, name,
                        *name == '\0' ? "" : "+", at->address);
    return size < 0 || (size_t)size >= room ? 0 : (size_t)size;
}

/* Outermost first; what does not fit of very deep ones is left out. */
static bool name_stack(heaptrack *from, uint32_t number)
{
    uint32_t frames[FRAMES_MAX];
    size_t count = 0;
    char text[STACK_TEXT_MAX];
    size_t size = 0;
    for (uint32_t at = number; at != 0 && count < FRAMES_MAX;
         at = from->stacks[at - 1].parent)
        frames[count++] = at - 1;
    while (count > 0) {
        size_t part = put_frame(from, &from->stacks[frames[--count]],
                                text + size, sizeof text - size - 1);
        size += part;
        if (count > 0 && part > 0)
            text[size++] = ';';
    }
    return build_site(from->to, text, size, &from->stacks[number - 1].site);
}

static bool choose_site(heaptrack *from, uint64_t number)
{
    from->to->site = 0;
    if (number == 0)
        return true;
    if (number > from->stack_count) {
        return line_wrong(&from->lines, "it names a call stack that is not "
                                        "there");
    }
    stack *at = &from->stacks[number - 1];
    if (at->site == 0 && !name_stack(from, (uint32_t)number))
        return line_wrong(&from->lines, from->to->wrong);
    from->to->site = from->stacks[number - 1].site;
    return true;
}

/* ------------------------------------------------------------------ events */

static bool read_alloc(heaptrack *from)
{
    uint64_t size, number, address;
    bool sound = take_hex(&from->lines, &size);
    if (sound && at_line_end(&from->lines)) {
        return line_wrong(&from->lines,
                          "there is no pointer: this is heaptrack's "
                          "interpreted file; record with heaptrack --raw");
    }
    if (!sound || !take_hex(&from->lines, &number) ||
        !take_pointer(&from->lines, &address))
        return line_wrong(&from->lines, "the allocation makes no sense");
    return choose_site(from, number) &&
           (build_alloc_at(from->to, address, size, 0) ||
            line_wrong(&from->lines, from->to->wrong));
}

static bool read_free(heaptrack *from)
{
    uint64_t address;
    if (at_line_end(&from->lines))
        return line_wrong(&from->lines, "there is no pointer");
    if (!take_pointer(&from->lines, &address))
        return line_wrong(&from->lines, "the pointer makes no sense");
    return build_free_at(from->to, address) ||
           line_wrong(&from->lines, from->to->wrong);
}

static bool read_time(heaptrack *from)
{
    uint64_t milliseconds;
    if (!take_hex(&from->lines, &milliseconds) ||
        milliseconds > UINT64_MAX / 1000000)
        return line_wrong(&from->lines, "the time makes no sense");
    build_time(from->to, milliseconds * 1000000);
    from->to->into->timed = true;
    return true;
}

static bool read_version(heaptrack *from)
{
    uint64_t version;
    if (!take_hex(&from->lines, &version) ||
        !take_hex(&from->lines, &from->format) || from->format < 2 ||
        from->format > 3) {
        return line_wrong(&from->lines, "heaptrack's data of this version "
                                        "cannot be read: 2 and 3 can");
    }
    unload_all(from); /* of the recording before, if there are several */
    from->stack_count = 0;
    return true;
}

static bool read_command(heaptrack *from)
{
    free(from->to->into->about);
    from->to->into->about = strdup(from->lines.at + 1);
    return from->to->into->about != NULL || no_memory(from);
}

static bool read_program(heaptrack *from)
{
    const char *path;
    size_t length;
    if (!take_string(from, &path, &length))
        return line_wrong(&from->lines, "the program has no name");
    const char *base = base_name(path, &length);
    free(from->program);
    from->program = strndup(base, length);
    return from->program != NULL || no_memory(from);
}

static bool read_line(heaptrack *from)
{
    char kind = *from->lines.at;
    if (kind == '\0')
        return true;
    from->lines.at++;
    if (*from->lines.at != ' ' && *from->lines.at != '\0') {
        return line_wrong(&from->lines, "there is no such line in heaptrack's "
                                        "data");
    }
    switch (kind) {
    case 'v':
        return read_version(from);
    case 'x':
        return read_program(from);
    case 'X':
        return *from->lines.at == '\0' || read_command(from);
    case 'm':
        return read_module(from);
    case 't':
        return read_stack(from);
    case 'c':
        return read_time(from);
    case '+':
        return read_alloc(from);
    case '-':
        return read_free(from);
    case 's':
    case 'i':
    case 'a':
        return line_wrong(&from->lines, "this is heaptrack's interpreted file, "
                                        "which has no pointers; record with "
                                        "heaptrack --raw");
    default:
        return true;
    }
}

static bool read_all(trace_input *input, builder *to)
{
    heaptrack from = {.lines = {.input = input}, .to = to};
    bool read = true;
    while (read && next_line(&from.lines))
        read = read_line(&from);
    for (size_t i = 0; i < from.module_count; i++)
        free(from.modules[i].name);
    free(from.modules);
    unload_all(&from);
    free(from.program);
    free(from.stacks);
    return read;
}

const trace_reader read_heaptrack = {"heaptrack --raw", is_heaptrack, read_all};
