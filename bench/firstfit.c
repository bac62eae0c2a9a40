#include "firstfit.h"

#include <stdlib.h>
#include <string.h>

/* Granules [start, end). */
typedef struct span {
    uint64_t start;
    uint64_t end;
} span;

typedef struct model {
    span *holes; /* in address order; the last one has no end */
    size_t count;
    size_t capacity;
    span *blocks; /* by slot; empty if start == end */
    uint64_t high_water;
    size_t granule;
} model;

static void insert_hole(model *it, size_t at, span hole)
{
    if (it->count == it->capacity) {
        span *larger = realloc(it->holes, 2 * it->capacity * sizeof *larger);

        if (larger == NULL) {
            abort();
        }
        it->holes = larger;
        it->capacity *= 2;
    }
    memmove(&it->holes[at + 1], &it->holes[at],
            (it->count - at) * sizeof *it->holes);
    it->holes[at] = hole;
    it->count++;
}

static void remove_hole(model *it, size_t at)
{
    it->count--;
    memmove(&it->holes[at], &it->holes[at + 1],
            (it->count - at) * sizeof *it->holes);
}

/* Takes [start, start + count) out of the hole around it. */
static span take(model *it, size_t at, uint64_t start, uint64_t count)
{
    span hole = it->holes[at];
    span block = {start, start + count};
    span rest = {block.end, hole.end};

    it->holes[at].end = start;
    if (rest.start < rest.end) {
        insert_hole(it, at + 1, rest);
    }
    if (it->holes[at].start == it->holes[at].end) {
        remove_hole(it, at);
    }
    if (block.end > it->high_water) {
        it->high_water = block.end;
    }
    return block;
}

static span place(model *it, uint64_t count, uint64_t alignment)
{
    for (size_t at = 0;; at++) {
        span hole = it->holes[at];
        uint64_t start = (hole.start + alignment - 1) / alignment * alignment;

        if (start < hole.end && hole.end - start >= count) {
            return take(it, at, start, count);
        }
    }
}

/* The first hole at or above this granule. */
static size_t hole_from(const model *it, uint64_t granule)
{
    size_t low = 0;
    size_t high = it->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (it->holes[middle].start < granule) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void give(model *it, span freed)
{
    size_t at = hole_from(it, freed.start);

    if (freed.start == freed.end) {
        return;
    }
    if (at < it->count && it->holes[at].start == freed.end) {
        it->holes[at].start = freed.start;
    } else {
        insert_hole(it, at, freed);
    }
    if (at > 0 && it->holes[at - 1].end == it->holes[at].start) {
        it->holes[at - 1].end = it->holes[at].end;
        remove_hole(it, at);
    }
}

/* In place where it can be, else to the first fit with the old one in use. */
static void resize(model *it, span *block, uint64_t count)
{
    uint64_t old = block->end - block->start;
    size_t behind = hole_from(it, block->end);
    span next = it->holes[behind];

    if (count < old) {
        span rest = {block->start + count, block->end};

        block->end = rest.start;
        give(it, rest);
    } else if (count > old && next.start == block->end &&
               next.end - next.start >= count - old) {
        *block =
            (span){block->start, take(it, behind, block->end, count - old).end};
    } else if (count > old) {
        span moved = place(it, count, 1);

        give(it, *block);
        *block = moved;
    }
}

static uint64_t granules(const model *it, uint64_t size)
{
    return size == 0 ? 1 : (size + it->granule - 1) / it->granule;
}

static void step(model *it, script_call call, unsigned shift)
{
    span *block = &it->blocks[call_slot(call)];
    uint64_t size = (uint64_t)call.size << shift;
    uint64_t mask = ((uint64_t)1 << ALIGNED_SIZE_BITS) - 1;
    uint64_t alignment = 1;

    switch (call_verb(call)) {
    case VERB_FREE:
        give(it, *block);
        *block = (span){0, 0};
        break;
    case VERB_ALLOC:
        *block = place(it, granules(it, size), 1);
        break;
    case VERB_REALLOC:
        resize(it, block, granules(it, size));
        break;
    case VERB_ALIGNED:
        alignment = ((uint64_t)1 << (size >> ALIGNED_SIZE_BITS)) / it->granule;
        *block =
            place(it, granules(it, size & mask), alignment > 0 ? alignment : 1);
        break;
    }
}

uint64_t firstfit_high_water(const script *calls, size_t granule)
{
    model it = {.capacity = 1024, .count = 1, .granule = granule};

    it.holes = malloc(it.capacity * sizeof *it.holes);
    it.blocks = calloc(calls->slots + 1, sizeof *it.blocks);
    if (it.holes != NULL && it.blocks != NULL) {
        it.holes[0] = (span){0, UINT64_MAX};
        for (size_t i = 0; i < calls->count; i++) {
            step(&it, calls->calls[i], calls->shift);
        }
    }
    free(it.holes);
    free(it.blocks);
    return it.high_water * granule;
}
