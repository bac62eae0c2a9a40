/*
 * Builds a trace event by event, and lets only sound ones in. Readers call
 * build_next() with what is known of the next event, then say what it is.
 */
#ifndef TRACE_BUILD_H
#define TRACE_BUILD_H

#include "table.h"
#include "trace.h"

enum { TRACE_SIZE_BITS = 48, TRACE_ALIGN_MAX = 30 };

typedef struct builder {
    trace *into;
    const char *wrong; /* why the last call returned false */
    size_t capacity;   /* of into->events, and so on */
    size_t kind_capacity;
    size_t tick_capacity;
    size_t block_capacity;
    size_t site_capacity;
    uint32_t *blocks; /* the kind of each one's last event */
    table kinds;      /* by their hashes */
    table addresses;  /* of the live blocks */
    table threads;    /* by the file's names for them */
    table stacks;     /* by their texts' hashes */
    uint64_t time_ns; /* of the next event */
    uint64_t first_ns;
    size_t left; /* bytes of memory that may still be used */
    uint32_t site;
    uint16_t thread;
} builder;

/* All of them return whether it went well; else `wrong` says why. */

bool build_begin(builder *to, size_t left);
void build_end(builder *to);

bool build_alloc(builder *to, uint64_t size, uint64_t align_log2);
bool build_free(builder *to, uint64_t block);
bool build_resize(builder *to, uint64_t block, uint64_t size);

/*
 * The same of blocks that the file names by address. A log may begin in the
 * middle or have gaps: what it says of a block that is not known is left out,
 * but a resize then allocates; an allocation where a block lives frees that
 * first. `unseen` counts them. Address 0 is NULL: the request has failed, or a
 * free that does nothing.
 */
bool build_alloc_at(builder *to, uint64_t address, uint64_t size,
                    uint64_t align_log2);
bool build_free_at(builder *to, uint64_t address);
bool build_resize_at(builder *to, uint64_t old, uint64_t address,
                     uint64_t size);
/* The number of the call stack with this text, which is added if it is new. */
bool build_site(builder *to, const char *text, size_t length, uint32_t *site);

/* What follows happens then; time does not run back. */
void build_time(builder *to, uint64_t time_ns);

/* Adds a call stack; its number is then site_count - 1. */
bool build_stack(builder *to, const char *text, size_t length);

/* What follows is the doing of the thread that the file names so. */
bool build_thread(builder *to, uint64_t name);

/* What the block's last event was. */
const trace_event *build_last(const builder *to, uint32_t block);

/* Makes room for one more element in an array that doubles. */
bool build_grow(builder *to, void *array, size_t *capacity, size_t count,
                size_t each);

#endif
