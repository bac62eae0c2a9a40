#include "index.h"

/* ------------------------------------------------------------------ layout */

BF_INLINE bool has_tree(const bf_index *index)
{
#ifdef BITFIT_NO_INDEX
    (void)index;
    return false;
#else
    return index->tree != NULL;
#endif
}

BF_INLINE bool wants_tree(size_t granules)
{
    return bf_words_for(granules) > BF_SCAN_WORDS;
}

/* The leaves are searched in lanes of 16 bytes. */
BF_INLINE size_t tree_header_size(void)
{
    return (sizeof(bf_tree) + 15) & ~(size_t)15;
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
    bf_runs_init(&index->runs, memory, granules, zeroed);
    index->tree = NULL;
    if (wants_tree(granules)) {
        size_t words = bf_words_for(granules);
        unsigned char *header = (unsigned char *)memory + words * sizeof(bf_pair);
        index->tree = (bf_tree *)(void *)header;
        bf_tree_init(index->tree, header + tree_header_size(), words, zeroed);
        bf_tree_gain(index->tree, 0, granules);
    }
}

/* A free run grew to, or came to be, [start, end). */
BF_INLINE void gain(const bf_index *index, size_t start, size_t end)
{
    if (has_tree(index)) {
        bf_tree_gain(index->tree, start, end);
    }
}

/* The free run that starts at `start` will be shorter, or gone: said before the
 * map changes, since another word may be settled by the map as it is. */
BF_INLINE void lose(const bf_index *index, size_t start)
{
    if (has_tree(index)) {
        bf_tree_lose(index->tree, &index->runs, bf_word_of(start));
    }
}

BF_INLINE void settle(const bf_index *index)
{
    if (has_tree(index)) {
        bf_tree_settle(index->tree, &index->runs);
    }
}

/* Settles any word but the one of `granule`, which is likely to change next. */
BF_INLINE void settle_elsewhere(const bf_index *index, size_t granule)
{
    if (has_tree(index) && index->tree->unsettled != bf_word_of(granule)) {
        bf_tree_settle(index->tree, &index->runs);
    }
}

/* --------------------------------------------------------------- searching */

/* The first run of `count` granules that starts in this word; the unsettled one
 * may be covered by now. No run before it is that long, so free bits of a run
 * from an earlier word cannot mislead. */
BF_INLINE size_t find_in_word(const bf_runs *runs, size_t word, size_t count)
{
    const bf_pair *pair = bf_pair_at(runs, word);
    if (BF_LIKELY(count <= BF_WORD_BITS && pair->start != 0)) {
        unsigned bit = bf_find_run(pair->free, (unsigned)count);
        if (BF_LIKELY(bit < BF_WORD_BITS)) {
            return bf_granule_at(word, bit);
        }
    }
    size_t tail = bf_runs_tail(runs, word);
    bool fits =
        tail != BF_NONE && bf_runs_end_beyond(runs, word) - tail >= count;
    return fits ? tail : BF_NONE;
}

/* The next word after `word` (from the first if BF_NONE) in which a run of
 * `count` granules may start; BF_NONE if there is none. */
static size_t next_word(const bf_index *index, size_t word, size_t count)
{
    if (has_tree(index)) {
        return word == BF_NONE ? bf_tree_first(index->tree, count)
                               : bf_tree_next(index->tree, word, count);
    }
    size_t words = bf_words_for(index->runs.granules);
    for (word++; word < words; word++) { /* BF_NONE + 1 is 0 */
        if (bf_pair_at(&index->runs, word)->start != 0) {
            return word;
        }
    }
    return BF_NONE;
}

/* Every candidate in turn: a code stands for several lengths. */
BF_NOINLINE static size_t find_through(const bf_index *index, size_t count)
{
    settle(index);
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

BF_INLINE size_t find(const bf_index *index, size_t count)
{
    if (has_tree(index)) {
        size_t word = bf_tree_first(index->tree, count);
        if (BF_LIKELY(word != BF_NONE)) {
            size_t start = find_in_word(&index->runs, word, count);
            if (BF_LIKELY(start != BF_NONE)) {
                return start;
            }
        }
    }
    return find_through(index, count);
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
    settle(index);
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
    settle(index);
    if (has_tree(index)) {
        return bf_tree_longest(index->tree, runs);
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

/* Makes [start, end), the front of a free run, a block. Where what follows
 * begins in the same word, two masks do it. */
BF_INLINE void take_front(const bf_index *index, size_t start, size_t end)
{
    const bf_runs *runs = &index->runs;
    lose(index, start);
    if (BF_LIKELY(bf_word_of(start) == bf_word_of(end))) {
        bf_pair *pair = bf_pair_at(runs, bf_word_of(start));
        pair->free &= ~bf_mask_span(bf_bit_of(start), bf_bit_of(end));
        pair->start |= BF_ONE << bf_bit_of(end);
        return;
    }
    size_t run_end = bf_runs_end(runs, start);
    bf_runs_write(runs, start, end, false);
    if (end < run_end) {
        bf_runs_write(runs, end, run_end, true);
        gain(index, end, run_end);
    }
}

size_t bf_index_alloc(const bf_index *index, size_t count)
{
    size_t start = find(index, count);
    if (BF_LIKELY(start != BF_NONE)) {
        take_front(index, start, start + count);
    }
    return start;
}

/* Cuts the free run that starts at `run` in two, for a moment. */
static void cut(const bf_index *index, size_t run, size_t at)
{
    size_t end = bf_runs_end(&index->runs, run);
    lose(index, run);
    bf_runs_write(&index->runs, run, at, true);
    bf_runs_write(&index->runs, at, end, true);
    gain(index, at, end);
}

size_t bf_index_alloc_aligned(const bf_index *index, size_t count,
                              size_t alignment, size_t phase)
{
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
static void give_back(const bf_index *index, size_t start, size_t end)
{
    const bf_runs *runs = &index->runs;
    size_t left =
        bf_runs_free_before(runs, start) ? bf_runs_start_before(runs, start)
                                         : start;
    size_t right = bf_runs_free_at(runs, end) ? bf_runs_end(runs, end) : end;
    if (right != end && bf_word_of(end) != bf_word_of(left)) {
        lose(index, end);
    }
    if (left != start) {
        bf_runs_join(runs, start);
    }
    if (right != end) {
        bf_runs_join(runs, end);
    }
    bf_runs_write(runs, left, right, true);
    gain(index, left, right);
    settle_elsewhere(index, left);
}

/* As give_back() of a block in one word, if the merged run is in that word too;
 * false otherwise, and nothing has changed. */
BF_INLINE bool give_back_in_word(const bf_index *index, size_t start,
                                 unsigned end_bit)
{
    size_t word = bf_word_of(start);
    unsigned bit = bf_bit_of(start);
    bf_pair *pair = bf_pair_at(&index->runs, word);
    bf_word here = BF_ONE << bit;
    bf_word joined = (here & pair->free << 1) |
                     (BF_ONE << end_bit & pair->free);
    bf_word starts = pair->start & ~joined;
    bf_word before = starts & (here | (here - 1));
    bf_word after = starts & (BF_ALL << 1 << bit);
    if (bit == 0 || before == 0 || after == 0) {
        return false;
    }
    pair->start = starts;
    pair->free |= bf_mask_span(bit, end_bit);
    gain(index, bf_granule_at(word, bf_highest_bit(before)),
         bf_granule_at(word, bf_lowest_bit(after)));
    settle_elsewhere(index, start);
    return true;
}

size_t bf_index_free(const bf_index *index, size_t start)
{
    size_t end = bf_runs_end(&index->runs, start);
    if (bf_word_of(start) != bf_word_of(end) ||
        !give_back_in_word(index, start, bf_bit_of(end))) {
        give_back(index, start, end);
    }
    return end - start;
}

static void shrink(const bf_index *index, size_t start, size_t end,
                   size_t new_end)
{
    const bf_runs *runs = &index->runs;
    size_t right = bf_runs_free_at(runs, end) ? bf_runs_end(runs, end) : end;
    if (right != end && bf_word_of(end) != bf_word_of(new_end)) {
        lose(index, end);
    }
    if (right != end) {
        bf_runs_join(runs, end);
    }
    bf_runs_write(runs, start, new_end, false);
    bf_runs_write(runs, new_end, right, true);
    gain(index, new_end, right);
}

static bool grow(const bf_index *index, size_t start, size_t end,
                 size_t new_end)
{
    const bf_runs *runs = &index->runs;
    if (!bf_runs_free_at(runs, end) || bf_runs_end(runs, end) < new_end) {
        return false;
    }
    size_t right = bf_runs_end(runs, end);
    lose(index, end);
    bf_runs_join(runs, end);
    bf_runs_write(runs, start, new_end, false);
    if (new_end < right) {
        bf_runs_write(runs, new_end, right, true);
        gain(index, new_end, right);
    }
    return true;
}

bool bf_index_resize(const bf_index *index, size_t start, size_t count)
{
    size_t end = bf_runs_end(&index->runs, start);
    size_t new_end = start + count;
    if (new_end < end) {
        shrink(index, start, end, new_end);
        return true;
    }
    return new_end == end || grow(index, start, end, new_end);
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
        !bf_tree_check(index->tree, &index->runs)) {
        broken = 5;
    }
    return broken;
}
