/* What the verbs that read a trace share. */
#ifndef INPUT_TRACE_H
#define INPUT_TRACE_H

#include "command.h"
#include "trace/playback.h"

#include <jansson.h>

/* A trace, and what is asked of it. */
typedef struct input_trace {
    trace *from;
    trace_summary asked;
} input_trace;

/* Opens it; else prints why not, and returns COMMAND_INPUT. */
int input_trace_open(input_trace *input, const char *verb, const char *path);
void input_trace_close(input_trace *input);

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

/* Prints an object and ends it. Returns whether all was written. */
bool json_print(const char *verb, json_t *object);

#endif
