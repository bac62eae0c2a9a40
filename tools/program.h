/* What a program's file says about preloads into it. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/* What is preloaded. */
typedef enum program_library {
    PROGRAM_POOL,    /* libbitfit-malloc.so */
    PROGRAM_RECORDER /* libbitfit-record.so */
} program_library;

/* Looks for it as execvp() does. Returns 0 or an errno. */
int program_find(const char *name, char path[static PATH_MAX]);

/* Whether a program that the kernel does not know can be a script for
 * PROGRAM_SHELL, as execvp() takes it to be: its first bytes are text. */
#define PROGRAM_SHELL "/bin/sh"
bool program_is_text(const char *path);

/*
 * Why the library cannot serve this program, as it goes on behind its path;
 * NULL if it can, or where only the system can tell. A script's interpreter is
 * looked at in its place, whose path is then stored.
 */
const char *program_refusal(char path[static PATH_MAX],
                            program_library library);

#endif
