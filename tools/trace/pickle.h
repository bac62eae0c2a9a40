/*
 * Python's pickles, as far as they hold plain data: None, bools, numbers, text,
 * lists, tuples and dicts. Nothing in them is ever called: a pickle of objects
 * is refused. Values are numbered; 0 is None.
 */
#ifndef TRACE_PICKLE_H
#define TRACE_PICKLE_H

#include "build.h"

typedef enum pickle_kind {
    PICKLE_NONE,
    PICKLE_NUMBER,
    PICKLE_TEXT,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_MARK /* on the stack only */
} pickle_kind;

typedef struct pickle_value {
    const char *text; /* in the file; not ended by a NUL */
    uint64_t number;  /* of a text, its length; negative ones as unsigned */
    uint32_t first;   /* cell of a list or dict; 0: there is none */
    uint32_t last;
    uint32_t note; /* for who reads the values; 0 at first */
    uint8_t kind;  /* pickle_kind */
} pickle_value;

/* An element of a list; of a dict, a key or the value behind it. */
typedef struct pickle_cell {
    uint32_t value;
    uint32_t next; /* 0: this is the last */
} pickle_cell;

typedef struct pickle {
    builder *to; /* whose memory is counted */
    const char *at, *next, *end;
    const char *wrong;
    pickle_value *values;
    pickle_cell *cells;
    uint32_t *stack, *memo;
    size_t value_count, cell_count, depth, memo_count;
    size_t value_room, cell_room, stack_room, memo_room;
} pickle;

/* Whether it begins as pickles of protocol 2 and later do. */
bool pickle_is_one(const char *at, size_t size);

/* Reads it; its last value is the one that counts. False if it is none, or
 * memory is short: `wrong` says why, `next` where. Free it in both cases. */
bool pickle_read(pickle *from, builder *to, const char *at, size_t size,
                 uint32_t *value);
void pickle_free(pickle *from);

/* A member of a dict; None if it is no dict or has no such key. Looks at its
 * first 32 keys only. */
uint32_t pickle_member(const pickle *of, uint32_t dict, const char *key);

/* The first cell of a list; 0 if it is none, or empty. */
uint32_t pickle_first(const pickle *of, uint32_t list);

bool pickle_is_text(const pickle *of, uint32_t value, const char *text);

#endif
