#include "build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char out_of_memory[] = "there is not enough memory to read it";

static bool refuse(builder *to, const char *why)
{
    to->wrong = why;
    return false;
}

size_t build_limit(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    return pages <= 0 || page <= 0 ? SIZE_MAX / 2
                                   : (size_t)pages / 2 * (size_t)page;
}

bool build_grow(void *array, size_t *capacity, size_t count, size_t each)
{
    void **at = array;
    if (count < *capacity)
        return true;
    size_t larger = *capacity == 0 ? 1024 : *capacity * 2;
    void *moved =
        larger > build_limit() / each ? NULL : realloc(*at, larger * each);
    if (moved == NULL)
        return false;
    *at = moved;
    *capacity = larger;
    return true;
}

bool build_begin(builder *to)
{
    return build_stack(to, "", 0);
}

void build_end(builder *to)
{
    free(to->blocks);
    table_free(&to->addresses);
    table_free(&to->threads);
    table_free(&to->stacks);
}

/* ------------------------------------------------------------------ events */

static bool add_event(builder *to, trace_op op, uint64_t block,
                      uint64_t align_log2)
{
    trace *into = to->into;
    if (!build_grow(&into->events, &to->capacity, into->count,
                    sizeof *into->events))
        return refuse(to, out_of_memory);
    if (into->count == 0)
        to->first_ns = to->time_ns;
    into->events[into->count++] =
        (trace_event){.time_ns = to->time_ns - to->first_ns,
                      .size = to->blocks[block].size,
                      .block = (uint32_t)block,
                      .site = to->blocks[block].site,
                      .thread = to->thread,
                      .align_log2 = (uint8_t)align_log2,
                      .op = (uint8_t)op};
    if (into->threads <= to->thread)
        into->threads = to->thread + 1u;
    return true;
}

static bool is_size(builder *to, uint64_t size)
{
    return size >> TRACE_SIZE_BITS == 0 ||
           refuse(to, "a size of 2^48 bytes or more");
}

bool build_alloc(builder *to, uint64_t size, uint64_t align_log2)
{
    uint32_t number = to->into->blocks;
    if (!is_size(to, size))
        return false;
    if (align_log2 > TRACE_ALIGN_MAX)
        return refuse(to, "an alignment of more than 2^30 bytes");
    if (number == UINT32_MAX)
        return refuse(to, "more than 2^32 - 2 blocks");
    if (!build_grow(&to->blocks, &to->block_capacity, number,
                    sizeof *to->blocks))
        return refuse(to, out_of_memory);
    to->blocks[number] =
        (build_block){.size = size & ((uint64_t)-1 >> (64 - TRACE_SIZE_BITS)),
                      .lives = 1,
                      .site = to->site};
    to->into->blocks++;
    return add_event(to, TRACE_ALLOC, number, align_log2);
}

static bool lives(builder *to, uint64_t block)
{
    return (block < to->into->blocks && to->blocks[block].lives) ||
           refuse(to, "it names a block that does not live");
}

bool build_free(builder *to, uint64_t block)
{
    if (!lives(to, block))
        return false;
    to->blocks[block].lives = 0;
    return add_event(to, TRACE_FREE, block, 0);
}

bool build_resize(builder *to, uint64_t block, uint64_t size)
{
    if (!lives(to, block) || !is_size(to, size))
        return false;
    to->blocks[block].size = size & ((uint64_t)-1 >> (64 - TRACE_SIZE_BITS));
    to->blocks[block].site = to->site;
    return add_event(to, TRACE_RESIZE, block, 0);
}

bool build_stack(builder *to, const char *text, size_t length)
{
    trace *into = to->into;
    if (into->site_count == UINT32_MAX)
        return refuse(to, "more than 2^32 - 2 call stacks");
    char *copy = strndup(text, length);
    if (copy == NULL || !build_grow(&into->sites, &to->site_capacity,
                                    into->site_count, sizeof *into->sites)) {
        free(copy);
        return refuse(to, out_of_memory);
    }
    into->sites[into->site_count++] = copy;
    return true;
}

/* ------------------------------------------------------- names in the file */

bool build_thread(builder *to, uint64_t name)
{
    uint64_t number = to->threads.used;
    if (!table_find(&to->threads, name, &number)) {
        if (number > UINT16_MAX)
            return refuse(to, "more than 65,536 threads");
        if (!table_put(&to->threads, name, number))
            return refuse(to, out_of_memory);
    }
    to->thread = (uint16_t)number;
    return true;
}

static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = 0xCBF29CE484222325u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001B3u;
    return hash;
}

bool build_site(builder *to, const char *text, size_t length, uint32_t *site)
{
    uint64_t hash = hash_of(text, length);
    uint64_t number = to->into->site_count;
    if (!table_find(&to->stacks, hash, &number)) {
        if (!build_stack(to, text, length))
            return false;
        if (!table_put(&to->stacks, hash, number))
            return refuse(to, out_of_memory);
    }
    *site = (uint32_t)number;
    return true;
}

void build_time(builder *to, uint64_t time_ns)
{
    if (to->into->count == 0 || time_ns > to->time_ns)
        to->time_ns = time_ns;
}

bool build_knows(const builder *to, uint64_t address)
{
    uint64_t block;
    return table_find(&to->addresses, address, &block);
}

static bool settle(builder *to, uint64_t address, uint64_t block)
{
    return table_put(&to->addresses, address, block) ||
           refuse(to, out_of_memory);
}

bool build_alloc_at(builder *to, uint64_t address, uint64_t size,
                    uint64_t align_log2)
{
    if (build_knows(to, address))
        return refuse(to, "a block lives there already");
    return build_alloc(to, size, align_log2) &&
           settle(to, address, to->into->blocks - 1);
}

/* Whether a block lived there; it no longer has that address. */
static bool leave(builder *to, uint64_t address, uint64_t *block)
{
    return table_take(&to->addresses, address, block) ||
           refuse(to, "no block lives there");
}

bool build_free_at(builder *to, uint64_t address)
{
    uint64_t block;
    return leave(to, address, &block) && build_free(to, block);
}

bool build_resize_at(builder *to, uint64_t old, uint64_t address, uint64_t size)
{
    uint64_t block;
    if (!leave(to, old, &block))
        return false;
    if (build_knows(to, address))
        return refuse(to, "a block lives there already");
    return settle(to, address, block) && build_resize(to, block, size);
}
