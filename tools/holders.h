/* Who holds most in a process that bitfit record started: its trace is read
 * while it grows. */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct holders holders;

enum { HOLDERS_MAX = 5 };

/* NULL if the process is not recorded, its trace cannot be read or memory is
 * short. */
holders *holders_open(pid_t pid);

/* NULL does nothing. */
void holders_close(holders *closed);

/* Finds the call stacks that hold most by now, up to HOLDERS_MAX; returns
 * how many. 0 where the recording is NULL, has no call stacks or has ended. */
size_t holders_look(holders *of);

/* The first few of what the last look found, a line of so many columns for
 * each. */
void holders_print(const holders *of, size_t few, FILE *to, unsigned columns);

/* [{"requested", "blocks", "stack"}, ...] */
json_t *holders_json(const holders *of);

#endif
