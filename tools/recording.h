/* The recording of a process that bitfit record started, while it grows. */
#ifndef RECORDING_H
#define RECORDING_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct recording recording;

enum { RECORDING_SITES = 5 };

/* NULL if the process is not recorded, its trace cannot be read or memory is
 * short. */
recording *recording_open(pid_t pid);

/* NULL does nothing. */
void recording_close(recording *closed);

/* Finds the call stacks that hold most by now, up to RECORDING_SITES; returns
 * how many. 0 where the recording is NULL, has no call stacks or has ended. */
size_t recording_look(recording *of);

/* The first few of what the last look found, a line of so many columns for
 * each. */
void recording_print(const recording *of, size_t few, FILE *to,
                     unsigned columns);

/* [{"requested", "blocks", "stack"}, ...] */
json_t *recording_json(const recording *of);

#endif
