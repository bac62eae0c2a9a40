/*
 * libbitfit-record.so: records what a program asks of malloc, in the format of
 * tools/trace/format.h. `bitfit record` preloads it; settings.h has how it
 * tells the library what to do.
 */
#ifndef RECORDER_H
#define RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this process is recorded: decided once, when its environment is
 * there. */
bool recorder_on(void);

/* NULL is not noted. The alignment is the one that the block got, 0 where it
 * is every block's. */
void recorder_note_alloc(const void *ptr, size_t alignment, size_t size);

/* Before the block is given back: then another thread may get its address. */
void recorder_note_free(const void *ptr);

/* Before a block is resized; `resizing` is any object that lives until the
 * second call, with what realloc() returned. */
void recorder_begin_resize(const void *ptr, const void *resizing);
void recorder_end_resize(const void *ptr, const void *resizing,
                         const void *moved, size_t size);

/* Marks the recording as complete, if it is this process' own: a child that
 * shares our memory (vfork) may call it, too, and so may a signal's handler. */
void recorder_end(void);

#endif
