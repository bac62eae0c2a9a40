/*
 * Pools of others: a process that publishes its pool (malloc/published.h), and
 * a saved image. Neither is trusted.
 */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#include "../../malloc/published.h"
#include "moment.h"

#include <sys/types.h>

typedef struct outside {
    pid_t pid;
    uint64_t page; /* where the process has its published page */
    bitfit_published published;
    unsigned char *copy; /* of the bookkeeping; a mapping */
    size_t size;
} outside;

/* Whether what somebody typed is a process: a number that names no file. */
bool outside_is_process(const char *input);

/* Whether the file is this command's own. */
bool outside_is_this_command(const char *path);

/* Finds the pool of a process; of this command, which started a program, the
 * program's. NULL, or why it cannot be read: one line. */
const char *outside_open(outside *from, pid_t pid);

/*
 * Copies the pool as it is now. A copy made while the pool changes is made
 * again, some times; the last of them may still be torn, and the moment says
 * so. NULL, or why it cannot be read.
 */
const char *outside_look(outside *from, heap_moment *moment);
void outside_close(outside *from);

/* The pool's last block is malloc's own, and no matter of the program's. */
void outside_leave_out_marks(const bitfit_published *published,
                             heap_moment *moment);

/* Whether the file begins as an image does. */
bool outside_is_image(const char *path);

/* Reads a file of "bitfit image VERSION", a newline and the bookkeeping. NULL,
 * or why it cannot be read. */
const char *outside_read_image(const char *path, heap_moment *moment);

/* As above, of bytes from malloc(), which are overwritten. */
const char *outside_parse_image(char *bytes, size_t size, heap_moment *moment);

#endif
