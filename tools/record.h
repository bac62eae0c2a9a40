/* What `fit` and `run` need of `record`. */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>

/* `run` in front of `record` gives the malloc replacement's library to it by
 * this variable: the program gets the pool, `record` itself does not. */
#define RECORD_PRELOAD "BITFIT_RECORD_PRELOAD"

typedef struct record_plan {
    const char *path;     /* of the trace */
    const char *about;    /* instead of the command line; NULL */
    const char *wrappers; /* more frames to leave out; NULL */
    bool sites, children, no_times;
    size_t events; /* stop after so many; 0: do not */
    bool quiet;    /* say nothing at the end */
} record_plan;

/*
 * Runs a program and records it. Returns the program's exit code, or one of
 * launch.h's, or COMMAND_INPUT where the trace cannot be written, or
 * COMMAND_USAGE for `bitfit run`; then one line was printed and `recorded` is
 * false.
 */
int record_program(const char *verb, const record_plan *plan, char **program,
                   bool *recorded);

#endif
