/* Functions' names for the addresses that the recorder writes. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include "trace/trace.h"

/* What was read of programs and libraries so far. */
typedef struct symbols symbols;

/* NULL if and only if memory is out. */
symbols *symbols_open(void);
void symbols_close(symbols *closed);

/* A call stack with frames such as "/usr/bin/app+0x1234" turned into names such
 * as "main", or "app+0x1234" where there is none. The caller frees it. NULL if
 * and only if memory is out. */
char *symbols_of_stack(symbols *with, const char *stack);

/* The same of all sites. False if and only if memory is out; then some are as
 * they were. */
bool symbols_resolve(trace *of);

#endif
