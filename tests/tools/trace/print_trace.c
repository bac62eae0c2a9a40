/*
 * usage: print_trace TRACE
 * What is in a trace: a line for the whole, and one for each event.
 */
#include "numbers.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static const char *const ops[] = {"alloc", "free", "resize"};
    trace_error error;
    trace *from = argc == 2 ? trace_open(argv[1], &error) : NULL;
    if (from == NULL) {
        fprintf(stderr, "%s\n", argc == 2 ? error.text : "which trace?");
        return 1;
    }
    printf("%s|%zu|%s|%s|%s\n", from->format, from->count,
           from->timed ? "timed" : "untimed", from->cut ? "cut" : "whole",
           from->about);
    block_numbers numbers = numbers_open(from);
    for (size_t i = 0; i < from->count; i++) {
        const trace_event event = trace_at(from, i);
        printf("%s|%" PRIu32 "|%" PRIu64 "|%d|%d|%" PRIu64 "|%s\n",
               ops[event.op], number_of(&numbers, &event), event.size,
               1 << event.align_log2, event.thread, trace_time(from, i),
               from->sites[event.site]);
    }
    numbers_close(&numbers);
    trace_close(from);
    return 0;
}
