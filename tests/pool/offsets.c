/*
 * Pools without memory against a model of a few lines: every call in every
 * picture of a small window, random calls, and one long script whose offsets
 * have to be the same on every machine.
 */
#include "bitfit_offsets.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 800, WINDOW = 6 };

#define GRANULE ((uint64_t)65536)
#define NOWHERE SIZE_MAX

/* ------------------------------------------------------------------- model */

/* The number of the block that each granule is in; 0 is free. */
typedef struct cells {
    size_t count;
    unsigned of[MOST + 1];
    unsigned last; /* number given */
} cells;

static size_t run_of(const cells *c, size_t start)
{
    size_t end = start + 1;
    while (end < c->count && c->of[end] == c->of[start]) {
        end++;
    }
    return end - start;
}

static bool starts_block(const cells *c, size_t at)
{
    return c->of[at] != 0 && (at == 0 || c->of[at - 1] != c->of[at]);
}

static bool is_hole(const cells *c, size_t start, size_t count)
{
    if (start > c->count || count > c->count - start) {
        return false;
    }
    for (size_t i = start; i < start + count; i++) {
        if (c->of[i] != 0) {
            return false;
        }
    }
    return true;
}

static size_t first_fit(const cells *c, size_t count, size_t step)
{
    for (size_t start = 0; start < c->count; start += step) {
        if (is_hole(c, start, count)) {
            return start;
        }
    }
    return NOWHERE;
}

static void put(cells *c, size_t start, size_t count)
{
    c->last++;
    for (size_t i = start; i < start + count; i++) {
        c->of[i] = c->last;
    }
}

static void clear(cells *c, size_t start, size_t count)
{
    memset(c->of + start, 0, count * sizeof *c->of);
}

static bool resize(cells *c, size_t start, size_t count)
{
    size_t before = run_of(c, start);
    if (count > before && !is_hole(c, start + before, count - before)) {
        return false;
    }
    unsigned number = c->of[start];
    clear(c, start, before);
    for (size_t i = start; i < start + count; i++) {
        c->of[i] = number;
    }
    return true;
}

/* The highest block below `below` that fits lower; NOWHERE if there is none. */
static size_t movable(const cells *c, size_t below, size_t *to)
{
    for (size_t start = below < c->count ? below : c->count; start-- > 0;) {
        if (starts_block(c, start)) {
            *to = first_fit(c, run_of(c, start), 1);
            if (*to < start) {
                return start;
            }
        }
    }
    return NOWHERE;
}

static size_t largest(const cells *c)
{
    size_t most = 0;
    for (size_t at = 0; at < c->count; at += run_of(c, at)) {
        size_t run = run_of(c, at);
        most = c->of[at] == 0 && run > most ? run : most;
    }
    return most;
}

/* --------------------------------------------------------------- both sides */

static _Alignas(max_align_t) unsigned char books[8192];
static bitfit_pool *pool;
static cells naive;

/* A pool of that many granules and an odd rest, and an empty model. */
static void open_both(size_t count)
{
    const bitfit_options options = {.granule = GRANULE,
                                    .bookkeeping = books,
                                    .bookkeeping_size = sizeof books,
                                    .lock_kind = BITFIT_LOCK_NONE};
    pool = bitfit_init_offsets(count * GRANULE + GRANULE / 2, &options);
    assert_non_null(pool);
    memset(&naive, 0, sizeof naive);
    naive.count = count;
}

static uint64_t offset_of(size_t at)
{
    return at == NOWHERE ? BITFIT_NO_OFFSET : at * GRANULE;
}

static bool same_range(const bitfit_range *range, void *context)
{
    size_t *at = context;
    assert_int_equal(range->offset, offset_of(*at));
    assert_int_equal(range->size, run_of(&naive, *at) * GRANULE);
    assert_int_equal(range->live, naive.of[*at] != 0);
    *at += run_of(&naive, *at);
    return true;
}

static void compare(void)
{
    size_t at = 0;
    assert_true(bitfit_walk_offsets(pool, same_range, &at));
    assert_int_equal(at, naive.count);
    assert_int_equal(bitfit_largest_free(pool), largest(&naive) * GRANULE);
    assert_sound(pool);
}

static void alloc_both(size_t count, size_t step, uint64_t less)
{
    size_t at = first_fit(&naive, count, step);
    uint64_t size = count * GRANULE - less;
    uint64_t got =
        step == 1 ? bitfit_alloc_offset(pool, size)
                  : bitfit_aligned_alloc_offset(pool, step * GRANULE, size);
    assert_int_equal(got, offset_of(at));
    if (at != NOWHERE) {
        put(&naive, at, count);
    }
}

static void reserve_both(size_t start, size_t count, uint64_t inside)
{
    bool fits = is_hole(&naive, start, count);
    assert_int_equal(bitfit_alloc_at_offset(pool, start * GRANULE + inside,
                                            count * GRANULE - inside),
                     fits);
    if (fits) {
        put(&naive, start, count);
    }
}

static void free_both(size_t start)
{
    size_t count = run_of(&naive, start);
    assert_int_equal(bitfit_offset_size(pool, offset_of(start)),
                     count * GRANULE);
    bitfit_free_offset(pool, offset_of(start));
    clear(&naive, start, count);
}

static void resize_both(size_t start, size_t count)
{
    assert_int_equal(
        bitfit_resize_offset(pool, offset_of(start), count * GRANULE),
        resize(&naive, start, count));
}

/* Carries the proposed move out, too. */
static void move_both(size_t below, bool carry_out)
{
    size_t to = NOWHERE;
    size_t from = movable(&naive, below, &to);
    bitfit_move move;
    assert_int_equal(bitfit_next_move(pool, offset_of(below), &move),
                     from != NOWHERE);
    if (from == NOWHERE) {
        return;
    }
    size_t count = run_of(&naive, from);
    assert_int_equal(move.from, offset_of(from));
    assert_int_equal(move.to, offset_of(to));
    assert_int_equal(move.size, count * GRANULE);
    if (carry_out) {
        reserve_both(to, count, 0);
        free_both(from);
    }
}

/* -------------------------------------------------------------- every state */

/* Pools in which the window stands at a word's border, at both ends, and beside
 * long blocks and holes. */
typedef struct surroundings {
    size_t granules;
    size_t first; /* of the window */
    bool hole_before;
    bool hole_after;
} surroundings;

static const surroundings around[] = {
    {WINDOW, 0, false, false},
    {70, 61, false, false},
    {70, 61, true, true},
    {67, 67 - WINDOW, false, false},
    {300, 125, true, false},
    {300, 125, false, true},
    {640, 64 * 5 - 3, true, true},
    {640, 64 * 5, false, true},
    {700, 700 - WINDOW, true, false},
};

/* Builds picture number `code`: base 3, a digit for each granule of the window:
 * free, the start of a block, more of it. False if there is no such picture. */
static bool build(const surroundings *s, size_t code)
{
    size_t counts[WINDOW] = {0};
    size_t block = NOWHERE;
    for (size_t i = 0; i < WINDOW; i++, code /= 3) {
        if (code % 3 == 2 && block == NOWHERE) {
            return false;
        }
        block = code % 3 == 0 ? NOWHERE : code % 3 == 1 ? i : block;
        if (block != NOWHERE) {
            counts[block]++;
        }
    }
    open_both(s->granules);
    size_t end = s->first + WINDOW;
    if (!s->hole_before && s->first != 0) {
        reserve_both(0, s->first, 0);
    }
    if (!s->hole_after && end != s->granules) {
        reserve_both(end, s->granules - end, 0);
    }
    for (size_t i = 0; i < WINDOW; i++) {
        if (counts[i] != 0) {
            reserve_both(s->first + i, counts[i], 0);
        }
    }
    return true;
}

/* Makes call number `call`; false if there are no more. */
static bool make_call(const surroundings *s, size_t call)
{
    enum { COUNTS = WINDOW + 1, PLACES = WINDOW };
    size_t count = 1 + call % COUNTS;
    size_t at = s->first + call / COUNTS % PLACES;
    bool block = starts_block(&naive, at);
    switch (call / COUNTS / PLACES) {
    case 0:
        alloc_both(count, (size_t)1 << (at - s->first), 0);
        return true;
    case 1:
        reserve_both(at, count, count % 2 * 7);
        return true;
    case 2:
        if (block) {
            resize_both(at, count);
        }
        return true;
    case 3:
        if (block && count == 1) {
            free_both(at);
        }
        if (count > 1) {
            move_both(count == 2 ? NOWHERE : at, true);
        }
        return true;
    default:
        return false;
    }
}

static void every_call_in_every_picture_of_a_window(void **state)
{
    (void)state;
    size_t codes = 1;
    for (size_t i = 0; i < WINDOW; i++) {
        codes *= 3;
    }
    size_t pictures = 0;
    for (size_t i = 0; i < LENGTH(around); i++) {
        for (size_t code = 0; code < codes; code++) {
            bool more = true;
            for (size_t call = 0; more && build(&around[i], code); call++) {
                more = make_call(&around[i], call);
                compare();
            }
            pictures += !more;
        }
    }
    assert_int_equal(pictures, LENGTH(around) * 233); /* F(13) */
}

/* ------------------------------------------------------------------- random */

/* The start of the run that holds this granule. */
static size_t run_start(size_t at)
{
    while (at != 0 && naive.of[at - 1] == naive.of[at]) {
        at--;
    }
    return at;
}

static void random_step(dice *d)
{
    size_t count = dice_between(d, 1, dice_below(d, 8) != 0 ? 20 : 200);
    size_t at = dice_below(d, naive.count);
    size_t run = run_start(at);
    switch (dice_below(d, 8)) {
    case 0:
        alloc_both(count, 1, dice_below(d, GRANULE));
        break;
    case 1:
        alloc_both(count, (size_t)1 << dice_below(d, 6), 0);
        break;
    case 2:
        reserve_both(at, count, dice_below(d, GRANULE));
        break;
    case 3:
        move_both(dice_below(d, 2) == 0 ? NOWHERE : at, dice_below(d, 4) == 0);
        break;
    case 4:
    case 5:
        if (naive.of[run] != 0) {
            resize_both(run, count);
        }
        break;
    default:
        if (naive.of[run] != 0) {
            free_both(run);
        }
        break;
    }
}

static uint64_t seed;

static void random_calls_agree_with_the_model(void **state)
{
    static const size_t pools[] = {1, 63, 64, 200, 256, 257, MOST};
    (void)state;
    for (size_t i = 0; i < LENGTH(pools); i++) {
        dice d = dice_from(seed + i);
        open_both(pools[i]);
        for (size_t n = 0; n < 20000; n++) {
            random_step(&d);
            if (dice_below(&d, 20) == 0) {
                compare();
            }
        }
        compare();
    }
}

static void compaction_ends_with_holes_that_serve_nobody(void **state)
{
    (void)state;
    open_both(MOST);
    dice d = dice_from(seed);
    for (size_t i = 0; i < 150; i++) {
        alloc_both(dice_between(&d, 1, 8), 1, 0);
    }
    for (size_t i = 0; i < MOST; i++) {
        if (starts_block(&naive, i) && dice_below(&d, 2) == 0) {
            free_both(i);
        }
    }
    size_t before = largest(&naive);
    size_t to;
    while (movable(&naive, NOWHERE, &to) != NOWHERE) {
        move_both(NOWHERE, true);
    }
    assert_true(largest(&naive) >= before);
    compare();
}

/* -------------------------------------------------------------- everywhere */

enum { SLOTS = 4000, STEPS = 60000 };

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x100000001B3);
}

static bool mix_range(const bitfit_range *range, void *context)
{
    uint64_t *hash = context;
    *hash = mix(mix(*hash, range->offset), range->size << 1 | range->live);
    return true;
}

/* A request of 4 KiB to 1 GiB, of one of three kinds. */
static uint64_t ask(bitfit_pool *of, dice *d)
{
    uint64_t size = UINT64_C(1) << (12 + dice_below(d, 18));
    size += dice_next(d) % size;
    switch (dice_below(d, 8)) {
    case 0:
        return bitfit_aligned_alloc_offset(
            of, UINT64_C(1) << dice_between(d, 10, 30), size);
    case 1: {
        uint64_t at = dice_next(d) % (UINT64_C(64) << 30) & ~(GRANULE - 1);
        return bitfit_alloc_at_offset(of, at, size) ? at : BITFIT_NO_OFFSET;
    }
    default:
        return bitfit_alloc_offset(of, size);
    }
}

/* 64 GiB are more than a 32-bit machine has, and the offsets are the same. */
static void the_same_calls_give_the_same_offsets_everywhere(void **state)
{
    static uint64_t slots[SLOTS];
    (void)state;
    bitfit_options options = {.granule = GRANULE,
                              .lock_kind = BITFIT_LOCK_NONE};
    uint64_t size = UINT64_C(64) << 30;
    options.bookkeeping_size = bitfit_offsets_bookkeeping_size(size, &options);
    options.bookkeeping = memory_for_pool(options.bookkeeping_size);
    bitfit_pool *large = bitfit_init_offsets(size, &options);
    assert_non_null(large);
    memset(slots, 0xff, sizeof slots);
    dice d = dice_from(64);
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < STEPS; i++) {
        uint64_t *slot = &slots[dice_below(&d, SLOTS)];
        bitfit_free_offset(large, *slot);
        *slot = ask(large, &d);
        hash = mix(hash, *slot);
    }
    assert_true(bitfit_walk_offsets(large, mix_range, &hash));
    bitfit_move move;
    assert_true(bitfit_next_move(large, BITFIT_NO_OFFSET, &move));
    hash = mix(mix(hash, move.from), move.to);
    if (hash != UINT64_C(0x69DD001BED62F09A)) {
        print_error("UINT64_C(0x%016llX)\n", (unsigned long long)hash);
    }
    assert_int_equal(hash, UINT64_C(0x69DD001BED62F09A));
    assert_sound(large);
    free(options.bookkeeping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_in_every_picture_of_a_window),
        cmocka_unit_test(random_calls_agree_with_the_model),
        cmocka_unit_test(compaction_ends_with_holes_that_serve_nobody),
        cmocka_unit_test(the_same_calls_give_the_same_offsets_everywhere),
    };
    seed = seed_for_this_run();
    return cmocka_run_group_tests_name("offsets", tests, NULL, NULL);
}
