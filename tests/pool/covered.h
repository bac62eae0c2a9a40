/*
 * A request that its index sends to a word in which no run starts: the word's
 * entry is too high, and noted, since the requests that the word served began
 * at a floor. The floors are given up next, and a long block covers the word.
 */
#ifndef TESTS_COVERED_H
#define TESTS_COVERED_H

#include "bitfit.h"

enum { COVERED_GRANULES = 8192, COVERED_SINGLES = 10, COVERED_ROUNDS = 40 };

/* Blocks of one granule in as many words are freed and taken again: of ten such
 * requests nine find nothing at their floor. */
static void tire_floors(bitfit_pool *pool, void *const *singles)
{
    for (int round = 0; round < COVERED_ROUNDS; round++) {
        for (int i = 0; i < COVERED_SINGLES; i++) {
            bitfit_free(pool, singles[i]);
        }
        for (int i = 0; i < COVERED_SINGLES; i++) {
            bitfit_alloc(pool, 1);
        }
    }
}

/* Whether each block has its place, in an empty pool of so many granules; words
 * have 64 bits. */
static bool covered_word_is_passed_over(bitfit_pool *pool)
{
    size_t granule = bitfit_good_size(pool, 1);
    void *singles[COVERED_SINGLES];
    for (int i = 0; i < COVERED_SINGLES; i++) {
        singles[i] = bitfit_alloc(pool, 1);
        bitfit_alloc(pool, 63 * granule);
    }
    bitfit_alloc(pool, 168 * granule); /* to the last 24 bits of a word */
    char *before = bitfit_alloc(pool, 34 * granule);
    char *few = bitfit_alloc(pool, 20 * granule); /* inside the next word */
    char *behind = bitfit_alloc(pool, 39 * granule);
    bitfit_alloc(pool, (COVERED_GRANULES - 640 - 261) * granule);
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

#endif
