/*
 * Only speed: requests of less than a word's granules, and blocks that lie in
 * their word, in a few steps on that word. The places are those of the general
 * ways in fit.h, which includes this room.
 */
#ifndef BITFIT_SHORT_H
#define BITFIT_SHORT_H

#include "fit.h"

/* ------------------------------------------------------------------- alloc */

/* Whether a hole reaches the end of this word, and perhaps goes on. */
BF_INLINE bool word_has_tail(const bf_pair *pair)
{
    return (pair->free & BF_TOP_BIT) != 0;
}

/* Takes a block that begins at `bit` and ends in the next word, at bit `end`.
 */
BF_INLINE void take_across(bf_pair *pair, bf_pair *next, unsigned bit,
                           unsigned end)
{
    pair->free &= bf_mask_below(bit);
    next->free &= bf_mask_from(end);
    next->start |= BF_ONE << end;
}

/* What a request finds in a word: the place, and the word's longest hole when
 * the request has been served from it. */
typedef struct bf_pick {
    unsigned bit; /* BF_WORD_BITS if no hole is long enough */
    unsigned longest;
} bf_pick;

/* Looks at the holes that end in this word, each followed by a start bit there.
 * Masks, not branches: which hole it will be cannot be predicted. */
BF_INLINE bf_pick pick_in_word(bf_word holes, bf_word starts, unsigned count)
{
    bf_pick pick = {BF_WORD_BITS, 0};
    for (; holes != 0; holes &= holes - 1) {
        unsigned bit = bf_lowest_bit(holes);
        unsigned length = bf_lowest_bit(starts >> bit >> 1) + 1;
        bool first = length >= count && pick.bit == BF_WORD_BITS;
        unsigned mask = 0 - (unsigned)first;
        pick.bit ^= (pick.bit ^ bit) & mask;
        length -= count & mask;
        pick.longest = length > pick.longest ? length : pick.longest;
    }
    return pick;
}

/* A request that a word is known to have a place for, where the word's last
 * hole goes on into the next word and ends there, at bit `beyond`. */
BF_NOINLINE BF_STATIC size_t alloc_at_edge(bf_fit *fit, size_t word,
                                           unsigned count, unsigned beyond)
{
    bf_tree *tree = tree_of(fit);
    bf_pair *pair = bf_pair_of(&fit->map, word);
    unsigned tail = bf_highest_bit(pair->start);
    bf_word holes = pair->start & pair->free & ~(BF_ONE << tail);
    bf_pick pick = pick_in_word(holes, pair->start, count);
    unsigned left = BF_WORD_BITS - tail + beyond;
    if (pick.bit == BF_WORD_BITS) {
        pick.bit = tail;
        left -= count;
    }
    if (pick.bit + count < BF_WORD_BITS) {
        take_in_word(pair, pick.bit, count);
        pick.longest = left > pick.longest ? left : pick.longest;
    } else {
        take_across(pair, bf_pair_of(&fit->map, word + 1), tail, beyond - left);
        bf_tree_gain_in_word(tree, word + 1, left);
    }
    bf_tree_lose_in_word(tree, &fit->map, word, pick.longest);
    return bf_granule_at(word, pick.bit);
}

/* The same where the last hole covers words: these set the word's leaf. */
BF_NOINLINE BF_STATIC size_t alloc_at_long_hole(bf_fit *fit, size_t word,
                                                unsigned count)
{
    bf_pair *pair = bf_pair_of(&fit->map, word);
    unsigned tail = bf_highest_bit(pair->start);
    bf_word holes = pair->start & pair->free & ~(BF_ONE << tail);
    bf_pick pick = pick_in_word(holes, pair->start, count);
    if (pick.bit < BF_WORD_BITS) {
        take_in_word(pair, pick.bit, count);
        return bf_granule_at(word, pick.bit);
    }
    size_t start = bf_granule_at(word, tail);
    if (tail + count < BF_WORD_BITS) {
        take_in_word(pair, tail, count);
        bf_tree_trim(tree_of(fit), &fit->map, word, count);
    } else {
        take_front(fit, bf_map_tail(&fit->map, word), count);
    }
    return start;
}

/* The same, whatever the word's last hole is like. */
BF_INLINE size_t alloc_at(bf_fit *fit, size_t word, unsigned count)
{
    bf_map *map = &fit->map;
    bf_pair *pair = bf_pair_of(map, word);
    if (word_has_tail(pair)) {
        if (BF_UNLIKELY(word + 1 == bf_words_for(map->granules))) {
            return alloc_anywhere(fit, count); /* there is no next word */
        }
        bf_word next = bf_pair_at(map, word + 1)->start;
        return next != 0 ? alloc_at_edge(fit, word, count, bf_lowest_bit(next))
                         : alloc_at_long_hole(fit, word, count);
    }
    bf_pick pick = pick_in_word(pair->start & pair->free, pair->start, count);
    take_in_word(pair, pick.bit, count);
    bf_tree_lose_in_word(tree_of(fit), map, word, pick.longest);
    return bf_granule_at(word, pick.bit);
}

/* In a pool of a few words: each in turn. */
BF_NOINLINE BF_STATIC size_t alloc_by_scan(bf_fit *fit, size_t count)
{
    bf_map *map = &fit->map;
    size_t words = bf_words_for(map->granules);
    for (size_t word = 0; word < words; word++) {
        bf_pair *pair = bf_pair_of(map, word);
        unsigned bit = bf_find_run(pair->free, (unsigned)count);
        if (bit + count < BF_WORD_BITS && pair->start != 0) {
            take_in_word(pair, bit, count);
            return bf_granule_at(word, bit);
        }
        if (word_has_tail(pair)) {
            break;
        }
    }
    return alloc_anywhere(fit, count);
}

/* As bf_fit_alloc(), in a map that tells everything. */
BF_STATIC size_t alloc_in_map(bf_fit *fit, size_t count)
{
    if (!BF_FAST_PATHS || count >= BF_WORD_BITS) {
        return alloc_anywhere(fit, count);
    }
    if (!has_tree(fit)) {
        return alloc_by_scan(fit, count);
    }
    size_t word = bf_tree_first_short(tree_of(fit), (unsigned)count);
    return BF_UNLIKELY(word == BF_NONE) ? BF_NONE
                                        : alloc_at(fit, word, (unsigned)count);
}

/* -------------------------------------------------------------------- free */

/* The word's last hole, which goes on beyond it, has grown downwards. */
BF_NOINLINE BF_STATIC void gain_tail(bf_fit *fit, size_t word)
{
    bf_hole tail = bf_map_tail(&fit->map, word);
    gain(fit, tail.start, tail.end);
}

/* A block that lies in its word, like the start of the run that it becomes,
 * changes a few bits of the word; others go the general way. */
BF_STATIC size_t free_in_map(bf_fit *fit, size_t start)
{
    size_t word = bf_word_of(start);
    unsigned bit = bf_bit_of(start);
    bf_pair *pair = bf_pair_of(&fit->map, word);
    bf_word here = BF_ONE << bit;
    bf_word later = pair->start & (0 - here - here);
    bf_word end = later & (0 - later);
    bf_word joined = (here & pair->free << 1) | (end & pair->free);
    bf_word starts = pair->start & ~joined;
    bf_word before = starts & (here | (here - 1));
    bf_word after = starts & (0 - here - here);
    bool in_word = bit != 0 && before != 0 && later != 0;
    if (!BF_FAST_PATHS || BF_UNLIKELY(!in_word)) {
        return free_anywhere(fit, start);
    }
    pair->start = starts;
    pair->free |= end - here;
    size_t count = bf_lowest_bit(end) - bit;
    if (after == 0) {
        gain_tail(fit, word);
    } else if (has_tree(fit)) {
        bf_tree_gain_in_word(tree_of(fit), word,
                             bf_lowest_bit(after) - bf_highest_bit(before));
    }
    return count;
}

#endif
