/*
 * libbitfit-record.so: records what a program asks of malloc, in the format of
 * tools/trace/format.h. `bitfit record` preloads it and tells it by these
 * variables of the environment what to do; without the first two it is idle.
 */
#ifndef RECORDER_H
#define RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_PATH "BITFIT_RECORD" /* the trace's absolute path */
#define RECORD_PARENT                                                          \
    "BITFIT_RECORD_PARENT"             /* the process whose child is           \
                                          recorded, by its number */
#define RECORD_PID "BITFIT_RECORD_PID" /* that child; the recorder sets it */
#define RECORD_CHILDREN                                                        \
    "BITFIT_RECORD_CHILDREN"               /* set: the program's children,     \
                                              too, into PATH.PID */
#define RECORD_SITES "BITFIT_RECORD_SITES" /* set: call stacks */
#define RECORD_NO_TIMES "BITFIT_RECORD_NO_TIMES" /* set: no times */
#define RECORD_EVENTS "BITFIT_RECORD_EVENTS"     /* stop after so many */
#define RECORD_ABOUT "BITFIT_RECORD_ABOUT" /* instead of the command line */

/* ------------------------------------------------------------- the hooks' */

/* Whether this process is recorded: decided once, when its environment is
 * there. */
bool recorder_on(void);

/* NULL is not noted. The alignment is the one that the block got, 0 where it
 * is every block's. */
void recorder_note_alloc(const void *ptr, size_t alignment, size_t size);

/* Before the block is given back: then another thread may get its address. */
void recorder_note_free(const void *ptr);

/* Before a block is resized; `resizing` is any object that lives until the
 * second call, with what realloc() returned. */
void recorder_begin_resize(const void *ptr, const void *resizing);
void recorder_end_resize(const void *ptr, const void *resizing,
                         const void *moved, size_t size);

/* Marks the recording as complete, if it is this process' own: a child that
 * shares our memory (vfork) may call it, too, and so may a signal's handler. */
void recorder_end(void);

#endif
