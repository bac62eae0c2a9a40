/*
 * An open-addressed table from a key, such as an address, to a number. All
 * zeros is an empty one. Its memory comes from the system, not from malloc: the
 * recorder works inside that.
 */
#ifndef TRACE_TABLE_H
#define TRACE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct table_entry {
    uint64_t key;
    uint64_t number_plus_1; /* 0: unused */
} table_entry;

typedef struct table {
    table_entry *at;
    size_t capacity; /* a power of two, or 0 */
    size_t used;
} table;

/* Adds the key or changes its number. False if and only if there is no
 * memory; then nothing has changed. */
bool table_put(table *to, uint64_t key, uint64_t number);

/* Whether the key is there; stores its number. */
bool table_find(const table *in, uint64_t key, uint64_t *number);

/* Whether the key was there; it no longer is. Stores its number. */
bool table_take(table *from, uint64_t key, uint64_t *number);

void table_free(table *of);

#endif
