/*
 * Pools in a core file: that of a program under `bitfit run`, else every pool
 * whose bookkeeping is found. Nothing in the file is trusted.
 */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include "moment.h"

/* Whether a core file begins there, or at what stands before an "@". */
bool core_file_is_one(const char *input);

/* Looks at the only pool of the core file, or, of "FILE@ADDRESS", at the one
 * whose bookkeeping is there. NULL, or why it cannot be read: one line, which
 * lists the pools where there are several. */
const char *core_file_look(const char *input, heap_moment *moment);

#endif
