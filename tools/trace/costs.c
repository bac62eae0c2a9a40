#include "costs.h"

#include "summary.h"

#include <stdlib.h>

static int compare_keys(const void *left, const void *right)
{
    const cost *a = left;
    const cost *b = right;
    if (a->site != b->site)
        return a->site < b->site ? -1 : 1;
    return (a->size > b->size) - (a->size < b->size);
}

static int compare_costs(const void *left, const void *right)
{
    const cost *a = left;
    const cost *b = right;
    if (a->live != b->live)
        return a->live > b->live ? -1 : 1;
    return compare_keys(left, right);
}

/* Adds up neighbours with one key; returns how many are left. */
static size_t merge(cost *costs, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || compare_keys(&costs[kept - 1], &costs[i]) != 0) {
            costs[kept++] = costs[i];
            continue;
        }
        costs[kept - 1].blocks += costs[i].blocks;
        costs[kept - 1].requested += costs[i].requested;
        costs[kept - 1].live += costs[i].live;
    }
    return kept;
}

static size_t gather(cost *costs, const trace *from, const uint64_t *sizes,
                     const uint32_t *sites, size_t granule)
{
    size_t count = 0;
    for (size_t i = 0; i < from->slots; i++) {
        if (sizes[i] == TRACE_NO_SIZE)
            continue;
        costs[count++] =
            (cost){.size = sites != NULL ? 0 : sizes[i],
                   .site = sites != NULL ? sites[i] : 0,
                   .blocks = 1,
                   .requested = sizes[i],
                   .live = granules_of(sizes[i], granule) * granule};
    }
    return count;
}

cost *costs_at(const trace *from, size_t events, bool by_site, size_t granule,
               size_t *count)
{
    uint32_t *sites = NULL;
    uint64_t *sizes = trace_sizes_at(from, events, by_site ? &sites : NULL);
    cost *costs =
        sizes == NULL ? NULL : calloc((size_t)from->slots + 1, sizeof *costs);
    if (costs != NULL) {
        *count = gather(costs, from, sizes, sites, granule);
        qsort(costs, *count, sizeof *costs, compare_keys);
        *count = merge(costs, *count);
        qsort(costs, *count, sizeof *costs, compare_costs);
    }
    if (sizes != NULL)
        free(sites);
    free(sizes);
    return costs;
}
