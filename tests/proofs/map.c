/* The run map's readers and writers, in a pool of any size. */
#include "window.h"

static run any_good_run(void)
{
    any_pool();
    run r = any_run();
    ASSUME(well_formed(r));
    return r;
}

void prove_end(void)
{
    run r = any_good_run();
    CLAIM(bf_map_end(&map, r.start) == r.end, "end");
    REACHED();
}

void prove_start_before(void)
{
    run r = any_good_run();
    CLAIM(bf_map_start_before(&map, r.end) == r.start, "start_before");
    REACHED();
}

void prove_free_before(void)
{
    run r = any_good_run();
    CLAIM(bf_map_free_before(&map, r.end) == r.free, "free_before");
    CLAIM(!bf_map_free_before(&map, 0), "nothing is before 0");
    REACHED();
}

void prove_free_at(void)
{
    run r = any_good_run();
    CLAIM(bf_map_free_at(&map, r.start) == r.free, "free_at");
    CLAIM(!bf_map_free_at(&map, map.granules), "nothing is at the end");
    REACHED();
}

void prove_tail(void)
{
    run r = any_good_run();
    size_t word = r.start / BF_WORD_BITS;
    bool beyond = r.free && r.end / BF_WORD_BITS != word;
    CLAIM(!beyond || bf_map_tail(&map, word) == r.end - r.start, "tail");
    REACHED();
}

/* A granule of the run, from which only a word's start bits are read. */
void prove_is_block(void)
{
    run r = any_good_run();
    size_t granule = nondet_size();
    ASSUME(granule >= r.start && granule < r.end);
    ASSUME(covered_is_clear(r, granule / BF_WORD_BITS));
    CLAIM(bf_map_is_block(&map, granule) == (granule == r.start && !r.free),
          "exactly the starts of blocks");
    REACHED();
}

/* ------------------------------------------------------------------ writing */

/* A hole or a block, each proved apart. */
#ifndef FREE
#define FREE 1
#endif

static run any_run_to_write(void)
{
    run r = any_run();
    ASSUME(r.free == (FREE != 0));
    return r;
}

/* What writing asks of its caller: no run starts inside, one does
 * behind. */
static void ready_for(run r)
{
    size_t first = r.start / BF_WORD_BITS;
    size_t last = r.end / BF_WORD_BITS;
    bf_word inside = ~below(r.start % BF_WORD_BITS);
    bf_word head = below(r.end % BF_WORD_BITS);
    inside &= first == last ? head : BF_ALL;
    inside &= ~(BF_ONE << r.start % BF_WORD_BITS);
    ASSUME((map.pairs[first].start & inside) == 0);
    ASSUME(last == words || starts_at(r.end));
    if (first != last) {
        ASSUME(head == 0 || (map.pairs[last].start & head) == 0);
        ASSUME(covered_is_clear(r, first + 1));
        ASSUME(covered_is_clear(r, last - 1));
    }
}

static void write(run r)
{
#if FREE
    bf_map_write_hole(&map, r.start, r.end);
#else
    bf_map_write_block(&map, r.start, r.end);
#endif
}

void prove_write(void)
{
    any_pool();
    run r = any_run_to_write();
    ready_for(r);
    write(r);
    CLAIM(well_formed(r), "the run is there");
    REACHED();
}

/* Any word: if it is none of four, it stays as it is; and of those four only
 * the run's own bits change. */
void prove_write_words(void)
{
    any_pool();
    run r = any_run_to_write();
    ready_for(r);
    size_t word = nondet_size();
    ASSUME(word < words);
    bf_pair old = map.pairs[word];

    write(r);

    bf_pair now = map.pairs[word];
    size_t first = r.start / BF_WORD_BITS;
    size_t last = r.end / BF_WORD_BITS;
    bf_word starts = word == first ? BF_ONE << r.start % BF_WORD_BITS : 0;
    bf_word own = word < first || word > last ? 0 : BF_ALL;
    own &= word == first ? ~below(r.start % BF_WORD_BITS) : BF_ALL;
    own &= word == last ? below(r.end % BF_WORD_BITS) : BF_ALL;
    bool one_of_four =
        word == first || word == last || word == first + 1 || word == last - 1;
    CLAIM(now.start == (old.start | starts), "one start bit");
    CLAIM((now.free & ~own) == (old.free & ~own), "its own free bits");
    CLAIM(one_of_four || now.free == old.free, "in four words at most");
    REACHED();
}

/* The run before reaches further, and nothing else is said of it. */
void prove_join(void)
{
    any_pool();
    size_t granule = nondet_size();
    size_t word = nondet_size();
    ASSUME(granule != 0 && granule < map.granules && word < words);
    ASSUME(starts_at(granule));
    bf_pair old = map.pairs[word];
    bf_map_join(&map, granule);
    bf_pair now = map.pairs[word];
    bf_word bit =
        word == granule / BF_WORD_BITS ? BF_ONE << granule % BF_WORD_BITS : 0;
    CLAIM(now.start == (old.start & ~bit), "one start bit less");
    CLAIM(now.free == old.free, "no free bit changes");
    REACHED();
}
