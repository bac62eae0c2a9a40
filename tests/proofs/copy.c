/*
 * A copy of a pool's bookkeeping that holds any bytes at all. open_copy() takes
 * it only if the whole map lies inside, for a copy of any size; and each step
 * of reading a map, whatever it says, stays inside it and leads on. CBMC's
 * checks of pointers and bounds are on in both.
 */
#include "prover.h"

#include "create.c"
#include "snapshot.c"

#ifndef N
#define N 8
#endif

void *malloc(size_t size);

typedef struct any_map {
    bf_pair pairs[N];
} any_map;

any_map nondet_map(void);

void prove_open(void)
{
    size_t size = nondet_size();
    unsigned char *copy = malloc(size);
    bitfit_pool pool;
    ASSUME(copy != NULL);
    if (open_copy(&pool, copy, size)) {
        size_t granules = pool.fit.map.granules;
        size_t map_size = bf_words_for(granules) * sizeof(bf_pair);
        CLAIM(granules != 0 && __CPROVER_r_ok(pool.fit.map.pairs, map_size),
              "the whole map lies in the copy");
        REACHED();
    }
}

static any_map map;

/* One step of reading: from where a run starts to its end. All reading goes in
 * such steps, from 0 on, where a run starts or nothing is read. */
void prove_step(void)
{
    bf_fit fit;
    size_t start = nondet_size();
    map = nondet_map();
    fit.map.pairs = map.pairs;
    fit.map.granules = nondet_size();
    ASSUME(start < fit.map.granules &&
           fit.map.granules <= (size_t)N * BF_WORD_BITS);
    ASSUME(bf_map_starts(&fit.map, start));
    size_t end = bf_map_next_start(&fit.map, start);
    CLAIM(start < end && end <= fit.map.granules, "forwards, and not beyond");
    CLAIM(bf_map_starts(&fit.map, end), "to where a run starts again");
    check_run(&fit.map, start, end, bf_map_free_at(&fit.map, start));
    bf_fit_is_block(&fit, start);
    ends_fit(&fit.map);
    REACHED();
}
