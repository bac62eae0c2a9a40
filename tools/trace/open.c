#include "input.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static const trace_reader *const readers[] = {&read_bitfit, &read_heaptrack,
                                              &read_aosp,   &read_mtrace,
                                              &read_rep,    &read_rmm};

enum { READERS = sizeof readers / sizeof readers[0] };

/* The file's name without folder and endings. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    size_t hidden = base[0] == '.';
    return strndup(base, hidden + strcspn(base + hidden, "."));
}

/* What people may try, and what would work instead. */
static const struct {
    const char *begins;
    const char *why;
} refused[] = {
    {"{\"dhatFileVersion\"", "DHAT's file holds sums, not events; record the "
                             "program by bitfit record"},
    {"desc: ", "massif's file holds snapshots, not events; record the program "
               "by bitfit record"},
    {"heap_v2/", "jemalloc's profile holds samples, not events; record the "
                 "program by bitfit record"},
    {"heap profile: ", "gperftools' profile holds sums, not events; record the "
                       "program by bitfit record"},
    {"memray", "memray's format is its own; record the program by bitfit "
               "record"},
    {"\x7F"
     "ELF",
     "this is a program; record it by bitfit record -- PROGRAM"},
};

static const char *why_refused(const trace_input *input)
{
    if (input->size == 0)
        return "the file is empty";
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (strncmp(input->at, refused[i].begins, strlen(refused[i].begins)) ==
            0)
            return refused[i].why;
    }
    return "not a trace that bitfit reads: bitfit record, AOSP memory_replay "
           "text, heaptrack --raw, glibc mtrace, .rep, RMM's CSV";
}

static const trace_reader *reader_of(const trace_input *input)
{
    for (size_t i = 0; i < READERS; i++) {
        if (readers[i]->recognizes(input))
            return readers[i];
    }
    input_wrong(input, "%s", why_refused(input));
    return NULL;
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
    bool read = build_begin(&to) ? reader->read(input, &to)
                                 : input_wrong(input, "%s", to.wrong);
    build_end(&to);
    if (read && into->about == NULL)
        into->about = strdup("");
    if (read && (into->about == NULL || into->name == NULL))
        read = input_wrong(input, "there is not enough memory to read it");
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
    if (input_decompress(input) && read_into(result, input))
        return result;
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

void trace_close(trace *closed)
{
    if (closed == NULL)
        return;
    for (size_t i = 0; i < closed->site_count; i++)
        free(closed->sites[i]);
    free(closed->sites);
    free(closed->events);
    free(closed->name);
    free(closed->about);
    free(closed);
}
