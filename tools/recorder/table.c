#include "table.h"

#include <sys/mman.h>

enum { FIRST_CAPACITY = 1 << 14 };

static table_entry *map_entries(size_t capacity)
{
    void *memory =
        mmap(NULL, capacity * sizeof(table_entry), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static size_t home_of(uint64_t key, size_t capacity)
{
    return (size_t)(key * 0x9E3779B97F4A7C15u >> 20) & (capacity - 1);
}

/* The entry of this key, or the unused one where it belongs. */
static table_entry *find(const table *in, uint64_t key)
{
    size_t at = home_of(key, in->capacity);
    while (in->at[at].key != 0 && in->at[at].key != key)
        at = (at + 1) & (in->capacity - 1);
    return &in->at[at];
}

bool table_init(table *to)
{
    *to = (table){map_entries(FIRST_CAPACITY), FIRST_CAPACITY, 0};
    return to->at != NULL;
}

static bool widen(table *of)
{
    table wide = {map_entries(of->capacity * 2), of->capacity * 2, of->used};
    if (wide.at == NULL)
        return false;
    for (size_t i = 0; i < of->capacity; i++) {
        if (of->at[i].key != 0)
            *find(&wide, of->at[i].key) = of->at[i];
    }
    munmap(of->at, of->capacity * sizeof *of->at);
    *of = wide;
    return true;
}

bool table_put(table *to, uint64_t key, uint64_t number)
{
    if (to->used * 2 >= to->capacity && !widen(to))
        return false;
    table_entry *entry = find(to, key);
    to->used += entry->key == 0;
    *entry = (table_entry){key, number};
    return true;
}

const table_entry *table_find(const table *in, uint64_t key)
{
    const table_entry *entry = find(in, key);
    return entry->key == 0 ? NULL : entry;
}

/* Closes the gap that the entry leaves. */
static void remove_entry(table *from, const table_entry *gone)
{
    size_t mask = from->capacity - 1;
    size_t hole = (size_t)(gone - from->at);
    for (size_t at = (hole + 1) & mask; from->at[at].key != 0;
         at = (at + 1) & mask) {
        size_t home = home_of(from->at[at].key, from->capacity);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            from->at[hole] = from->at[at];
            hole = at;
        }
    }
    from->at[hole].key = 0;
    from->used--;
}

bool table_take(table *from, uint64_t key, uint64_t *number)
{
    const table_entry *entry = find(from, key);
    if (entry->key == 0)
        return false;
    *number = entry->number;
    remove_entry(from, entry);
    return true;
}
