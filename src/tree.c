#include "tree.h"

enum { FANOUT_SHIFT = 4 };

/* ------------------------------------------------------------------- codes */

BF_INLINE unsigned code_of_run(size_t start, size_t end)
{
    size_t covered = bf_words_covered(start, end);
    if (BF_LIKELY(covered == 0)) {
        return (unsigned)(end - start);
    }
    size_t code = BF_PLAIN_MAX + covered;
    return code < BF_CODE_MAX ? (unsigned)code : BF_CODE_MAX;
}

/* The least code of a word in which a run of `count` granules may start. */
BF_INLINE unsigned least_code(size_t count)
{
    if (BF_LIKELY(count <= BF_PLAIN_MAX)) {
        return (unsigned)count;
    }
    size_t covered =
        (count - BF_PLAIN_MAX + BF_WORD_BITS - 1) >> BF_WORD_SHIFT;
    size_t code = BF_PLAIN_MAX + covered;
    return code < BF_CODE_MAX ? (unsigned)code : BF_CODE_MAX;
}

BF_INLINE uint32_t count_of(size_t length)
{
    return length < BF_COUNT_MAX ? (uint32_t)length : BF_COUNT_MAX;
}

/* The most granules that a run with this code may have. */
BF_INLINE uint32_t most_of_code(unsigned code)
{
    if (code <= BF_PLAIN_MAX) {
        return code;
    }
    return code == BF_CODE_MAX
               ? BF_COUNT_MAX
               : (code - BF_PLAIN_MAX) * BF_WORD_BITS + BF_PLAIN_MAX;
}

/* ------------------------------------------------------------------ layout */

BF_INLINE size_t round_up(size_t number, size_t multiple)
{
    return (number + multiple - 1) & ~(multiple - 1);
}

/* Entries of the level above a level (or row of words) of `below` entries. */
BF_INLINE size_t groups_of(size_t words)
{
    return round_up(words, BF_WORD_BITS) >> BF_WORD_SHIFT;
}

BF_INLINE size_t nodes_of(size_t entries)
{
    return round_up(entries, BF_FANOUT) >> FANOUT_SHIFT;
}

size_t bf_tree_size(size_t words)
{
    size_t size = round_up(words, BF_WORD_BITS);
    size_t entries = groups_of(words);
    while (entries > 1) {
        size += round_up(entries, BF_FANOUT) * sizeof(uint32_t);
        entries = nodes_of(entries);
    }
    return size;
}

void bf_tree_init(bf_tree *tree, void *memory, size_t words, bool zeroed)
{
    if (!zeroed) {
        memset(memory, 0, bf_tree_size(words));
    }
    uint8_t *next = memory;
    tree->leaves = next;
    tree->unsettled = BF_NONE;
    tree->levels = 0;
    next += round_up(words, BF_WORD_BITS);
    size_t entries = groups_of(words);
    while (entries > 1) {
        tree->counts[tree->levels++] = (uint32_t *)(void *)next;
        next += round_up(entries, BF_FANOUT) * sizeof(uint32_t);
        entries = nodes_of(entries);
    }
}

BF_INLINE uint8_t *leaves_of(const bf_tree *tree, size_t group)
{
    BF_TOUCH();
    return tree->leaves + (group << BF_WORD_SHIFT);
}

/* The node that holds this entry. */
BF_INLINE uint32_t *node_of(const bf_tree *tree, unsigned level, size_t entry)
{
    BF_TOUCH();
    return tree->counts[level] + (entry & ~(size_t)(BF_FANOUT - 1));
}

/* --------------------------------------------------------------- searching */

/* The first word below this entry that may serve. The entry says that there is
 * one; BF_NONE if that was the unsettled word's doing. */
BF_INLINE size_t descend(const bf_tree *tree, unsigned level, size_t entry,
                         size_t count)
{
    while (level-- > 0) {
        entry <<= FANOUT_SHIFT;
        unsigned fits =
            bf_counts_at_least(node_of(tree, level, entry), count_of(count));
        if (BF_UNLIKELY(fits == 0)) {
            return BF_NONE;
        }
        entry += bf_lowest_bit(fits);
    }
    bf_word fits =
        bf_bytes_at_least(leaves_of(tree, entry), least_code(count));
    return fits == 0 ? BF_NONE : bf_granule_at(entry, bf_lowest_bit(fits));
}

size_t bf_tree_first(const bf_tree *tree, size_t count)
{
    return descend(tree, tree->levels, 0, count);
}

size_t bf_tree_next(const bf_tree *tree, size_t word, size_t count)
{
    size_t entry = bf_word_of(word);
    bf_word words =
        bf_bytes_at_least(leaves_of(tree, entry), least_code(count));
    words &= BF_ALL << 1 << bf_bit_of(word);
    if (words != 0) {
        return bf_granule_at(entry, bf_lowest_bit(words));
    }
    for (unsigned level = 0; level < tree->levels; level++) {
        unsigned fits =
            bf_counts_at_least(node_of(tree, level, entry), count_of(count));
        fits &= ~1u << (entry & (BF_FANOUT - 1));
        if (fits != 0) {
            entry = (entry & ~(size_t)(BF_FANOUT - 1)) + bf_lowest_bit(fits);
            return descend(tree, level, entry, count);
        }
        entry >>= FANOUT_SHIFT;
    }
    return BF_NONE;
}

/* --------------------------------------------------------------- computing */

/* The code of the longest run that starts in this word. */
BF_INLINE unsigned leaf_from_runs(const bf_runs *runs, size_t word)
{
    const bf_pair *pair = bf_pair_at(runs, word);
    if (pair->start == 0) {
        return 0;
    }
    unsigned first = bf_lowest_bit(pair->start);
    unsigned longest = bf_longest_run(pair->free & bf_mask_from(first));
    size_t tail = bf_runs_tail(runs, word);
    if (tail != BF_NONE) {
        unsigned code = code_of_run(tail, bf_runs_end_beyond(runs, word));
        longest = code > longest ? code : longest;
    }
    return longest;
}

/* The exact length of the longest run that starts in a word with this code. */
static size_t length_of_code(const bf_runs *runs, size_t word, unsigned code)
{
    if (code <= BF_PLAIN_MAX) {
        return code;
    }
    return bf_runs_end_beyond(runs, word) - bf_runs_tail(runs, word);
}

/* The longest run that starts in this group. Codes next to each other overlap
 * in length, so a few words may have to be looked at: at most half of them. */
static size_t longest_in_group(const bf_tree *tree, const bf_runs *runs,
                               size_t group)
{
    const uint8_t *leaves = leaves_of(tree, group);
    unsigned max = bf_bytes_max(leaves);
    if (BF_LIKELY(max <= BF_PLAIN_MAX)) {
        return max;
    }
    unsigned least = max == BF_PLAIN_MAX + 1 ? BF_WORD_BITS + 1 : max - 1;
    size_t longest = 0;
    for (bf_word words = bf_bytes_at_least(leaves, least); words != 0;
         words &= words - 1) {
        unsigned bit = bf_lowest_bit(words);
        size_t length =
            length_of_code(runs, bf_granule_at(group, bit), leaves[bit]);
        longest = length > longest ? length : longest;
    }
    return longest;
}

size_t bf_tree_longest(const bf_tree *tree, const bf_runs *runs)
{
    if (tree->levels == 0) {
        return longest_in_group(tree, runs, 0);
    }
    size_t longest = bf_counts_max(tree->counts[tree->levels - 1]);
    if (longest < BF_COUNT_MAX) {
        return longest;
    }
    for (size_t word = bf_tree_first(tree, BF_COUNT_MAX); word != BF_NONE;
         word = bf_tree_next(tree, word, BF_COUNT_MAX)) {
        size_t length = length_of_code(runs, word, BF_CODE_MAX);
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* ---------------------------------------------------------------- updating */

void bf_tree_gain(bf_tree *tree, size_t start, size_t end)
{
    size_t word = bf_word_of(start);
    size_t entry = bf_word_of(word);
    uint8_t *leaf = leaves_of(tree, entry) + bf_bit_of(word);
    unsigned code = code_of_run(start, end);
    *leaf = (uint8_t)(code > *leaf ? code : *leaf);
    uint32_t count = count_of(end - start);
    for (unsigned level = 0; level < tree->levels; level++) {
        uint32_t *node = node_of(tree, level, entry);
        if (node[entry & (BF_FANOUT - 1)] >= count) {
            return;
        }
        node[entry & (BF_FANOUT - 1)] = count;
        entry >>= FANOUT_SHIFT;
    }
}

/* The longest run of this group is now `count` long. */
static void set_group(bf_tree *tree, size_t group, uint32_t count)
{
    size_t entry = group;
    for (unsigned level = 0; level < tree->levels; level++) {
        uint32_t *node = node_of(tree, level, entry);
        if (node[entry & (BF_FANOUT - 1)] == count) {
            return;
        }
        node[entry & (BF_FANOUT - 1)] = count;
        count = bf_counts_max(node);
        entry >>= FANOUT_SHIFT;
    }
}

void bf_tree_settle(bf_tree *tree, const bf_runs *runs)
{
    size_t word = tree->unsettled;
    if (word == BF_NONE) {
        return;
    }
    tree->unsettled = BF_NONE;
    size_t group = bf_word_of(word);
    uint8_t *leaf = leaves_of(tree, group) + bf_bit_of(word);
    unsigned before = *leaf;
    *leaf = (uint8_t)leaf_from_runs(runs, word);
    if (tree->levels == 0 || tree->counts[0][group] > most_of_code(before)) {
        return; /* the group's longest run starts in another word */
    }
    set_group(tree, group, count_of(longest_in_group(tree, runs, group)));
}

void bf_tree_lose(bf_tree *tree, const bf_runs *runs, size_t word)
{
    if (tree->unsettled != word) {
        bf_tree_settle(tree, runs);
        tree->unsettled = word;
    }
}

/* ---------------------------------------------------------------- checking */

static bool value_fits(size_t value, size_t exact, bool unsettled)
{
    return unsettled ? value >= exact : value == exact;
}

static bool leaves_fit(const bf_tree *tree, const bf_runs *runs)
{
    size_t words = bf_words_for(runs->granules);
    for (size_t word = 0; word < words; word++) {
        if (!value_fits(tree->leaves[word], leaf_from_runs(runs, word),
                        word == tree->unsettled)) {
            return false;
        }
    }
    for (size_t word = words; bf_bit_of(word) != 0; word++) {
        if (tree->leaves[word] != 0) {
            return false;
        }
    }
    return true;
}

/* A level's entries are the maxima of the entries below, as they stand. */
static bool level_fits(const bf_tree *tree, unsigned level, size_t entries)
{
    for (size_t i = 0; i < round_up(entries, BF_FANOUT); i++) {
        uint32_t exact =
            i < entries ? bf_counts_max(tree->counts[level - 1] + i * BF_FANOUT)
                        : 0;
        if (tree->counts[level][i] != exact) {
            return false;
        }
    }
    return true;
}

static bool groups_fit(const bf_tree *tree, const bf_runs *runs, size_t groups)
{
    for (size_t i = 0; i < round_up(groups, BF_FANOUT); i++) {
        bool unsettled =
            tree->unsettled != BF_NONE && bf_word_of(tree->unsettled) == i;
        size_t exact = 0;
        if (i < groups && !unsettled) {
            exact = count_of(longest_in_group(tree, runs, i));
        }
        if (!value_fits(tree->counts[0][i], exact, unsettled)) {
            return false;
        }
    }
    return true;
}

bool bf_tree_check(const bf_tree *tree, const bf_runs *runs)
{
    size_t entries = groups_of(bf_words_for(runs->granules));
    if (!leaves_fit(tree, runs)) {
        return false;
    }
    if (tree->levels > 0 && !groups_fit(tree, runs, entries)) {
        return false;
    }
    for (unsigned level = 1; level < tree->levels; level++) {
        entries = nodes_of(entries);
        if (!level_fits(tree, level, entries)) {
            return false;
        }
    }
    return true;
}
