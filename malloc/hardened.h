/*
 * BITFIT_HARDENED=1: slower, and less of what goes wrong goes unseen.
 *
 *     small     | n bytes asked for | tail |
 *     large     [ in front | n bytes asked for | padding ] [ closed pages ]
 *
 * *Small blocks* end in a tail of 1 to 16 bytes: secret bytes for this address,
 * into which its length is mixed. It is looked at when the block is freed or
 * resized, and at the program's end.
 *
 * *Large blocks*, from 64 KiB on, and some smaller ones from a page on, as many
 * as is cheap, end at a page that nobody can touch. How many
 * bytes were asked for stands in the marks, of which a large block has a whole
 * word that nobody else uses. One that has grown gets room to grow on, in pages
 * that are closed until then: growing step by step takes time in proportion to
 * what there is at the end.
 *
 * *What is freed* is zeroed and waits before it is used again: small blocks in
 * their thread's cache, from where a random one leaves for each that comes;
 * large ones with their first page closed, and with all of them as far as that
 * is cheap. All memory that is not handed out is zero; where it is not when it
 * is handed out again, somebody wrote to it after it was freed.
 */
#ifndef BITFIT_MALLOC_HARDENED_H
#define BITFIT_MALLOC_HARDENED_H

#include "heap.h"

/* Outside of a slow path, for small blocks: a block whose bytes are zero, or
 * NULL if the thread's cache has none. */
void *hardened_take_cached(const char *call, size_t size);

/* The same: takes the live block at `ptr`; false if there may be none, or it
 * cannot, and nothing has changed. Dies if something is wrong with it. */
bool hardened_give_cached(const char *call, void *ptr, size_t size);

/* The same: as realloc(); NULL if another way has to be found, and nothing has
 * changed. */
void *hardened_resize_cached(const char *call, void *ptr, size_t count,
                             size_t size);

/* Inside a slow path: as slow_take() and slow_give(). All bytes are zero. */
void *hardened_take(size_t alignment, size_t size);
void hardened_give(void *ptr, size_t size);

/* Inside: as realloc() of a live block and a size that is not 0; what is new in
 * it is zero. */
void *hardened_resize(void *ptr, size_t size);

/* Inside: the bytes that were asked for; dies if the block is none, waits, or
 * was written past. */
size_t hardened_size(void *ptr);

/* At the program's end: looks at all that is free, and at all canaries. */
void hardened_end(void);

#endif
