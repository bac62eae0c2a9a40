/* Text from files, which may be anything, made fit to be shown; sizes as people
 * write and read them; the lines in call stacks. */
#ifndef TRACE_TEXT_H
#define TRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each byte that is not part of UTF-8 becomes '?'. */
void text_make_utf8(char *text);

/* The same, and each byte of a control character, by which a file could give
 * orders to a terminal. */
void text_make_visible(char *text);

/* Reads a size such as 4096, 64K, 16M or 2G (powers of 1024). Returns whether
 * the whole text is one that fits. */
bool text_to_size(const char *text, size_t *size);

/* Writes a size as people read it, such as "23.3 MiB", and returns the text. */
const char *text_of_size(char text[static 24], uint64_t size);

/* The length of a frame's line, " (app.c:12)", which ends at `end`; 0 if it has
 * none. */
size_t text_line_length(const char *frame, const char *end);

/* Takes the lines out of a call stack: "main (app.c:12);load (app.c:7)" becomes
 * "main;load". */
void text_drop_lines(char *stack);

#endif
