/*
 * What happens around the floors at which requests begin: they are given up
 * where they serve few, and are there again after 8192 requests.
 */
#ifndef TESTS_FLOORS_H
#define TESTS_FLOORS_H

#include "bitfit.h"

enum { FLOORS_GRANULES = 8192, FLOORS_SINGLES = 10, FLOORS_ROUNDS = 40 };

/* A block of one granule in each of the first words, which are full. */
static void build_singles(bitfit_pool *pool, void **singles)
{
    size_t granule = bitfit_good_size(pool, 1);
    for (int i = 0; i < FLOORS_SINGLES; i++) {
        singles[i] = bitfit_alloc(pool, 1);
        bitfit_alloc(pool, 63 * granule);
    }
}

/* They are freed and taken again: of ten such requests nine find nothing at
 * their floor. */
static void tire_floors(bitfit_pool *pool, void *const *singles)
{
    for (int round = 0; round < FLOORS_ROUNDS; round++) {
        for (int i = 0; i < FLOORS_SINGLES; i++) {
            bitfit_free(pool, singles[i]);
        }
        for (int i = 0; i < FLOORS_SINGLES; i++) {
            bitfit_alloc(pool, 1);
        }
    }
}

/* The index sends a request to a word in which no run starts: the word's entry
 * is too high, and noted, since the requests that the word served began at a
 * floor. The floors are given up next, and a long block covers the word.
 * Whether each block has its place, in an empty pool of so many granules; words
 * have 64 bits. */
static bool covered_word_is_passed_over(bitfit_pool *pool)
{
    size_t granule = bitfit_good_size(pool, 1);
    void *singles[FLOORS_SINGLES];
    build_singles(pool, singles);
    bitfit_alloc(pool, 168 * granule); /* to the last 24 bits of a word */
    char *before = bitfit_alloc(pool, 34 * granule);
    char *few = bitfit_alloc(pool, 20 * granule); /* inside the next word */
    char *behind = bitfit_alloc(pool, 39 * granule);
    bitfit_alloc(pool, (FLOORS_GRANULES - 640 - 261) * granule);
    bitfit_free(pool, few);
    char *first = bitfit_alloc(pool, 8 * granule);
    char *second = bitfit_alloc(pool, 12 * granule);
    tire_floors(pool, singles);
    bitfit_free(pool, before);
    bitfit_free(pool, first);
    bitfit_free(pool, second);
    bitfit_free(pool, behind);
    char *over = bitfit_alloc(pool, 93 * granule);
    return first == few && second == few + 8 * granule && over == before &&
           bitfit_alloc(pool, 20 * granule) == NULL && bitfit_check(pool) == 0;
}

/* While there are no floors, a hole comes below the word that was found last.
 * Whether it is found when they are there again, in such a pool. */
static bool hole_is_below_no_floor(bitfit_pool *pool)
{
    size_t granule = bitfit_good_size(pool, 1);
    void *singles[FLOORS_SINGLES];
    build_singles(pool, singles);
    tire_floors(pool, singles);
    bitfit_free(pool, singles[0]);
    for (size_t i = 0; i < 9000; i++) {
        bitfit_free(pool, bitfit_alloc(pool, (2 + i % 2) * granule));
    }
    return bitfit_alloc(pool, 1) == singles[0];
}

#endif
