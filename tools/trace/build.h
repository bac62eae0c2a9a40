/*
 * Builds a trace event by event, and lets only sound ones in. Readers call
 * build_next() with what is known of the next event, then say what it is.
 */
#ifndef TRACE_BUILD_H
#define TRACE_BUILD_H

#include "table.h"
#include "trace.h"

enum { TRACE_SIZE_BITS = 48, TRACE_ALIGN_MAX = 30, BUILD_RECENT_LOG2 = 10 };

/* Slots that are used again stay in the processor's cache: the last one first.
 */
typedef struct build_slot {
    uint32_t kind; /* of the last event */
    uint32_t next; /* of an unused one: the unused one behind it */
} build_slot;

#define NO_SLOT UINT32_MAX

typedef struct builder {
    trace *into;
    const char *wrong; /* why the last call returned false */
    size_t capacity;   /* of into->events, and so on */
    size_t kind_capacity;
    size_t tick_capacity;
    size_t block_capacity;
    size_t slot_capacity;
    size_t site_capacity;
    uint32_t *blocks; /* by number: the slot of each, NO_SLOT once freed */
    build_slot *slots;
    uint32_t unused; /* the slot for the next block; NO_SLOT: a new one */
    table kinds;     /* by their hashes */
    uint32_t recent[1 << BUILD_RECENT_LOG2]; /* kinds: most come again soon */
    table addresses;  /* of the live blocks: their slots */
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

/* There will be at most so many events. Room for them at once spares moving
 * what is there; none is used before they come. A mere hint. */
void build_expect(builder *to, size_t events);

/* Of blocks that the file numbers from 0 as they are allocated. */
bool build_alloc(builder *to, uint64_t size, uint64_t align_log2);
bool build_free(builder *to, uint64_t block);
bool build_resize(builder *to, uint64_t block, uint64_t size);

/*
 * Of blocks that the file names by address, and none by number. A log may begin
 * in the middle or have gaps: what it says of a block that is not known is left
 * out, but a resize then allocates; an allocation where a block lives frees
 * that first. `unseen` counts them. Address 0 is NULL: the request has failed,
 * or a free that does nothing.
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

/* What the slot's last event was. */
const trace_event *build_last(const builder *to, uint32_t slot);

/* Makes room for one more element in an array that doubles. */
bool build_grow(builder *to, void *array, size_t *capacity, size_t count,
                size_t each);

#endif
