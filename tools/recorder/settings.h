/*
 * What the environment says, read once: the program may change its environment,
 * or write over the memory in which it lies.
 */
#ifndef RECORDER_SETTINGS_H
#define RECORDER_SETTINGS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

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
