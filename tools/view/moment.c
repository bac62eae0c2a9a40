#include "moment.h"

#include <stdlib.h>

/* ------------------------------------------------------------------
 * moment_maker */

static void add_run(moment_maker *to, const moment_run *run)
{
    heap_moment *moment = to->moment;
    if (moment->count == to->room) {
        size_t room = to->room == 0 ? 256 : 2 * to->room;
        moment_run *more = realloc(moment->runs, room * sizeof *more);
        to->failed |= more == NULL;
        if (to->failed)
            return;
        moment->runs = more;
        to->room = room;
    }
    moment->runs[moment->count++] = *run;
    if (run->live)
        moment->top = run->offset + run->size;
}

void moment_add_hole(moment_maker *to, uint64_t start, uint64_t end)
{
    bitfit_stats *stats = &to->moment->stats;
    if (start == end)
        return;
    add_run(to, &(moment_run){.offset = start, .size = end - start});
    stats->free += end - start;
    if (end - start > stats->largest_free)
        stats->largest_free = end - start;
}

void moment_add_block(moment_maker *to, const moment_run *block)
{
    bitfit_stats *stats = &to->moment->stats;
    add_run(to, block);
    stats->live += block->size;
    stats->blocks++;
    to->moment->requested += block->size - block->waste;
}

/* -------------------------------------------------------------- from a
 * heap_history */

static int lower_first(const void *a, const void *b)
{
    const heap_stay *left = *(const heap_stay *const *)a;
    const heap_stay *right = *(const heap_stay *const *)b;
    return (left->start > right->start) - (left->start < right->start);
}

/* The stays after the event, by address. */
static const heap_stay **live_stays(const heap_history *heap, uint32_t event,
                                    size_t *count)
{
    const heap_stay **live = malloc((heap->stay_count + 1) * sizeof *live);
    *count = 0;
    if (live == NULL)
        return NULL;
    for (size_t i = 0; i < heap->stay_count; i++) {
        const heap_stay *stay = &heap->stays[i];
        if (stay->born > event)
            break;
        if (stay->died > event)
            live[(*count)++] = stay;
    }
    qsort(live, *count, sizeof *live, lower_first);
    return live;
}

static void add_stay(moment_maker *to, const heap_history *heap,
                     const heap_stay *stay)
{
    moment_add_block(
        to, &(moment_run){.offset = (uint64_t)stay->start * heap->granule,
                          .size = (uint64_t)stay->count * heap->granule,
                          .waste = heap_waste(heap, stay),
                          .live = true,
                          .stay = stay});
}

bool moment_of_heap(heap_moment *moment, const heap_history *heap,
                    uint32_t event)
{
    *moment = (struct heap_moment){
        .stats = {.granule = heap->granule,
                  .capacity = heap->capacity,
                  .high_water = heap->high_water,
                  .peak_live = heap->peak_live,
                  .failures = heap->failures},
    };
    moment_maker to = {.moment = moment};
    size_t count;
    const heap_stay **live = live_stays(heap, event, &count);
    to.failed = live == NULL;
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        moment_add_hole(&to, end, (uint64_t)live[i]->start * heap->granule);
        add_stay(&to, heap, live[i]);
        end = moment->top;
    }
    moment_add_hole(&to, end, heap->capacity);
    free(live);
    if (to.failed)
        moment_close(moment);
    return !to.failed;
}

/* -------------------------------------------------------------- from a copy */

static bool copy_run(const bitfit_run *run, void *context)
{
    moment_maker *to = context;
    uintptr_t start = (uintptr_t)run->start;
    if (!to->based) {
        to->base = start;
        to->based = true;
        to->moment->payload = start;
    }
    add_run(to, &(moment_run){.offset = start - to->base,
                              .size = run->size,
                              .live = run->live});
    return !to->failed;
}

bool moment_of_copy(heap_moment *moment, const void *copy, size_t size)
{
    *moment = (struct heap_moment){.count = 0};
    moment_maker to = {.moment = moment};
    moment->torn = bitfit_copy_check(copy, size) == BITFIT_COPY_TORN;
    bool read = bitfit_copy_get_stats(copy, size, &moment->stats) &&
                bitfit_copy_walk(copy, size, copy_run, &to);
    if (!read)
        moment_close(moment);
    return read;
}

void moment_close(heap_moment *moment)
{
    free(moment->runs);
    moment->runs = NULL;
    moment->count = 0;
}

/* -------------------------------------------------------------------- holes */

size_t moment_holes(const heap_moment *moment, const moment_run **holes,
                    size_t wanted)
{
    size_t found = 0;
    for (size_t i = 0; i < moment->count; i++) {
        const moment_run *run = &moment->runs[i];
        bool full = found == wanted;
        if (run->live || (full && run->size <= holes[found - 1]->size))
            continue;
        size_t at = full ? found - 1 : found++;
        for (; at > 0 && holes[at - 1]->size < run->size; at--)
            holes[at] = holes[at - 1];
        holes[at] = run;
    }
    return found;
}
