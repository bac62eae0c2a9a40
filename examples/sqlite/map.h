/* A map of a pool for the terminal: each cell stands for several granules. */
#ifndef MAP_H
#define MAP_H

#include "bitfit.h"

enum { MAP_COLUMNS = 64, MAP_ROWS = 16, MAP_PICTURE = 64 };

typedef struct pool_map {
    size_t end;  /* bytes of the payload shown: to the high-water mark */
    size_t cell; /* bytes of one cell */
    size_t largest_hole;                 /* bytes, below `end` */
    size_t holes;                        /* below `end` */
    size_t live[MAP_ROWS * MAP_COLUMNS]; /* bytes in blocks, for each cell */
    char picture[MAP_PICTURE + 1];       /* of the first granules */
} pool_map;

/* Maps the pool as it is now, up to its high-water mark. */
void map_take(pool_map *map, bitfit_pool *pool);

/* The bytes in blocks, in all cells together. */
size_t map_live(const pool_map *map);

/* Draws it in shades if the locale has UTF-8, else in ASCII. Call setlocale()
 * first. */
void map_print(const pool_map *map);

#endif
