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
    uint64_t seed[2]; /* secret, so that no file can make its keys meet */
} table;

/* A hash of the key that nobody outside can foresee, once there is a seed; the
 * first key that is put in makes it, too. */
void table_make_seed(table *of);
uint64_t table_hash(const table *in, uint64_t key);

/* How many bytes the next table_put() may ask for. */
static inline size_t table_growth(const table *of)
{
    return of->used * 2 < of->capacity
               ? 0
               : (of->capacity + 1) * 2 * sizeof *of->at;
}

/* Adds the key or changes its number. False if and only if there is no
 * memory; then nothing has changed. */
bool table_put(table *to, uint64_t key, uint64_t number);

/* Whether the key is there; stores its number. */
bool table_find(const table *in, uint64_t key, uint64_t *number);

/* Whether the key was there; it no longer is. Stores its number. */
bool table_take(table *from, uint64_t key, uint64_t *number);

void table_free(table *of);

#endif
