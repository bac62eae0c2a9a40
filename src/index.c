#include "index.h"

/* ------------------------------------------------------------------ layout */

BF_INLINE bool wants_tree(size_t granules)
{
    return BF_SCAN_WORDS != SIZE_MAX && granules > BF_SCAN_WORDS * BF_WORD_BITS;
}

BF_INLINE bool has_tree(const bf_index *index)
{
    return wants_tree(index->runs.granules);
}

BF_INLINE bf_tree *tree_of(const bf_index *index)
{
    return (bf_tree *)(void *)index->runs.pairs - 1;
}

/* Rounded up so that the pairs stay aligned. */
size_t bf_index_pairs_offset(size_t granules)
{
    size_t header = bf_tree_header_size(bf_words_for(granules));
    return wants_tree(granules) ? bf_round_up(header, sizeof(bf_pair)) : 0;
}

size_t bf_index_size(size_t granules)
{
    size_t words = bf_words_for(granules);
    size_t size = words * sizeof(bf_pair);
    if (wants_tree(granules)) {
        size += bf_index_pairs_offset(granules) + bf_tree_size(words);
    }
    return size;
}

void bf_index_init(bf_index *index, void *memory, size_t granules, bool zeroed)
{
    unsigned char *pairs = memory;
    *index = (bf_index){.last_count = 0};
    if (!wants_tree(granules)) {
        bf_runs_init(&index->runs, memory, granules, zeroed);
        return;
    }
    size_t words = bf_words_for(granules);
    pairs += bf_index_pairs_offset(granules);
    bf_runs_init(&index->runs, (bf_pair *)(void *)pairs, granules, zeroed);
    bf_tree_init(tree_of(index), pairs + words * sizeof(bf_pair), words,
                 zeroed);
    bf_tree_gain(tree_of(index), 0, granules);
}

void bf_index_empty(bf_index *index)
{
    size_t granules = index->runs.granules;
    unsigned char *pairs = (unsigned char *)index->runs.pairs;
    bf_index_init(index, pairs - bf_index_pairs_offset(granules), granules,
                  false);
}

/* A free run grew to, or came to be, [start, end). */
BF_INLINE void gain(const bf_index *index, size_t start, size_t end)
{
    if (has_tree(index)) {
        bf_tree_gain(tree_of(index), start, end);
    }
}

/* The free run that started at `start` is shorter or gone. Said after gain().
 */
BF_INLINE void lose(const bf_index *index, size_t start)
{
    if (has_tree(index)) {
        bf_tree_lose(tree_of(index), &index->runs, bf_word_of(start));
    }
}

/* --------------------------------------------------------------- searching */

/* The first run of `count` granules or more that starts in this word, where
 * some run starts. No run before it is that long, so free bits of a run from an
 * earlier word cannot mislead. Empty if there is none. */
BF_INLINE bf_hole find_in_word(const bf_runs *runs, size_t word, size_t count)
{
    const bf_pair *pair = bf_pair_at(runs, word);
    if (count <= BF_WORD_BITS) {
        unsigned bit = bf_find_run(pair->free, (unsigned)count);
        if (bit < BF_WORD_BITS) {
            size_t start = bf_granule_at(word, bit);
            return (bf_hole){start, bf_runs_end(runs, start)};
        }
    }
    bf_hole tail = bf_runs_tail(runs, word);
    return bf_hole_count(tail) >= count ? tail : (bf_hole){0, 0};
}

/* The next word after `word` (from the first if BF_NONE) in which a run of
 * `count` granules may start; BF_NONE if there is none. */
static size_t next_word(const bf_index *index, size_t word, size_t count)
{
    if (has_tree(index)) {
        return word == BF_NONE ? bf_tree_first(tree_of(index), count)
                               : bf_tree_next(tree_of(index), word, count);
    }
    size_t words = bf_words_for(index->runs.granules);
    for (word++; word < words; word++) { /* BF_NONE + 1 is 0 */
        if (bf_pair_at(&index->runs, word)->start != 0) {
            return word;
        }
    }
    return BF_NONE;
}

/* The first free run of `count` granules or more: each candidate in turn, since
 * a code stands for several lengths. Empty if there is none. */
static bf_hole find(const bf_index *index, size_t count)
{
    bf_hole hole = {0, 0};
    size_t word = next_word(index, BF_NONE, count);
    while (word != BF_NONE) {
        hole = find_in_word(&index->runs, word, count);
        if (BF_LIKELY(hole.end != 0)) {
            break;
        }
        word = next_word(index, word, count);
    }
    return hole;
}

bf_hole bf_index_next_hole(const bf_index *index, size_t after, size_t count)
{
    bf_hole hole;
    size_t word = after == BF_NONE ? BF_NONE : bf_word_of(after);
    do {
        word = next_word(index, word, count);
        if (word == BF_NONE) {
            return (bf_hole){0, 0};
        }
        hole = bf_runs_tail(&index->runs, word);
    } while (bf_hole_count(hole) < count);
    return hole;
}

typedef struct bf_request {
    size_t count;
    size_t alignment;
    size_t phase;
} bf_request;

/* The first hole that starts in this word and has an aligned place for the
 * request; `skip` granules lie before the place. Empty if there is none. */
static bf_hole find_aligned_in_word(const bf_runs *runs, size_t word,
                                    const bf_request *request, size_t *skip)
{
    const bf_pair *pair = bf_pair_at(runs, word);
    for (bf_word starts = pair->start & pair->free; starts != 0;
         starts &= starts - 1) {
        size_t start = bf_granule_at(word, bf_lowest_bit(starts));
        bf_hole hole = {start, bf_runs_end(runs, start)};
        size_t count = bf_hole_count(hole);
        *skip = (0 - (start + request->phase)) & (request->alignment - 1);
        if (*skip < count && request->count <= count - *skip) {
            return hole;
        }
    }
    return (bf_hole){0, 0};
}

static bf_hole find_aligned(const bf_index *index, const bf_request *request,
                            size_t *skip)
{
    bf_hole hole = {0, 0};
    size_t word = next_word(index, BF_NONE, request->count);
    while (word != BF_NONE) {
        hole = find_aligned_in_word(&index->runs, word, request, skip);
        if (hole.end != 0) {
            break;
        }
        word = next_word(index, word, request->count);
    }
    return hole;
}

bool bf_index_is_free(const bf_index *index, size_t granule)
{
    const bf_runs *runs = &index->runs;
    size_t word = bf_word_of(granule);
    bf_word below = bf_mask_from(bf_bit_of(granule));
    bf_word starts = bf_pair_at(runs, word)->start & ~(below << 1);
    while (starts == 0) {
        starts = bf_pair_at(runs, --word)->start;
    }
    return bf_runs_free_at(runs, bf_granule_at(word, bf_highest_bit(starts)));
}

size_t bf_index_longest(const bf_index *index)
{
    const bf_runs *runs = &index->runs;
    if (has_tree(index)) {
        return bf_tree_longest(tree_of(index), runs);
    }
    size_t longest = 0;
    for (size_t start = 0; start < runs->granules;) {
        size_t end = bf_runs_end(runs, start);
        if (bf_runs_free_at(runs, start) && end - start > longest) {
            longest = end - start;
        }
        start = end;
    }
    return longest;
}

/* ---------------------------------------------------------------- changing */

/* Whether a hole reaches the end of this word, and perhaps goes on. */
BF_INLINE bool word_has_tail(const bf_pair *pair)
{
    return (pair->free & BF_TOP_BIT) != 0;
}

/* Takes a block that ends before its word does, so that what follows begins in
 * the word as well: two masks do it. */
BF_INLINE void take_in_word(bf_pair *pair, unsigned bit, size_t count)
{
    bf_word here = BF_ONE << bit;
    pair->free &= ~((here << count) - here);
    pair->start |= here << count;
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

/* Makes the first `count` granules of a hole a block. */
static void take_front(const bf_index *index, bf_hole hole, size_t count)
{
    const bf_runs *runs = &index->runs;
    size_t end = hole.start + count;
    size_t word = bf_word_of(hole.start);
    if (BF_FAST_PATHS && word == bf_word_of(hole.end)) {
        take_in_word(bf_pair_at(runs, word), bf_bit_of(hole.start), count);
        lose(index, hole.start);
        return;
    }
    bf_runs_write(runs, hole.start, end, false);
    if (end < hole.end) {
        bf_runs_write(runs, end, hole.end, true);
        gain(index, end, hole.end);
    }
    lose(index, hole.start);
}

/* The general case: a hole of any length, anywhere. */
BF_NOINLINE static size_t alloc_anywhere(const bf_index *index, size_t count)
{
    bf_hole hole = find(index, count);
    if (hole.end == 0) {
        return BF_NONE;
    }
    take_front(index, hole, count);
    return hole.start;
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
BF_NOINLINE static size_t alloc_at_edge(const bf_index *index, size_t word,
                                        unsigned count, unsigned beyond)
{
    bf_tree *tree = tree_of(index);
    bf_pair *pair = bf_pair_at(&index->runs, word);
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
        take_across(pair, bf_pair_at(&index->runs, word + 1), tail,
                    beyond - left);
        bf_tree_gain_in_word(tree, word + 1, left);
    }
    bf_tree_lose_in_word(tree, &index->runs, word, pick.longest);
    return bf_granule_at(word, pick.bit);
}

/* The same where the last hole covers words: these set the word's leaf. */
BF_NOINLINE static size_t alloc_at_long_hole(const bf_index *index, size_t word,
                                             unsigned count)
{
    bf_pair *pair = bf_pair_at(&index->runs, word);
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
        bf_tree_trim(tree_of(index), &index->runs, word, count);
    } else {
        take_front(index, bf_runs_tail(&index->runs, word), count);
    }
    return start;
}

/* The same, whatever the word's last hole is like. */
BF_INLINE size_t alloc_at(const bf_index *index, size_t word, unsigned count)
{
    const bf_runs *runs = &index->runs;
    bf_pair *pair = bf_pair_at(runs, word);
    if (word_has_tail(pair)) {
        if (BF_UNLIKELY(word + 1 == bf_words_for(runs->granules))) {
            return alloc_anywhere(index, count); /* there is no next word */
        }
        bf_word next = bf_pair_at(runs, word + 1)->start;
        return next != 0
                   ? alloc_at_edge(index, word, count, bf_lowest_bit(next))
                   : alloc_at_long_hole(index, word, count);
    }
    bf_pick pick = pick_in_word(pair->start & pair->free, pair->start, count);
    take_in_word(pair, pick.bit, count);
    bf_tree_lose_in_word(tree_of(index), runs, word, pick.longest);
    return bf_granule_at(word, pick.bit);
}

/* In a pool of a few words: each in turn. */
BF_NOINLINE static size_t alloc_by_scan(const bf_index *index, size_t count)
{
    const bf_runs *runs = &index->runs;
    size_t words = bf_words_for(runs->granules);
    for (size_t word = 0; word < words; word++) {
        bf_pair *pair = bf_pair_at(runs, word);
        unsigned bit = bf_find_run(pair->free, (unsigned)count);
        if (bit + count < BF_WORD_BITS && pair->start != 0) {
            take_in_word(pair, bit, count);
            return bf_granule_at(word, bit);
        }
        if (word_has_tail(pair)) {
            break;
        }
    }
    return alloc_anywhere(index, count);
}

size_t bf_index_alloc_in_map(bf_index *index, size_t count)
{
    if (!BF_FAST_PATHS || count >= BF_WORD_BITS) {
        return alloc_anywhere(index, count);
    }
    if (!has_tree(index)) {
        return alloc_by_scan(index, count);
    }
    size_t word = bf_tree_first_short(tree_of(index), (unsigned)count);
    return BF_UNLIKELY(word == BF_NONE)
               ? BF_NONE
               : alloc_at(index, word, (unsigned)count);
}

/* Cuts a hole in two, for a moment; returns the second. */
static bf_hole cut(const bf_index *index, bf_hole hole, size_t at)
{
    bf_runs_write(&index->runs, hole.start, at, true);
    bf_runs_write(&index->runs, at, hole.end, true);
    gain(index, at, hole.end);
    lose(index, hole.start);
    return (bf_hole){at, hole.end};
}

size_t bf_index_alloc_aligned(bf_index *index, size_t count, size_t alignment,
                              size_t phase)
{
    bf_index_flush(index);
    const bf_request request = {count, alignment, phase};
    size_t skip;
    bf_hole hole = find_aligned(index, &request, &skip);
    if (hole.end == 0) {
        return BF_NONE;
    }
    if (skip != 0) {
        hole = cut(index, hole, hole.start + skip);
    }
    take_front(index, hole, count);
    return hole.start;
}

/* Makes the block [start, end) free, one run with the holes that touch it. */
BF_NOINLINE static void give_back(const bf_index *index, size_t start,
                                  size_t end)
{
    const bf_runs *runs = &index->runs;
    size_t left = bf_runs_free_before(runs, start)
                      ? bf_runs_start_before(runs, start)
                      : start;
    size_t right = bf_runs_free_at(runs, end) ? bf_runs_end(runs, end) : end;
    if (left != start) {
        bf_runs_join(runs, start);
    }
    if (right != end) {
        bf_runs_join(runs, end);
    }
    bf_runs_write(runs, left, right, true);
    gain(index, left, right);
    if (right != end && bf_word_of(end) != bf_word_of(left)) {
        lose(index, end);
    }
}

/* Any block, anywhere. */
BF_NOINLINE static size_t free_anywhere(const bf_index *index, size_t start)
{
    size_t end = bf_runs_end(&index->runs, start);
    give_back(index, start, end);
    return end - start;
}

/* The word's last hole, which goes on beyond it, has grown downwards. */
BF_NOINLINE static void gain_tail(const bf_index *index, size_t word)
{
    bf_hole tail = bf_runs_tail(&index->runs, word);
    gain(index, tail.start, tail.end);
}

/* A block that lies in its word, like the start of the run that it becomes,
 * changes a few bits of the word; others go the general way. */
size_t bf_index_free_in_map(const bf_index *index, size_t start)
{
    size_t word = bf_word_of(start);
    unsigned bit = bf_bit_of(start);
    bf_pair *pair = bf_pair_at(&index->runs, word);
    bf_word here = BF_ONE << bit;
    bf_word later = pair->start & (0 - here - here);
    bf_word end = later & (0 - later);
    bf_word joined = (here & pair->free << 1) | (end & pair->free);
    bf_word starts = pair->start & ~joined;
    bf_word before = starts & (here | (here - 1));
    bf_word after = starts & (0 - here - here);
    bool in_word = bit != 0 && before != 0 && later != 0;
    if (!BF_FAST_PATHS || BF_UNLIKELY(!in_word)) {
        return free_anywhere(index, start);
    }
    pair->start = starts;
    pair->free |= end - here;
    size_t count = bf_lowest_bit(end) - bit;
    if (after == 0) {
        gain_tail(index, word);
    } else if (has_tree(index)) {
        bf_tree_gain_in_word(tree_of(index), word,
                             bf_lowest_bit(after) - bf_highest_bit(before));
    }
    return count;
}

void bf_index_flush(bf_index *index)
{
    bool waiting = index->last_count >= BF_WAITING;
    index->last_count = 0;
    if (waiting) {
        bf_index_free_in_map(index, index->last_start);
    }
}

/* Makes the block [start, end) two that touch. */
static void split_block(const bf_runs *runs, size_t start, size_t at,
                        size_t end)
{
    if (BF_FAST_PATHS && bf_word_of(start) == bf_word_of(end)) {
        bf_pair_at(runs, bf_word_of(at))->start |= BF_ONE << bf_bit_of(at);
        return;
    }
    bf_runs_write(runs, start, at, false);
    bf_runs_write(runs, at, end, false);
}

/* The block takes the front of the hole behind it, if that is long enough. */
static bool grow(const bf_index *index, size_t start, size_t end,
                 size_t new_end)
{
    const bf_runs *runs = &index->runs;
    if (!bf_runs_free_at(runs, end) || bf_runs_end(runs, end) < new_end) {
        return false;
    }
    bf_hole hole = {end, bf_runs_end(runs, end)};
    take_front(index, hole, new_end - end);
    bf_runs_join(runs, end);
    bf_runs_write(runs, start, new_end, false);
    return true;
}

bool bf_index_resize(bf_index *index, size_t start, size_t count)
{
    bf_index_flush(index);
    size_t end = bf_runs_end(&index->runs, start);
    size_t new_end = start + count;
    if (new_end > end) {
        return grow(index, start, end, new_end);
    }
    split_block(&index->runs, start, new_end, end);
    bf_index_free_in_map(index, new_end);
    return true;
}

/* ---------------------------------------------------------------- checking */

int bf_index_check(const bf_index *index, size_t *live, size_t *blocks)
{
    int broken = bf_runs_check(&index->runs, live, blocks);
    if (broken == 0 && has_tree(index) &&
        !bf_tree_check(tree_of(index), &index->runs)) {
        broken = 5;
    }
    return broken;
}
