/*
 * Bounded work, counted and not timed: pools from 1 KiB to 1 TiB of address
 * space, and the words of the index that each call touches. The payload is
 * not even readable: whoever touched it would crash. Placement in the huge
 * pools is compared with a sorted list of blocks.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif

#include "support.h"

#include "pool.h"
#include "touch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KIB_SHIFT = 10, GRANULE = 16, BLOCKS_MOST = 400 };

#ifdef BOARD_LARGEST_SHIFT
enum { LARGEST_SHIFT = BOARD_LARGEST_SHIFT };
#elif SIZE_MAX > 0xffffffffu
enum { LARGEST_SHIFT = 40 }; /* 1 TiB */
#else
enum { LARGEST_SHIFT = 28 };
#endif

/* The rows of the tree above its leaves. */
static unsigned long rows_for(unsigned shift)
{
    unsigned bits = shift - 4; /* of a granule's number */
    unsigned long rows = 0;
    while (bits > 2 * BF_WORD_SHIFT) {
        bits -= BF_WORD_SHIFT;
        rows++;
    }
    return rows;
}

/* The words that one call may touch in a pool of 2^shift bytes: a few, and on
 * each row of the tree a node of bytes and its counts.
 *
 * A search is led astray by a note at most once. To settle a group takes a look
 * at its holes of 255 granules or more, three pairs each, and at a node in each
 * row. Words are noted too, and to settle one may want a group's note.
 *
 * Holes as long as the counts go, a 16th of the pool, but not above 2^31 - 1
 * granules, are looked at one by one: there is room for 16, and for 32 in 2^40
 * bytes. */
static unsigned long bound_for(unsigned shift)
{
    enum { PLAIN = 48, NOTES = 4 + 11, A_HOLE = 3 * 2 };
    enum { A_NODE = BF_WORD_BITS / sizeof(size_t) * (1 + sizeof(uint32_t)) };
    enum { HOLES = BF_WORD_BITS * BF_WORD_BITS / 256 + 1 };
    unsigned long search = rows_for(shift) * A_NODE;
    unsigned long settle = A_HOLE * HOLES + search;
    unsigned long long_holes = shift < 40 ? 16 : 32;
    return PLAIN + NOTES * settle + long_holes * search;
}

/* The mean over a random run of calls. */
static unsigned long mean_bound_for(unsigned shift)
{
    return 12 + (shift - KIB_SHIFT);
}

/* -------------------------------------------------------------- huge pools */

typedef struct huge {
    unsigned shift;
    size_t size;
    unsigned char *payload;
    unsigned char *bookkeeping;
    size_t bookkeeping_size;
    bitfit_pool *pool;
    recorder seen;
    unsigned long worst; /* the most words that a call has touched */
    unsigned long total; /* by all calls */
    unsigned long calls;
} huge;

static unsigned char *reserve(size_t size, int protection)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *memory = mmap(NULL, size, protection, flags, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

/* A call: from here on the words of the map and of the tree that it touches are
 * counted. What stands before them is of a fixed size. */
static void begin(const huge *h)
{
    const unsigned char *pairs = (unsigned char *)h->pool->fit.map.pairs;
    size_t before = (size_t)(pairs - h->bookkeeping);
    touch_begin(pairs, h->bookkeeping_size - before);
}

static void open_huge(huge *h, unsigned shift)
{
    bitfit_options options = recording(&h->seen);
    h->shift = shift;
    h->worst = 0;
    h->total = 0;
    h->calls = 0;
    h->size = (size_t)1 << shift;
    h->bookkeeping_size = bitfit_bookkeeping_size(h->size, &options);
    h->payload = reserve(h->size, PROT_NONE);
    h->bookkeeping = reserve(h->bookkeeping_size, PROT_READ | PROT_WRITE);
    options.zeroed = true;
    options.bookkeeping = h->bookkeeping;
    options.bookkeeping_size = h->bookkeeping_size;
    touch_begin(h->bookkeeping, h->bookkeeping_size);
    h->pool = bitfit_init(h->payload, h->size, &options);
    assert_non_null(h->pool);
}

static void close_huge(huge *h)
{
    assert_int_equal(h->seen.calls, 0);
    bitfit_destroy(h->pool);
    munmap(h->payload, h->size);
    munmap(h->bookkeeping, h->bookkeeping_size);
}

/* Judges the call that was begun last. */
static void account(huge *h)
{
    unsigned long touched = (unsigned long)touch_end();
    h->worst = touched > h->worst ? touched : h->worst;
    h->total += touched;
    h->calls++;
    if (touched > bound_for(h->shift)) {
        print_error("2^%u bytes: a call touched %lu words\n", h->shift,
                    touched);
    }
    assert_true(touched <= bound_for(h->shift));
}

/* The index of the block made, or MODEL_NONE. */
static size_t huge_index(const huge *h, const void *block)
{
    return block == NULL
               ? MODEL_NONE
               : (size_t)((const unsigned char *)block - h->payload) / GRANULE;
}

static size_t huge_alloc(huge *h, size_t count)
{
    begin(h);
    void *block = bitfit_alloc(h->pool, count * GRANULE);
    account(h);
    return huge_index(h, block);
}

static size_t huge_aligned(huge *h, size_t alignment, size_t count)
{
    begin(h);
    void *block = bitfit_aligned_alloc(h->pool, alignment, count * GRANULE);
    account(h);
    return huge_index(h, block);
}

static size_t huge_calloc(huge *h, size_t count)
{
    begin(h);
    void *block = bitfit_calloc(h->pool, count, GRANULE);
    account(h);
    return huge_index(h, block);
}

static void huge_free(huge *h, size_t index)
{
    begin(h);
    bitfit_free(h->pool, h->payload + index * GRANULE);
    account(h);
}

static size_t huge_count(huge *h, size_t index)
{
    begin(h);
    size_t size = bitfit_usable_size(h->pool, h->payload + index * GRANULE);
    account(h);
    return size / GRANULE;
}

/* The block's index afterwards. Only where no content has to move. */
static size_t huge_shrink(huge *h, size_t index, size_t count)
{
    void *block = h->payload + index * GRANULE;
    begin(h);
    block = bitfit_realloc(h->pool, block, count * GRANULE);
    account(h);
    return huge_index(h, block);
}

/* --------------------------------------------- the blocks, sorted by address
 */

typedef struct block {
    size_t start;
    size_t count;
} block;

typedef struct blocks {
    block at[BLOCKS_MOST];
    size_t length;
    size_t granules; /* of the pool */
} blocks;

/* The first gap of `count` granules: before which block it lies. */
static size_t first_gap(const blocks *b, size_t count, size_t *start)
{
    size_t end = 0;
    for (size_t i = 0; i <= b->length; i++) {
        size_t next = i < b->length ? b->at[i].start : b->granules;
        if (next - end >= count) {
            *start = end;
            return i;
        }
        end = next + (i < b->length ? b->at[i].count : 0);
    }
    *start = MODEL_NONE;
    return MODEL_NONE;
}

static size_t blocks_alloc(blocks *b, size_t count)
{
    size_t start = 0;
    size_t i = first_gap(b, count, &start);
    if (start != MODEL_NONE) {
        assert_true(b->length < BLOCKS_MOST);
        memmove(b->at + i + 1, b->at + i, (b->length - i) * sizeof b->at[0]);
        b->at[i] = (block){start, count};
        b->length++;
    }
    return start;
}

static void blocks_free(blocks *b, size_t i)
{
    b->length--;
    memmove(b->at + i, b->at + i + 1, (b->length - i) * sizeof b->at[0]);
}

typedef struct seen_blocks {
    const huge *huge;
    const blocks *blocks;
    size_t next;
} seen_blocks;

static bool compare_block(const bitfit_run *run, void *context)
{
    seen_blocks *s = context;
    if (!run->live) {
        return true;
    }
    assert_true(s->next < s->blocks->length);
    const block *expect = &s->blocks->at[s->next++];
    assert_int_equal(huge_index(s->huge, run->start), expect->start);
    assert_int_equal(run->size / GRANULE, expect->count);
    return true;
}

static void assert_same_blocks(const huge *h, const blocks *b)
{
    seen_blocks s = {h, b, 0};
    assert_true(bitfit_walk(h->pool, compare_block, &s));
    assert_int_equal(s.next, b->length);
}

/* ------------------------------------------------------------------- tests */

/* From one granule to half the pool, all orders of magnitude alike. */
static size_t any_count(dice *d, const blocks *b)
{
    size_t most = b->granules / 2;
    unsigned shift = (unsigned)dice_below(d, LARGEST_SHIFT);
    size_t limit = most >> shift;
    size_t wide = (size_t)(dice_next(d) >> 3);
    return 1 + (limit == 0 ? 0 : wide % limit);
}

static void random_step(huge *h, blocks *b, dice *d)
{
    size_t chance = dice_below(d, 10);
    if (b->length > 0 && (chance < 4 || b->length == BLOCKS_MOST)) {
        size_t i = dice_below(d, b->length);
        assert_int_equal(huge_count(h, b->at[i].start), b->at[i].count);
        huge_free(h, b->at[i].start);
        blocks_free(b, i);
    } else if (b->length > 0 && chance == 4) {
        block *old = &b->at[dice_below(d, b->length)];
        old->count = (old->count + 1) / 2;
        assert_int_equal(huge_shrink(h, old->start, old->count), old->start);
    } else if (chance == 5) {
        size_t count = any_count(d, b);
        assert_int_equal(huge_aligned(h, GRANULE, count),
                         blocks_alloc(b, count));
    } else {
        size_t count = any_count(d, b);
        assert_int_equal(huge_alloc(h, count), blocks_alloc(b, count));
    }
}

static void every_call_touches_few_words(void **state)
{
    (void)state;
    static blocks b;
    for (unsigned shift = KIB_SHIFT; shift <= LARGEST_SHIFT; shift++) {
        huge h;
        dice d = dice_from(shift);
        open_huge(&h, shift);
        b.length = 0;
        b.granules = h.size / GRANULE;
        for (size_t i = 0; i < 6000; i++) {
            random_step(&h, &b, &d);
        }
        assert_same_blocks(&h, &b);
        print_message("2^%u bytes: %lu words a call, at most %lu\n", shift,
                      h.total / h.calls, h.worst);
        assert_true(h.total > 0 || !touch_is_seen);
        assert_true(h.total / h.calls <= mean_bound_for(shift));
        close_huge(&h);
    }
}

/* Holes of one length, each behind a block of one granule, all over the first
 * half of the pool. A search for more must not look at each of them. */
static void pass_holes_of(size_t hole)
{
    huge h;
    open_huge(&h, 24);
    size_t holes = h.size / GRANULE / 2 / (hole + 1);
    size_t end = holes * (hole + 1);
    for (size_t i = 0; i < holes; i++) {
        assert_int_equal(huge_alloc(&h, hole), i * (hole + 1));
        assert_int_equal(huge_alloc(&h, 1), i * (hole + 1) + hole);
    }
    for (size_t i = 0; i < holes; i++) {
        huge_free(&h, i * (hole + 1));
    }
    for (size_t count = hole + 1; count < 100000; count += 1 + count / 2) {
        assert_int_equal(huge_alloc(&h, count), end);
        huge_free(&h, end);
    }
    for (size_t i = 0; i < holes; i++) {
        assert_int_equal(huge_alloc(&h, hole), i * (hole + 1));
    }
    assert_sound(h.pool);
    close_huge(&h);
}

static void a_search_passes_holes_in_few_words(void **state)
{
    (void)state;
    static const size_t holes[] = {1,   2,   31,  32,  33,   63,   64,   65,
                                   66,  95,  99,  126, 127,  128,  129,  130,
                                   160, 189, 190, 191, 192,  193,  254,  255,
                                   256, 300, 500, 999, 4095, 8191, 8192, 9000};
    for (size_t i = 0; i < LENGTH(holes); i++) {
        pass_holes_of(holes[i]);
    }
}

/* As many holes as the pool has room for, each behind it a block of one
 * granule, and a request for one granule more than any of them has; then for
 * the last two of them and the granule between. */
static void pass_holes_in_all_of(unsigned shift, size_t hole)
{
    huge h;
    bitfit_stats stats;
    open_huge(&h, shift);
    size_t holes = h.size / GRANULE / (hole + 1);
    for (size_t i = 0; i < holes; i++) {
        assert_int_equal(huge_alloc(&h, hole), i * (hole + 1));
        assert_int_equal(huge_alloc(&h, 1), i * (hole + 1) + hole);
    }
    for (size_t i = 0; i < holes; i++) {
        huge_free(&h, i * (hole + 1));
    }
    assert_int_equal(huge_alloc(&h, hole + 1), MODEL_NONE);
    begin(&h);
    bitfit_get_stats(h.pool, &stats);
    account(&h);
    assert_int_equal(stats.largest_free, hole * GRANULE);
    size_t last_two = (holes - 2) * (hole + 1);
    huge_free(&h, last_two + hole);
    assert_int_equal(huge_alloc(&h, hole + 1), last_two);
    huge_free(&h, last_two);
    assert_int_equal(huge_alloc(&h, 2 * hole + 1), last_two);
    print_message("2^%u bytes, %zu holes: a call took at most %lu words\n",
                  shift, holes, h.worst);
    close_huge(&h);
}

/* Groups full of holes that are nearly long enough, and of each of them the
 * tree says still that it has one, which was taken. More groups than can be
 * noted.
 */
static void groups_that_are_noted_are_passed_in_few_words(void **state)
{
    (void)state;
    enum { GROUPS = 40, LONGEST = 300, NEARLY = 255, WANTED = 290 };
    const size_t group = (size_t)BF_WORD_BITS * BF_WORD_BITS;
    huge h;
    open_huge(&h, 24);
    for (size_t g = 0; g < GROUPS; g++) {
        size_t end = (g + 1) * group;
        size_t at = g * group;
        for (size_t count = LONGEST; at + count + 1 < end; count = NEARLY) {
            assert_int_equal(huge_alloc(&h, count), at);
            assert_int_equal(huge_alloc(&h, 1), at + count);
            at += count + 1;
        }
        assert_int_equal(huge_alloc(&h, end - at), at);
    }
    for (size_t g = 0; g < GROUPS; g++) {
        size_t at = g * group;
        for (size_t count = LONGEST; at + count + 1 < (g + 1) * group;
             count = NEARLY) {
            huge_free(&h, at);
            at += count + 1;
        }
    }
    for (size_t g = 0; g < GROUPS; g++) {
        assert_int_equal(huge_alloc(&h, LONGEST), g * group);
    }
    h.worst = 0;
    assert_int_equal(huge_alloc(&h, WANTED), GROUPS * group);
    print_message("%d groups astray: a call took %lu words\n", GROUPS, h.worst);
    huge_free(&h, GROUPS * group);
    h.worst = 0;
    assert_int_equal(huge_alloc(&h, WANTED + 1), GROUPS * group);
    print_message("settled: a call took %lu words\n", h.worst);
    assert_sound(h.pool);
    close_huge(&h);
}

/* The tree counts no further than a 16th of the pool: for a request of more it
 * looks at all the holes that are as long, 15 or 16 of them. */
static void holes_of_a_16th_of_the_pool_are_passed_in_few_words(void **state)
{
    (void)state;
    static const unsigned shifts[] = {24, 28, 36, LARGEST_SHIFT};
    for (size_t i = 0; i < LENGTH(shifts); i++) {
        if (shifts[i] <= LARGEST_SHIFT) {
            size_t cut = ((size_t)1 << (shifts[i] - 4)) / GRANULE;
            pass_holes_in_all_of(shifts[i], cut - 1);
            pass_holes_in_all_of(shifts[i], cut);
            pass_holes_in_all_of(shifts[i], cut + 1);
        }
    }
}

#if SIZE_MAX > 0xffffffffu
/* Nor any further than 2^31 - 1 granules: of such holes there are up to 32 in
 * the largest pool. */
static void holes_of_2_to_the_31_are_passed_in_few_words(void **state)
{
    (void)state;
    const size_t two_to_31 = (size_t)1 << 31;
    pass_holes_in_all_of(40, two_to_31 - 2);
    pass_holes_in_all_of(40, two_to_31 - 1);
    pass_holes_in_all_of(40, two_to_31);
}
#endif

static void a_block_of_half_the_pool_costs_no_more(void **state)
{
    (void)state;
    for (unsigned shift = KIB_SHIFT; shift <= LARGEST_SHIFT; shift++) {
        huge h;
        open_huge(&h, shift);
        size_t half = h.size / GRANULE / 2;
        for (size_t i = 0; i < 10; i++) {
            assert_int_equal(huge_alloc(&h, half), 0);
            assert_int_equal(huge_alloc(&h, half), half);
            assert_int_equal(huge_alloc(&h, 1), MODEL_NONE);
            assert_int_equal(huge_count(&h, half), half);
            huge_free(&h, 0);
            assert_int_equal(huge_alloc(&h, 1), 0);
            huge_free(&h, half);
            assert_int_equal(huge_alloc(&h, 2 * half - 1), 1);
            huge_free(&h, 1);
            huge_free(&h, 0);
        }
        assert_int_equal(huge_alloc(&h, 2 * half), 0);
        close_huge(&h);
    }
}

static size_t resident_pages(const unsigned char *memory, size_t size)
{
    static unsigned char pages[1 << 16];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t resident = 0;
    for (size_t at = 0; at < size; at += sizeof pages * page) {
        size_t rest = size - at;
        size_t chunk = rest < sizeof pages * page ? rest : sizeof pages * page;
        void *from = (void *)(uintptr_t)(memory + at);
        assert_int_equal(mincore(from, chunk, pages), 0);
        for (size_t i = 0; i < (chunk + page - 1) / page; i++) {
            resident += pages[i] & 1;
        }
    }
    return resident;
}

static void creation_on_zeroed_memory_is_near_constant(void **state)
{
    (void)state;
    for (unsigned shift = KIB_SHIFT; shift <= LARGEST_SHIFT; shift++) {
        huge h;
        open_huge(&h, shift);
        account(&h);
        /* A huge page may stand where one byte was written. */
        if (shift < 36) {
            size_t pages = resident_pages(h.bookkeeping, h.bookkeeping_size);
            assert_true(pages <= 16 || pages <= 512 * 16);
        }
        close_huge(&h);
    }
}

/* calloc() takes the owner's word for memory that was never handed out: here it
 * could not even be written. */
static void calloc_does_not_write_what_was_declared_zeroed(void **state)
{
    (void)state;
    for (unsigned shift = KIB_SHIFT; shift <= LARGEST_SHIFT; shift += 3) {
        huge h;
        open_huge(&h, shift);
        size_t granules = h.size / GRANULE;
        assert_int_equal(huge_calloc(&h, 1), 0);
        assert_int_equal(huge_calloc(&h, granules / 2), 1);
        assert_int_equal(huge_calloc(&h, granules / 4), granules / 2 + 1);
        close_huge(&h);
    }
}

/* ------------------------------------------------------- larger alignments */

enum { HOLE = 7, STEP = 8, ALIGNMENT = 64 * GRANULE };

/* Holes of 7 granules that start at 1 mod 8: none holds a place aligned to 64
 * granules but the one behind them all. */
static void make_misaligned_holes(huge *h, size_t holes)
{
    for (size_t i = 0; i < holes; i++) {
        assert_int_equal(huge_alloc(h, 1), i * STEP);
        assert_int_equal(huge_alloc(h, HOLE), i * STEP + 1);
    }
    for (size_t i = 0; i < holes; i++) {
        huge_free(h, i * STEP + 1);
    }
}

/* One search, logarithmic, for each hole that was long enough but misaligned;
 * nothing for holes that are too short. */
static void a_larger_alignment_costs_a_search_for_each_hole(void **state)
{
    (void)state;
    for (size_t holes = 8; holes <= 4096; holes *= 2) {
        huge h;
        open_huge(&h, 24);
        make_misaligned_holes(&h, holes);
        begin(&h);
        void *fits = bitfit_aligned_alloc(h.pool, ALIGNMENT, HOLE * GRANULE);
        assert_true(touch_end() <= (holes + 1) * bound_for(24));
        size_t end = (holes * STEP + 63) / 64 * 64;
        assert_int_equal(huge_index(&h, fits), end);
        void *more = bitfit_aligned_alloc(h.pool, ALIGNMENT, STEP * GRANULE);
        assert_int_equal(huge_index(&h, more), end + 64);
        assert_int_equal(huge_aligned(&h, ALIGNMENT, STEP), end + 128);
        assert_sound(h.pool);
        close_huge(&h);
    }
}

/* ------------------------------------- granules that no 32-bit number counts
 */

#if SIZE_MAX > 0xffffffffu
static void indexes_above_2_to_the_32_are_told_from_lower_ones(void **state)
{
    (void)state;
    const size_t two_to_32 = (size_t)1 << 32;
    for (size_t low = 1; low < 200; low += 33) {
        huge h;
        open_huge(&h, 40);
        assert_int_equal(huge_alloc(&h, low), 0);
        assert_int_equal(huge_alloc(&h, 1), low);
        assert_int_equal(huge_alloc(&h, two_to_32 - 1), low + 1);
        assert_int_equal(huge_alloc(&h, 1), low + two_to_32);
        huge_free(&h, low); /* not the block 2^32 granules further on */
        assert_int_equal(huge_count(&h, low + two_to_32), 1);
        assert_int_equal(huge_alloc(&h, 1), low);
        huge_free(&h, low + two_to_32);
        assert_int_equal(huge_count(&h, low), 1);
        assert_int_equal(huge_alloc(&h, two_to_32 + 1), low + two_to_32);
        huge_free(&h, low + two_to_32);
        assert_int_equal(huge_alloc(&h, 1), low + two_to_32);
        close_huge(&h);
    }
}

static void counts_above_2_to_the_31_are_told_apart(void **state)
{
    (void)state;
    static const size_t counts[] = {
        ((size_t)1 << 31) - 1, (size_t)1 << 31, ((size_t)1 << 31) + 1,
        ((size_t)1 << 32) - 1, (size_t)1 << 32, ((size_t)1 << 32) + 1};
    for (size_t i = 0; i < LENGTH(counts); i++) {
        huge h;
        open_huge(&h, 40);
        size_t count = counts[i];
        assert_int_equal(huge_alloc(&h, count), 0);
        assert_int_equal(huge_alloc(&h, 1), count);
        huge_free(&h, 0);
        assert_int_equal(huge_alloc(&h, count + 1), count + 1);
        assert_int_equal(huge_alloc(&h, count), 0);
        huge_free(&h, 0);
        /* Freed as the last block taken, and asked for in another size. */
        assert_int_equal(huge_alloc(&h, count - 1), 0);
        assert_int_equal(huge_alloc(&h, 1), count - 1);
        bitfit_stats stats;
        bitfit_get_stats(h.pool, &stats);
        size_t rest = h.size / GRANULE - (2 * count + 2);
        assert_int_equal(stats.largest_free, rest * GRANULE);
        close_huge(&h);
    }
}
#endif

/* The floor of a pool with more words than a floor can name may lie inside a
 * block, where free bits are what they were before. */
static void a_floor_inside_a_block_is_passed(void **state)
{
    (void)state;
    enum { LAST_FLOOR = INT16_MAX };
    const size_t below = (size_t)LAST_FLOOR * BF_WORD_BITS;
    huge h;
    open_huge(&h, 26);
    assert_int_equal(huge_alloc(&h, below), 0);
    assert_int_equal(huge_alloc(&h, BF_WORD_BITS / 2), below);
    assert_int_equal(huge_alloc(&h, 1), below + BF_WORD_BITS / 2);
    huge_free(&h, below);
    huge_free(&h, 0);
    huge_free(&h, below + BF_WORD_BITS / 2);
    assert_int_equal(huge_alloc(&h, 2 * below), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(huge_alloc(&h, 1), 2 * below + 10 * i);
        assert_int_equal(huge_alloc(&h, 9), 2 * below + 10 * i + 1);
    }
    assert_sound(h.pool);
    close_huge(&h);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(creation_on_zeroed_memory_is_near_constant),
        cmocka_unit_test(every_call_touches_few_words),
        cmocka_unit_test(a_search_passes_holes_in_few_words),
        cmocka_unit_test(holes_of_a_16th_of_the_pool_are_passed_in_few_words),
        cmocka_unit_test(groups_that_are_noted_are_passed_in_few_words),
        cmocka_unit_test(a_block_of_half_the_pool_costs_no_more),
        cmocka_unit_test(calloc_does_not_write_what_was_declared_zeroed),
        cmocka_unit_test(a_floor_inside_a_block_is_passed),
        cmocka_unit_test(a_larger_alignment_costs_a_search_for_each_hole),
#if SIZE_MAX > 0xffffffffu
        cmocka_unit_test(indexes_above_2_to_the_32_are_told_from_lower_ones),
        cmocka_unit_test(counts_above_2_to_the_31_are_told_apart),
        cmocka_unit_test(holes_of_2_to_the_31_are_passed_in_few_words),
#endif
    };
    return cmocka_run_group_tests_name("bounded", tests, NULL, NULL);
}
