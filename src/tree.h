/*
 * The tree of maxima: in which word a hole of a wanted length starts, without
 * looking at the map.
 *
 * Each hole belongs to the word in which it starts. A word's *leaf* is a byte:
 * the length of its longest hole. As many leaves as a word has bits are a
 * *group*, which has a byte in the row above, the largest of them; and so on up
 * to a row of one node. The first hole of n granules is found from the top: in
 * each node the first byte that is large enough, all compared at once.
 *
 *     row 2    [ 70  255 ... ]                          one node
 *     row 1    [ 9   70  ... ] [ 255 ... ]              a group each
 *     row 0    [ 3 9 0 5 ... ] [ 0 70 .. ] ...          a word each: leaves
 *
 * 255 means "that many or more". Beside such a byte, but not beside a leaf, a
 * *count* says how many: exact up to the tree's cut, which is a 16th of the
 * pool. At most 16 holes are longer (32 where 31 bits say less). So the one
 * long hole from which block after block is taken changes no count until it is
 * short itself.
 *
 * An entry may be too high, but never too low. A program takes block after
 * block from one word and gives them back to it. The leaf would go down and up
 * each time, and the entries above it too. So a word, or a group, whose longest
 * hole became shorter is only *noted*:
 *
 *     map      A . . B . . . . C           then D, 3 granules, is taken
 *     map      A . . B D D D . C
 *     leaf     4, noted; 2 would be exact
 *
 * There is one note for each class of short requests, which names a word, and
 * one for each remainder of a group's number by BF_STALE_GROUPS. A new note
 * takes the place of an old one, whose entry is then made exact. A search that
 * is led astray finds nothing and goes on; it settles each group that misled
 * it. So a search may be led astray a fixed number of times, and no more.
 *
 * A request need not begin at the top either. For each class of lengths there
 * is a *floor*: no hole of `least` granules or more starts before that word. It
 * is the word that served the last request of the class, or where the rest of
 * that hole starts; a hole that comes to be below lowers it. More often than
 * not the next one is served there, too.
 *
 * A tree of one node has neither notes nor floors: a search is one step.
 */
#ifndef BITFIT_TREE_H
#define BITFIT_TREE_H

#include "map.h"
#include "platform_vector.h"

enum {
    BF_ROWS = SIZE_MAX > UINT32_MAX ? 10 : 5, /* the most there can be */
    BF_MANY = UINT8_MAX,
    BF_SHORT_CLASSES = BF_WORD_SHIFT + 5, /* see bf_class_of() */
    BF_STALE_GROUPS = 4
};

/* The largest count. */
#define BF_COUNT_MAX ((size_t)INT32_MAX)

/* The highest floor. A later word has this one, which is lower and so correct.
 */
#define BF_FLOOR_MAX ((size_t)INT16_MAX)

/* What a tree has that has more than one node.
 *
 *     class      0: 1   1: 2  ... 7: 8   8: 9..15  ... 15: 1024 or more
 *     floors     2      2         7      7             30
 *     least      1      2         8      9             2000
 *
 * No hole of least[c] granules or more starts before the word floors[c]. At
 * first each note names word 0, or group 0: an exact entry may be noted. */
typedef struct bf_upper {
    int16_t floors[BF_FLOORS];
    int16_t least[BF_FLOORS];
    size_t stale_words[BF_SHORT_CLASSES];
    size_t stale_groups[BF_STALE_GROUPS];
    uint8_t *bytes[BF_ROWS]; /* [0] is not used, here and below */
    uint32_t *counts[BF_ROWS];
    uint32_t judged; /* the pool's allocations when floors were judged last */
    uint32_t missed; /* short requests that their floors did not serve */
    uint32_t direct; /* short requests that are still to begin at the top */
} bf_upper;

typedef struct bf_tree {
    uint8_t *leaves;
    uint32_t rows; /* above the leaves; 0 if these are one node */
    uint32_t cut;  /* no count is larger */
} bf_tree;

_Static_assert(sizeof(bf_tree) % _Alignof(bf_upper) == 0,
               "bf_upper stands right before bf_tree");

/* ------------------------------------------------------------------ layout */

/*     | bf_upper | bf_tree | pairs ...... | leaves | row 1 | counts 1 | ...
 *
 * bf_upper and the rows above the leaves are there if there are more words than
 * a node has entries. */

BF_INLINE bf_upper *bf_upper_of(const bf_tree *tree)
{
    return (bf_upper *)(uintptr_t)tree - 1;
}

BF_INLINE size_t bf_tree_header_size(size_t words)
{
    return sizeof(bf_tree) + (words > BF_WORD_BITS ? sizeof(bf_upper) : 0);
}

BF_INLINE size_t nodes_of(size_t entries)
{
    return bf_round_up(entries, BF_WORD_BITS) >> BF_WORD_SHIFT;
}

/* Bytes for the leaves and the rows above them. */
BF_STATIC size_t bf_tree_size(size_t words)
{
    size_t size = bf_round_up(words, BF_WORD_BITS);
    for (size_t entries = nodes_of(words); entries > 1;
         entries = nodes_of(entries)) {
        size += bf_round_up(entries, BF_WORD_BITS) * (1 + sizeof(uint32_t));
    }
    return size;
}

/* A 16th of the pool, but nothing that a byte tells. */
BF_STATIC uint32_t cut_of(size_t words)
{
    size_t cut = words * (BF_WORD_BITS / 16);
    cut = cut > BF_MANY ? cut : BF_MANY;
    return (uint32_t)(cut < BF_COUNT_MAX ? cut : BF_COUNT_MAX);
}

/* Says where the rows lie: from `memory` on. */
BF_STATIC void bf_tree_place(bf_tree *tree, void *memory, size_t words)
{
    uint8_t *next = memory;
    tree->leaves = next;
    tree->rows = 0;
    tree->cut = cut_of(words);
    next += bf_round_up(words, BF_WORD_BITS);
    if (words <= BF_WORD_BITS) {
        return;
    }
    bf_upper *upper = bf_upper_of(tree);
    for (size_t entries = nodes_of(words); entries > 1;
         entries = nodes_of(entries)) {
        size_t row = ++tree->rows;
        size_t room = bf_round_up(entries, BF_WORD_BITS);
        upper->bytes[row] = next;
        upper->counts[row] = (uint32_t *)(void *)(next + room);
        next += room * (1 + sizeof(uint32_t));
    }
}

/* Lays the rows out at `memory`, all empty. They and the header are 0 yet. */
BF_STATIC void bf_tree_init(bf_tree *tree, void *memory, size_t words)
{
    bf_tree_place(tree, memory, words);
    if (tree->rows != 0) {
        bf_upper_of(tree)->direct = 1;
    }
}

/* The same, whatever they hold. */
BF_STATIC void bf_tree_clear(bf_tree *tree, void *memory, size_t words)
{
    memset(memory, 0, bf_tree_size(words));
    if (words > BF_WORD_BITS) {
        *bf_upper_of(tree) = (bf_upper){0};
    }
    bf_tree_init(tree, memory, words);
}

/* ----------------------------------------------------------------- numbers */

BF_INLINE size_t bf_group_of(size_t word)
{
    return word >> BF_WORD_SHIFT;
}

BF_INLINE uint8_t *bf_leaf_of(const bf_tree *tree, size_t word)
{
    return tree->leaves + word;
}

/* The bytes of a row. */
BF_INLINE const uint8_t *bytes_of_row(const bf_tree *tree, size_t row)
{
    return row == 0 ? tree->leaves : bf_upper_of(tree)->bytes[row];
}

/* The first entry of the node that holds this one. */
BF_INLINE size_t first_of_node(size_t entry)
{
    return entry & ~(size_t)(BF_WORD_BITS - 1);
}

BF_INLINE unsigned byte_of(size_t length)
{
    return (unsigned)(length < BF_MANY ? length : BF_MANY);
}

BF_INLINE uint32_t count_of(const bf_tree *tree, size_t length)
{
    return length < tree->cut ? (uint32_t)length : tree->cut;
}

/* The count beside the byte of a length; 0 where the byte says all. */
BF_INLINE uint32_t count_beside(uint32_t count)
{
    return count < BF_MANY ? 0 : count;
}

/* Words of 8 bits, which the proofs have, tell no longer counts apart. */
enum { BF_LONG_CLASS = BF_WORD_BITS > 8 ? 1024 : 256 };

/* The class of requests of `count` granules: up to 8 each its own, then one for
 * each power of two up to 1024 and more. A request of fewer granules than a
 * word has bits is *short*. */
BF_INLINE unsigned bf_class_of(size_t count)
{
    if (count <= 8) {
        return (unsigned)count - 1;
    }
    return count < BF_LONG_CLASS ? bf_highest_bit((bf_word)count) + 5
                                 : BF_FLOORS - 1;
}

/* --------------------------------------------------------------- computing */

/* The longest hole below the node that begins with `first`, as far as the entry
 * above it tells. A leaf has no count: what it stands for is in the map. Holes
 * of 255 granules cover words, so few of them start in a node. */
BF_STATIC uint32_t longest_below(const bf_tree *tree, const bf_map *map,
                                 size_t row, size_t first)
{
    const uint8_t *bytes = bytes_of_row(tree, row) + first;
    uint32_t longest = bf_bytes_max(bytes);
    if (BF_LIKELY(longest < BF_MANY)) {
        return longest;
    }
    for (bf_word many = bf_bytes_at_least(bytes, BF_MANY); many != 0;
         many &= many - 1) {
        size_t entry = first + bf_lowest_bit(many);
        uint32_t length = row == 0 ? count_of(tree, bf_map_tail(map, entry))
                                   : bf_upper_of(tree)->counts[row][entry];
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* ------------------------------------------------------------ going down */

/* A group's entry becomes this, and those above follow as far as they change.
 */
BF_STATIC void put_group(bf_tree *tree, const bf_map *map, size_t group,
                         uint32_t longest)
{
    bf_upper *upper = bf_upper_of(tree);
    size_t entry = group;
    for (size_t row = 1;; row++) {
        uint8_t *byte = &upper->bytes[row][entry];
        uint32_t *count = &upper->counts[row][entry];
        uint32_t beside = count_beside(longest);
        if (*byte == byte_of(longest) && *count == beside) {
            return;
        }
        *byte = (uint8_t)byte_of(longest);
        *count = beside;
        if (row == tree->rows) {
            return;
        }
        longest = longest_below(tree, map, row, first_of_node(entry));
        entry >>= BF_WORD_SHIFT;
    }
}

BF_HOT BF_NOINLINE BF_STATIC void settle_group(bf_tree *tree, const bf_map *map,
                                               size_t group)
{
    put_group(tree, map, group,
              longest_below(tree, map, 0, bf_granule_at(group, 0)));
}

BF_HOT BF_NOINLINE BF_STATIC void
note_other_group(bf_tree *tree, const bf_map *map, size_t *note, size_t group)
{
    size_t before = *note;
    *note = group;
    settle_group(tree, map, before);
}

/* A word's longest hole has `length` granules; its leaf is not too low. Its
 * group is noted if the group's entry was this word's. */
BF_INLINE void bf_tree_set(bf_tree *tree, const bf_map *map, size_t word,
                           size_t length)
{
    uint8_t *leaf = bf_leaf_of(tree, word);
    unsigned before = *leaf;
    *leaf = (uint8_t)byte_of(length);
    if (tree->rows == 0) {
        return;
    }
    bf_upper *upper = bf_upper_of(tree);
    size_t group = bf_group_of(word);
    size_t *note = &upper->stale_groups[group % BF_STALE_GROUPS];
    if (upper->bytes[1][group] == before && BF_UNLIKELY(*note != group)) {
        note_other_group(tree, map, note, group);
    }
}

/* The word's leaf becomes what the map says. */
BF_HOT BF_NOINLINE BF_STATIC void bf_tree_settle(bf_tree *tree,
                                                 const bf_map *map, size_t word)
{
    bf_tree_set(tree, map, word, bf_map_longest_in(map, word));
}

/* A request of this class was served from this word: its leaf may be too high
 * from now on. There are rows above. */
BF_INLINE void bf_tree_note(bf_tree *tree, const bf_map *map, unsigned class,
                            size_t word)
{
    size_t *note = &bf_upper_of(tree)->stale_words[class];
    BF_EXPECT(tree->rows != 0 && class < BF_SHORT_CLASSES);
    size_t before = *note;
    *note = word;
    bf_tree_settle(tree, map, before);
}

/* Settles every note: then every entry is exact. */
BF_STATIC void bf_tree_settle_all(bf_tree *tree, const bf_map *map)
{
    if (tree->rows == 0) {
        return;
    }
    const bf_upper *upper = bf_upper_of(tree);
    for (unsigned i = 0; i < BF_SHORT_CLASSES; i++) {
        bf_tree_settle(tree, map, upper->stale_words[i]);
    }
    for (unsigned i = 0; i < BF_STALE_GROUPS; i++) {
        settle_group(tree, map, upper->stale_groups[i]);
    }
}

/* ---------------------------------------------------------------- going up */

/* The entries above this word are at least what a hole of `length` granules
 * wants. */
BF_HOT BF_NOINLINE BF_STATIC void rise(bf_tree *tree, size_t word,
                                       size_t length)
{
    const bf_upper *upper = bf_upper_of(tree);
    unsigned least = byte_of(length);
    uint32_t least_count = least == BF_MANY ? count_of(tree, length) : 0;
    size_t entry = bf_group_of(word);
    for (size_t row = 1; row <= tree->rows; row++) {
        uint8_t *byte = &upper->bytes[row][entry];
        uint32_t *count = &upper->counts[row][entry];
        if (*byte >= least && *count >= least_count) {
            return;
        }
        *byte = (uint8_t)least; /* it was less, or a lower 255 */
        *count = *count > least_count ? *count : least_count;
        entry >>= BF_WORD_SHIFT;
    }
}

/* No floor of a class that this hole serves is above its word. A word's number
 * is cut to 31 bits: a floor that is too low is still correct. */
BF_INLINE void lower_floors(bf_upper *upper, size_t word, size_t length)
{
    bf_floors_lower(upper->floors, upper->least, (uint32_t)word & INT32_MAX,
                    (uint32_t)(length < BF_COUNT_MAX ? length : BF_COUNT_MAX));
}

/* As bf_tree_raise(), for a hole of 255 granules or more. */
BF_HOT BF_NOINLINE BF_STATIC void raise_long(bf_tree *tree, size_t word,
                                             size_t length)
{
    *bf_leaf_of(tree, word) = BF_MANY;
    if (tree->rows == 0) {
        return;
    }
    bf_upper *upper = bf_upper_of(tree);
    size_t group = bf_group_of(word);
    lower_floors(upper, word, length);
    if (upper->bytes[1][group] != BF_MANY ||
        upper->counts[1][group] < count_of(tree, length)) {
        rise(tree, word, length);
    }
}

/* A hole of `length` granules starts in this word now: it came to be, or grew.
 * The leaf is written without asking whether it grows, which cannot be
 * predicted. */
BF_INLINE void bf_tree_raise(bf_tree *tree, size_t word, size_t length)
{
    BF_EXPECT(length != 0);
    if (BF_QUICK && BF_UNLIKELY(length >= BF_MANY)) {
        raise_long(tree, word, length);
        return;
    }
    uint8_t *leaf = bf_leaf_of(tree, word);
    unsigned byte = byte_of(length);
    *leaf = (uint8_t)(byte > *leaf ? byte : *leaf);
    if (BF_UNLIKELY(tree->rows == 0)) {
        return;
    }
    bf_upper *upper = bf_upper_of(tree);
    if (BF_QUICK && (upper->direct == 0 || length >= BF_WORD_BITS)) {
        lower_floors(upper, word, length);
    }
    if (!BF_QUICK || BF_UNLIKELY(length > upper->bytes[1][bf_group_of(word)])) {
        rise(tree, word, length);
    }
}

/* --------------------------------------------------------------- searching */

/* Of these entries, which all say 255, those from the first on that has a hole
 * of `count` granules: by their counts, or by the map where they are leaves. */
BF_STATIC bf_word from_first_long(const bf_tree *tree, const bf_map *map,
                                  size_t row, size_t first, bf_word entries,
                                  size_t count)
{
    const bf_upper *upper = bf_upper_of(tree);
    for (; entries != 0; entries &= entries - 1) {
        size_t entry = first + bf_lowest_bit(entries);
        if (row == 0 ? bf_map_tail(map, entry) >= count
                     : upper->counts[row][entry] >= count_of(tree, count)) {
            break;
        }
    }
    return entries;
}

/* The lowest bit: the first of these entries of a node below which a hole of
 * `count` granules may start. 0 if there is none. */
BF_INLINE bf_word entries_for(const bf_tree *tree, const bf_map *map,
                              size_t row, size_t first, bf_word mask,
                              size_t count)
{
    const uint8_t *bytes = bytes_of_row(tree, row) + first;
    bf_word found = mask & bf_bytes_at_least(bytes, byte_of(count));
    return BF_LIKELY(count <= BF_MANY)
               ? found
               : from_first_long(tree, map, row, first, found, count);
}

/* The first word in which a hole of `count` granules may start, from this entry
 * on, of whose node only the entries in `mask` are left: down where there may
 * be a hole, up where there is none. A group that is entered in vain is
 * settled. BF_NONE if there is none at all. */
BF_HOT BF_NOINLINE BF_STATIC size_t bf_tree_seek(bf_tree *tree,
                                                 const bf_map *map, size_t row,
                                                 size_t entry, bf_word mask,
                                                 size_t count)
{
    for (;;) {
        size_t first = first_of_node(entry);
        bf_word fits = entries_for(tree, map, row, first, mask, count);
        if (BF_LIKELY(fits != 0)) {
            entry = first + bf_lowest_bit(fits);
            if (row == 0) {
                return entry;
            }
            row--;
            entry <<= BF_WORD_SHIFT;
            mask = BF_ALL;
            continue;
        }
        if (row == tree->rows) {
            return BF_NONE;
        }
        if (row == 0 && mask == BF_ALL) {
            settle_group(tree, map, bf_group_of(first));
        }
        row++;
        entry >>= BF_WORD_SHIFT;
        mask = BF_ALL << 1 << bf_bit_of(entry);
    }
}

/* From the top. */
BF_INLINE size_t bf_tree_first(bf_tree *tree, const bf_map *map, size_t count)
{
    return bf_tree_seek(tree, map, tree->rows, 0, BF_ALL, count);
}

/* After `word`. */
BF_INLINE size_t bf_tree_next(bf_tree *tree, const bf_map *map, size_t word,
                              size_t count)
{
    return bf_tree_seek(tree, map, 0, word, BF_ALL << 1 << bf_bit_of(word),
                        count);
}

/* A word before which no hole of `count` granules starts: the floor of its
 * class, or of the class below. */
BF_INLINE size_t bf_tree_floor(const bf_tree *tree, size_t count)
{
    const bf_upper *upper = bf_upper_of(tree);
    unsigned class = bf_class_of(count);
    class -= (size_t)upper->least[class] > count;
    return (size_t)upper->floors[class];
}

/* The first hole of `count` granules starts in this word. */
BF_INLINE void bf_tree_set_floor(bf_tree *tree, unsigned class, size_t count,
                                 size_t word)
{
    bf_upper *upper = bf_upper_of(tree);
    upper->floors[class] = (int16_t)(word < BF_FLOOR_MAX ? word : BF_FLOOR_MAX);
    upper->least[class] = (int16_t)count;
}

/* Whether requests of `count` granules have a floor. The short ones do not
 * while they begin at the top. */
BF_INLINE bool bf_tree_has_floor(const bf_tree *tree, size_t count)
{
    return tree->rows != 0 && count <= BF_FLOOR_MAX &&
           (count >= BF_WORD_BITS || bf_upper_of(tree)->direct == 0);
}

#endif
