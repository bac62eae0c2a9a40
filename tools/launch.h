/*
 * Starts a program with a library in front of its malloc, and waits for it:
 * what `run` and `record` share.
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "program.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* Exit codes where the program did not start, as env(1) and shells give. */
enum { LAUNCH_CANNOT = 126, LAUNCH_NOT_FOUND = 127 };

enum { LAUNCH_FAILED = -1 }; /* in place of a signal */

/* How a program ended. */
typedef struct launch_end {
    int code;   /* its own, or 128 + signal */
    int signal; /* that ended it; 0 if none did */
    pid_t pid;
} launch_end;

/*
 * Where a library of this project lies, such as "libbitfit-malloc.so": what the
 * environment's `variable` says if it is set, else beside this executable, in a
 * build tree's folder `room` or in an installed tree's library folders. False
 * if and only if no such file can be read; then one line was printed.
 */
bool launch_find_library(const char *verb, const char *variable,
                         const char *room, const char *file,
                         char path[static PATH_MAX]);

/*
 * Whether a library serves `program`, looked for as a shell does. Returns 0, or
 * the exit code after one line that says what is in the way: no such program,
 * not executable, or what program_refusal() says.
 */
int launch_check(const char *verb, const char *program,
                 program_library library);

/* Whether a program with its arguments is this command with that verb. */
bool launch_is_self(char **program, const char *verb);

/* Puts a library in front of LD_PRELOAD. False, after one line, if its path
 * has a space, a colon or a dollar sign, which LD_PRELOAD cannot express. */
bool launch_preload(const char *verb, const char *library);

/* From now on launch() waits for the program's descendants, too, until they
 * have ended or a signal ends the waiting. */
void launch_adopt(void);

/*
 * Runs a program in this environment and waits for its end. What is sent to
 * this process is forwarded, but not what the terminal sends to the whole
 * process group; it stops and goes on with the program. Where the program did
 * not start, one line was printed, and the signal is LAUNCH_FAILED.
 */
launch_end launch(const char *verb, char **argv);

#endif
