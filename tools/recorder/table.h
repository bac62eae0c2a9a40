/*
 * An open-addressed table from a key, such as an address, to a number. Its
 * memory comes from the system, not from malloc.
 */
#ifndef RECORDER_TABLE_H
#define RECORDER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct table_entry {
    uint64_t key; /* 0: unused */
    uint64_t number;
} table_entry;

typedef struct table {
    table_entry *at;
    size_t capacity; /* a power of two */
    size_t used;
} table;

/* Both return false if and only if there is no memory. */
bool table_init(table *to);
bool table_put(table *to, uint64_t key, uint64_t number);

/* NULL if and only if the key is not there. */
const table_entry *table_find(const table *in, uint64_t key);

/* Whether the key was there; it no longer is. */
bool table_take(table *from, uint64_t key, uint64_t *number);

#endif
