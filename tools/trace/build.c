#include "build.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const char out_of_memory[] =
    "there is not enough memory for so many events";

static bool refuse(builder *to, const char *why)
{
    to->wrong = why;
    return false;
}

bool build_grow(builder *to, void *array, size_t *capacity, size_t count,
                size_t each)
{
    void **at = array;
    if (count < *capacity)
        return true;
    size_t larger = *capacity == 0 ? 1024 : *capacity * 2;
    size_t more = (larger - *capacity) * each;
    void *moved = more > to->left ? NULL : realloc(*at, larger * each);
    if (moved == NULL)
        return false;
    to->left -= more;
    *at = moved;
    *capacity = larger;
    return true;
}

/* In pages as large as the system has: there are few of them to make. */
static void *reserve(size_t size)
{
    enum { LARGE_PAGE = 2 << 20 };
    size_t whole = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    void *at = aligned_alloc(LARGE_PAGE, whole);
    if (at != NULL)
        madvise(at, whole, MADV_HUGEPAGE);
    return at;
}

void build_expect(builder *to, size_t events)
{
    enum { MANY = 1 << 20 };
    trace *into = to->into;
    size_t size = events * sizeof *into->events;
    if (into->events != NULL || events < MANY || size > to->left / 4)
        return;
    into->events = reserve(size);
    if (into->events == NULL)
        return;
    to->capacity = events;
    to->left -= size;
}

/* Of the events' room. */
static void give_back_rest(builder *to)
{
    trace *into = to->into;
    if (into->count == 0 || into->count == to->capacity)
        return;
    void *shorter = realloc(into->events, into->count * sizeof *into->events);
    if (shorter != NULL)
        into->events = shorter;
}

bool build_begin(builder *to, size_t left)
{
    to->left = left;
    to->unused = NO_SLOT;
    table_make_seed(&to->stacks);
    table_make_seed(&to->kinds);
    return build_stack(to, "", 0);
}

void build_end(builder *to)
{
    give_back_rest(to);
    free(to->blocks);
    free(to->slots);
    table_free(&to->kinds);
    table_free(&to->addresses);
    table_free(&to->threads);
    table_free(&to->stacks);
}

/* ------------------------------------------------------------------ events */

static bool put(builder *to, table *in, uint64_t key, uint64_t number)
{
    size_t before = in->capacity;
    if (table_growth(in) > to->left || !table_put(in, key, number))
        return refuse(to, out_of_memory);
    to->left -= (in->capacity - before) * sizeof *in->at;
    return true;
}

static bool is_kind(const trace_event *left, const trace_event *right)
{
    return left->size == right->size && left->site == right->site &&
           left->thread == right->thread &&
           left->align_log2 == right->align_log2 && left->op == right->op;
}

static uint64_t hash_of_kind(const builder *to, const trace_event *kind)
{
    uint64_t small = (uint64_t)kind->site << 32 | (uint64_t)kind->thread << 16 |
                     (uint64_t)kind->align_log2 << 8 | kind->op;
    return table_hash(&to->kinds, table_hash(&to->kinds, kind->size) ^ small);
}

/* Should two have one hash, the first is simply not found again. */
static bool find_or_add_kind(builder *to, const trace_event *kind,
                             uint32_t *number)
{
    trace *into = to->into;
    uint64_t hash = hash_of_kind(to, kind);
    uint64_t found;
    if (table_find(&to->kinds, hash, &found) &&
        is_kind(&into->kinds[found], kind)) {
        *number = (uint32_t)found;
        return true;
    }
    if (into->kind_count == UINT32_MAX)
        return refuse(to, "more than 2^32 - 2 kinds of events");
    if (!build_grow(to, &into->kinds, &to->kind_capacity, into->kind_count,
                    sizeof *into->kinds))
        return refuse(to, out_of_memory);
    *number = (uint32_t)into->kind_count;
    into->kinds[into->kind_count++] = *kind;
    return put(to, &to->kinds, hash, *number);
}

/* Where a kind is noted when it was seen. This hash need not be a secret: where
 * two kinds meet, the other one is looked up. */
static uint32_t *recent_place(builder *to, const trace_event *kind)
{
    uint64_t mix = kind->size ^ (uint64_t)kind->site << 24 ^
                   (uint64_t)kind->op << 56 ^ (uint64_t)kind->thread << 58;
    return &to->recent[mix * 0x9E3779B97F4A7C15u >> (64 - BUILD_RECENT_LOG2)];
}

/* The number of this kind of event, which is added if it is new. */
static bool find_kind(builder *to, const trace_event *kind, uint32_t *number)
{
    uint32_t *recent = recent_place(to, kind);
    if (*recent >= to->into->kind_count ||
        !is_kind(&to->into->kinds[*recent], kind)) {
        if (!find_or_add_kind(to, kind, number))
            return false;
        *recent = *number;
    }
    *number = *recent;
    return true;
}

/* Notes the time of the next event, if it is another than the last one's. */
static bool add_tick(builder *to)
{
    trace *into = to->into;
    uint64_t time_ns = to->time_ns - to->first_ns;
    uint64_t last =
        into->tick_count == 0 ? 0 : into->ticks[into->tick_count - 1].time_ns;
    if (time_ns == last)
        return true;
    if (!build_grow(to, &into->ticks, &to->tick_capacity, into->tick_count,
                    sizeof *into->ticks))
        return refuse(to, out_of_memory);
    into->ticks[into->tick_count++] = (trace_tick){into->count, time_ns};
    return true;
}

static bool add_event(builder *to, uint32_t slot, const trace_event *kind)
{
    trace *into = to->into;
    uint32_t number;
    if (!find_kind(to, kind, &number))
        return false;
    if (!build_grow(to, &into->events, &to->capacity, into->count,
                    sizeof *into->events))
        return refuse(to, out_of_memory);
    if (into->count == 0)
        to->first_ns = to->time_ns;
    if (!add_tick(to))
        return false;
    to->slots[slot].kind = number;
    into->events[into->count++] = (trace_packed){slot, number};
    if (into->threads <= to->thread)
        into->threads = to->thread + 1u;
    return true;
}

static bool is_size(builder *to, uint64_t size)
{
    return size >> TRACE_SIZE_BITS == 0 ||
           refuse(to, "a size of 2^48 bytes or more");
}

/* Adds the event, then takes the slot. */
static bool take_slot(builder *to, const trace_event *kind, uint32_t *slot)
{
    trace *into = to->into;
    bool again = to->unused != NO_SLOT;
    *slot = again ? to->unused : into->slots;
    if (!again && !build_grow(to, &to->slots, &to->slot_capacity, into->slots,
                              sizeof *to->slots))
        return refuse(to, out_of_memory);
    if (!add_event(to, *slot, kind))
        return false;
    if (again) {
        to->unused = to->slots[*slot].next;
    } else {
        into->slots++;
    }
    into->blocks++;
    return true;
}

static bool alloc_slot(builder *to, uint64_t size, uint64_t align_log2,
                       uint32_t *slot)
{
    if (!is_size(to, size))
        return false;
    if (align_log2 > TRACE_ALIGN_MAX)
        return refuse(to, "an alignment of more than 2^30 bytes");
    if (to->into->blocks == UINT32_MAX)
        return refuse(to, "more than 2^32 - 2 blocks");
    const trace_event kind = {.size = size,
                              .site = to->site,
                              .thread = to->thread,
                              .align_log2 = (uint8_t)align_log2,
                              .op = TRACE_ALLOC};
    return take_slot(to, &kind, slot);
}

const trace_event *build_last(const builder *to, uint32_t slot)
{
    return &to->into->kinds[to->slots[slot].kind];
}

static bool free_slot(builder *to, uint32_t slot)
{
    const trace_event *last = build_last(to, slot);
    const trace_event kind = {.size = last->size,
                              .site = last->site,
                              .thread = to->thread,
                              .op = TRACE_FREE};
    if (!add_event(to, slot, &kind))
        return false;
    to->slots[slot].next = to->unused;
    to->unused = slot;
    return true;
}

static bool resize_slot(builder *to, uint32_t slot, uint64_t size)
{
    if (!is_size(to, size))
        return false;
    const trace_event kind = {.size = size,
                              .site = to->site,
                              .thread = to->thread,
                              .op = TRACE_RESIZE};
    return add_event(to, slot, &kind);
}

/* ----------------------------------------------------- blocks with a number */

bool build_alloc(builder *to, uint64_t size, uint64_t align_log2)
{
    uint32_t number = to->into->blocks;
    return (build_grow(to, &to->blocks, &to->block_capacity, number,
                       sizeof *to->blocks) ||
            refuse(to, out_of_memory)) &&
           alloc_slot(to, size, align_log2, &to->blocks[number]);
}

static bool lives(builder *to, uint64_t block)
{
    return (block < to->into->blocks && to->blocks[block] != NO_SLOT) ||
           refuse(to, "it names a block that is not live");
}

bool build_free(builder *to, uint64_t block)
{
    if (!lives(to, block) || !free_slot(to, to->blocks[block]))
        return false;
    to->blocks[block] = NO_SLOT;
    return true;
}

bool build_resize(builder *to, uint64_t block, uint64_t size)
{
    return lives(to, block) && resize_slot(to, to->blocks[block], size);
}

/* -------------------------------------------------------------- call stacks */

bool build_stack(builder *to, const char *text, size_t length)
{
    trace *into = to->into;
    if (into->site_count == UINT32_MAX)
        return refuse(to, "more than 2^32 - 2 call stacks");
    char *copy = length >= to->left ? NULL : strndup(text, length);
    if (copy == NULL || !build_grow(to, &into->sites, &to->site_capacity,
                                    into->site_count, sizeof *into->sites)) {
        free(copy);
        return refuse(to, out_of_memory);
    }
    to->left -= length + 1;
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
        if (!put(to, &to->threads, name, number))
            return false;
    }
    to->thread = (uint16_t)number;
    return true;
}

/* By a hash with a secret seed no two texts can be made to meet, and by chance
 * they do not. */
static uint64_t hash_of(const table *in, const char *text, size_t length)
{
    uint64_t hash = length;
    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = 0;
        memcpy(&word, text + i, length - i < 8 ? length - i : 8);
        hash = table_hash(in, hash ^ word);
    }
    return hash;
}

bool build_site(builder *to, const char *text, size_t length, uint32_t *site)
{
    uint64_t hash = hash_of(&to->stacks, text, length);
    uint64_t number = to->into->site_count;
    if (!table_find(&to->stacks, hash, &number)) {
        if (!build_stack(to, text, length) ||
            !put(to, &to->stacks, hash, number))
            return false;
    }
    *site = (uint32_t)number;
    return true;
}

void build_time(builder *to, uint64_t time_ns)
{
    if (to->into->count == 0 || time_ns > to->time_ns)
        to->time_ns = time_ns;
}

/* ------------------------------------------------- blocks with an address */

/* Whether a block lived there; it no longer has that address. */
static bool leave(builder *to, uint64_t address, uint32_t *slot)
{
    uint64_t found;
    bool lived = table_take(&to->addresses, address, &found);
    *slot = lived ? (uint32_t)found : NO_SLOT;
    return lived;
}

/* Frees a block whose free was not seen. */
static bool clear(builder *to, uint64_t address)
{
    uint32_t slot;
    if (!leave(to, address, &slot))
        return true;
    to->into->unseen++;
    return free_slot(to, slot);
}

bool build_alloc_at(builder *to, uint64_t address, uint64_t size,
                    uint64_t align_log2)
{
    if (address == 0) {
        to->into->failed += size > 0;
        return true;
    }
    uint32_t slot;
    return clear(to, address) && alloc_slot(to, size, align_log2, &slot) &&
           put(to, &to->addresses, address, slot);
}

bool build_free_at(builder *to, uint64_t address)
{
    uint32_t slot;
    if (address == 0)
        return true;
    if (leave(to, address, &slot))
        return free_slot(to, slot);
    to->into->unseen++;
    return true;
}

bool build_resize_at(builder *to, uint64_t old, uint64_t address, uint64_t size)
{
    uint32_t slot;
    if (address == 0 && size == 0)
        return build_free_at(to, old);
    if (old == 0 || address == 0)
        return build_alloc_at(to, address, size, 0);
    if (!leave(to, old, &slot)) {
        to->into->unseen++;
        return build_alloc_at(to, address, size, 0);
    }
    return clear(to, address) && put(to, &to->addresses, address, slot) &&
           resize_slot(to, slot, size);
}
