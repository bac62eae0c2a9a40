/*
 * The file that is written: a window of it is mapped, so that what was put in
 * is in the file whatever happens to the process.
 *
 * No file stays open, since programs close descriptors that they do not know.
 */
#ifndef RECORDER_OUTPUT_H
#define RECORDER_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct output {
    char path[PATH_MAX];
    uint64_t device; /* these two tell whether it is still the same file */
    uint64_t inode;
    unsigned char *header; /* the file's first page */
    unsigned char *window;
    uint64_t window_at; /* the window's offset in the file */
    uint64_t written;
} output;

/* All of them return false where the file cannot be written; then nothing more
 * may be put. */

/* Makes the file, or empties it. */
bool output_create(output *to, const char *path);

/* Puts it all in, or nothing. The header comes first and in one piece. */
bool output_put(output *to, const void *bytes, size_t count);

/* Makes another file with the same content, and goes on there. For a fork's
 * child, which shares the first file's pages with its parent. */
bool output_fork(output *to, const char *path);

/* Cuts off what the file has too much. */
void output_close(output *to);

#endif
