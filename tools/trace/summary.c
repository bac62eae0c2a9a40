#include "summary.h"

#include <stdlib.h>

/* By block, and never NULL for want of blocks. */
static void *by_block(const trace *from, size_t each)
{
    return calloc((size_t)from->blocks + 1, each);
}

static void count_event(trace_summary *into, const trace_event *event)
{
    into->allocations += event->op == TRACE_ALLOC;
    into->frees += event->op == TRACE_FREE;
    into->resizes += event->op == TRACE_RESIZE;
    if (event->align_log2 > into->align_log2)
        into->align_log2 = event->align_log2;
    if (event->op != TRACE_FREE) {
        into->requested += event->size;
        if (event->size > into->largest)
            into->largest = event->size;
    }
}

bool trace_summarize(const trace *from, trace_summary *summary)
{
    uint64_t *sizes = by_block(from, sizeof *sizes);
    uint64_t live = 0;
    *summary = (trace_summary){0};
    if (sizes == NULL)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        const trace_event event = trace_at(from, i);
        uint64_t size = event.op == TRACE_FREE ? 0 : event.size;
        count_event(summary, &event);
        live += size - sizes[event.block];
        sizes[event.block] = size;
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
    uint64_t *blocks = by_block(from, sizeof *blocks); /* their granules */
    uint64_t live = 0;
    *counts = (trace_granules){0};
    if (blocks == NULL)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        const trace_event event = trace_at(from, i);
        uint64_t *block = &blocks[event.block];
        uint64_t count =
            event.op == TRACE_FREE ? 0 : granules_of(event.size, granule);
        uint64_t both = live + (count != *block ? count : 0);
        live += count - *block;
        *block = count;
        if (both > counts->peak_move)
            counts->peak_move = both;
        if (live > counts->peak) {
            counts->peak = live;
            counts->peak_event = i;
        }
        if (count > counts->largest)
            counts->largest = count;
    }
    free(blocks);
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
