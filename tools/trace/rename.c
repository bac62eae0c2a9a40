#include "rename.h"

#include "format.h"
#include "read_bitfit.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct renaming {
    reading from;
    size_t copied; /* up to here it is in the output */
    FILE *to;
    trace_namer *name;
    void *context;
    trace_renamed *result;
} renaming;

/* How many numbers stand behind a record's letter; negative if there is no such
 * record. */
static int numbers_of(char letter)
{
    switch (letter) {
    case RECORD_ALLOC:
    case RECORD_FREE:
    case RECORD_TIME:
    case RECORD_THREAD:
    case RECORD_SITE:
        return 1;
    case RECORD_ALIGNED:
    case RECORD_RESIZE:
        return 2;
    default:
        return -1;
    }
}

static void count(trace_renamed *result, char letter)
{
    bool allocates = letter == RECORD_ALLOC || letter == RECORD_ALIGNED;
    result->blocks += allocates;
    result->events +=
        allocates || letter == RECORD_FREE || letter == RECORD_RESIZE;
}

static void copy_until(renaming *of, size_t end)
{
    fwrite(of->from.at + of->copied, 1, end - of->copied, of->to);
    of->copied = end;
}

/* Behind its letter. False if it is cut off. */
static bool rename_stack(renaming *of)
{
    unsigned char head[TRACE_RECORD_MAX];
    size_t start = of->from.next - 1;
    uint64_t length = reading_varint(&of->from);
    if (of->from.short_of || length > of->from.end - of->from.next)
        return false;
    char *old = strndup(of->from.at + of->from.next, (size_t)length);
    char *new = old == NULL ? NULL : of->name(of->context, old);
    free(old);
    of->from.next += (size_t)length;
    if (new == NULL)
        return true;
    copy_until(of, start);
    fwrite(head, 1, (size_t)(trace_put(head, RECORD_STACK, strlen(new)) - head),
           of->to);
    fputs(new, of->to);
    free(new);
    of->copied = of->from.next;
    return true;
}

/* False if a record is none. What is cut off is left out. */
static bool rename_records(renaming *of)
{
    reading *from = &of->from;
    while (from->next < from->end) {
        size_t start = from->next;
        char letter = from->at[from->next++];
        int numbers = numbers_of(letter);
        if (letter == RECORD_END) {
            copy_until(of, from->next);
            of->result->cut = false;
            return true;
        }
        if (numbers < 0 && letter != RECORD_STACK)
            return false;
        for (int i = 0; i < numbers; i++)
            reading_varint(from);
        if (from->short_of || (numbers < 0 && !rename_stack(of))) {
            from->next = start;
            break;
        }
        count(of->result, letter);
    }
    copy_until(of, from->next);
    return true;
}

static bool is_recording(const trace_input *input)
{
    return input->size >= TRACE_HEADER_SIZE &&
           memcmp(input->at, TRACE_MAGIC, TRACE_MAGIC_SIZE) == 0 &&
           input->at[TRACE_MAGIC_SIZE] == TRACE_VERSION;
}

/* The renamed recording, in memory; NULL and an error. */
static char *renamed(const trace_input *input, renaming *of, size_t *size)
{
    char *content = NULL;
    uint64_t written = trace_written((const unsigned char *)input->at);
    of->from =
        (reading){.at = input->at,
                  .end = written < input->size ? (size_t)written : input->size};
    of->to = open_memstream(&content, size);
    *of->result = (trace_renamed){.cut = true};
    bool sound =
        of->to != NULL && reading_skip_header(&of->from) && rename_records(of);
    bool whole = of->to != NULL && fclose(of->to) == 0;
    if (whole && sound) {
        trace_put_written((unsigned char *)content, *size);
        return content;
    }
    input_wrong(input, "%s",
                sound ? "there is not enough memory" : "it is damaged");
    free(content);
    return NULL;
}

bool trace_rename(const char *from, const char *to, trace_namer *name,
                  void *context, trace_renamed *result, trace_error *error)
{
    trace_input input;
    renaming of = {.name = name, .context = context, .result = result};
    size_t size = 0;
    char *content = NULL;
    if (input_read(&input, from, error)) {
        if (is_recording(&input))
            content = renamed(&input, &of, &size);
        else
            input_wrong(&input, "it is no recording");
    }
    input_release(&input);
    bool stored = content != NULL && store_packed(to, content, size, error);
    free(content);
    return stored;
}
