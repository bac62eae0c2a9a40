/* Finds the reader for a trace, and makes its texts fit to be shown. */
#include "input.h"
#include "kind.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static const trace_reader *const readers[] = {
    &read_bitfit, &read_heaptrack, &read_aosp, &read_mtrace,
    &read_rep,    &read_rmm,       &read_torch};

enum { READERS = sizeof readers / sizeof readers[0] };

/* The file's name without folder and endings. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    size_t hidden = base[0] == '.';
    return strndup(base, hidden + strcspn(base + hidden, "."));
}

/* NULL if no reader knows the first line. */
static const trace_reader *recognize(const trace_input *input)
{
    for (size_t i = 0; i < READERS; i++) {
        if (readers[i]->recognizes(input))
            return readers[i];
    }
    return NULL;
}

/* A log that begins in the middle may begin in the middle of a line. */
static const trace_reader *reader_of(trace_input *input)
{
    const trace_reader *found = recognize(input);
    const char *why = found == NULL ? kind_of(input) : NULL;
    if (found == NULL && drop_line(input)) {
        found = recognize(input);
        if (found != NULL && input->cut == NULL)
            input->cut = "it begins in the middle of a line";
    }
    if (found == NULL)
        input_wrong(input, "%s", why);
    return found;
}

/* The mark of UTF-8, which some editors write. */
static void skip_mark(trace_input *input)
{
    static const char mark[] = "\xEF\xBB\xBF";
    enum { MARK_SIZE = sizeof mark - 1 };
    if (input->size < MARK_SIZE || memcmp(input->at, mark, MARK_SIZE) != 0)
        return;
    input->size -= MARK_SIZE;
    memmove(input->at, input->at + MARK_SIZE, input->size + 1);
}

static void make_visible(const trace *of)
{
    text_make_visible(of->name);
    text_make_visible(of->about);
    for (size_t i = 0; i < of->site_count; i++)
        text_make_visible(of->sites[i]);
}

static bool read_into(trace *into, trace_input *input)
{
    const trace_reader *reader = reader_of(input);
    builder to = {.into = into};
    if (reader == NULL)
        return false;
    into->format = reader->name;
    bool read = build_begin(&to, input->left)
                    ? reader->read(input, &to)
                    : input_wrong(input, "%s", to.wrong);
    build_end(&to);
    if (read && into->about == NULL)
        into->about = strdup("");
    if (read && (into->about == NULL || into->name == NULL))
        read = input_wrong(input, "there is not enough memory to read it");
    if (read && input->cut != NULL) {
        into->cut = true;
        into->why_cut = input->cut;
    }
    if (read)
        make_visible(into);
    return read;
}

static trace *read_input(trace_input *input)
{
    trace *result = calloc(1, sizeof *result);
    if (result == NULL) {
        input_wrong(input, "there is not enough memory to read it");
        return NULL;
    }
    result->name = name_of(input->path);
    if (input_decompress(input)) {
        skip_mark(input);
        if (read_into(result, input))
            return result;
    }
    trace_close(result);
    return NULL;
}

trace *trace_open(const char *path, trace_error *error)
{
    trace_input input;
    trace *result = input_read(&input, path, error) ? read_input(&input) : NULL;
    input_release(&input);
    return result;
}

trace *trace_parse(const char *path, const void *content, size_t size,
                   trace_error *error)
{
    trace_input input;
    trace *result = input_copy(&input, path, content, size, error)
                        ? read_input(&input)
                        : NULL;
    input_release(&input);
    return result;
}

uint64_t trace_time(const trace *from, size_t event)
{
    size_t passed = 0; /* ticks that are not later than the event */
    for (size_t end = from->tick_count; passed < end;) {
        size_t middle = passed + (end - passed) / 2;
        if (from->ticks[middle].event <= event) {
            passed = middle + 1;
        } else {
            end = middle;
        }
    }
    return passed == 0 ? 0 : from->ticks[passed - 1].time_ns;
}

void trace_close(trace *closed)
{
    if (closed == NULL)
        return;
    for (size_t i = 0; i < closed->site_count; i++)
        free(closed->sites[i]);
    free(closed->sites);
    free(closed->events);
    free(closed->kinds);
    free(closed->ticks);
    free(closed->name);
    free(closed->about);
    free(closed);
}
