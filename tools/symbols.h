/* Functions' names for the addresses that the recorder writes. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include "trace/trace.h"

/* Turns frames such as "/usr/bin/app+0x1234" into names such as "main", or
 * "app+0x1234" where there is none. False if and only if memory is out; then
 * some frames are as they were. */
bool symbols_resolve(trace *of);

#endif
