#include "summary.h"

#include <stdlib.h>

/* Never NULL for want of slots. */
static void *by_slot(const trace *from, size_t each)
{
    return calloc((size_t)from->slots + 1, each);
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
    uint64_t *sizes = by_slot(from, sizeof *sizes);
    uint64_t live = 0;
    *summary = (trace_summary){.align_log2 = trace_align_log2(from)};
    if (sizes == NULL)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        const trace_event event = trace_at(from, i);
        uint64_t size = event.op == TRACE_FREE ? 0 : event.size;
        count_event(summary, &event);
        live += size - sizes[event.slot];
        sizes[event.slot] = size;
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
    uint64_t *held = by_slot(from, sizeof *held); /* granules */
    uint64_t live = 0;
    *counts = (trace_granules){0};
    if (held == NULL)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        const trace_event event = trace_at(from, i);
        uint64_t before = held[event.slot];
        uint64_t count =
            event.op == TRACE_FREE ? 0 : granules_of(event.size, granule);
        uint64_t both = live + (count != before ? count : 0);
        held[event.slot] = count;
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
    free(held);
    return true;
}

uint64_t *trace_sizes_at(const trace *from, size_t events, uint32_t **sites)
{
    uint64_t *sizes = by_slot(from, sizeof *sizes);
    if (sites != NULL)
        *sites = by_slot(from, sizeof **sites);
    if (sizes == NULL || (sites != NULL && *sites == NULL)) {
        free(sizes);
        if (sites != NULL)
            free(*sites);
        return NULL;
    }
    for (size_t i = 0; i < from->slots; i++)
        sizes[i] = TRACE_NO_SIZE;
    for (size_t i = 0; i < events; i++) {
        const trace_event event = trace_at(from, i);
        sizes[event.slot] = event.op == TRACE_FREE ? TRACE_NO_SIZE : event.size;
        if (sites != NULL)
            (*sites)[event.slot] = event.site;
    }
    return sizes;
}
