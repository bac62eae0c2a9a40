/*
 * Only speed: alloc and free in fewer steps, most of them on one word of the
 * map. Without this file every block goes to the same place, that of
 * bf_fit_alloc() and bf_fit_free().
 *
 * Each function here is the last step of a call: it counts the block and ends
 * the call. What takes longer is called last, so that the short ways save no
 * register and test no result.
 */
#ifndef BITFIT_SHORT_H
#define BITFIT_SHORT_H

#include "pool.h"

/* --------------------------------------------------------- short requests */

/* bf_tree_first() for a request that a byte tells, so that no count is read. */
BF_INLINE size_t first_short(bf_tree *tree, const bf_map *map, unsigned count)
{
    size_t entry = 0;
    for (size_t row = tree->rows; row != 0; row--) {
        const uint8_t *bytes = bf_upper_of(tree)->bytes[row];
        bf_word fits = bf_bytes_at_least(bytes + entry, count);
        if (BF_UNLIKELY(fits == 0)) {
            return BF_NONE;
        }
        entry = (entry + bf_lowest_bit(fits)) << BF_WORD_SHIFT;
    }
    bf_word fits = bf_bytes_at_least(bf_leaf_of(tree, entry), count);
    return BF_LIKELY(fits != 0) ? entry + bf_lowest_bit(fits)
                                : bf_tree_first(tree, map, count);
}

/* next_short() beyond the group. */
BF_HOT BF_NOINLINE BF_STATIC size_t next_group_short(bf_tree *tree,
                                                     const bf_map *map,
                                                     size_t group,
                                                     unsigned count)
{
    const bf_upper *upper = bf_upper_of(tree);
    size_t first = first_of_node(group);
    bf_word fits = bf_bytes_at_least(upper->bytes[1] + first, count);
    fits &= BF_ALL << 1 << bf_bit_of(group);
    if (BF_LIKELY(fits != 0)) {
        first = (first + bf_lowest_bit(fits)) << BF_WORD_SHIFT;
        fits = bf_bytes_at_least(bf_leaf_of(tree, first), count);
        if (BF_LIKELY(fits != 0)) {
            return first + bf_lowest_bit(fits);
        }
    }
    return bf_tree_seek(tree, map, 1, group, BF_ALL << 1 << bf_bit_of(group),
                        count);
}

/* bf_tree_next() likewise, in a tree that has rows above the leaves. */
BF_INLINE size_t next_short(bf_tree *tree, const bf_map *map, size_t word,
                            unsigned count)
{
    size_t first = first_of_node(word);
    bf_word fits = bf_bytes_at_least(bf_leaf_of(tree, first), count);
    fits &= BF_ALL << 1 << bf_bit_of(word);
    return BF_LIKELY(fits != 0)
               ? first + bf_lowest_bit(fits)
               : next_group_short(tree, map, bf_group_of(word), count);
}

/* As bf_tree_set(), and the entries above are exact at once, but for counts:
 * while requests begin at the top, the next one wants them. */
BF_INLINE void set_now(bf_tree *tree, const bf_map *map, size_t word,
                       size_t length)
{
    uint8_t *leaf = bf_leaf_of(tree, word);
    unsigned before = *leaf;
    unsigned byte = byte_of(length);
    size_t group = bf_group_of(word);
    if (BF_UNLIKELY(before == BF_MANY)) {
        bf_tree_set(tree, map, word, length);
        return;
    }
    if (tree->rows == 0 || before == byte ||
        bf_upper_of(tree)->bytes[1][group] != before) {
        *leaf = (uint8_t)byte;
        return;
    }
    /* Load first: a vector load that covers a byte just stored stalls. */
    unsigned others = bf_bytes_max_but(leaf - bf_bit_of(word), bf_bit_of(word));
    *leaf = (uint8_t)byte;
    if (others < before) {
        others = others > byte ? others : byte;
        put_group(tree, map, group, others);
    }
}

/* ------------------------------------------ blocks that end in a later word */

/* Takes the block [start, end) from the front of the hole [start, hole_end),
 * where it ends in a later word than that in which it starts. What is left of
 * the hole, if anything, starts at `end`.
 *
 *     word      0         1         2         3         4
 *     start     ...1....  ........  ..1.....  ........  ....1...
 *     free      ........  1, block  ..111111  1, free   1111....
 */
BF_INLINE void write_taken(bf_map *map, size_t start, size_t end,
                           size_t hole_end)
{
    size_t first = bf_word_of(start);
    size_t last = bf_word_of(end);
    size_t hole_last = bf_word_of(hole_end);
    bf_pair_of(map, first)->free &= bf_mask_below(bf_bit_of(start));
    if (last - first > 1) {
        bf_word tag = tag_of(last - first - 1, false);
        bf_pair_of(map, first + 1)->free = tag;
        bf_pair_of(map, last - 1)->free = tag;
    }
    if (bf_granule_at(last, 0) == map->granules) {
        return;
    }
    if (last == hole_last) {
        bf_pair_of(map, last)->free &= bf_mask_from(bf_bit_of(end));
        bf_pair_of(map, last)->start |= BF_ONE << bf_bit_of(end);
        return;
    }
    bf_pair_of(map, last)->free = bf_mask_from(bf_bit_of(end));
    bf_pair_of(map, last)->start = BF_ONE << bf_bit_of(end);
    if (hole_last - last > 1) {
        bf_word tag = tag_of(hole_last - last - 1, true);
        bf_pair_of(map, last + 1)->free = tag;
        bf_pair_of(map, hole_last - 1)->free = tag;
    }
}

/* What is left of a hole starts in a later word. No floor is above the word in
 * which the whole started, and no entry above both words is too low. */
BF_INLINE void raise_rest(bf_fit *fit, size_t word, size_t start, size_t end)
{
    if (!bf_fit_has_tree(fit)) {
        return;
    }
    bf_tree *tree = bf_fit_tree(fit);
    size_t later = bf_word_of(start);
    uint8_t *leaf = bf_leaf_of(tree, later);
    unsigned byte = byte_of(end - start);
    *leaf = (uint8_t)(byte > *leaf ? byte : *leaf);
    if (BF_UNLIKELY(bf_group_of(later) != bf_group_of(word))) {
        rise(tree, later, end - start);
    }
}

BF_INLINE void take_beyond(bf_fit *fit, size_t start, size_t end,
                           size_t hole_end)
{
    write_taken(&fit->map, start, end, hole_end);
    if (end != hole_end) {
        raise_rest(fit, bf_word_of(start), end, hole_end);
    }
}

/* As alloc_in_map(). */
BF_INLINE size_t alloc_by_fit(bf_fit *fit, size_t count)
{
    size_t start = find(fit, count);
    size_t end = start + count;
    size_t word = bf_word_of(start);
    if (BF_UNLIKELY(start == BF_NONE)) {
        return BF_NONE;
    }
    if (word == bf_word_of(end)) {
        bf_map_take_in_word(bf_pair_of(&fit->map, word), bf_bit_of(start),
                            count);
    } else {
        take_beyond(fit, start, end, bf_map_end_beyond(&fit->map, word));
    }
    hole_shrank(fit, start);
    return start;
}

/* ----------------------------------------------------------------- the end */

BF_INLINE void *alloc_done(bitfit_pool *pool, size_t start, size_t count)
{
    pool->fit.last_start = (uint32_t)start;
    pool->fit.last_count = (uint32_t)count;
    pool->state = BF_IDLE;
    pool->allocations++;
    bf_note_block(pool, start, count, count);
    return bf_pointer_to(pool, start);
}

BF_HOT BF_NOINLINE static void *alloc_failed(bitfit_pool *pool)
{
    pool->fit.last_count = 0;
    pool->state = BF_IDLE;
    pool->failures++;
    return NULL;
}

BF_INLINE void free_done(bitfit_pool *pool, size_t count)
{
    pool->room += count;
    pool->frees++;
    pool->state = BF_IDLE;
}

/* The general way, in a map in which no block waits. */
BF_HOT BF_NOINLINE static void *alloc_anywhere(bitfit_pool *pool, size_t count)
{
    size_t start = alloc_by_fit(&pool->fit, count);
    if (BF_UNLIKELY(start == BF_NONE)) {
        return alloc_failed(pool);
    }
    void *block = alloc_done(pool, start, count);
    if (BF_UNLIKELY((start | count) >= BF_WAITING)) {
        pool->fit.last_count = 0;
    }
    return block;
}

BF_HOT BF_NOINLINE static void free_anywhere(bitfit_pool *pool, size_t start)
{
    free_done(pool, free_in_map(&pool->fit, start));
}

/* --------------------------------------------------------- from the floors */

enum {
    BF_FLOORED = 8,  /* requests of more granules do not start here */
    BF_MISSES = 256, /* between two judgements */
    BF_DIRECT = 8192 /* requests that begin at the top after a bad one */
};

/* Programs take block after block from one word, and floors serve. Where sizes
 * and lifetimes are random they serve few, and it is cheaper to begin at the
 * top than to keep them. So they are judged: if fewer than 3 in 10 of the
 * requests up to the 256th that missed were served, the next 8192 begin at the
 * top. The judgement after that takes these as served, so the floors get 512
 * misses. */
BF_INLINE void note_miss(bitfit_pool *pool, bf_upper *upper)
{
    if (BF_LIKELY(++upper->missed % BF_MISSES != 0)) {
        return;
    }
    uint32_t requests = (uint32_t)pool->allocations - upper->judged;
    upper->judged = (uint32_t)pool->allocations;
    if (requests >= BF_MISSES * 10 / 7) { /* 256 misses are 7 in 10 of them */
        return;
    }
    pool->floored = 0;
    upper->direct = BF_DIRECT;
    for (unsigned i = 0; i < BF_SHORT_CLASSES; i++) {
        upper->floors[i] = 0; /* nobody lowers them meanwhile */
    }
}

/* Notes the word of the block taken last, whose leaf stays as it was. */
BF_HOT BF_NOINLINE static void *note_word(bitfit_pool *pool)
{
    size_t start = pool->fit.last_start;
    bf_tree_note(bf_fit_tree(&pool->fit), &pool->fit.map,
                 bf_class_of(pool->fit.last_count), bf_word_of(start));
    return bf_pointer_to(pool, start);
}

BF_INLINE void *alloc_noted(bitfit_pool *pool, size_t start, size_t count,
                            unsigned class)
{
    const bf_upper *upper = bf_upper_of(bf_fit_tree(&pool->fit));
    void *block = alloc_done(pool, start, count);
    return BF_LIKELY(upper->stale_words[class] == bf_word_of(start))
               ? block
               : note_word(pool);
}

/* From the word's last hole, if it goes on beyond the word and is long enough:
 * its start. BF_NONE, and nothing changed, if not. */
BF_INLINE size_t take_tail(bitfit_pool *pool, size_t word, size_t count)
{
    bf_map *map = &pool->fit.map;
    const bf_pair *pair = bf_pair_at(map, word);
    size_t length = bf_map_tail(map, word);
    if (length < count) {
        return BF_NONE;
    }
    size_t start = bf_granule_at(word, bf_highest_bit(pair->start));
    take_beyond(&pool->fit, start, start + count, start + length);
    return start;
}

/* No place inside the floor's word: its last hole, or a later word. */
BF_HOT BF_NOINLINE static void *alloc_later(bitfit_pool *pool, size_t count,
                                            size_t word)
{
    bf_map *map = &pool->fit.map;
    bf_tree *tree = bf_fit_tree(&pool->fit);
    unsigned class = bf_class_of(count);
    size_t start = take_tail(pool, word, count);
    if (start != BF_NONE) {
        bf_tree_settle(tree, map, word);
        return alloc_done(pool, start, count);
    }
    note_miss(pool, bf_upper_of(tree));
    do {
        word = next_short(tree, map, word, (unsigned)count);
        if (BF_UNLIKELY(word == BF_NONE)) {
            return alloc_failed(pool);
        }
        bf_pair *pair = bf_pair_of(map, word);
        bf_word places = bf_runs_of(pair->free, (unsigned)count);
        if (BF_LIKELY(places != 0)) {
            unsigned bit = bf_lowest_bit(places);
            if (BF_LIKELY(bit + count < BF_WORD_BITS && pair->start != 0)) {
                bf_map_take_in_word(pair, bit, count);
                start = bf_granule_at(word, bit);
                break;
            }
        }
        start = take_tail(pool, word, count);
    } while (BF_UNLIKELY(start == BF_NONE));
    if (BF_LIKELY(pool->floored != 0)) {
        bf_tree_set_floor(tree, class, count, word);
    }
    return alloc_noted(pool, start, count, class);
}

/* ------------------------------------------------------------ from the top */

/* The length of the first of these holes, each of which ends at a start bit of
 * its word; 0 if there is none. */
BF_INLINE unsigned length_of_first(bf_word holes, bf_word starts)
{
    bf_word after = bf_starts_behind(holes, starts);
    return bf_lowest_bit(after | BF_TOP_BIT) -
           bf_lowest_bit(holes | BF_TOP_BIT);
}

/* As bf_longest_of(). Few words have more than three holes: so many are looked
 * at without a branch, since how many there are cannot be predicted. */
BF_INLINE unsigned longest_of_few(bf_word holes, bf_word starts)
{
    unsigned longest = 0;
    BF_UNROLL
    for (unsigned i = 0; i < 3; i++) {
        unsigned length = length_of_first(holes, starts);
        longest = length > longest ? length : longest;
        holes &= holes - 1;
    }
    if (BF_UNLIKELY(holes != 0)) {
        unsigned others = bf_longest_of(holes, starts);
        longest = others > longest ? others : longest;
    }
    return longest;
}

/* The longest hole of a word, whose last one has `tail` granules if it goes on
 * beyond the word. */
BF_INLINE unsigned longest_with_tail(const bf_pair *pair, bf_word goes_on,
                                     unsigned tail)
{
    bf_word starts = pair->start;
    bf_word holes = starts & pair->free & ~(goes_on << bf_highest_bit(starts));
    unsigned longest = longest_of_few(holes, starts);
    return tail > longest ? tail : longest;
}

/* As take_directly(), where the word's last hole covers words, or the block
 * ends in a later word, or the word has no such hole: inside the word first,
 * then in the hole that goes on beyond it. */
BF_HOT BF_NOINLINE static size_t take_at_edge(bitfit_pool *pool, size_t word,
                                              size_t count)
{
    bf_map *map = &pool->fit.map;
    bf_pair *pair = bf_pair_of(map, word);
    size_t start = BF_NONE;
    bf_word places = bf_runs_of(pair->free, (unsigned)count);
    unsigned bit = places == 0 ? BF_WORD_BITS : bf_lowest_bit(places);
    if (pair->start != 0 && bit + count < BF_WORD_BITS) {
        bf_map_take_in_word(pair, bit, count);
        start = bf_granule_at(word, bit);
    } else {
        start = take_tail(pool, word, count);
    }
    set_now(bf_fit_tree(&pool->fit), map, word, bf_map_longest_in(map, word));
    return start;
}

/* From this word, of which the tree says that it has a hole of `count`
 * granules; its leaf is exact again afterwards. Masks, not branches: which hole
 * it will be, and whether it is the word's last one, cannot be predicted.
 * BF_NONE, and no block, if the leaf was too high. */
BF_INLINE size_t take_directly(bitfit_pool *pool, size_t word, size_t count)
{
    bf_map *map = &pool->fit.map;
    bf_pair *pair = bf_pair_of(map, word);
    bf_word starts = pair->start;
    bf_word next = pair[1].start; /* at the end the leaves', and not used */
    bf_word goes_on = pair->free >> (BF_WORD_BITS - 1);
    size_t beyond = bf_granule_at(word + 1, 0);
    if (BF_UNLIKELY(starts == 0) ||
        (goes_on != 0 && (next == 0 || beyond >= map->granules))) {
        return take_at_edge(pool, word, count);
    }
    unsigned last = bf_highest_bit(starts);
    unsigned tail = BF_WORD_BITS - last + bf_lowest_bit(next | BF_TOP_BIT);
    unsigned left = (unsigned)count;
    tail &= 0 - (unsigned)goes_on;
    bf_word places = bf_halve_runs(pair->free, &left, BF_WORD_SHIFT);
    places |= (bf_word)(tail >= count) << last;
    if (BF_UNLIKELY(places == 0)) {
        return take_at_edge(pool, word, count);
    }
    unsigned bit = bf_lowest_bit(places);
    if (BF_UNLIKELY(bit + count >= BF_WORD_BITS)) {
        return take_at_edge(pool, word, count);
    }
    tail -= (unsigned)count & (0 - (unsigned)(goes_on != 0 && bit == last));
    bf_map_take_in_word(pair, bit, count);
    set_now(bf_fit_tree(&pool->fit), map, word,
            longest_with_tail(pair, goes_on, tail));
    return bf_granule_at(word, bit);
}

BF_HOT BF_NOINLINE static void *alloc_directly(bitfit_pool *pool, size_t count)
{
    bf_tree *tree = bf_fit_tree(&pool->fit);
    size_t start;
    do {
        size_t word = first_short(tree, &pool->fit.map, (unsigned)count);
        if (BF_UNLIKELY(word == BF_NONE)) {
            return alloc_failed(pool);
        }
        start = take_directly(pool, word, count);
    } while (BF_UNLIKELY(start == BF_NONE));
    if (tree->rows != 0 && BF_UNLIKELY(--bf_upper_of(tree)->direct == 0)) {
        pool->floored = BF_FLOORED;
    }
    return alloc_done(pool, start, count);
}

/* ------------------------------------------------------------------- alloc */

/* In a pool of a few words: each in turn. */
BF_HOT BF_NOINLINE static void *alloc_by_scan(bitfit_pool *pool, size_t count)
{
    bf_map *map = &pool->fit.map;
    size_t words = bf_words_for(map->granules);
    for (size_t word = 0; word < words; word++) {
        bf_pair *pair = bf_pair_of(map, word);
        unsigned bit = bf_find_run(pair->free, (unsigned)count);
        if (bit + count < BF_WORD_BITS && pair->start != 0) {
            bf_map_take_in_word(pair, bit, count);
            return alloc_done(pool, bf_granule_at(word, bit), count);
        }
        if ((pair->free & BF_TOP_BIT) != 0) {
            break;
        }
    }
    return alloc_anywhere(pool, count);
}

/* A request of a word's bits or more, with a floor: only the last hole of a
 * word is so long. The next such request looks first where the rest of that
 * hole begins. */
BF_HOT BF_NOINLINE static void *alloc_long(bitfit_pool *pool, size_t count)
{
    bf_map *map = &pool->fit.map;
    bf_tree *tree = bf_fit_tree(&pool->fit);
    size_t word = bf_tree_floor(tree, count);
    size_t length = bf_map_tail(map, word);
    while (BF_UNLIKELY(length < count)) {
        word = bf_tree_next(tree, map, word, count);
        if (BF_UNLIKELY(word == BF_NONE)) {
            return alloc_failed(pool);
        }
        length = bf_map_tail(map, word);
    }
    const bf_pair *pair = bf_pair_at(map, word);
    size_t start = bf_granule_at(word, bf_highest_bit(pair->start));
    size_t rest = length == count ? start : start + count;
    bf_tree_set_floor(tree, bf_class_of(count), count, bf_word_of(rest));
    take_beyond(&pool->fit, start, start + count, start + length);
    bf_tree_set(tree, map, word,
                bf_longest_of(pair->start & pair->free, pair->start));
    return alloc_done(pool, start, count);
}

/* A request for more than the shortest few granules, or without floors. */
BF_HOT BF_NOINLINE static void *alloc_otherwise(bitfit_pool *pool, size_t count)
{
    bool simple = pool->fit.map.granules <= UINT32_MAX;
    if (BF_UNLIKELY(count >= BF_WORD_BITS || !simple)) {
        bool has_floor = simple && bf_fit_has_tree(&pool->fit) &&
                         bf_tree_has_floor(bf_fit_tree(&pool->fit), count);
        return has_floor ? alloc_long(pool, count)
                         : alloc_anywhere(pool, count);
    }
    if (pool->floored == 0) {
        return bf_fit_has_tree(&pool->fit) ? alloc_directly(pool, count)
                                           : alloc_by_scan(pool, count);
    }
    size_t word = bf_tree_floor(bf_fit_tree(&pool->fit), count);
    bf_pair *pair = bf_pair_of(&pool->fit.map, word);
    unsigned class = bf_class_of(count);
    unsigned left = (unsigned)count;
    bf_word places = bf_halve_runs(pair->free, &left, BF_WORD_SHIFT);
    if (BF_UNLIKELY(places == 0 || pair->start == 0)) {
        return alloc_later(pool, count, word);
    }
    unsigned bit = bf_lowest_bit(places);
    if (BF_UNLIKELY(bit + count >= BF_WORD_BITS)) {
        return alloc_later(pool, count, word);
    }
    bf_map_take_in_word(pair, bit, count);
    return alloc_noted(pool, bf_granule_at(word, bit), count, class);
}

BF_INLINE void *alloc_in_word(bitfit_pool *pool, size_t count)
{
    if (BF_UNLIKELY(count > pool->floored)) {
        return alloc_otherwise(pool, count);
    }
    const bf_upper *upper = bf_upper_of(bf_fit_tree(&pool->fit));
    unsigned class = (unsigned)count - 1;
    size_t word = (size_t)upper->floors[class];
    bf_pair *pair = bf_pair_of(&pool->fit.map, word);
    bf_word places = bf_runs_of_few(pair->free, (unsigned)count);
    if (BF_UNLIKELY(places == 0) || BF_UNLIKELY(pair->start == 0)) {
        return alloc_later(pool, count, word);
    }
    size_t bit = bf_lowest_bit(places);
    if (BF_UNLIKELY(bit + count >= BF_WORD_BITS)) {
        return alloc_later(pool, count, word);
    }
    bf_map_take_in_word(pair, (unsigned)bit, count);
    return alloc_noted(pool, bf_granule_at(word, (unsigned)bit), count, class);
}

/* -------------------------------------------------------------------- free */

/* The word's last hole, which goes on beyond it, has grown. */
BF_HOT BF_NOINLINE static void raise_tail(bitfit_pool *pool, size_t word)
{
    if (bf_fit_has_tree(&pool->fit)) {
        bf_tree_raise(bf_fit_tree(&pool->fit), word,
                      bf_map_tail(&pool->fit.map, word));
    }
}

/* Frees a block that ends in a later word, where the hole that it becomes
 * starts in its word. */
BF_HOT BF_NOINLINE static void free_beyond(bitfit_pool *pool, size_t start)
{
    bf_map *map = &pool->fit.map;
    bf_tree *tree = bf_fit_tree(&pool->fit);
    size_t word = bf_word_of(start);
    bf_word below = bf_mask_below(bf_bit_of(start));
    bf_word before = bf_pair_at(map, word)->start & below;
    size_t end = bf_map_end_beyond(map, word);
    size_t left = start;
    size_t right = end;
    if (bf_map_free_before(map, start)) {
        if (before == 0) {
            free_anywhere(pool, start);
            return;
        }
        left = bf_granule_at(word, bf_highest_bit(before));
        bf_map_join(map, start);
    }
    if (bf_map_free_at(map, end)) {
        right = bf_map_end(map, end);
        bf_map_join(map, end);
    }
    write_run(map, left, right, true);
    free_done(pool, end - start);
    if (!bf_fit_has_tree(&pool->fit)) {
        return;
    }
    size_t later = bf_word_of(end);
    if (right != end && *bf_leaf_of(tree, later) <= byte_of(right - end)) {
        bf_tree_settle(tree, map, later);
    }
    bf_tree_raise(tree, word, right - left);
}

/* Frees a block that lies in its word, like the start of the hole that it
 * becomes; others take longer. No block waits. */
BF_HOT BF_NOINLINE static void free_in_word(bitfit_pool *pool, size_t start)
{
    size_t word = bf_word_of(start);
    bf_pair *pair = bf_pair_of(&pool->fit.map, word);
    bf_word here = BF_ONE << bf_bit_of(start);
    bf_word above = 0 - here - here;
    bf_word later = pair->start & above;
    if (BF_UNLIKELY(later == 0) || BF_UNLIKELY(here == 1)) {
        later == 0 ? free_beyond(pool, start) : free_anywhere(pool, start);
        return;
    }
    bf_word end = later & (0 - later);
    bf_word joined = (here & pair->free << 1) | (end & pair->free);
    bf_word starts = pair->start & ~joined;
    bf_word before = starts & ~above;
    bf_word after = starts & above;
    if (BF_UNLIKELY(before == 0)) {
        free_anywhere(pool, start);
        return;
    }
    pair->start = starts;
    pair->free |= end - here;
    free_done(pool, bf_lowest_bit(end) - bf_bit_of(start));
    if (BF_UNLIKELY(after == 0)) {
        raise_tail(pool, word);
    } else if (bf_fit_has_tree(&pool->fit)) {
        bf_tree_raise(bf_fit_tree(&pool->fit), word,
                      bf_lowest_bit(after) - bf_highest_bit(before));
    }
}

/* Frees the waiting block in the map. That counts its free again, so the first
 * count is taken back. */
BF_HOT BF_NOINLINE static void free_waiting(bitfit_pool *pool)
{
    size_t start = pool->fit.last_start;
    pool->room -= pool->fit.last_count - BF_WAITING;
    pool->frees--;
    pool->fit.last_count = 0;
    free_in_word(pool, start);
    pool->state = BF_ELIDED;
}

BF_HOT BF_NOINLINE static void free_while_waiting(bitfit_pool *pool,
                                                  size_t start)
{
    free_waiting(pool);
    free_in_word(pool, start);
}

/* -------------------------------------------------------------- both calls */

BF_HOT BF_NOINLINE static void *alloc_while_waiting(bitfit_pool *pool,
                                                    size_t count)
{
    if (pool->fit.last_count == count + BF_WAITING) {
        return alloc_done(pool, pool->fit.last_start, count);
    }
    free_waiting(pool);
    return alloc_in_word(pool, count);
}

/* Ends a call that has entered: a block of `count` granules, or NULL. */
BF_INLINE void *bf_short_alloc(bitfit_pool *pool, size_t count)
{
    return BF_UNLIKELY(bf_fit_waits(&pool->fit))
               ? alloc_while_waiting(pool, count)
               : alloc_in_word(pool, count);
}

/* Ends a call that has entered: frees the block at `ptr`. False, and nothing
 * has changed, if there is none. */
BF_INLINE bool bf_short_free(bitfit_pool *pool, const void *ptr)
{
    size_t start = bf_granule_of(pool, ptr);
    if (BF_UNLIKELY(start >= pool->fit.map.granules) ||
        BF_UNLIKELY(!bf_map_is_block(&pool->fit.map, start))) {
        return false;
    }
    uint32_t last = pool->fit.last_count;
    if (start == pool->fit.last_start && BF_LIKELY(last != 0)) {
        if (BF_UNLIKELY(bf_fit_waits(&pool->fit))) {
            return false;
        }
        pool->fit.last_count = last + BF_WAITING;
        free_done(pool, last);
    } else if (BF_UNLIKELY(bf_fit_waits(&pool->fit))) {
        free_while_waiting(pool, start);
    } else {
        pool->fit.last_count = 0; /* something lower may be free now */
        free_in_word(pool, start);
    }
    return true;
}

/* ----------------------------------------------------------------- realloc */

/* These call alloc and free, which also count blocks and end the call.
 * bf_short_resize() takes that back. */

/* As move(). */
BF_INLINE void *move_quickly(bitfit_pool *pool, size_t granule, size_t before,
                             size_t count)
{
    void *to = bf_short_alloc(pool, count);
    if (BF_UNLIKELY(to == NULL)) {
        return NULL;
    }
    pool->state = BF_ELIDED; /* this call is still inside */
    size_t kept = before < count ? before : count;
    memcpy(to, bf_pointer_to(pool, granule), bf_bytes_of(pool, kept));
    pool->fit.last_count = 0; /* something lower may be free now */
    free_in_word(pool, granule);
    return to;
}

/* As grow(). Inside a word two masks do it, and no leaf changes if another hole
 * of the word is longer.
 *
 *     start    1...1......1   ->   1.......1..1
 *     free     ....111111..   ->   ........11..
 */
BF_INLINE bool grow_quickly(bf_fit *fit, size_t start, size_t end,
                            size_t new_end)
{
    bf_map *map = &fit->map;
    size_t word = bf_word_of(start);
    if (word != bf_word_of(new_end)) {
        return grow(fit, start, end, new_end);
    }
    if (!bf_map_free_at(map, end)) {
        return false;
    }
    size_t length = bf_map_end(map, end) - end;
    if (length < new_end - end) {
        return false;
    }
    bf_map_take_in_word(bf_pair_of(map, word), bf_bit_of(end), new_end - end);
    bf_map_join(map, end);
    if (bf_fit_has_tree(fit) &&
        *bf_leaf_of(bf_fit_tree(fit), word) <= byte_of(length)) {
        bf_tree_settle(bf_fit_tree(fit), map, word);
    }
    return true;
}

/* As resize_in_place(). */
BF_INLINE bool resize_where_it_is(bitfit_pool *pool, size_t granule,
                                  size_t before, size_t count)
{
    size_t end = granule + before;
    size_t new_end = granule + count;
    if (bf_fit_waits(&pool->fit)) {
        free_waiting(pool);
    }
    pool->fit.last_count = 0;
    if (count < before) {
        split_block(&pool->fit.map, granule, new_end, end);
        free_in_word(pool, new_end);
        return true;
    }
    bool grown = grow_quickly(&pool->fit, granule, end, new_end);
    if (grown) {
        bf_note_block(pool, granule, count, count - before);
    }
    return grown;
}

/* As bf_pool_resize(). */
BF_HOT BF_NOINLINE static void *
bf_short_resize(bitfit_pool *pool, size_t granule, size_t before, size_t count)
{
    uint64_t allocations = pool->allocations;
    uint64_t frees = pool->frees;
    uint64_t failures = pool->failures;
    uint8_t state = pool->state;
    void *block = bf_pointer_to(pool, granule);
    if (pool->resize_moves ||
        !resize_where_it_is(pool, granule, before, count)) {
        void *there = move_quickly(pool, granule, before, count);
        block = there == NULL && count < before ? block : there;
    }
    pool->allocations = allocations;
    pool->frees = frees;
    pool->failures = failures;
    pool->state = state;
    return block;
}

#endif
