/*
 * Pools with guards: they behave as plain pools do for requests that are a
 * granule larger, and what is written beyond a block is found.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { GRANULES = 1000, SLOTS = 60, ROUNDS = 20000 };

/* A pool with guards and its twin without. */
typedef struct twins {
    rig guarded;
    rig plain;
    recorder seen;
    void *blocks[SLOTS];
    void *twins[SLOTS];
    size_t sizes[SLOTS];
} twins;

static void open_twins(twins *t, bitfit_options options)
{
    memset(t, 0, sizeof *t);
    rig_open(&t->plain, GRANULES, &options);
    options.on_misuse = record_misuse;
    options.misuse_context = &t->seen;
    options.guard = true;
    rig_open(&t->guarded, GRANULES, &options);
}

static void close_twins(twins *t)
{
    assert_int_equal(t->seen.calls, 0);
    rig_close(&t->guarded);
    rig_close(&t->plain);
}

/* What the twin is asked for. */
static size_t larger(const twins *t, size_t size)
{
    return (size == 0 ? 1 : size) + t->guarded.granule;
}

static void assert_same_place(const twins *t, const void *a, const void *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a != NULL) {
        assert_int_equal((const unsigned char *)a - t->guarded.payload,
                         (const unsigned char *)b - t->plain.payload);
    }
}

static void fill(twins *t, size_t slot, size_t from)
{
    unsigned char *block = t->blocks[slot];
    if (block != NULL) {
        memset(block + from, (int)slot + 1, t->sizes[slot] - from);
    }
}

static void assert_kept(const twins *t, size_t slot, size_t size)
{
    assert_true(all_are(t->blocks[slot], size, (unsigned char)(slot + 1)));
}

/* In all of the block, which the caller may use. */
static void assert_zero(const twins *t, size_t slot)
{
    void *block = t->blocks[slot];
    if (block != NULL) {
        size_t usable = bitfit_usable_size(t->guarded.pool, block);
        assert_true(all_are(block, usable, 0));
    }
}

static void make(twins *t, dice *d, size_t slot)
{
    size_t size = dice_below(d, dice_below(d, 4) == 0 ? 3000 : 200);
    size_t alignment = (size_t)1 << dice_below(d, 9);
    bitfit_pool *pool = t->guarded.pool;
    bitfit_pool *twin = t->plain.pool;
    t->sizes[slot] = size;
    switch (dice_below(d, 3)) {
    case 0:
        t->blocks[slot] = bitfit_alloc(pool, size);
        t->twins[slot] = bitfit_alloc(twin, larger(t, size));
        break;
    case 1:
        t->blocks[slot] = bitfit_calloc(pool, 1, size);
        t->twins[slot] = bitfit_calloc(twin, 1, larger(t, size));
        assert_zero(t, slot);
        break;
    default:
        t->blocks[slot] = bitfit_aligned_alloc(pool, alignment, size);
        t->twins[slot] = bitfit_aligned_alloc(twin, alignment, larger(t, size));
        break;
    }
    fill(t, slot, 0);
}

static void change(twins *t, dice *d, size_t slot)
{
    size_t before = t->sizes[slot];
    size_t size = dice_below(d, 400);
    void *block = bitfit_realloc(t->guarded.pool, t->blocks[slot], size);
    void *twin = bitfit_realloc(t->plain.pool, t->twins[slot], larger(t, size));
    assert_same_place(t, block, twin);
    if (block != NULL) {
        t->blocks[slot] = block;
        t->twins[slot] = twin;
        t->sizes[slot] = size;
        assert_kept(t, slot, size < before ? size : before);
        fill(t, slot, 0);
    }
}

static void end(twins *t, dice *d, size_t slot)
{
    assert_kept(t, slot, t->sizes[slot]);
    if (dice_below(d, 2) == 0) {
        bitfit_free(t->guarded.pool, t->blocks[slot]);
    } else {
        size_t usable = bitfit_usable_size(t->guarded.pool, t->blocks[slot]);
        bitfit_free_sized(t->guarded.pool, t->blocks[slot], usable);
    }
    bitfit_free(t->plain.pool, t->twins[slot]);
    t->blocks[slot] = NULL;
    t->twins[slot] = NULL;
}

static void assert_stats_agree(const twins *t)
{
    bitfit_stats a = rig_stats(&t->guarded);
    bitfit_stats b = rig_stats(&t->plain);
    size_t granule = a.granule;
    assert_int_equal(a.blocks, b.blocks);
    assert_int_equal(a.live, b.live - b.blocks * granule);
    assert_int_equal(a.free, b.free);
    assert_int_equal(a.high_water, b.high_water);
    assert_int_equal(a.largest_block, b.largest_block - granule);
    assert_int_equal(a.largest_free,
                     b.largest_free < granule ? 0 : b.largest_free - granule);
    assert_int_equal(a.allocations, b.allocations);
    assert_int_equal(a.reallocations, b.reallocations);
    assert_int_equal(a.failures, b.failures);
    assert_true(a.peak_live >= a.live && a.peak_live < b.peak_live);
}

static void run_twins(const bitfit_options *options, uint64_t seed)
{
    twins t;
    dice d = dice_from(seed);
    open_twins(&t, *options);
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t slot = dice_below(&d, SLOTS);
        if (t.blocks[slot] == NULL) {
            make(&t, &d, slot);
        } else if (dice_below(&d, 3) == 0) {
            change(&t, &d, slot);
        } else {
            end(&t, &d, slot);
        }
        assert_same_place(&t, t.blocks[slot], t.twins[slot]);
        if (i % 64 == 0) {
            assert_sound(t.guarded.pool);
            assert_stats_agree(&t);
        }
    }
    close_twins(&t);
}

static void guards_are_a_granule_for_each_block(void **state)
{
    (void)state;
    uint64_t seed = seed_for_this_run();
    for (unsigned i = 0; i < 8; i++) {
        const bitfit_options options = {.lock_kind = i & 1 ? BITFIT_LOCK_DEFAULT
                                                           : BITFIT_LOCK_NONE,
                                        .granule = i & 2 ? 64 : 8,
                                        .resize_moves = (i & 4) != 0};
        run_twins(&options, seed + i);
    }
}

/* ---------------------------------------------------------------- the peak */

static void the_peak_leaves_guards_out(void **state)
{
    (void)state;
    rig r;
    bitfit_options options = {
        .lock_kind = BITFIT_LOCK_NONE, .guard = true, .resize_moves = true};
    rig_open(&r, 100, &options);
    void *a = bitfit_alloc(r.pool, 32);
    void *b = bitfit_alloc(r.pool, 16);
    assert_int_equal(rig_stats(&r).peak_live, 48);
    bitfit_free(r.pool, b);
    assert_int_equal(rig_stats(&r).peak_live, 48);
    bitfit_reset_peak(r.pool);
    assert_int_equal(rig_stats(&r).peak_live, 32);
    bitfit_realloc(r.pool, a, 64); /* both copies at once */
    assert_int_equal(rig_stats(&r).peak_live, 96);
    bitfit_reset(r.pool);
    assert_int_equal(rig_stats(&r).peak_live, 0);
    rig_close(&r);
}

/* ----------------------------------------------------------------- pictures */

static void pictures_show_guards(void **state)
{
    (void)state;
    rig r;
    char picture[13];
    bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE, .guard = true};
    rig_open(&r, 12, &options);
    bitfit_alloc(r.pool, 20);
    void *b = bitfit_alloc(r.pool, 0);
    bitfit_alloc(r.pool, 48);
    bitfit_free(r.pool, b);
    assert_int_equal(bitfit_draw(r.pool, picture, sizeof picture), 12);
    assert_string_equal(picture, "AA#..BBB#...");
    bitfit_draw(r.pool, picture, 4); /* the text ends at a guard, or before */
    assert_string_equal(picture, "AA#");
    bitfit_draw(r.pool, picture, 3);
    assert_string_equal(picture, "AA");
    bitfit_draw(r.pool, picture, 1);
    assert_string_equal(picture, "");
    bitfit_draw(r.pool, NULL, 0);
    rig_close(&r);
}

static bool add_live(const bitfit_run *run, void *context)
{
    *(size_t *)context += run->live ? run->size : 0;
    return true;
}

static void copies_leave_guards_out(void **state)
{
    (void)state;
    rig r;
    bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE, .guard = true};
    rig_open(&r, 200, &options);
    bitfit_alloc(r.pool, 100);
    bitfit_free(r.pool, bitfit_alloc(r.pool, 500));
    const void *start;
    size_t size;
    bitfit_bookkeeping(r.pool, &start, &size);
    void *copy = memory_for_pool(size);
    memcpy(copy, start, size);
    assert_int_equal(bitfit_copy_check(copy, size), BITFIT_COPY_WHOLE);
    bitfit_stats of_copy;
    assert_true(bitfit_copy_get_stats(copy, size, &of_copy));
    bitfit_stats stats = rig_stats(&r);
    assert_memory_equal(&of_copy, &stats, sizeof stats);
    size_t live = 0;
    assert_true(bitfit_copy_walk(copy, size, add_live, &live));
    assert_int_equal(live, stats.live);
    live = 0;
    assert_true(bitfit_walk(r.pool, add_live, &live));
    assert_int_equal(live, stats.live);
    free(copy);
    rig_close(&r);
}

/* ---------------------------------------------------------------- overflows */

static void assert_overflow(recorder *seen, const char *call, const void *block,
                            const void *place)
{
    assert_int_equal(seen->calls, 1);
    assert_int_equal(seen->last.kind, BITFIT_OVERFLOW);
    assert_string_equal(seen->last.call, call);
    assert_ptr_equal(seen->last.pointer, block);
    assert_ptr_equal(seen->last.place, place);
    seen->calls = 0;
}

/* Each byte of the guard, by each call that looks; nothing changes. */
static void every_byte_of_a_guard_is_looked_at(void **state)
{
    (void)state;
    rig r;
    recorder seen;
    bitfit_options options = recording(&seen);
    options.guard = true;
    rig_open(&r, 64, &options);
    unsigned char *block = bitfit_alloc(r.pool, 30);
    bitfit_alloc(r.pool, 10);
    bitfit_stats before = rig_stats(&r);
    for (unsigned char *at = block + 32; at < block + 48; at++) {
        *at ^= 0x40;
        bitfit_free(r.pool, block);
        assert_overflow(&seen, "bitfit_free", block, at);
        bitfit_free_sized(r.pool, block, 30);
        assert_overflow(&seen, "bitfit_free_sized", block, at);
        assert_null(bitfit_realloc(r.pool, block, 100));
        assert_overflow(&seen, "bitfit_realloc", block, at);
        assert_int_equal(bitfit_check(r.pool), 7);
        assert_overflow(&seen, "bitfit_check", block, at);
        *at ^= 0x40;
        assert_sound(r.pool);
    }
    bitfit_stats after = rig_stats(&r);
    assert_memory_equal(&after, &before, sizeof after);
    assert_int_equal(seen.calls, 0);
    rig_close(&r);
}

/* The end of a string, and a block copied with its neighbour's guard. */
static void common_overflows_are_seen(void **state)
{
    (void)state;
    rig r;
    recorder seen;
    bitfit_options options = recording(&seen);
    options.guard = true;
    rig_open(&r, 64, &options);
    unsigned char *a = bitfit_alloc(r.pool, 16);
    unsigned char *b = bitfit_alloc(r.pool, 16);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_not_equal(a[16 + i], 0);
    }
    memcpy(b, a, 32);
    bitfit_free(r.pool, b);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.last.kind, BITFIT_OVERFLOW);
    rig_close(&r);
}

static void other_misuse_is_what_it_was(void **state)
{
    (void)state;
    rig r;
    recorder seen;
    bitfit_options options = recording(&seen);
    options.guard = true;
    rig_open(&r, 64, &options);
    unsigned char *a = bitfit_alloc(r.pool, 40);
    bitfit_free(r.pool, a + 48); /* its guard */
    assert_int_equal(seen.last.kind, BITFIT_INTERIOR);
    bitfit_free(r.pool, a + 1);
    assert_int_equal(seen.last.kind, BITFIT_MISALIGNED);
    bitfit_free_sized(r.pool, a, 60); /* with its guard */
    assert_int_equal(seen.last.kind, BITFIT_WRONG_SIZE);
    assert_int_equal(seen.last.size, 60);
    assert_null(bitfit_realloc(r.pool, &r, 1));
    assert_int_equal(seen.last.kind, BITFIT_FOREIGN);
    bitfit_free(r.pool, a);
    assert_int_equal(bitfit_usable_size(r.pool, a), 0);
    assert_int_equal(seen.last.kind, BITFIT_DOUBLE_FREE);
    bitfit_lock(r.pool);
    assert_null(bitfit_alloc(r.pool, 1));
    assert_int_equal(seen.last.kind, BITFIT_REENTRY);
    bitfit_unlock(r.pool);
    assert_int_equal(seen.calls, 6);
    rig_close(&r);
}

/* What overflows is refused before a guard is added to it. */
static void sizes_that_overflow_fit_nowhere(void **state)
{
    (void)state;
    rig r;
    recorder seen;
    bitfit_options options = recording(&seen);
    options.guard = true;
    rig_open(&r, 64, &options);
    void *block = bitfit_alloc(r.pool, 1);
    for (size_t less = 0; less < 64; less++) {
        assert_null(bitfit_alloc(r.pool, SIZE_MAX - less));
        assert_null(bitfit_calloc(r.pool, 1, SIZE_MAX - less));
        assert_null(bitfit_aligned_alloc(r.pool, 64, SIZE_MAX - less));
        assert_null(bitfit_realloc(r.pool, block, SIZE_MAX - less));
    }
    assert_null(bitfit_calloc(r.pool, SIZE_MAX / 2, 3));
    size_t largest = rig_stats(&r).largest_free;
    assert_null(bitfit_alloc(r.pool, largest + 1));
    assert_non_null(bitfit_alloc(r.pool, largest));
    assert_int_equal(rig_stats(&r).largest_free, 0);
    assert_int_equal(seen.calls, 0);
    rig_close(&r);
}

/* And no more: the memory is declared zeroed, and is not. */
static void calloc_clears_what_was_used(void **state)
{
    (void)state;
    const bitfit_options options = {.guard = true, .zeroed = true};
    for (size_t size = 40; size < 4000; size *= 2) {
        rig r;
        rig_open(&r, GRANULES, &options);
        memset(r.payload, RIG_GARBAGE, r.size);
        unsigned char *used = bitfit_alloc(r.pool, size);
        bitfit_free(r.pool, used);
        assert_ptr_equal(bitfit_calloc(r.pool, 2, size), used);
        assert_true(all_are(used, size, 0));
        unsigned char *unused = bitfit_calloc(r.pool, 1, size);
        assert_true(all_are(unused, size, RIG_GARBAGE));
        assert_null(bitfit_calloc(r.pool, SIZE_MAX / 2, 3));
        assert_null(bitfit_calloc(r.pool, 1, r.size));
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_are_a_granule_for_each_block),
        cmocka_unit_test(the_peak_leaves_guards_out),
        cmocka_unit_test(pictures_show_guards),
        cmocka_unit_test(copies_leave_guards_out),
        cmocka_unit_test(every_byte_of_a_guard_is_looked_at),
        cmocka_unit_test(common_overflows_are_seen),
        cmocka_unit_test(other_misuse_is_what_it_was),
        cmocka_unit_test(calloc_clears_what_was_used),
        cmocka_unit_test(sizes_that_overflow_fit_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
