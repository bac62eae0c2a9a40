/* Verifies a run map: what a check may take its time for. */
#include "runs.h"

/* Whether the free bits of [start, end) in one word are all `free`. */
static bool bits_alike(const bf_pair *pair, unsigned start, unsigned end,
                       bool free)
{
    bf_word mask = bf_mask_span(start, end);
    return (pair->free & mask) == (free ? mask : 0);
}

static int check_run(const bf_runs *runs, size_t start, size_t end, bool free)
{
    size_t first = bf_word_of(start);
    size_t last = bf_word_of(end);
    unsigned first_end = first == last ? bf_bit_of(end) : BF_WORD_BITS;
    if (!bits_alike(&runs->pairs[first], bf_bit_of(start), first_end, free)) {
        return 2;
    }
    if (first == last) {
        return 0;
    }
    if (bf_bit_of(end) != 0 &&
        !bits_alike(&runs->pairs[last], 0, bf_bit_of(end), free)) {
        return 2;
    }
    return bf_runs_tags_fit(runs, start, end, free) ? 0 : 3;
}

static int check_runs(const bf_runs *runs, size_t *live, size_t *blocks)
{
    bool free_before = false;
    for (size_t start = 0; start < runs->granules;) {
        size_t end = bf_runs_next_start(runs, start);
        bool free = bf_runs_free_at(runs, start);
        int broken = check_run(runs, start, end, free);
        if (broken != 0) {
            return broken;
        }
        if (free && free_before) {
            return 4;
        }
        *live += free ? 0 : end - start;
        *blocks += free ? 0 : 1;
        free_before = free;
        start = end;
    }
    return 0;
}

static bool ends_fit(const bf_runs *runs)
{
    if ((runs->pairs[0].start & 1) == 0) {
        return false;
    }
    unsigned bit = bf_bit_of(runs->granules);
    if (bit == 0) {
        return true;
    }
    const bf_pair *last = &runs->pairs[bf_word_of(runs->granules)];
    return last->start >> bit == 1 && last->free >> bit == 0;
}

int bf_runs_check(const bf_runs *runs, size_t *live, size_t *blocks)
{
    *live = 0;
    *blocks = 0;
    return ends_fit(runs) ? check_runs(runs, live, blocks) : 1;
}
