/*
 * The file that is written: a window of it is mapped, so that what was put in
 * is in the file whatever happens to the process.
 *
 * No file stays open, since programs close descriptors that they do not know
 * and get the same number for a file of their own.
 */
#ifndef RECORDER_OUTPUT_H
#define RECORDER_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct output {
    char path[PATH_MAX + 16];
    uint64_t device; /* these two tell whether it is still the same file */
    uint64_t inode;
    unsigned char *header; /* the file's first page */
    unsigned char *window;
    uint64_t window_at; /* the window's offset in the file */
    uint64_t written;
} output;

/* All of them use raw system calls only. Where they return false the file
 * cannot be written, and nothing more may be put. */

/* Makes the file, in the place of another of that name. */
bool output_create(output *to, const char *path);

/* Puts it all in, or nothing. The header comes first and in one piece. */
bool output_put(output *to, const void *bytes, size_t count);

/* A descriptor of the file, through which a fork's child can copy it even where
 * another file has taken its name by then; negative where that fails. */
int output_open(const output *of);
void output_close(const output *of, int file);

/* Makes another file with the same content, read from this descriptor, and goes
 * on there. For a fork's child, which shares the first file's pages with its
 * parent. */
bool output_fork(output *to, int from, const char *path);

/* In a fork's child that does not record: what it may still put goes nowhere,
 * not into its parent's file. */
void output_detach(output *to);

/* Puts the last byte in and cuts off what the file has too much. It may
 * interrupt output_put() for good: then what that was to put is left out. */
void output_end(output *to, unsigned char last);

#endif
