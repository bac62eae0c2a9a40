/* Call stacks and what they cost, a line each, for flame graphs. */
#include "export_formats.h"

#include <inttypes.h>
#include <stdlib.h>

/* Without call stacks: the thread and the size, as two frames. */
static uint64_t key_of(const trace *from, const trace_event *event)
{
    return from->site_count > 1 ? event->site
                                : (uint64_t)event->thread << 48 | event->size;
}

typedef struct priced {
    uint64_t key;
    uint64_t cost;
} priced;

static int compare_lines(const void *left, const void *right)
{
    const priced *a = left;
    const priced *b = right;
    return (a->key > b->key) - (a->key < b->key);
}

/* Every allocation and resize, as far as the cost counts it. */
static size_t count_requests(const trace *from, const export_plan *plan,
                             priced *lines)
{
    size_t count = 0;
    for (size_t i = 0; i < from->count; i++) {
        const trace_event event = trace_at(from, i);
        if (event.op == TRACE_FREE)
            continue;
        lines[count++] =
            (priced){.key = key_of(from, &event),
                     .cost = plan->cost == COST_CALLS ? 1 : event.size};
    }
    return count;
}

/* What lives at the moment; each block's line stands at its slot at first. */
static size_t count_live(const trace *from, const export_plan *plan,
                         priced *lines)
{
    size_t count = 0;
    for (size_t i = 0; i < from->slots; i++)
        lines[i].key = UINT64_MAX;
    for (size_t i = 0; i < plan->events; i++) {
        const trace_event event = trace_at(from, i);
        lines[event.slot] = (priced){
            .key = event.op == TRACE_FREE ? UINT64_MAX : key_of(from, &event),
            .cost = event.size};
    }
    for (size_t i = 0; i < from->slots; i++) {
        if (lines[i].key != UINT64_MAX)
            lines[count++] = lines[i];
    }
    return count;
}

static void put_line(FILE *to, const trace *from, uint64_t key, uint64_t cost)
{
    if (from->site_count <= 1) {
        fprintf(to, "thread %u;%" PRIu64 " bytes", (unsigned)(key >> 48),
                key & (UINT64_MAX >> 16));
    } else {
        fputs(key == 0 ? "(not known)" : from->sites[key], to);
    }
    fprintf(to, " %" PRIu64 "\n", cost);
}

const char *export_collapsed(FILE *to, const input_trace *input,
                             const export_plan *plan)
{
    const trace *from = input->from;
    priced *lines = calloc(from->count + 1, sizeof *lines);
    if (lines == NULL)
        return export_no_memory;
    size_t count = plan->cost == COST_LIVE ? count_live(from, plan, lines)
                                           : count_requests(from, plan, lines);
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count;) {
        uint64_t key = lines[i].key;
        uint64_t cost = 0;
        for (; i < count && lines[i].key == key; i++)
            cost += lines[i].cost;
        put_line(to, from, key, cost);
    }
    free(lines);
    return NULL;
}
