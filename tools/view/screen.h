/* What a stream can show, and how far the work is. */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Whether the locale's characters are Unicode's, in UTF-8. */
bool screen_unicode(void);

/* Whether a stream may carry colours: a terminal, and NO_COLOR is not set. */
bool screen_colours(FILE *stream);

/* A bar on standard error for what takes longer than a second; nothing where
 * that is no terminal. Ended by done == total. */
void screen_progress(const char *what, uint64_t done, uint64_t total);

#endif
