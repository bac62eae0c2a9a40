/*
 * The run map: every run of the pool, exact, in two bits a granule.
 *
 *     granules   A A B B . . C C . . . .
 *     start      1 . 1 . 1 . 1 . 1 . . .    a run starts here
 *     free       . . . . 1 1 . . 1 1 1 1    the granule is free
 *
 * A word without a start bit lies wholly inside one run: it is *covered*, and
 * its free bits say nothing that the run's first word does not. The first and
 * the last covered word of a run therefore hold a *tag* in their free bits: the
 * number of covered words, and whether the run is free. So both ends of a run
 * of any length are found from each other in a few words, and the covered words
 * between the tags are never touched.
 *
 *     word       0         1         2         3         4
 *     start      1..1....  ........  ........  ........  ...1....
 *     free       ...11111  3, free   (unused)  3, free   111.....
 *
 * Each function but bf_map_init() touches a bounded number of words.
 */
#ifndef BITFIT_MAP_H
#define BITFIT_MAP_H

#include "bits.h"

/* No granule, or no word. */
#define BF_NONE SIZE_MAX

typedef struct bf_pair {
    bf_word free;
    bf_word start;
} bf_pair;

/* The last word may be partly used: a start bit stands at the pool's end then,
 * and the bits beyond are never free. */
typedef struct bf_map {
    bf_pair *pairs;
    size_t granules;
} bf_map;

/* A hole; empty where there is none. */
typedef struct bf_hole {
    size_t start;
    size_t end;
} bf_hole;

BF_INLINE size_t bf_hole_count(bf_hole hole)
{
    return hole.end - hole.start;
}

/* ----------------------------------------------------------------- numbers */

BF_INLINE size_t bf_words_for(size_t granules)
{
    return (granules >> BF_WORD_SHIFT) + ((granules & (BF_WORD_BITS - 1)) != 0);
}

BF_INLINE size_t bf_word_of(size_t granule)
{
    return granule >> BF_WORD_SHIFT;
}

BF_INLINE unsigned bf_bit_of(size_t granule)
{
    return (unsigned)(granule & (BF_WORD_BITS - 1));
}

BF_INLINE size_t bf_granule_at(size_t word, unsigned bit)
{
    return (word << BF_WORD_SHIFT) + bit;
}

/* The words that a run covers wholly: how many, and 0 for most runs. */
BF_INLINE size_t bf_words_covered(size_t start, size_t end)
{
    size_t between = bf_word_of(end) - bf_word_of(start);
    return between == 0 ? 0 : between - 1;
}

/* One word of the map, to read; and to change. */
BF_INLINE const bf_pair *bf_pair_at(const bf_map *map, size_t word)
{
    return &map->pairs[word];
}

BF_INLINE bf_pair *bf_pair_of(bf_map *map, size_t word)
{
    return &map->pairs[word];
}

/* Whether a run starts at `granule`, or the pool ends there. */
BF_INLINE bool bf_map_starts(const bf_map *map, size_t granule)
{
    return granule == map->granules ||
           (map->pairs[bf_word_of(granule)].start >> bf_bit_of(granule) & 1) !=
               0;
}

/* -------------------------------------------------------------------- tags */

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

/* ----------------------------------------------------------------- reading */

/* The end of the run that starts last in this word and ends in a later one: the
 * first start bit there. The next word has it, or is covered; then its tag says
 * how many words to pass over.
 *
 *     word      0         1         2         3         4
 *     start     1..1....  ........  ........  ........  ...1....
 *                  ^      tag 3 -------------------------->^
 */
BF_INLINE size_t bf_map_end_beyond(const bf_map *map, size_t word)
{
    size_t next = word + 1;
    if (BF_UNLIKELY(bf_granule_at(next, 0) == map->granules)) {
        return map->granules;
    }
    if (bf_pair_at(map, next)->start == 0) {
        next += tag_covered(bf_pair_at(map, next)->free);
        if (bf_granule_at(next, 0) == map->granules) {
            return map->granules;
        }
    }
    return bf_granule_at(next, bf_lowest_bit(bf_pair_at(map, next)->start));
}

/* The end of the run that starts at `start`. */
BF_INLINE size_t bf_map_end(const bf_map *map, size_t start)
{
    size_t word = bf_word_of(start);
    unsigned bit = bf_bit_of(start);
    BF_EXPECT(start < map->granules && bf_map_starts(map, start));
    bf_word later = bf_pair_at(map, word)->start & (BF_ALL << 1 << bit);
    return BF_LIKELY(later != 0) ? bf_granule_at(word, bf_lowest_bit(later))
                                 : bf_map_end_beyond(map, word);
}

/* The start of the run that ends at `end`, where a run starts. end > 0. As for
 * the end, but backwards, from the run's last covered word. */
BF_STATIC size_t bf_map_start_before(const bf_map *map, size_t end)
{
    size_t word = bf_word_of(end);
    bf_word earlier = 0;
    BF_EXPECT(end != 0 && bf_map_starts(map, end));
    if (bf_bit_of(end) != 0) {
        earlier = bf_pair_at(map, word)->start & bf_mask_below(bf_bit_of(end));
    }
    if (earlier == 0) {
        const bf_pair *pair = bf_pair_at(map, --word);
        if (pair->start == 0) {
            word -= tag_covered(pair->free);
        }
        earlier = bf_pair_at(map, word)->start;
    }
    return bf_granule_at(word, bf_highest_bit(earlier));
}

/* Whether the run that ends at `end`, where a run starts, is free. */
BF_STATIC bool bf_map_free_before(const bf_map *map, size_t end)
{
    if (end == 0) {
        return false;
    }
    const bf_pair *pair = bf_pair_at(map, bf_word_of(end - 1));
    if (pair->start == 0) {
        return tag_free(pair->free);
    }
    return (pair->free >> bf_bit_of(end - 1) & 1) != 0;
}

/* Whether a hole starts at `granule`, where a run starts or the pool ends. */
BF_INLINE bool bf_map_free_at(const bf_map *map, size_t granule)
{
    BF_EXPECT(bf_map_starts(map, granule));
    return granule != map->granules &&
           (bf_pair_at(map, bf_word_of(granule))->free >> bf_bit_of(granule) &
            1) != 0;
}

/* Whether a block starts at `granule`, below the pool's end. */
BF_INLINE bool bf_map_is_block(const bf_map *map, size_t granule)
{
    const bf_pair *pair = bf_pair_at(map, bf_word_of(granule));
    return ((pair->start & ~pair->free) >> bf_bit_of(granule) & 1) != 0;
}

/* The length of the hole that starts last in this word and ends in a later one;
 * 0 if there is none. */
BF_INLINE size_t bf_map_tail(const bf_map *map, size_t word)
{
    const bf_pair *pair = bf_pair_at(map, word);
    if ((pair->free & BF_TOP_BIT) == 0 || pair->start == 0) {
        return 0;
    }
    size_t start = bf_granule_at(word, bf_highest_bit(pair->start));
    return bf_map_end_beyond(map, word) - start;
}

/* The start bits behind the first of these holes, but for those one bit behind
 * the start of another one: the lowest is the end of the first. */
BF_INLINE bf_word bf_starts_behind(bf_word holes, bf_word starts)
{
    return starts & (0 - holes - holes);
}

/* The longest of these holes, each of which ends at a start bit of its word. */
BF_INLINE unsigned bf_longest_of(bf_word holes, bf_word starts)
{
    unsigned longest = 0;
    for (; holes != 0; holes &= holes - 1) {
        bf_word after = bf_starts_behind(holes, starts);
        unsigned length = bf_lowest_bit(after) - bf_lowest_bit(holes);
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* The length of the longest hole that starts in this word. */
BF_INLINE size_t bf_map_longest_in(const bf_map *map, size_t word)
{
    const bf_pair *pair = bf_pair_at(map, word);
    bf_word holes = pair->start & pair->free;
    size_t tail = bf_map_tail(map, word);
    if (BF_UNLIKELY(tail != 0)) {
        holes &= ~(BF_ONE << bf_highest_bit(holes));
    }
    unsigned longest = bf_longest_of(holes, pair->start);
    return tail > longest ? tail : longest;
}

/* ----------------------------------------------------------------- writing */

/* Sets these free bits, or clears them. */
BF_INLINE void write_free(bf_pair *pair, bf_word bits, bool free)
{
    pair->free = free ? pair->free | bits : pair->free & ~bits;
}

/* Writes the run [start, end) into a map in which no run starts inside it: its
 * start bit, its tags and the free bits of its ends. The runs next to it stay
 * as they are.
 *
 *     word      0         1         2         3
 *     start     ...1....  ........  ........  ........     one bit
 *     free      ...11111  2, free   2, free   11......     both ends, two tags
 *
 * No bit at `end`: the next run begins there and has its own. */
BF_INLINE void write_run(bf_map *map, size_t start, size_t end, bool free)
{
    size_t first = bf_word_of(start);
    size_t last = bf_word_of(end);
    size_t covered = bf_words_covered(start, end);
    bf_word from = bf_mask_from(bf_bit_of(start));
    bf_word below = bf_mask_below(bf_bit_of(end)); /* 0 at a word's start */
    BF_EXPECT(start < end && end <= map->granules);
    bf_pair_of(map, first)->start |= BF_ONE << bf_bit_of(start);
    if (covered != 0) {
        bf_pair_of(map, first + 1)->free = tag_of(covered, free);
        bf_pair_of(map, first + covered)->free = tag_of(covered, free);
    }
    if (first == last) {
        write_free(bf_pair_of(map, first), from & below, free);
        return;
    }
    write_free(bf_pair_of(map, first), from, free);
    if (below != 0) {
        write_free(bf_pair_of(map, last), below, free);
    }
}

BF_STATIC void bf_map_write_hole(bf_map *map, size_t start, size_t end)
{
    write_run(map, start, end, true);
}

BF_STATIC void bf_map_write_block(bf_map *map, size_t start, size_t end)
{
    write_run(map, start, end, false);
}

/* Forgets that a run starts here: the run before reaches further, and must be
 * written anew. */
BF_INLINE void bf_map_join(bf_map *map, size_t granule)
{
    BF_EXPECT(granule != 0 && bf_map_starts(map, granule));
    bf_pair_of(map, bf_word_of(granule))->start &=
        ~(BF_ONE << bf_bit_of(granule));
}

/* Takes [start, start + count) from the front of a hole that starts there,
 * where the block ends before its word does: two masks do it.
 *
 *     start    ..1.......   ->   ..1...1...
 *     free     ..11111..         ......1..
 */
BF_INLINE void bf_map_take_in_word(bf_pair *pair, unsigned bit, size_t count)
{
    bf_word here = BF_ONE << bit;
    bf_word end = here << count;
    BF_EXPECT(bit + count < BF_WORD_BITS && (~pair->free & (end - here)) == 0);
    pair->free &= ~(end - here);
    pair->start |= end;
}

/* Makes all granules one hole. The pairs are all 0. */
BF_STATIC void bf_map_init(bf_map *map, bf_pair *pairs, size_t granules)
{
    map->pairs = pairs;
    map->granules = granules;
    if (bf_bit_of(granules) != 0) {
        bf_pair_of(map, bf_word_of(granules))->start = BF_ONE
                                                       << bf_bit_of(granules);
    }
    bf_map_write_hole(map, 0, granules);
}

#endif
