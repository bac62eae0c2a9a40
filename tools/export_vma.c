/*
 * The map of a moment in the shape of the Vulkan Memory Allocator's detailed
 * statistics, which GpuMemDumpVis draws. "Requested" and, where the call stack
 * is known, "Name" stand beside its own fields.
 */
#include "export_formats.h"

#include <inttypes.h>
#include <stdlib.h>

/* A block that lives at the moment. */
typedef struct placed {
    size_t offset;
    uint32_t slot;
} placed;

typedef struct vma_map {
    FILE *to;
    const trace *from;
    playback it;
    uint64_t *sizes;
    uint32_t *sites;
    placed *blocks; /* by address */
    size_t count;
    size_t next; /* the block to come */
    size_t holes;
    bool begun;
} vma_map;

static int compare_offsets(const void *left, const void *right)
{
    const placed *a = left;
    const placed *b = right;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Brings the pool to the moment; false if and only if memory is out. */
static bool reach(vma_map *map, size_t events)
{
    const trace *from = map->from;
    map->sizes = trace_sizes_at(from, events, &map->sites);
    map->blocks = calloc((size_t)from->slots + 1, sizeof *map->blocks);
    if (map->sizes == NULL || map->blocks == NULL)
        return false;
    playback_run(&map->it, events);
    for (uint32_t i = 0; i < from->slots; i++) {
        if (map->sizes[i] != TRACE_NO_SIZE) {
            map->blocks[map->count++] =
                (placed){playback_offset(&map->it, i), i};
        }
    }
    qsort(map->blocks, map->count, sizeof *map->blocks, compare_offsets);
    return true;
}

static bool count_hole(const bitfit_run *run, void *map)
{
    ((vma_map *)map)->holes += !run->live;
    return true;
}

static void put_block(vma_map *map)
{
    uint32_t slot = map->blocks[map->next++].slot;
    fprintf(map->to, ",\"Usage\":0,\"Requested\":%" PRIu64, map->sizes[slot]);
    if (map->sites[slot] != 0) {
        fputs(",\"Name\":", map->to);
        text_put_json(map->to, map->from->sites[map->sites[slot]]);
    }
}

static bool put_run(const bitfit_run *run, void *argument)
{
    vma_map *map = argument;
    size_t offset = (size_t)((const unsigned char *)run->start -
                             (const unsigned char *)map->it.payload);
    fprintf(map->to, "%s{\"Offset\":%zu,\"Type\":\"%s\",\"Size\":%zu",
            map->begun ? ",\n" : "", offset, run->live ? "BUFFER" : "FREE",
            run->size);
    if (run->live)
        put_block(map);
    putc('}', map->to);
    map->begun = true;
    return true;
}

static void put_all(vma_map *map)
{
    bitfit_stats stats;
    bitfit_get_stats(map->it.pool, &stats);
    bitfit_walk(map->it.pool, count_hole, map);
    fprintf(map->to,
            "{\"General\":{\"API\":\"Vulkan\"},\n"
            "\"DefaultPools\":{\"bitfit\":{\"PreferredBlockSize\":%zu,"
            "\"Blocks\":{\"0\":{\n"
            "\"TotalBytes\":%zu,\"UnusedBytes\":%zu,\"Allocations\":%zu,"
            "\"UnusedRanges\":%zu,\n\"Suballocations\":[\n",
            stats.capacity, stats.capacity, stats.free, stats.blocks,
            map->holes);
    bitfit_walk(map->it.pool, put_run, map);
    fputs("]}},\"DedicatedAllocations\":[]}},\n\"CustomPools\":{}}\n", map->to);
}

const char *export_vma(FILE *to, const input_trace *input,
                       const export_plan *plan)
{
    vma_map map = {.to = to, .from = input->from};
    const char *wrong = export_open_pool(&map.it, input, plan);
    if (wrong != NULL)
        return wrong;
    if (reach(&map, plan->events)) {
        put_all(&map);
    } else {
        wrong = export_no_memory;
    }
    if (map.sizes != NULL)
        free(map.sites);
    free(map.sizes);
    free(map.blocks);
    playback_close(&map.it);
    return wrong;
}
