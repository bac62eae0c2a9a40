#include "summary.h"

#include <stdlib.h>

/* By block, and never NULL for want of blocks. */
static void *by_block(const trace *from, size_t each)
{
    return calloc((size_t)from->blocks + 1, each);
}

/* A free says the block's last size, a resize does not. So sizes are kept of
 * the blocks that are resized, plus 1; 0 is any other. Memory by block is far
 * apart in time, and this touches little of it. */
static uint64_t *sizes_of_resized(const trace *from)
{
    uint64_t *sizes = by_block(from, sizeof *sizes);
    for (size_t i = 0; sizes != NULL && i < from->count; i++) {
        if (trace_at(from, i).op == TRACE_RESIZE)
            sizes[from->events[i].block] = 1;
    }
    return sizes;
}

/* The size that the event ends: 0 if there was no block. */
static uint64_t size_before(const trace_event *event, const uint64_t *sizes)
{
    if (event->op == TRACE_RESIZE)
        return sizes[event->block] - 1;
    return event->op == TRACE_FREE ? event->size : 0;
}

static void note_size(const trace_event *event, uint64_t *sizes)
{
    if (event->op != TRACE_FREE && sizes[event->block] != 0)
        sizes[event->block] = event->size + 1;
}

static void count_event(trace_summary *into, const trace_event *event)
{
    into->allocations += event->op == TRACE_ALLOC;
    into->frees += event->op == TRACE_FREE;
    into->resizes += event->op == TRACE_RESIZE;
    if (event->op != TRACE_FREE) {
        into->requested += event->size;
        if (event->size > into->largest)
            into->largest = event->size;
    }
}

unsigned trace_align_log2(const trace *from)
{
    unsigned most = 0;
    for (size_t i = 0; i < from->kind_count; i++) {
        if (from->kinds[i].align_log2 > most)
            most = from->kinds[i].align_log2;
    }
    return most;
}

bool trace_summarize(const trace *from, trace_summary *summary)
{
    uint64_t *sizes = sizes_of_resized(from);
    uint64_t live = 0;
    *summary = (trace_summary){.align_log2 = trace_align_log2(from)};
    if (sizes == NULL)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        const trace_event event = trace_at(from, i);
        uint64_t size = event.op == TRACE_FREE ? 0 : event.size;
        count_event(summary, &event);
        live += size - size_before(&event, sizes);
        note_size(&event, sizes);
        if (live > summary->peak_requested) {
            summary->peak_requested = live;
            summary->peak_event = i;
        }
    }
    summary->live_at_end = (uint32_t)(summary->allocations - summary->frees);
    free(sizes);
    return true;
}

bool trace_count_granules(const trace *from, uint64_t granule,
                          trace_granules *counts)
{
    uint64_t *sizes = sizes_of_resized(from);
    uint64_t live = 0;
    *counts = (trace_granules){0};
    if (sizes == NULL)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        const trace_event event = trace_at(from, i);
        bool ends = event.op != TRACE_ALLOC;
        uint64_t before =
            ends ? granules_of(size_before(&event, sizes), granule) : 0;
        uint64_t count =
            event.op == TRACE_FREE ? 0 : granules_of(event.size, granule);
        uint64_t both = live + (count != before ? count : 0);
        note_size(&event, sizes);
        live += count - before;
        if (both > counts->peak_move)
            counts->peak_move = both;
        if (live > counts->peak) {
            counts->peak = live;
            counts->peak_event = i;
        }
        if (count > counts->largest)
            counts->largest = count;
    }
    free(sizes);
    return true;
}

uint64_t *trace_sizes_at(const trace *from, size_t events, uint32_t **sites)
{
    uint64_t *sizes = by_block(from, sizeof *sizes);
    if (sites != NULL)
        *sites = by_block(from, sizeof **sites);
    if (sizes == NULL || (sites != NULL && *sites == NULL)) {
        free(sizes);
        if (sites != NULL)
            free(*sites);
        return NULL;
    }
    for (size_t i = 0; i < from->blocks; i++)
        sizes[i] = TRACE_NO_SIZE;
    for (size_t i = 0; i < events; i++) {
        const trace_event event = trace_at(from, i);
        sizes[event.block] =
            event.op == TRACE_FREE ? TRACE_NO_SIZE : event.size;
        if (sites != NULL)
            (*sites)[event.block] = event.site;
    }
    return sizes;
}
