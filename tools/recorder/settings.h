/*
 * What `bitfit record` asks of the library, by variables of the environment;
 * without the first two it is idle. They are read once: the program may change
 * its environment, or write over the memory in which it lies.
 */
#ifndef RECORDER_SETTINGS_H
#define RECORDER_SETTINGS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* The trace's absolute path. */
#define RECORD_PATH "BITFIT_RECORD"
/* The number of the process whose child is recorded. */
#define RECORD_PARENT "BITFIT_RECORD_PARENT"
/* That child's number; the library sets it. */
#define RECORD_PID "BITFIT_RECORD_PID"
/* Set: the program's children, too, into PATH.PID. */
#define RECORD_CHILDREN "BITFIT_RECORD_CHILDREN"
/* Set: call stacks. */
#define RECORD_SITES "BITFIT_RECORD_SITES"
/* Set: no times. */
#define RECORD_NO_TIMES "BITFIT_RECORD_NO_TIMES"
/* Stop after so many events. */
#define RECORD_EVENTS "BITFIT_RECORD_EVENTS"
/* What the trace says of itself, in place of the command line. */
#define RECORD_ABOUT "BITFIT_RECORD_ABOUT"

enum { SETTINGS_PID_MAX = 16 }; /* bytes of ".PID" */

typedef struct settings {
    char path[PATH_MAX];                   /* the trace of the subject */
    char own[PATH_MAX + SETTINGS_PID_MAX]; /* of this process */
    bool times, stacks, children;
    uint64_t events; /* stop after so many */
} settings;

/* False if this process is not to be recorded. */
bool settings_read(settings *to);

/* In a fork's child: `own` is for this process now. */
void settings_fork(settings *to);

#endif
