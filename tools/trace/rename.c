#include "rename.h"

#include "format.h"
#include "read_bitfit.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What becomes of a recording is not copied: it is parts of the recording and
 * new stacks, by turns. */
typedef struct renaming {
    reading from;
    size_t copied; /* up to here it is in the pieces */
    store_piece *pieces;
    size_t count;
    size_t capacity;
    bool no_memory;
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

static bool add(renaming *of, const void *at, size_t size)
{
    if (of->count == of->capacity) {
        size_t more = of->capacity == 0 ? 64 : 2 * of->capacity;
        store_piece *moved = realloc(of->pieces, more * sizeof *moved);
        of->no_memory = moved == NULL;
        if (moved == NULL)
            return false;
        of->pieces = moved;
        of->capacity = more;
    }
    of->pieces[of->count++] = (store_piece){at, size};
    return true;
}

static bool copy_until(renaming *of, size_t end)
{
    size_t start = of->copied;
    of->copied = end;
    return add(of, of->from.at + start, end - start);
}

/* The record of a call stack; the caller frees it. NULL if memory is out. */
static char *record_of(const char *stack, size_t *size)
{
    size_t length = strlen(stack);
    char *record = malloc(TRACE_RECORD_MAX + length);
    if (record == NULL)
        return NULL;
    unsigned char *head = (unsigned char *)record;
    char *text = (char *)trace_put(head, RECORD_STACK, length);
    memcpy(text, stack, length);
    *size = (size_t)(text + length - record);
    return record;
}

/* In the place of what stands between these offsets. */
static bool replace(renaming *of, const char *stack, size_t start, size_t end)
{
    size_t size;
    char *record = record_of(stack, &size);
    of->no_memory = record == NULL;
    if (record == NULL || !copy_until(of, start) || !add(of, record, size)) {
        free(record);
        return false;
    }
    of->copied = end;
    return true;
}

/* Behind its letter. False if it is cut off, or memory is out. */
static bool rename_stack(renaming *of)
{
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
    bool replaced = replace(of, new, start, of->from.next);
    free(new);
    return replaced;
}

/* False if a record is none, or memory is out. What is cut off is left out. */
static bool rename_records(renaming *of)
{
    reading *from = &of->from;
    while (from->next < from->end) {
        size_t start = from->next;
        char letter = from->at[from->next++];
        int numbers = numbers_of(letter);
        if (letter == RECORD_END) {
            of->result->cut = false;
            break;
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
    return !of->no_memory && copy_until(of, from->next);
}

static bool is_recording(const trace_input *input)
{
    return input->size >= TRACE_HEADER_SIZE &&
           memcmp(input->at, TRACE_MAGIC, TRACE_MAGIC_SIZE) == 0 &&
           input->at[TRACE_MAGIC_SIZE] == TRACE_VERSION;
}

/* Its pieces. False and an error. */
static bool take_apart(renaming *of, const trace_input *input)
{
    uint64_t written = trace_written((const unsigned char *)input->at);
    of->from =
        (reading){.at = input->at,
                  .end = written < input->size ? (size_t)written : input->size};
    *of->result = (trace_renamed){.cut = true};
    return (reading_skip_header(&of->from) && rename_records(of)) ||
           input_wrong(input, "%s",
                       of->no_memory ? "there is not enough memory"
                                     : "it is damaged");
}

/* The header, which is in the first piece, counts the bytes. */
static bool put_together(const renaming *of, trace_input *input,
                         const char *path, trace_error *error)
{
    uint64_t size = 0;
    for (size_t i = 0; i < of->count; i++)
        size += of->pieces[i].size;
    trace_put_written((unsigned char *)input->at, size);
    return store_packed(path, of->pieces, of->count, error);
}

static void free_pieces(renaming *of)
{
    for (size_t i = 1; i < of->count; i += 2)
        free((void *)(uintptr_t)of->pieces[i].at);
    free(of->pieces);
}

bool trace_rename(const char *from, const char *to, trace_namer *name,
                  void *context, trace_renamed *result, trace_error *error)
{
    trace_input input;
    renaming of = {.name = name, .context = context, .result = result};
    bool stored = false;
    if (input_read(&input, from, error)) {
        if (is_recording(&input))
            stored =
                take_apart(&of, &input) && put_together(&of, &input, to, error);
        else
            input_wrong(&input, "it is no recording");
    }
    free_pieces(&of);
    input_release(&input);
    return stored;
}
