/*
 * Traces of what programs ask of malloc, as the recorder writes them and the
 * benchmark replays them.
 *
 * A file is a Zstandard frame (or that frame's content as it is) of
 *
 *     8 bytes    "bitfit" 0x00 0x01
 *     varint     length of the description
 *     bytes      the description: the program, the version, what it did
 *     events     to the end of the file
 *
 * An event is one byte that says what, and varints. Blocks are numbered from 0
 * as they are allocated; an event names a block by its age: 0 is the youngest.
 *
 *     'a' size              a block is allocated
 *     'm' log2 size         ... at a multiple of 2^log2
 *     'f' age               a block is freed
 *     'r' age size          a block's size changes; it keeps its number
 *
 * A varint holds seven bits in each byte, the lowest first; the top bit says
 * that another byte follows.
 */
#ifndef BENCH_TRACE_FORMAT_H
#define BENCH_TRACE_FORMAT_H

enum { TRACE_MAGIC_SIZE = 8 };

#define TRACE_MAGIC "bitfit\0\1"

enum trace_event {
    TRACE_ALLOC = 'a',
    TRACE_ALIGNED = 'm',
    TRACE_FREE = 'f',
    TRACE_RESIZE = 'r'
};

#endif
