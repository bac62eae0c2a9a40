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

/* Whether this process is recorded; the first call decides it. */
bool recorder_on(void);

void recorder_note_alloc(void *ptr, size_t alignment, size_t size);

/* Before the block is given back: then another thread may get its address.
 * Stores the block's number; false if it is none that was recorded. */
bool recorder_take(void *ptr, uint64_t *number);
void recorder_note_free(void *ptr);

/* After recorder_take(): the block is at `ptr` now, resized. */
void recorder_note_resize(void *ptr, uint64_t number, size_t size);

/* After recorder_take(): the block stays as it was. */
void recorder_put_back(void *ptr, uint64_t number);

/* Marks the recording as complete, if it is this process' own: a child that
 * shares our memory (vfork) may call it, too. */
void recorder_end(void);

#endif
