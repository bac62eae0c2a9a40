/* Maps in a terminal: half blocks with colours, braille without; where the
 * locale has no Unicode, a character for each place. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "moment.h"
#include "scheme.h"

#include <stdio.h>

typedef struct terminal {
    FILE *to;
    unsigned columns;
    unsigned rows; /* of the map */
    bool colours;
    bool true_colours; /* 24 bits; else the 256 of xterm */
    bool unicode;
} terminal;

/* What this stream can show. */
terminal terminal_of(FILE *to);

/* What the map says in words: the largest request possible first. Two lines. */
void terminal_figures(const terminal *t, const heap_moment *moment);

/* The map, the largest holes, a legend. `heap` and `event` as for
 * plane_add_moment(). False if and only if memory is short. */
bool terminal_map(const terminal *t, const heap_moment *moment,
                  const colour_scheme *scheme, const heap_history *heap,
                  uint32_t event);

/* One line of bars for the last values that fit into `width`. */
void terminal_sparkline(const terminal *t, const uint64_t *values, size_t count,
                        uint64_t highest, unsigned width);

#endif
