/*
 * A trace: what a program asked of malloc, in the order in which it asked.
 *
 * An event names its block by a slot: the number that the block has from its
 * allocation to its free, wherever it moves, and that no other has in that
 * time. A later block gets it again. So an array by slot is as large as what
 * lives at once, however long the trace is.
 *
 * Every event of a trace that was opened is sound: a free or a resize names a
 * slot whose block lives, an allocation one that is unused; a size is below
 * 2^48.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum trace_op { TRACE_ALLOC, TRACE_FREE, TRACE_RESIZE } trace_op;

typedef struct trace_event {
    uint64_t size;      /* bytes requested; of a free: the block's last size */
    uint32_t slot;      /* of the block */
    uint32_t site;      /* index into sites; 0 is "unknown"; of a free: where
                           the block got its last size */
    uint16_t thread;    /* from 0 */
    uint8_t align_log2; /* 0: what malloc gives */
    uint8_t op;         /* trace_op */
} trace_event;

/* Programs ask for the same again and again, and there are millions of events:
 * what differs only in its slot is kept once. */
typedef struct trace_packed {
    uint32_t slot;
    uint32_t kind; /* index into kinds */
} trace_packed;

/* From this event on it is so late. */
typedef struct trace_tick {
    size_t event;
    uint64_t time_ns; /* since the first event */
} trace_tick;

typedef struct trace {
    trace_packed *events; /* trace_at() unpacks them */
    size_t count;
    trace_event *kinds; /* each once, of no slot */
    size_t kind_count;
    trace_tick *ticks; /* trace_time() looks them up */
    size_t tick_count;
    uint32_t blocks; /* how many were ever allocated */
    uint32_t slots;  /* how many live at once at most */
    uint32_t threads;
    bool timed; /* events have times */
    bool cut;   /* the recording is not all there; what is here is sound */
    const char *why_cut; /* in what way; NULL unless it is cut */
    uint64_t unseen;     /* how often the file speaks of a block that it did not
                            allocate, or did not free before its place was used
                            again: the log begins in the middle, or has gaps */
    uint64_t failed;     /* requests that the program itself did not get */
    char **sites; /* call stacks as text, "main;parse;strdup"; [0] is "" */
    size_t site_count;
    char *name;         /* the file's, without folder and endings */
    char *about;        /* what the file says of itself; "" where nothing */
    const char *format; /* such as "bitfit", "AOSP memory_replay" */
} trace;

/* Why a trace cannot be read: one line, with file and line or byte offset. */
typedef struct trace_error {
    char text[512];
} trace_error;

/*
 * Reads a whole trace; recognizes the format by its content. "-" is standard
 * input. NULL if and only if it cannot be read or is malformed; then the error
 * says why, where, and what would work.
 */
trace *trace_open(const char *path, trace_error *error);

/* As trace_open(), of `size` bytes at `content`, which are left as they are;
 * errors call them `path`. */
trace *trace_parse(const char *path, const void *content, size_t size,
                   trace_error *error);

static inline trace_event trace_at(const trace *from, size_t event)
{
    trace_packed packed = from->events[event];
    trace_event unpacked = from->kinds[packed.kind];
    unpacked.slot = packed.slot;
    return unpacked;
}

/* Nanoseconds since the first event; 0 where the trace has no times. O(log n)
 * of the times that there are. */
uint64_t trace_time(const trace *from, size_t event);

/* NULL does nothing. */
void trace_close(trace *closed);

#endif
