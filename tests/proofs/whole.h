/*
 * Any state of a pool of N words that keeps the invariants, beside the truth
 * that its map stands for: of each granule, whether it is free and whether a
 * run starts there. None of this uses the core's own functions.
 *
 * GRANULES says how many of the words' bits the pool has. A granule and a place
 * in a word are symbolic; so is everything in the map.
 */
#ifndef BITFIT_TESTS_WHOLE_H
#define BITFIT_TESTS_WHOLE_H

#include "prover.h"

#include "fit.h"

#define W ((size_t)BF_WORD_BITS)
#define WORD(value)                                                            \
    ((bf_word)(value)) /* an 8-bit word, too, after promotion                  \
                        */

typedef struct truth {
    bf_word start[N];
    bf_word free[N];
} truth;

typedef struct whole_map {
    bf_pair pairs[N];
} whole_map;

truth nondet_truth(void);
whole_map nondet_map(void);

static whole_map memory;
static bf_fit fit;
static truth before; /* what the map says, a waiting block in it */
static truth now;    /* the same, the waiting block freed */

/* ------------------------------------------------------------------- truth */

/* The bits of [from, to) that lie in this word. */
static bf_word span(size_t word, size_t from, size_t to)
{
    size_t base = word * W;
    size_t low = from <= base ? 0 : from - base;
    size_t high = to <= base ? 0 : to - base;
    bf_word below_low = low >= W ? WORD(BF_ALL) : WORD((BF_ONE << low) - 1);
    bf_word below_high = high >= W ? WORD(BF_ALL) : WORD((BF_ONE << high) - 1);
    return WORD(below_high & ~below_low);
}

static bool is_set(const bf_word *bits, size_t granule)
{
    return bit_of(bits[granule / W], granule % W);
}

static void put(bf_word *bits, size_t from, size_t to, bool on)
{
    for (size_t w = 0; w < N; w++) {
        bf_word in = span(w, from, to);
        bits[w] = WORD(on ? bits[w] | in : bits[w] & ~in);
    }
}

static bool all_free(const truth *t, size_t from, size_t to)
{
    bool all = true;
    for (size_t w = 0; w < N; w++) {
        bf_word in = span(w, from, to);
        all = all && (t->free[w] & in) == in;
    }
    return all;
}

static bool fits(const truth *t, size_t start, size_t count)
{
    return start < GRANULES && count <= GRANULES - start &&
           all_free(t, start, start + count);
}

static bool is_block(const truth *t, size_t granule)
{
    return granule < GRANULES && is_set(t->start, granule) &&
           !is_set(t->free, granule);
}

/* Whether the run that starts there ends there. */
static bool run_is(const truth *t, size_t start, size_t end)
{
    bool inside_clear = true;
    for (size_t w = 0; w < N; w++) {
        inside_clear =
            inside_clear && (t->start[w] & span(w, start + 1, end)) == 0;
    }
    return start < end && end <= GRANULES && inside_clear &&
           (end == GRANULES || is_set(t->start, end));
}

/* A block that becomes free, one hole with those that touch it. */
static void let_go(truth *t, size_t start, size_t end)
{
    if (start > 0 && is_set(t->free, start - 1)) {
        put(t->start, start, start + 1, false);
    }
    if (end < GRANULES && is_set(t->free, end)) {
        put(t->start, end, end + 1, false);
    }
    put(t->free, start, end, true);
}

/* A block in a hole: with what is left of the hole before it and behind. */
static void take(truth *t, size_t start, size_t end)
{
    put(t->free, start, end, false);
    put(t->start, start, start + 1, true);
    if (end < N * W) {
        put(t->start, end, end + 1, true);
    }
}

/* A run starts at 0 and where free turns to used or back; two holes never
 * touch; behind the end nothing is free and only the mark stands. */
static bool is_possible(const truth *t)
{
    bool ok = (t->start[0] & 1) != 0;
    bf_word carried = 0;
    for (size_t w = 0; w < N; w++) {
        bf_word in = span(w, 0, GRANULES);
        bf_word out = WORD(~in);
        bf_word left = WORD(t->free[w] << 1 | carried);
        carried = WORD(t->free[w] >> (W - 1));
        ok = ok && ((t->free[w] ^ left) & ~t->start[w] & in) == 0;
        ok = ok && (t->free[w] & left & t->start[w] & in) == 0;
        ok = ok && (t->free[w] & out) == 0;
        ok = ok && (t->start[w] & out) == span(w, GRANULES, GRANULES + 1);
    }
    return ok;
}

/* -------------------------------------------------------------------- map */

/* Whether the map says just this: start bits everywhere, free bits where a word
 * has a start bit, tags at both ends of the words that a run covers. */
static bool map_says(const truth *t)
{
    size_t covered_down[N + 1];
    size_t covered_up = 0;
    bool ok = true;
    covered_down[N] = 0;
    for (size_t w = N; w-- > 0;) {
        covered_down[w] = t->start[w] != 0 ? 0 : covered_down[w + 1] + 1;
    }
    for (size_t w = 0; w < N; w++) {
        covered_up = t->start[w] != 0 ? 0 : covered_up + 1;
        bf_pair pair = memory.pairs[w];
        size_t covered = covered_up + covered_down[w] - 1;
        bf_word tag = WORD(covered << 1 | (t->free[w] & 1));
        bool counts = covered_up <= 1 || covered_down[w] == 1;
        bf_word want = covered_up == 0 ? t->free[w] : tag;
        ok = ok && pair.start == t->start[w] && (!counts || pair.free == want);
    }
    return ok;
}

/* ---------------------------------------------------------------- the state */

static size_t last_end(void)
{
    return fit.last_start + fit.last_count % BF_WAITING;
}

/* The last block taken, if one is remembered, is a block of the map, and was
 * the first fit for its size: it would be again, which `place` stands for. */
static bool remembers_well(size_t place)
{
    if (fit.last_count == 0) {
        return true;
    }
    size_t start = fit.last_start;
    size_t end = last_end();
    if (start >= GRANULES || end <= start || end > GRANULES ||
        !is_block(&before, start) || !run_is(&before, start, end)) {
        return false;
    }
    truth freed = before;
    let_go(&freed, start, end);
    return place >= start || !fits(&freed, place, end - start);
}

static bool waits(void)
{
    return fit.last_count >= BF_WAITING;
}

/* `place` is any granule, for which the state says what it says of all. */
static void any_state(size_t place)
{
    memory = nondet_map();
    before = nondet_truth();
    fit.map.pairs = memory.pairs;
    fit.map.granules = GRANULES;
    fit.last_start = nondet_u32();
    fit.last_count = nondet_u32();
    ASSUME(is_possible(&before));
    ASSUME(map_says(&before));
    ASSUME(remembers_well(place));
    now = before;
    if (waits()) {
        let_go(&now, fit.last_start, last_end());
    }
}

static void any_complete_state(size_t place)
{
    any_state(place);
    ASSUME(!waits());
}

#endif
