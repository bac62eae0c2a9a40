/* A map of a pool for the terminal: granules folded to cells. */
#ifndef MAP_H
#define MAP_H

#include "bitfit.h"

enum { MAP_COLUMNS = 64, MAP_ROWS = 16, MAP_PICTURE = 64 };

typedef struct pool_map {
    size_t end;          /* bytes of the payload that it shows: to the mark */
    size_t cell;         /* bytes a cell stands for */
    size_t largest_hole; /* bytes, below `end` */
    size_t holes;        /* below `end` */
    size_t live[MAP_ROWS * MAP_COLUMNS]; /* bytes in blocks, for each cell */
    char picture[MAP_PICTURE + 1];       /* of the first granules */
} pool_map;

/* Takes the map of the pool as it is now, up to its high-water mark. */
void map_take(pool_map *map, bitfit_pool *pool);

/* Its bytes in blocks, all cells together. */
size_t map_live(const pool_map *map);

/* Draws it: in shades where the locale's characters are UTF-8, else in ASCII.
 * Call setlocale() before. */
void map_print(const pool_map *map);

#endif
