/* What the verbs of the bitfit command share. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The exit codes of every verb but `run` and `record`, which return the
 * program's own. */
enum command_exit {
    COMMAND_OK = 0,
    COMMAND_NO = 1, /* it ran, and the answer is no: a request failed, ... */
    COMMAND_USAGE = 2,
    COMMAND_INPUT = 3 /* a file or a process that cannot be read or written */
};

/* argv[0] is the verb. Returns the exit code. */
typedef int command_verb(int argc, char **argv);

typedef struct command_entry {
    const char *name;
    const char *summary; /* one line of `bitfit --help` */
    command_verb *verb;
} command_entry;

/* Every verb, ended by an entry without a name; stands in main.c. */
extern const command_entry command_list[];

/* Prints "bitfit VERB: message" as one line on standard error; what a terminal
 * would take for orders, in a file's name for instance, becomes '?'. Returns
 * COMMAND_INPUT, so that a verb can return it. */
__attribute__((format(printf, 2, 3))) int
command_error(const char *verb, const char *format, ...);

/* What kept a file's content from being written, as an errno; 0: nothing. */
int command_flush(FILE *file);
int command_close(FILE *file); /* the same, and closes it */

#endif
