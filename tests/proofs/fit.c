/*
 * Alloc, free and resize, from any valid state: what they answer (PART 0), and
 * that the map afterwards says what is true then (PART 1).
 *
 * In most proofs no block waits. If one does, it is given out again, is freed
 * twice, or is settled before anything else happens: prove_alloc_waiting(),
 * prove_free_again() and prove_settles_first() show each; prove_settle() shows
 * that settling leads to a state in which none waits.
 */
#include "whole.h"

#include "aligned.h"

#ifndef PART
#define PART 0
#endif

/* A live block, [start, end). */
static void any_block(size_t *start, size_t *end)
{
    *start = nondet_size();
    *end = nondet_size();
    ASSUME(is_block(&now, *start) && *end <= GRANULES &&
           run_is(&now, *start, *end));
}

/* What holds of a place that was asked for: it is the least, or there is none;
 * and afterwards it is a block. */
static void check_place(size_t got, size_t count, size_t place, bool place_fits)
{
    if (PART == 0) {
        CLAIM(!place_fits || got <= place, "no lower place");
        CLAIM(got == BF_NONE || fits(&now, got, count), "it fits, or is none");
        return;
    }
    if (got != BF_NONE) {
        ASSUME(got < GRANULES && count <= GRANULES - got);
        take(&now, got, got + count);
    }
    CLAIM(map_says(&now), "the map says so, and nothing else changed");
    CLAIM(!waits(), "no block waits");
}

void prove_alloc(void)
{
    size_t place = nondet_size();
    size_t count = nondet_size();
    any_complete_state(place);
    ASSUME(count > 0 && count < BF_WAITING);
    bool place_fits = fits(&now, place, count);

    size_t got = bf_fit_alloc(&fit, count);

    check_place(got, count, place, place_fits);
    CLAIM(fit.last_count == 0 ||
              (fit.last_start == got && fit.last_count == count),
          "the last block is remembered");
    REACHED();
}

/* The block that waits is the least place for as many granules, and is given
 * out again. */
void prove_alloc_waiting(void)
{
    size_t place = nondet_size();
    any_state(place);
    ASSUME(waits());
    size_t count = fit.last_count - BF_WAITING;
    bool place_fits = fits(&now, place, count);

    size_t got = bf_fit_alloc(&fit, count);

    CLAIM(fits(&now, got, count), "it fits");
    CLAIM(!place_fits || got <= place, "no lower place");
    CLAIM(!waits() && got == fit.last_start && map_says(&before),
          "and is the block that the map has");
    REACHED();
}

void prove_free(void)
{
    size_t start;
    size_t end;
    any_complete_state(nondet_size());
    any_block(&start, &end);

    size_t count = bf_fit_free(&fit, start);

    if (PART == 0) {
        CLAIM(count == end - start, "its granules");
        CLAIM(fit.last_count == 0 ||
                  (waits() && fit.last_start == start && last_end() == end),
              "nothing is remembered but the block, which waits");
    } else {
        if (!waits()) {
            let_go(&now, start, end);
        }
        CLAIM(map_says(&now), "the map says so, and nothing else changed");
    }
    REACHED();
}

/* The block that waits was freed before: refused, and nothing changes. */
void prove_free_again(void)
{
    any_state(nondet_size());
    ASSUME(waits());
    bf_fit old = fit;
    CLAIM(!bf_fit_is_block(&fit, fit.last_start), "it is no block");
    CLAIM(bf_fit_free(&fit, fit.last_start) == 0, "refused");
    CLAIM(map_says(&before) && fit.last_start == old.last_start &&
              fit.last_count == old.last_count,
          "nothing changed");
    REACHED();
}

/* The pool asks this before it frees: the starts of live blocks, exactly. */
void prove_is_block(void)
{
    size_t granule = nondet_size();
    any_state(granule);
    ASSUME(granule < GRANULES);
    CLAIM(bf_fit_is_block(&fit, granule) == is_block(&now, granule),
          "exactly the starts of live blocks");
    REACHED();
}

static bf_fit as_it_was;

/* In the place of bf_fit_settle(). */
void settle_is_called(bf_fit *same)
{
    CLAIM(same == &fit && fit.last_start == as_it_was.last_start &&
              fit.last_count == as_it_was.last_count && map_says(&before),
          "nothing happened before");
    REACHED();
    ASSUME(false);
}

/* Any other call while a block waits. */
void prove_settles_first(void)
{
    size_t start;
    size_t end;
    size_t count = nondet_size();
    any_state(nondet_size());
    any_block(&start, &end);
    ASSUME(waits() && count > 0 && count < BF_WAITING);
    as_it_was = fit;
    switch (nondet_unsigned() % 4) {
    case 0:
        ASSUME(count != fit.last_count - BF_WAITING);
        bf_fit_alloc(&fit, count);
        break;
    case 1:
        bf_fit_free(&fit, start);
        break;
    case 2:
        bf_fit_resize(&fit, start, count);
        break;
    default:
        bf_fit_alloc_aligned(&fit, count, 8, nondet_size());
        break;
    }
    CLAIM(false, "the block is settled");
}

void prove_settle(void)
{
    any_state(nondet_size());
    bf_fit_settle(&fit);
    CLAIM(!waits() && fit.last_count == 0, "no block waits");
    CLAIM(map_says(&now), "it is free, one hole with its neighbours");
    REACHED();
}

void prove_resize(void)
{
    size_t start;
    size_t end;
    size_t count = nondet_size();
    any_complete_state(nondet_size());
    any_block(&start, &end);
    ASSUME(count > 0 && count <= GRANULES && count != end - start);
    size_t new_end = start + count;
    bool there_is_room =
        new_end <= end || (new_end <= GRANULES && all_free(&now, end, new_end));

    bool done = bf_fit_resize(&fit, start, count);

    if (PART == 0) {
        CLAIM(done == there_is_room, "if and only if there is room");
    } else {
        if (there_is_room && new_end < end) {
            take(&now, start, new_end);
            let_go(&now, new_end, end);
        } else if (there_is_room) {
            take(&now, end, new_end);
            put(now.start, end, end + 1, false);
        }
        CLAIM(map_says(&now), "the map says so, and nothing else changed");
        CLAIM(fit.last_count == 0, "no block is remembered");
    }
    REACHED();
}
