/*
 * BITFIT_HARDENED=1: slower, and less of what goes wrong goes unseen.
 *
 *     block     | n bytes asked for | padding | tail |
 *
 * The tail is the block's last word: a secret number for this address, with the
 * length of padding and tail in it. Both are looked at when the block is freed:
 * writing past the n bytes, by one already, is seen then.
 *
 * What is freed is zeroed and waits in a quarantine before the pool has it. So
 * all memory that is not handed out is zero; where it is not when it leaves the
 * quarantine or is handed out again, somebody wrote to it after it was freed.
 *
 * There are no caches then. All calls are made inside a slow path.
 */
#ifndef BITFIT_MALLOC_HARDENED_H
#define BITFIT_MALLOC_HARDENED_H

#include "heap.h"

/* As slow_take(); all bytes are zero. */
void *hardened_take(size_t alignment, size_t size);

/* As slow_give(). */
void hardened_give(void *ptr, size_t size);

/* The bytes that were asked for; dies if the block is none, waits in the
 * quarantine or was written past. */
size_t hardened_size(const void *ptr);

/* At the program's end: looks at what waits in the quarantine. */
void hardened_end(void);

#endif
