/* For nl_langinfo(). */
#define _POSIX_C_SOURCE 200809L

#include "map.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>

enum { LEVELS = 5 };

/* From free, as in every picture, to full. */
static const char *const shades[LEVELS] = {".", "\xe2\x96\x91", "\xe2\x96\x92",
                                           "\xe2\x96\x93", "\xe2\x96\x88"};
static const char *const ascii[LEVELS] = {".", "-", "+", "*", "#"};

/* What map_take() carries through the walk. */
typedef struct survey {
    pool_map *map;
    const char *base; /* the payload's start; NULL before the first run */
} survey;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void add_block(pool_map *map, size_t start, size_t end)
{
    while (start < end) {
        size_t cell = start / map->cell;
        size_t stop = smaller(end, (cell + 1) * map->cell);
        map->live[cell] += stop - start;
        start = stop;
    }
}

static void add_hole(pool_map *map, size_t size)
{
    map->holes++;
    if (size > map->largest_hole) {
        map->largest_hole = size;
    }
}

static bool add_run(const bitfit_run *run, void *context)
{
    survey *s = context;
    s->base = s->base == NULL ? run->start : s->base;
    size_t start = (size_t)((const char *)run->start - s->base);
    size_t end = smaller(start + run->size, s->map->end);
    if (start >= end) {
        return false;
    }
    if (run->live) {
        add_block(s->map, start, end);
    } else {
        add_hole(s->map, end - start);
    }
    return true;
}

void map_take(pool_map *map, bitfit_pool *pool)
{
    size_t cells = MAP_ROWS * MAP_COLUMNS;
    survey s = {.map = map};
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    memset(map, 0, sizeof *map);
    map->end = stats.high_water;
    map->cell = bitfit_good_size(pool, (stats.high_water + cells - 1) / cells);
    bitfit_walk(pool, add_run, &s);
    bitfit_draw(pool, map->picture, sizeof map->picture);
}

size_t map_live(const pool_map *map)
{
    size_t sum = 0;
    for (size_t i = 0; i < MAP_ROWS * MAP_COLUMNS; i++) {
        sum += map->live[i];
    }
    return sum;
}

static int cell_level(size_t live, size_t size)
{
    if (live == 0 || live >= size) {
        return live == 0 ? 0 : LEVELS - 1;
    }
    return 1 + (int)(live * (LEVELS - 2) / size);
}

void map_print(const pool_map *map)
{
    bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    const char *const *glyphs = utf8 ? shades : ascii;
    printf("Its map up to the mark: '%s' free, '%s' in blocks, %s %s %s partly",
           glyphs[0], glyphs[4], glyphs[1], glyphs[2], glyphs[3]);
    for (size_t at = 0; at < map->end; at += map->cell) {
        size_t cell = at / map->cell;
        size_t size = smaller(map->cell, map->end - at);
        if (cell % MAP_COLUMNS == 0) {
            printf("\n%7zu KiB ", at / 1024);
        }
        fputs(glyphs[cell_level(map->live[cell], size)], stdout);
    }
    printf("\nand its first %d granules, a letter for each block\n%12s%s\n",
           MAP_PICTURE, "", map->picture);
}
