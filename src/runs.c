#include "runs.h"

BF_INLINE bf_word tag_of(size_t covered, bool free)
{
    return (bf_word)covered << 1 | (free ? 1 : 0);
}

BF_INLINE size_t tag_covered(bf_word tag)
{
    return (size_t)(tag >> 1);
}

BF_INLINE bool tag_free(bf_word tag)
{
    return (tag & 1) != 0;
}

BF_INLINE void write_bits(bf_pair *pair, bf_word mask, bool free)
{
    pair->free = free ? pair->free | mask : pair->free & ~mask;
}

void bf_runs_init(bf_runs *runs, bf_pair *pairs, size_t granules, bool zeroed)
{
    runs->pairs = pairs;
    runs->granules = granules;
    if (!zeroed) {
        memset(pairs, 0, bf_words_for(granules) * sizeof *pairs);
    }
    if (bf_bit_of(granules) != 0) {
        bf_pair_at(runs, bf_word_of(granules))->start = BF_ONE
                                                        << bf_bit_of(granules);
    }
    bf_runs_write(runs, 0, granules, true);
}

void bf_runs_write(const bf_runs *runs, size_t start, size_t end, bool free)
{
    size_t first = bf_word_of(start);
    size_t last = bf_word_of(end);
    bf_pair *pair = bf_pair_at(runs, first);
    pair->start |= BF_ONE << bf_bit_of(start);
    if (first == last) {
        write_bits(pair, bf_mask_span(bf_bit_of(start), bf_bit_of(end)), free);
        return;
    }
    write_bits(pair, bf_mask_from(bf_bit_of(start)), free);
    if (bf_bit_of(end) != 0) {
        write_bits(bf_pair_at(runs, last), bf_mask_below(bf_bit_of(end)), free);
    }
    size_t covered = last - first - 1;
    if (covered != 0) {
        bf_pair_at(runs, first + 1)->free = tag_of(covered, free);
        bf_pair_at(runs, last - 1)->free = tag_of(covered, free);
    }
}

size_t bf_runs_end_beyond(const bf_runs *runs, size_t word)
{
    size_t words = bf_words_for(runs->granules);
    size_t next = word + 1;
    if (next < words && bf_pair_at(runs, next)->start == 0) {
        next += tag_covered(bf_pair_at(runs, next)->free);
    }
    if (next >= words) {
        return runs->granules;
    }
    return bf_granule_at(next, bf_lowest_bit(bf_pair_at(runs, next)->start));
}

size_t bf_runs_start_before(const bf_runs *runs, size_t end)
{
    size_t word = bf_word_of(end);
    bf_word earlier = 0;
    if (bf_bit_of(end) != 0) {
        earlier = bf_pair_at(runs, word)->start & bf_mask_below(bf_bit_of(end));
    }
    if (earlier == 0) {
        const bf_pair *pair = bf_pair_at(runs, --word);
        if (pair->start == 0) {
            word -= tag_covered(pair->free);
        }
        earlier = bf_pair_at(runs, word)->start;
    }
    return bf_granule_at(word, bf_highest_bit(earlier));
}

bool bf_runs_free_before(const bf_runs *runs, size_t end)
{
    if (end == 0) {
        return false;
    }
    const bf_pair *pair = bf_pair_at(runs, bf_word_of(end - 1));
    if (pair->start == 0) {
        return tag_free(pair->free);
    }
    return (pair->free >> bf_bit_of(end - 1) & 1) != 0;
}

bool bf_runs_tags_fit(const bf_runs *runs, size_t start, size_t end, bool free)
{
    size_t covered = bf_words_covered(start, end);
    bf_word tag = tag_of(covered, free);
    return covered == 0 || (runs->pairs[bf_word_of(start) + 1].free == tag &&
                            runs->pairs[bf_word_of(end) - 1].free == tag);
}

size_t bf_runs_next_start(const bf_runs *runs, size_t granule)
{
    size_t words = bf_words_for(runs->granules);
    size_t word = bf_word_of(granule);
    bf_word starts = runs->pairs[word].start;
    starts &= BF_ALL << 1 << bf_bit_of(granule);
    while (starts == 0) {
        if (++word == words) {
            return runs->granules;
        }
        starts = runs->pairs[word].start;
    }
    size_t next = bf_granule_at(word, bf_lowest_bit(starts));
    return next < runs->granules ? next : runs->granules;
}
