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

/* The header, rounded up so that the pairs stay aligned. */
BF_INLINE size_t tree_header_size(void)
{
    return bf_round_up(sizeof(bf_tree), sizeof(bf_pair));
}

size_t bf_index_size(size_t granules)
{
    size_t words = bf_words_for(granules);
    size_t size = words * sizeof(bf_pair);
    if (wants_tree(granules)) {
        size += tree_header_size() + bf_tree_size(words);
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
    pairs += tree_header_size();
    bf_runs_init(&index->runs, (bf_pair *)(void *)pairs, granules, zeroed);
    bf_tree_init(tree_of(index), pairs + words * sizeof(bf_pair), words,
                 zeroed);
    bf_tree_gain(tree_of(index), 0, granules);
}

void bf_index_empty(bf_index *index)
{
    unsigned char *memory = (unsigned char *)index->runs.pairs;
    if (has_tree(index)) {
        memory -= tree_header_size();
    }
    bf_index_init(index, memory, index->runs.granules, false);
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

/* The run that reaches beyond this word, if it has `count` granules. */
BF_NOINLINE static size_t find_tail(const bf_runs *runs, size_t word,
                                    size_t count)
{
    size_t tail = bf_runs_tail(runs, word);
    bool fits =
        tail != BF_NONE && bf_runs_end_beyond(runs, word) - tail >= count;
    return fits ? tail : BF_NONE;
}

/* The first run of `count` granules that starts in this word, where some run
 * starts. No run before it is that long, so free bits of a run from an earlier
 * word cannot mislead. */
BF_INLINE size_t find_in_word(const bf_runs *runs, size_t word, size_t count)
{
    const bf_pair *pair = bf_pair_at(runs, word);
    if (BF_LIKELY(count <= BF_WORD_BITS)) {
        unsigned bit = bf_find_run(pair->free, (unsigned)count);
        if (BF_LIKELY(bit < BF_WORD_BITS)) {
            return bf_granule_at(word, bit);
        }
    }
    return find_tail(runs, word, count);
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

/* The start of the first free run of `count` granules or more: each candidate
 * in turn, since a code stands for several lengths. BF_NONE if there is none.
 */
static size_t find(const bf_index *index, size_t count)
{
    size_t word = next_word(index, BF_NONE, count);
    while (word != BF_NONE) {
        size_t start = find_in_word(&index->runs, word, count);
        if (start != BF_NONE) {
            return start;
        }
        word = next_word(index, word, count);
    }
    return BF_NONE;
}

bool bf_index_next_hole(const bf_index *index, size_t after, size_t count,
                        size_t *start, size_t *end)
{
    size_t word = after == BF_NONE ? BF_NONE : bf_word_of(after);
    do {
        word = next_word(index, word, count);
        if (word == BF_NONE) {
            return false;
        }
        *start = find_tail(&index->runs, word, count);
    } while (*start == BF_NONE);
    *end = bf_runs_end_beyond(&index->runs, word);
    return true;
}

typedef struct bf_place {
    size_t run; /* the free run that holds the place */
    size_t start;
} bf_place;

typedef struct bf_request {
    size_t count;
    size_t alignment;
    size_t phase;
} bf_request;

/* The lowest aligned place in the free runs that start in this word. */
static bool find_aligned_in_word(const bf_runs *runs, size_t word,
                                 const bf_request *request, bf_place *place)
{
    const bf_pair *pair = bf_pair_at(runs, word);
    for (bf_word starts = pair->start & pair->free; starts != 0;
         starts &= starts - 1) {
        size_t run = bf_granule_at(word, bf_lowest_bit(starts));
        size_t length = bf_runs_end(runs, run) - run;
        size_t skip = (0 - (run + request->phase)) & (request->alignment - 1);
        if (skip < length && request->count <= length - skip) {
            *place = (bf_place){run, run + skip};
            return true;
        }
    }
    return false;
}

static bool find_aligned(const bf_index *index, const bf_request *request,
                         bf_place *place)
{
    size_t word = next_word(index, BF_NONE, request->count);
    while (word != BF_NONE) {
        if (find_aligned_in_word(&index->runs, word, request, place)) {
            return true;
        }
        word = next_word(index, word, request->count);
    }
    return false;
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

/* Makes [start, end), the front of a free run, a block. */
static void take_front(const bf_index *index, size_t start, size_t end)
{
    const bf_runs *runs = &index->runs;
    size_t run_end = bf_runs_end(runs, start);
    bf_runs_write(runs, start, end, false);
    if (end < run_end) {
        bf_runs_write(runs, end, run_end, true);
        gain(index, end, run_end);
    }
    lose(index, start);
}

/* Remembers the block that was taken last; one beyond 32 bits is not. */
BF_INLINE void remember(bf_index *index, size_t start, size_t count)
{
    bool fits = (start | count) < BF_WAITING;
    index->last_start = (uint32_t)start;
    index->last_count = fits ? (uint32_t)count : 0;
}

/* The general case: a run of any length, in or beyond the first candidate, or
 * BF_NONE for none known. */
BF_NOINLINE static size_t alloc_anywhere(bf_index *index, size_t candidate,
                                         size_t count)
{
    size_t start = BF_NONE;
    if (candidate != BF_NONE) {
        start = find_in_word(&index->runs, candidate, count);
    }
    if (start == BF_NONE) {
        start = find(index, count);
    }
    if (start != BF_NONE) {
        take_front(index, start, start + count);
        remember(index, start, count);
    }
    return start;
}

/* The first hole of `count` granules in a word, and the longest hole when these
 * are taken from it, as far as the holes lie in the word. Masks, not branches:
 * which hole it will be cannot be predicted. */
BF_INLINE unsigned place_in_word(const bf_pair *pair, unsigned count,
                                 unsigned *longest)
{
    unsigned place = BF_WORD_BITS;
    unsigned max = 0;
    for (bf_word holes = pair->start & pair->free; holes != 0;
         holes &= holes - 1) {
        unsigned bit = bf_lowest_bit(holes);
        bf_word end = pair->start >> bit >> 1 | BF_TOP_BIT >> bit;
        unsigned length = bf_lowest_bit(end) + 1;
        bool first = length >= count && place == BF_WORD_BITS;
        unsigned mask = 0 - (unsigned)first;
        place ^= (place ^ bit) & mask;
        length -= count & mask;
        max = length > max ? length : max;
    }
    *longest = max;
    return place;
}

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

/* In a pool of a few words: each in turn. */
BF_INLINE size_t alloc_by_scan(bf_index *index, size_t count)
{
    const bf_runs *runs = &index->runs;
    size_t words = bf_words_for(runs->granules);
    for (size_t word = 0; word < words; word++) {
        bf_pair *pair = bf_pair_at(runs, word);
        unsigned bit = bf_find_run(pair->free, (unsigned)count);
        if (bit + count < BF_WORD_BITS && pair->start != 0) {
            take_in_word(pair, bit, count);
            remember(index, bf_granule_at(word, bit), count);
            return bf_granule_at(word, bit);
        }
        if (word_has_tail(pair)) {
            break;
        }
    }
    return alloc_anywhere(index, BF_NONE, count);
}

size_t bf_index_alloc_in_map(bf_index *index, size_t count)
{
    if (BF_UNLIKELY(index->last_count >= BF_WAITING)) {
        bf_index_flush(index);
    }
    if (!BF_FAST_PATHS || count >= BF_WORD_BITS) {
        return alloc_anywhere(index, BF_NONE, count);
    }
    if (!has_tree(index)) {
        return alloc_by_scan(index, count);
    }
    bf_tree *tree = tree_of(index);
    size_t word = bf_tree_first(tree, count);
    if (BF_UNLIKELY(word == BF_NONE)) {
        return alloc_anywhere(index, word, count);
    }
    unsigned longest;
    bf_pair *pair = bf_pair_at(&index->runs, word);
    unsigned bit = place_in_word(pair, (unsigned)count, &longest);
    if (BF_UNLIKELY(bit + count >= BF_WORD_BITS)) {
        return alloc_anywhere(index, word, count);
    }
    take_in_word(pair, bit, count);
    size_t start = bf_granule_at(word, bit);
    remember(index, start, count);
    if (word_has_tail(pair)) {
        bf_tree_lose(tree, &index->runs, word);
    } else {
        bf_tree_lose_in_word(tree, &index->runs, word, longest);
    }
    return start;
}

/* Cuts the free run that starts at `run` in two, for a moment. */
static void cut(const bf_index *index, size_t run, size_t at)
{
    size_t end = bf_runs_end(&index->runs, run);
    bf_runs_write(&index->runs, run, at, true);
    bf_runs_write(&index->runs, at, end, true);
    gain(index, at, end);
    lose(index, run);
}

size_t bf_index_alloc_aligned(bf_index *index, size_t count, size_t alignment,
                              size_t phase)
{
    bf_index_flush(index);
    const bf_request request = {count, alignment, phase};
    bf_place place;
    if (!find_aligned(index, &request, &place)) {
        return BF_NONE;
    }
    if (place.start != place.run) {
        cut(index, place.run, place.start);
    }
    take_front(index, place.start, place.start + count);
    return place.start;
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

/* Frees the block at `start` if it and the run that it becomes lie in its word:
 * returns its granules. 0 otherwise, and nothing has changed. */
BF_INLINE size_t free_in_word(const bf_index *index, size_t start)
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
    if (BF_UNLIKELY(bit == 0 || before == 0 || after == 0)) {
        return 0;
    }
    pair->start = starts;
    pair->free |= end - here;
    if (has_tree(index)) {
        bf_tree_gain_in_word(tree_of(index), word,
                             bf_lowest_bit(after) - bf_highest_bit(before));
    }
    return bf_lowest_bit(end) - bit;
}

BF_INLINE size_t free_in_map(const bf_index *index, size_t start)
{
    size_t count = BF_FAST_PATHS ? free_in_word(index, start) : 0;
    if (BF_UNLIKELY(count == 0)) {
        size_t end = bf_runs_end(&index->runs, start);
        give_back(index, start, end);
        count = end - start;
    }
    return count;
}

void bf_index_flush(bf_index *index)
{
    bool waiting = index->last_count >= BF_WAITING;
    index->last_count = 0;
    if (waiting) {
        free_in_map(index, index->last_start);
    }
}

size_t bf_index_free_in_map(bf_index *index, size_t start)
{
    if (BF_UNLIKELY(index->last_count >= BF_WAITING)) {
        bf_index_flush(index);
    }
    index->last_count = 0; /* something lower may be free now */
    return free_in_map(index, start);
}

static void shrink(const bf_index *index, size_t start, size_t end,
                   size_t new_end)
{
    const bf_runs *runs = &index->runs;
    size_t right = bf_runs_free_at(runs, end) ? bf_runs_end(runs, end) : end;
    if (right != end) {
        bf_runs_join(runs, end);
    }
    bf_runs_write(runs, start, new_end, false);
    bf_runs_write(runs, new_end, right, true);
    gain(index, new_end, right);
    if (right != end && bf_word_of(end) != bf_word_of(new_end)) {
        lose(index, end);
    }
}

static bool grow(const bf_index *index, size_t start, size_t end,
                 size_t new_end)
{
    const bf_runs *runs = &index->runs;
    if (!bf_runs_free_at(runs, end) || bf_runs_end(runs, end) < new_end) {
        return false;
    }
    size_t right = bf_runs_end(runs, end);
    bf_runs_join(runs, end);
    bf_runs_write(runs, start, new_end, false);
    if (new_end < right) {
        bf_runs_write(runs, new_end, right, true);
        gain(index, new_end, right);
    }
    lose(index, end);
    return true;
}

bool bf_index_resize(bf_index *index, size_t start, size_t count)
{
    bf_index_flush(index);
    size_t end = bf_runs_end(&index->runs, start);
    size_t new_end = start + count;
    if (new_end < end) {
        shrink(index, start, end, new_end);
        return true;
    }
    return grow(index, start, end, new_end);
}

/* ---------------------------------------------------------------- checking */

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

/* The next start bit after `granule`, or the pool's end: no tag is trusted. */
static size_t next_start(const bf_runs *runs, size_t granule)
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
    return bf_granule_at(word, bf_lowest_bit(starts));
}

static int check_runs(const bf_runs *runs, size_t *live, size_t *blocks)
{
    bool free_before = false;
    for (size_t start = 0; start < runs->granules;) {
        size_t end = next_start(runs, start);
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

int bf_index_check(const bf_index *index, size_t *live, size_t *blocks)
{
    *live = 0;
    *blocks = 0;
    if (!ends_fit(&index->runs)) {
        return 1;
    }
    int broken = check_runs(&index->runs, live, blocks);
    if (broken == 0 && has_tree(index) &&
        !bf_tree_check(tree_of(index), &index->runs)) {
        broken = 5;
    }
    return broken;
}
