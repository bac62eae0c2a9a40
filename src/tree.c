#include "tree.h"

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

/* The most granules that a run with this code may have. */
BF_INLINE uint32_t most_of_code(unsigned code)
{
    if (code <= BF_PLAIN_MAX) {
        return code;
    }
    return code == BF_CODE_MAX
               ? UINT32_MAX
               : (code - BF_PLAIN_MAX) * BF_WORD_BITS + BF_PLAIN_MAX;
}

/* ------------------------------------------------------------------ layout */

/* Entries of the level above a level (or row of words) of `below` entries. */
BF_INLINE size_t groups_of(size_t words)
{
    return bf_round_up(words, BF_WORD_BITS) >> BF_WORD_SHIFT;
}

BF_INLINE size_t nodes_of(size_t entries)
{
    return bf_round_up(entries, BF_FANOUT) >> BF_FANOUT_SHIFT;
}

size_t bf_tree_size(size_t words)
{
    size_t size = bf_round_up(words, BF_WORD_BITS);
    size_t entries = groups_of(words);
    while (entries > 1) {
        size += bf_round_up(entries, BF_FANOUT) * sizeof(uint32_t);
        entries = nodes_of(entries);
    }
    return size;
}

/* A 16th of the pool, but not below what a leaf tells exactly. */
static size_t cut_of(size_t words)
{
    size_t cut = words * (BF_WORD_BITS / 16);
    cut = cut > BF_PLAIN_MAX ? cut : BF_PLAIN_MAX;
    return cut < BF_COUNT_MAX ? cut : BF_COUNT_MAX;
}

void bf_tree_init(bf_tree *tree, void *memory, size_t words, bool zeroed)
{
    if (!zeroed) {
        memset(memory, 0, bf_tree_size(words));
    }
    uint8_t *next = memory;
    tree->leaves = next;
    tree->levels = 0;
    tree->cut = cut_of(words);
    next += bf_round_up(words, BF_WORD_BITS);
    size_t entries = groups_of(words);
    while (entries > 1) {
        tree->counts[tree->levels++] = (uint32_t *)(void *)next;
        next += bf_round_up(entries, BF_FANOUT) * sizeof(uint32_t);
        entries = nodes_of(entries);
    }
    if (tree->levels != 0) {
        *bf_floors_of(tree) = (bf_floors){{0}, {0}};
    }
}

/* --------------------------------------------------------------- searching */

size_t bf_tree_next(const bf_tree *tree, size_t word, size_t count)
{
    size_t entry = bf_group_of(word);
    uint32_t least = bf_count_of(tree, count);
    bf_word words =
        bf_bytes_at_least(bf_leaves_of(tree, entry), bf_least_code(least));
    words &= BF_ALL << 1 << bf_bit_of(word);
    if (words != 0) {
        return bf_granule_at(entry, bf_lowest_bit(words));
    }
    for (size_t level = 0; level < tree->levels; level++) {
        unsigned fits =
            bf_counts_at_least(bf_node_of(tree, level, entry), least);
        fits &= ~1u << (entry & (BF_FANOUT - 1));
        if (fits != 0) {
            entry = (entry & ~(size_t)(BF_FANOUT - 1)) + bf_lowest_bit(fits);
            return bf_tree_descend(tree, level, entry, least);
        }
        entry >>= BF_FANOUT_SHIFT;
    }
    return BF_NONE;
}

/* --------------------------------------------------------------- computing */

/* The longest free run that starts in this word; empty if there is none. One
 * by one, since there are seldom more than two or three; the last may reach
 * beyond the word. */
static bf_hole longest_in_word(const bf_runs *runs, size_t word)
{
    const bf_pair *pair = bf_pair_at(runs, word);
    unsigned longest = 0;
    for (bf_word holes = pair->start & pair->free; holes != 0;
         holes &= holes - 1) {
        unsigned bit = bf_lowest_bit(holes);
        bf_word later = pair->start >> bit >> 1;
        if (later == 0) {
            size_t tail = bf_granule_at(word, bit);
            size_t end = bf_runs_end_beyond(runs, word);
            if (end - tail > longest) {
                return (bf_hole){tail, end};
            }
            break;
        }
        unsigned length = bf_lowest_bit(later) + 1;
        longest = length > longest ? length : longest;
    }
    size_t base = bf_granule_at(word, 0);
    return (bf_hole){base, base + longest};
}

BF_INLINE unsigned leaf_from_runs(const bf_runs *runs, size_t word)
{
    bf_hole hole = longest_in_word(runs, word);
    return code_of_run(hole.start, hole.end);
}

/* The exact length of the longest run that starts in a word with this code. */
static size_t length_of_code(const bf_runs *runs, size_t word, unsigned code)
{
    if (code <= BF_PLAIN_MAX) {
        return code;
    }
    return bf_hole_count(bf_runs_tail(runs, word));
}

/* The longest run that starts in a group in which some run covers words. Codes
 * next to each other overlap in length, so a few words may have to be looked
 * at. */
BF_NOINLINE static size_t longest_long_in_group(const bf_tree *tree,
                                                const bf_runs *runs,
                                                size_t group, unsigned max)
{
    const uint8_t *leaves = bf_leaves_of(tree, group);
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

/* The longest run that starts in this group. */
BF_INLINE size_t longest_in_group(const bf_tree *tree, const bf_runs *runs,
                                  size_t group)
{
    unsigned max = bf_bytes_max(bf_leaves_of(tree, group));
    return BF_LIKELY(max <= BF_PLAIN_MAX)
               ? max
               : longest_long_in_group(tree, runs, group, max);
}

BF_INLINE unsigned tree_leaf(const bf_tree *tree, size_t word)
{
    return bf_leaves_of(tree, bf_group_of(word))[bf_bit_of(word)];
}

size_t bf_tree_longest(const bf_tree *tree, const bf_runs *runs)
{
    if (tree->levels == 0) {
        return longest_in_group(tree, runs, 0);
    }
    size_t longest = bf_counts_max(tree->counts[tree->levels - 1]);
    if (longest < tree->cut) {
        return longest;
    }
    for (size_t word = bf_tree_first(tree, tree->cut); word != BF_NONE;
         word = bf_tree_next(tree, word, tree->cut)) {
        size_t length = length_of_code(runs, word, tree_leaf(tree, word));
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* ---------------------------------------------------------------- updating */

void bf_tree_rise(bf_tree *tree, size_t level, size_t entry, uint32_t count)
{
    for (; level < tree->levels; level++) {
        uint32_t *node = bf_node_of(tree, level, entry);
        if (node[entry & (BF_FANOUT - 1)] >= count) {
            return;
        }
        node[entry & (BF_FANOUT - 1)] = count;
        entry >>= BF_FANOUT_SHIFT;
    }
}

void bf_tree_gain(bf_tree *tree, size_t start, size_t end)
{
    size_t word = bf_word_of(start);
    uint8_t *leaf = bf_leaves_of(tree, bf_group_of(word)) + bf_bit_of(word);
    unsigned code = code_of_run(start, end);
    uint32_t count = bf_count_of(tree, end - start);
    if (code > *leaf) {
        *leaf = (uint8_t)code;
    }
    bf_tree_lower_floors(tree, word, count);
    bf_tree_rise(tree, 0, bf_group_of(word), count);
}

/* A group's count was `before` and has become smaller: the maxima above it
 * follow, as long as they are its own. */
static void sink_above(bf_tree *tree, size_t group, uint32_t before)
{
    size_t entry = group;
    for (size_t level = 0; level + 1 < tree->levels; level++) {
        const uint32_t *node = bf_node_of(tree, level, entry);
        entry >>= BF_FANOUT_SHIFT;
        uint32_t *above = &tree->counts[level + 1][entry];
        if (*above != before) {
            return;
        }
        *above = bf_counts_max(node);
    }
}

/* The group's longest run may be shorter than it was: its count, and those
 * above it, follow its leaves. */
static void sink(bf_tree *tree, const bf_runs *runs, size_t group)
{
    size_t longest = longest_in_group(tree, runs, group);
    uint32_t *count = &tree->counts[0][group];
    uint32_t before = *count;
    *count = bf_count_of(tree, longest);
    if (*count != before) {
        sink_above(tree, group, before);
    }
}

void bf_tree_lose_longest(bf_tree *tree, const bf_runs *runs, size_t word,
                          unsigned length)
{
    size_t group = bf_group_of(word);
    uint8_t *leaves = bf_leaves_of(tree, group);
    uint8_t *leaf = leaves + bf_bit_of(word);
    unsigned before = *leaf;
    /* A vector read right after a byte in it was written would wait. */
    unsigned others = bf_bytes_max_but(leaves, bf_bit_of(word));
    *leaf = (uint8_t)length;
    if (BF_UNLIKELY(others > BF_PLAIN_MAX)) {
        sink(tree, runs, group);
        return;
    }
    tree->counts[0][group] = others > length ? others : length;
    sink_above(tree, group, before);
}

void bf_tree_trim(bf_tree *tree, const bf_runs *runs, size_t word, size_t less)
{
    if (tree->levels == 0) {
        return;
    }
    size_t group = bf_group_of(word);
    size_t length = bf_hole_count(bf_runs_tail(runs, word));
    uint32_t before = tree->counts[0][group];
    uint32_t count = bf_count_of(tree, length);
    if (before != bf_count_of(tree, length + less) || before == count) {
        return; /* another run's, or cut off still */
    }
    bf_word longer =
        bf_bytes_at_least(bf_leaves_of(tree, group), bf_least_code(length + 1));
    if ((longer & ~(BF_ONE << bf_bit_of(word))) != 0) {
        sink(tree, runs, group);
        return;
    }
    tree->counts[0][group] = count;
    sink_above(tree, group, before);
}

void bf_tree_lose(bf_tree *tree, const bf_runs *runs, size_t word)
{
    size_t group = bf_group_of(word);
    uint8_t *leaf = bf_leaves_of(tree, group) + bf_bit_of(word);
    uint32_t most = most_of_code(*leaf);
    bf_hole hole = longest_in_word(runs, word);
    *leaf = (uint8_t)code_of_run(hole.start, hole.end);
    if (tree->levels == 0 || tree->counts[0][group] > most ||
        tree->counts[0][group] <= hole.end - hole.start) {
        return; /* another run sets the count, or this one does still */
    }
    sink(tree, runs, group);
}

/* ---------------------------------------------------------------- checking */

static bool leaves_fit(const bf_tree *tree, const bf_runs *runs)
{
    size_t words = bf_words_for(runs->granules);
    for (size_t word = 0; word < words; word++) {
        if (tree->leaves[word] != leaf_from_runs(runs, word)) {
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

/* The longest run below this entry, as the entries below it stand. */
static uint32_t count_from_below(const bf_tree *tree, const bf_runs *runs,
                                 size_t level, size_t entry)
{
    if (level == 0) {
        return bf_count_of(tree, longest_in_group(tree, runs, entry));
    }
    return bf_counts_max(bf_node_of(tree, level - 1, entry * BF_FANOUT));
}

static bool level_fits(const bf_tree *tree, const bf_runs *runs, size_t level,
                       size_t entries)
{
    for (size_t i = 0; i < bf_round_up(entries, BF_FANOUT); i++) {
        uint32_t exact =
            i < entries ? count_from_below(tree, runs, level, i) : 0;
        if (tree->counts[level][i] != exact) {
            return false;
        }
    }
    return true;
}

static bool floors_fit(const bf_tree *tree)
{
    const bf_floors *floors = bf_floors_of(tree);
    for (unsigned i = 0; i < BF_FLOORS && tree->levels != 0; i++) {
        if (floors->words[i] != 0 &&
            bf_tree_first(tree, (size_t)floors->least[i]) <
                (size_t)floors->words[i]) {
            return false;
        }
    }
    return true;
}

bool bf_tree_check(const bf_tree *tree, const bf_runs *runs)
{
    if (!leaves_fit(tree, runs)) {
        return false;
    }
    size_t entries = groups_of(bf_words_for(runs->granules));
    for (size_t level = 0; level < tree->levels; level++) {
        if (!level_fits(tree, runs, level, entries)) {
            return false;
        }
        entries = nodes_of(entries);
    }
    return floors_fit(tree);
}
