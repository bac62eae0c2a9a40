/*
 * The trace file, as the recorder writes it; bitfit-trace(5)
 * is its description.
 *
 *     8 bytes    "bitfit" 0x00 and the version: 1
 *     8 bytes    how many bytes of the file are written, these included,
 *                the lowest first: what follows is not yet sound
 *     varint     1 if the events have times, else 0
 *     varint     length of the description
 *     bytes      the description: the program, what it did
 *     events     'e' is the last; without it the recording was cut
 *
 * An event is one byte that says what, and varints. Blocks are numbered from 0
 * as they are allocated; an event names a block by its age: 0 is the youngest.
 *
 *     'a' size              a block is allocated
 *     'm' log2 size         ... at a multiple of 2^log2
 *     'f' age               a block is freed
 *     'r' age size          a block's size changes; it keeps its number
 *     't' count             so many microseconds pass
 *     'T' number            what follows is the doing of this thread
 *     'S' length bytes      a call stack, outermost first, frames parted by
 *                           ';': they are numbered from 1
 *     's' number            what follows is asked for by this call stack; 0 is
 *                           an unknown one
 *     'e'                   the end
 *
 * A varint holds seven bits in each byte, the lowest first; the top bit says
 * that another byte follows. The whole file may be a Zstandard frame.
 */
#ifndef TRACE_FORMAT_H
#define TRACE_FORMAT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TRACE_MAGIC "bitfit\0"

enum {
    TRACE_MAGIC_SIZE = 7, /* without the version */
    TRACE_VERSION = 1,
    TRACE_WRITTEN_AT = 8, /* where the count of written bytes stands */
    TRACE_HEADER_SIZE = 16,
    TRACE_VARINT_MAX = 10, /* bytes */
    TRACE_RECORD_MAX = 1 + 2 * TRACE_VARINT_MAX
};

enum trace_record {
    RECORD_ALLOC = 'a',
    RECORD_ALIGNED = 'm',
    RECORD_FREE = 'f',
    RECORD_RESIZE = 'r',
    RECORD_TIME = 't',
    RECORD_THREAD = 'T',
    RECORD_STACK = 'S',
    RECORD_SITE = 's',
    RECORD_END = 'e'
};

/* These write at `to` and return the end of what they wrote. */

static inline unsigned char *trace_put_varint(unsigned char *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    *to++ = (unsigned char)value;
    return to;
}

static inline unsigned char *trace_put(unsigned char *to,
                                       enum trace_record record, uint64_t value)
{
    *to++ = (unsigned char)record;
    return trace_put_varint(to, value);
}

static inline unsigned char *trace_put_alloc(unsigned char *to,
                                             unsigned align_log2, uint64_t size)
{
    if (align_log2 == 0)
        return trace_put(to, RECORD_ALLOC, size);
    to = trace_put(to, RECORD_ALIGNED, align_log2);
    return trace_put_varint(to, size);
}

static inline unsigned char *trace_put_resize(unsigned char *to, uint64_t age,
                                              uint64_t size)
{
    return trace_put_varint(trace_put(to, RECORD_RESIZE, age), size);
}

/* Both of the header's numbers and marks but the description itself. */
static inline unsigned char *trace_put_header(unsigned char *to, int timed,
                                              size_t about_size)
{
    memcpy(to, TRACE_MAGIC, TRACE_MAGIC_SIZE);
    to[TRACE_MAGIC_SIZE] = TRACE_VERSION;
    memset(to + TRACE_WRITTEN_AT, 0, TRACE_HEADER_SIZE - TRACE_WRITTEN_AT);
    to = trace_put_varint(to + TRACE_HEADER_SIZE, (uint64_t)timed);
    return trace_put_varint(to, about_size);
}

/* In one store: another process may be reading. */
static inline void trace_put_written(unsigned char *file, uint64_t count)
{
    uint64_t bytes = htole64(count);
    memcpy(file + TRACE_WRITTEN_AT, &bytes, sizeof bytes);
}

static inline uint64_t trace_written(const unsigned char *file)
{
    uint64_t bytes;
    memcpy(&bytes, file + TRACE_WRITTEN_AT, sizeof bytes);
    return le64toh(bytes);
}

#endif
