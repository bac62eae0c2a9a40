/* What the verbs that read a trace share. */
#ifndef INPUT_TRACE_H
#define INPUT_TRACE_H

#include "command.h"
#include "trace/playback.h"

#include <jansson.h>

/* A trace, and what is asked of it, if that was summed up. */
typedef struct input_trace {
    trace *from;
    trace_summary asked;
} input_trace;

/* Whether the path leads to a pipe or the like. That is read once: nobody may
 * look into it to learn what it is, so it is taken for a trace. */
bool input_is_stream(const char *path);

/* Reads a trace that has events; else prints why not, and returns
 * COMMAND_INPUT. */
int input_trace_read(input_trace *input, const char *verb, const char *path);

/* The same, and sums it up: one pass more over its events. */
int input_trace_open(input_trace *input, const char *verb, const char *path);
void input_trace_close(input_trace *input);

/*
 * Finds a moment: "peak" (of requested bytes: of a trace that is summed up),
 * "end", after an event by its number from 0, or after all events up to a time
 * such as 1.5s, 20ms or 300us. Stores how many events are done then. False,
 * after one line, if there is no such moment.
 */
bool input_moment(const char *verb, const input_trace *input, const char *text,
                  size_t *events);

/* Two lines that say what the trace is. */
void input_trace_print(const input_trace *input);
json_t *input_trace_json(const input_trace *input);

/* Text from a file may be anything: what is no UTF-8 becomes '?'. */
json_t *text_json(const char *text);

/* Writes it as a JSON string, quotes included. */
void text_put_json(FILE *to, const char *text);

/* Whole numbers as people read them, "1,234,567"; one of four places to write
 * to in turn. */
const char *number_text(uint64_t number);

/* Prints an object, as json_dumpf() does under these flags, and ends it. */
int json_print(const char *verb, json_t *object, size_t flags);

#endif
