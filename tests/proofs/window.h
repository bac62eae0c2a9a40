/*
 * A pool of any size, seen through a window. Its map is an array of unknown
 * length with unknown content, of which only the runs that a call may touch are
 * known to be well-formed. So what is proved holds for every pool.
 *
 * A map is a row of runs that touch, from granule 0 to the pool's end;
 * well_formed() says of one of them what invariants 1 to 3 say.
 */
#ifndef BITFIT_TESTS_WINDOW_H
#define BITFIT_TESTS_WINDOW_H

#include "prover.h"

#include "map.h"

/* 2^46 granules of 8 bytes are more than any machine addresses. */
#ifndef GRANULES_LOG
#define GRANULES_LOG 46
#endif

/* Without `extern` it would be all zero. */
extern bf_pair pairs[__CPROVER_constant_infinity_uint];

static bf_map map;
static size_t words;

static void any_pool(void)
{
    size_t granules = nondet_size();
    ASSUME(granules != 0 && granules <= (size_t)1 << GRANULES_LOG);
    map.granules = granules;
    map.pairs = pairs;
    words = granules / BF_WORD_BITS + (granules % BF_WORD_BITS != 0);
}

typedef struct run {
    size_t start;
    size_t end;
    bool free;
} run;

static run any_run(void)
{
    run r = {nondet_size(), nondet_size(), nondet_bool()};
    ASSUME(r.start < r.end && r.end <= map.granules);
    return r;
}

static bf_word below(size_t end)
{
    return end >= BF_WORD_BITS ? BF_ALL : (BF_ONE << end) - 1;
}

static bool starts_at(size_t granule)
{
    return bit_of(map.pairs[granule / BF_WORD_BITS].start,
                  granule % BF_WORD_BITS);
}

/* Of a word, only the bits in `part` belong to the run: all free or none, and
 * no start bit but `start`. */
static bool part_fits(bf_pair pair, bf_word part, bf_word start, bool free)
{
    return (pair.start & part) == start &&
           (pair.free & part) == (free ? part : 0);
}

static bool tags_fit(size_t first, size_t last, bool free)
{
    size_t covered = last - first - 1;
    bf_word tag = (bf_word)covered << 1 | (free ? 1 : 0);
    bf_pair lower = map.pairs[first + 1];
    bf_pair upper = map.pairs[last - 1];
    return covered == 0 || (lower.start == 0 && lower.free == tag &&
                            upper.start == 0 && upper.free == tag);
}

static bool well_formed(run r)
{
    size_t first = r.start / BF_WORD_BITS;
    size_t last = r.end / BF_WORD_BITS;
    bf_word from = ~below(r.start % BF_WORD_BITS);
    bf_word to = below(r.end % BF_WORD_BITS);
    bf_word start = BF_ONE << r.start % BF_WORD_BITS;
    if (last < words && !starts_at(r.end)) {
        return false; /* the next run, or the mark of the pool's end */
    }
    if (first == last) {
        return part_fits(map.pairs[first], from & to, start, r.free);
    }
    return part_fits(map.pairs[first], from, start, r.free) &&
           (to == 0 || part_fits(map.pairs[last], to, 0, r.free)) &&
           tags_fit(first, last, r.free);
}

/* That a run which covers this word has no start bit there: for one word that
 * may be any, since the run may cover more than can be listed. */
static bool covered_is_clear(run r, size_t word)
{
    return word <= r.start / BF_WORD_BITS || word >= r.end / BF_WORD_BITS ||
           map.pairs[word].start == 0;
}

#endif
