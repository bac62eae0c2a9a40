#include "table.h"

#include "system.h"

#include <string.h>

enum { FIRST_CAPACITY = 1 << 12 };

static table_entry *map_entries(size_t capacity)
{
    return system_pages(capacity * sizeof(table_entry));
}

/* By the system call itself, which is no cancellation point. Where the system
 * has no random numbers yet, an address is hard enough to guess. */
void table_make_seed(table *of)
{
    enum { NONBLOCK = 1 };
    if (system_call6(SYS_getrandom, (long)of->seed, sizeof of->seed, NONBLOCK,
                     0, 0, 0) != (long)sizeof of->seed) {
        of->seed[0] = (uintptr_t)of;
        of->seed[1] = (uintptr_t)of->at;
    }
}

/* Two multiplications by secret odd numbers, each spread downwards. */
uint64_t table_hash(const table *in, uint64_t key)
{
    uint64_t hash = (key ^ in->seed[0]) * (in->seed[1] | 1);
    hash = (hash ^ hash >> 32) * (in->seed[0] | 1);
    return hash ^ hash >> 29;
}

static size_t home_of(const table *in, uint64_t key)
{
    return (size_t)table_hash(in, key) & (in->capacity - 1);
}

/* The entry of this key, or the unused one where it belongs; NULL if there are
 * no entries at all. */
static table_entry *find(const table *in, uint64_t key)
{
    if (in->capacity == 0)
        return NULL;
    size_t at = home_of(in, key);
    while (in->at[at].number_plus_1 != 0 && in->at[at].key != key)
        at = (at + 1) & (in->capacity - 1);
    return &in->at[at];
}

void table_free(table *of)
{
    if (of->at != NULL)
        system_unmap(of->at, of->capacity * sizeof *of->at);
    *of = (table){0};
}

static bool widen(table *of)
{
    size_t capacity = of->capacity == 0 ? FIRST_CAPACITY : of->capacity * 2;
    table wide = {
        .at = map_entries(capacity), .capacity = capacity, .used = of->used};
    if (wide.at == NULL)
        return false;
    memcpy(wide.seed, of->seed, sizeof wide.seed);
    if ((wide.seed[0] | wide.seed[1]) == 0)
        table_make_seed(&wide);
    for (size_t i = 0; i < of->capacity; i++) {
        if (of->at[i].number_plus_1 != 0)
            *find(&wide, of->at[i].key) = of->at[i];
    }
    table_free(of);
    *of = wide;
    return true;
}

bool table_put(table *to, uint64_t key, uint64_t number)
{
    if (to->used * 2 >= to->capacity && !widen(to))
        return false;
    table_entry *entry = find(to, key);
    to->used += entry->number_plus_1 == 0;
    *entry = (table_entry){key, number + 1};
    return true;
}

bool table_find(const table *in, uint64_t key, uint64_t *number)
{
    const table_entry *entry = find(in, key);
    if (entry == NULL || entry->number_plus_1 == 0)
        return false;
    *number = entry->number_plus_1 - 1;
    return true;
}

/* Closes the gap that the entry leaves. */
static void remove_entry(table *from, const table_entry *gone)
{
    size_t mask = from->capacity - 1;
    size_t hole = (size_t)(gone - from->at);
    for (size_t at = (hole + 1) & mask; from->at[at].number_plus_1 != 0;
         at = (at + 1) & mask) {
        size_t home = home_of(from, from->at[at].key);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            from->at[hole] = from->at[at];
            hole = at;
        }
    }
    from->at[hole].number_plus_1 = 0;
    from->used--;
}

bool table_take(table *from, uint64_t key, uint64_t *number)
{
    if (!table_find(from, key, number))
        return false;
    remove_entry(from, find(from, key));
    return true;
}
