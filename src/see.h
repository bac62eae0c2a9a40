/*
 * What a pool shows of itself: statistics, its runs one by one, a picture.
 */
#ifndef BITFIT_SEE_H
#define BITFIT_SEE_H

#include "pool.h"

/* --------------------------------------------------------- the longest hole */

BF_STATIC size_t longest_by_tree(bf_tree *tree, const bf_map *map)
{
    bf_tree_settle_all(tree, map);
    size_t longest = longest_below(tree, map, tree->rows, 0);
    if (longest < tree->cut) {
        return longest;
    }
    for (size_t word = bf_tree_first(tree, map, tree->cut); word != BF_NONE;
         word = bf_tree_next(tree, map, word, tree->cut)) {
        size_t length = bf_map_tail(map, word);
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* The granules of the longest hole. */
BF_STATIC size_t bf_fit_longest(bf_fit *fit)
{
    const bf_map *map = &fit->map;
    if (bf_fit_has_tree(fit)) {
        return longest_by_tree(bf_fit_tree(fit), map);
    }
    size_t longest = 0;
    for (size_t start = 0; start < map->granules;) {
        size_t end = bf_map_end(map, start);
        if (bf_map_free_at(map, start) && end - start > longest) {
            longest = end - start;
        }
        start = end;
    }
    return longest;
}

/* --------------------------------------------------------------- statistics */

/* What a map holds now, in granules. */
typedef struct bf_census {
    size_t live;
    size_t blocks;
    size_t longest_hole;
} bf_census;

/* These and the pool's own counters; all but the size of the bookkeeping, which
 * the pool does not know. */
BF_STATIC void bf_pool_figures(const bitfit_pool *pool, const bf_census *census,
                               bitfit_stats *stats)
{
    size_t granules = pool->fit.map.granules;
    *stats = (bitfit_stats){
        .granule = bf_bytes_of(pool, 1),
        .capacity = bf_capacity_of(pool),
        .live = bf_bytes_of(pool, census->live),
        .free = bf_bytes_of(pool, granules - census->live),
        .blocks = census->blocks,
        .largest_free = bf_bytes_of(pool, census->longest_hole),
        .high_water = bf_bytes_of(pool, pool->high_water),
        .peak_live = bf_bytes_of(pool, pool->peak_live),
        .largest_block = bf_bytes_of(pool, pool->largest_block),
        .allocations = pool->allocations,
        .frees = pool->frees,
        .reallocations = pool->reallocations,
        .failures = pool->failures,
    };
}

BF_STATIC void bf_pool_stats(bitfit_pool *pool, bitfit_stats *stats)
{
    bf_fit_settle(&pool->fit);
    const bf_census census = {
        .live = bf_pool_live(pool),
        .blocks = bf_pool_blocks(pool),
        .longest_hole = bf_fit_longest(&pool->fit),
    };
    bf_pool_figures(pool, &census, stats);
}

BF_STATIC bool bf_pool_walk(bitfit_pool *pool, bitfit_visitor *visit,
                            void *context)
{
    bf_fit_settle(&pool->fit);
    const bf_map *map = &pool->fit.map;
    for (size_t start = 0; start < map->granules;) {
        size_t end = bf_map_end(map, start);
        const bitfit_run run = {
            .start = bf_pointer_to(pool, start),
            .size = bf_bytes_of(pool, end - start),
            .live = !bf_map_free_at(map, start),
        };
        if (!visit(&run, context)) {
            return false;
        }
        start = end;
    }
    return true;
}

BF_STATIC size_t bf_pool_draw(bitfit_pool *pool, char *buffer, size_t size)
{
    bf_fit_settle(&pool->fit);
    const bf_map *map = &pool->fit.map;
    size_t room = size == 0 ? 0 : size - 1;
    size_t drawn = map->granules < room ? map->granules : room;
    unsigned letter = 0;
    for (size_t start = 0; start < drawn;) {
        bool free = bf_map_free_at(map, start);
        size_t end = bf_map_end(map, start);
        end = end < drawn ? end : drawn;
        memset(buffer + start, free ? '.' : 'A' + (int)letter, end - start);
        letter = free ? letter : (letter + 1) % 26;
        start = end;
    }
    if (size != 0) {
        buffer[drawn] = '\0';
    }
    return map->granules;
}

#endif
