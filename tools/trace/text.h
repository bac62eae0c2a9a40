/* Text from files, which may be anything, made fit to be shown. */
#ifndef TRACE_TEXT_H
#define TRACE_TEXT_H

/* Each byte that is not part of UTF-8 becomes '?'. */
void text_make_utf8(char *text);

/* The same, and each byte of a control character, by which a file could give
 * orders to a terminal. */
void text_make_visible(char *text);

#endif
