/*
 * Using blocks. One test for each promise of bitfit.h, bearing its name.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* Memory for the tests that call bitfit_init() by hand. */
static _Alignas(65536) unsigned char memory[65536];
static _Alignas(max_align_t) unsigned char bookkeeping[8192];

static const bitfit_options unlocked = {.lock_kind = BITFIT_LOCK_NONE};

/* ----------------------------------------------------------------- alloc() */

/* Every size against every longest hole, from none to 140 granules. */
static void alloc_returns_null_iff_no_run_is_long_enough(void **state)
{
    (void)state;
    for (size_t hole = 0; hole < 140; hole++) {
        rig r;
        rig_open(&r, hole + 30, NULL);
        size_t before = rig_alloc(&r, 13);
        size_t freed = hole == 0 ? MODEL_NONE : rig_alloc(&r, hole);
        rig_alloc(&r, 17);
        rig_free(&r, freed);
        assert_int_equal(before, 0);
        for (size_t size = 1; size <= (hole + 2) * 16; size += 5) {
            void *block = bitfit_alloc(r.pool, size);
            assert_int_equal(block != NULL, size <= hole * 16);
            bitfit_free(r.pool, block);
        }
        assert_sound(r.pool);
        rig_close(&r);
    }
}

static void size_0_gets_a_block_of_one_granule(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 4, NULL);
    assert_ptr_equal(bitfit_alloc(r.pool, 0), r.payload);
    assert_ptr_equal(bitfit_calloc(r.pool, 0, 100), r.payload + 16);
    assert_ptr_equal(bitfit_calloc(r.pool, 100, 0), r.payload + 32);
    assert_ptr_equal(bitfit_aligned_alloc(r.pool, 16, 0), r.payload + 48);
    assert_null(bitfit_alloc(r.pool, 0));
    assert_int_equal(rig_stats(&r).blocks, 4);
    rig_close(&r);
}

static void payload_is_never_written(void **state)
{
    (void)state;
    void *slots[40] = {NULL};
    dice d = dice_from(7);
    rig r;
    rig_open(&r, 1000, NULL);
    memset(r.memory, 0x3C, r.size);
    for (size_t i = 0; i < 3000; i++) {
        change_slot(&r, &d, slots, LENGTH(slots));
    }
    assert_sound(r.pool);
    assert_true(all_are(r.memory, r.size, 0x3C));
    bitfit_reset(r.pool);
    assert_true(all_are(r.memory, r.size, 0x3C));
    rig_close(&r);
}

/* What is written over the whole payload cannot reach the bookkeeping. */
static void payload_is_never_read(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 201, NULL);
    rig_build(&r, "AAB.C{100}..DD.{93}");
    memset(r.memory, 0xFF, r.size);
    assert_sound(r.pool);
    assert_picture(&r, "AAB.C{100}..DD.{93}");
    rig_free(&r, 4);
    memset(r.memory, 0x00, r.size);
    assert_picture(&r, "AAB.{103}DD.{93}");
    assert_sound(r.pool);
    rig_close(&r);
}

/* ---------------------------------------------------------------- calloc() */

static void calloc_zeroes_every_byte(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 300, NULL);
    for (size_t size = 1; size < 2000; size += 7) {
        memset(r.memory, 0xFF, r.size);
        unsigned char *block = bitfit_calloc(r.pool, 2, size);
        assert_non_null(block);
        assert_true(all_are(block, 2 * size, 0));
        size_t end = bitfit_usable_size(r.pool, block);
        assert_true(all_are(block + end, r.size - end, 0xFF));
        bitfit_free(r.pool, block);
    }
    rig_close(&r);
}

static void calloc_returns_null_when_the_product_overflows(void **state)
{
    (void)state;
    static const size_t factors[] = {2, 3, 16, 4096, SIZE_MAX / 2, SIZE_MAX};
    rig r;
    rig_open(&r, 64, NULL);
    for (size_t i = 0; i < LENGTH(factors); i++) {
        size_t other = SIZE_MAX / factors[i] + 1;
        assert_null(bitfit_calloc(r.pool, factors[i], other + 1));
        assert_null(bitfit_calloc(r.pool, other + 1, factors[i]));
    }
    assert_int_equal(rig_stats(&r).failures, 2 * LENGTH(factors));
    assert_picture(&r, ".{64}");
    rig_close(&r);
}

static bitfit_options declared_zeroed(void)
{
    bitfit_options options = unlocked;
    options.zeroed = true;
    return options;
}

static void assert_calloc_is_zero(rig *r, size_t count)
{
    unsigned char *block = bitfit_calloc(r->pool, count, r->granule);
    assert_non_null(block);
    assert_true(all_are(block, count * r->granule, 0));
}

static void zeroed_calloc_is_zero_where_blocks_were_written(void **state)
{
    (void)state;
    bitfit_options options = declared_zeroed();
    rig r;
    rig_open(&r, 200, &options);
    void *dirty = bitfit_alloc(r.pool, 70 * 16);
    memset(dirty, 0xFF, 70 * 16);
    bitfit_free(r.pool, dirty);
    assert_calloc_is_zero(&r, 100);
    rig_close(&r);
}

/* The high-water mark starts over at reset; what was written does not. */
static void zeroed_calloc_is_zero_after_reset(void **state)
{
    (void)state;
    bitfit_options options = declared_zeroed();
    rig r;
    rig_open(&r, 200, &options);
    memset(bitfit_alloc(r.pool, 70 * 16), 0xFF, 70 * 16);
    bitfit_reset(r.pool);
    assert_int_equal(rig_stats(&r).high_water, 0);
    assert_calloc_is_zero(&r, 30);
    assert_calloc_is_zero(&r, 100);
    assert_sound(r.pool);
    rig_close(&r);
}

static void zeroed_calloc_is_zero_after_resizing(void **state)
{
    (void)state;
    bitfit_options options = declared_zeroed();
    rig r;
    rig_open(&r, 200, &options);
    void *block = bitfit_alloc(r.pool, 16);
    block = bitfit_realloc(r.pool, block, 90 * 16);
    memset(block, 0xFF, 90 * 16);
    assert_ptr_equal(bitfit_realloc(r.pool, block, 16), block);
    assert_calloc_is_zero(&r, 150);
    rig_close(&r);
}

static void zeroed_calloc_is_zero_behind_an_aligned_block(void **state)
{
    (void)state;
    bitfit_options options = declared_zeroed();
    rig r;
    rig_open(&r, 300, &options);
    rig_alloc(&r, 1);
    void *high = bitfit_aligned_alloc(r.pool, 2048, 16);
    assert_int_equal(rig_index(&r, high), 128);
    memset(high, 0xFF, 16);
    bitfit_free(r.pool, high);
    assert_calloc_is_zero(&r, 200);
    rig_close(&r);
}

static void zeroed_pools_place_as_others_do(void **state)
{
    (void)state;
    bitfit_options options = declared_zeroed();
    for (size_t count = 1; count < 300; count++) {
        rig r;
        rig_open(&r, count, &options);
        assert_sound(r.pool);
        assert_int_equal(rig_stats(&r).largest_free, count * 16);
        assert_int_equal(rig_alloc(&r, (count + 1) / 2), 0);
        assert_sound(r.pool);
        rig_close(&r);
    }
}

/* --------------------------------------------------------- aligned_alloc() */

static void aligned_alloc_refuses_what_is_no_power_of_two(void **state)
{
    (void)state;
    static const size_t bad[] = {0, 3, 5, 6, 12, 24, 100, SIZE_MAX};
    rig r;
    rig_open(&r, 64, NULL);
    for (size_t i = 0; i < LENGTH(bad); i++) {
        assert_null(bitfit_aligned_alloc(r.pool, bad[i], 16));
        assert_int_equal(rig_stats(&r).failures, i + 1);
    }
    assert_picture(&r, ".{64}");
    rig_close(&r);
}

static void aligned_alloc_gives_every_alignment(void **state)
{
    (void)state;
    for (size_t alignment = 1; alignment <= 16384; alignment *= 2) {
        rig r;
        rig_open(&r, 2200, NULL);
        rig_alloc(&r, 1);
        size_t expect = alignment <= 16 ? 1 : alignment / 16;
        unsigned char *block = bitfit_aligned_alloc(r.pool, alignment, 100);
        assert_int_equal(rig_index(&r, block), expect);
        assert_int_equal((uintptr_t)block % alignment, 0);
        assert_int_equal(bitfit_usable_size(r.pool, block), 112);
        assert_sound(r.pool);
        rig_close(&r);
    }
}

/* The payload lies at an odd place: multiples are counted from address 0. */
static void aligned_alloc_goes_by_address_not_by_offset(void **state)
{
    (void)state;
    bitfit_options options = unlocked;
    options.bookkeeping = bookkeeping;
    options.bookkeeping_size = sizeof bookkeeping;
    for (size_t skew = 0; skew < 4096; skew += 16) {
        bitfit_pool *pool = bitfit_init(memory + skew, 16384, &options);
        unsigned char *block = bitfit_aligned_alloc(pool, 1024, 16);
        size_t expect = (skew + 1023) / 1024 * 1024;
        assert_ptr_equal(block, memory + expect);
        bitfit_destroy(pool);
    }
}

/* Blocks of 64 bytes that start at 16 mod 64 are never aligned to 32. */
static void aligned_alloc_is_null_where_no_block_can_be_aligned(void **state)
{
    (void)state;
    bitfit_options options = unlocked;
    options.bookkeeping = bookkeeping;
    options.bookkeeping_size = sizeof bookkeeping;
    options.granule = 64;
    bitfit_pool *pool = bitfit_init(memory + 16, 16384, &options);
    assert_ptr_equal(payload_of(pool), memory + 16);
    assert_null(bitfit_aligned_alloc(pool, 32, 1));
    assert_null(bitfit_aligned_alloc(pool, 64, 1));
    assert_null(bitfit_aligned_alloc(pool, 128, 1));
    assert_ptr_equal(bitfit_aligned_alloc(pool, 16, 1), memory + 16);
    assert_sound(pool);
    bitfit_destroy(pool);
}

/* --------------------------------------------------------------- realloc() */

static void fill_counting(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(i * 7 + 1);
    }
}

static void assert_counting(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(bytes[i], (unsigned char)(i * 7 + 1));
    }
}

/* Grown and shrunk, in place and moved up and down. */
static void realloc_keeps_the_content_up_to_the_smaller_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {16, 500, 40, 1000, 990, 2000, 17, 3000};
    for (int moves = 0; moves < 2; moves++) {
        bitfit_options options = unlocked;
        options.resize_moves = moves != 0;
        rig r;
        rig_open(&r, 600, &options);
        unsigned char *block = bitfit_alloc(r.pool, 30);
        for (size_t i = 1; i < LENGTH(sizes); i++) {
            bitfit_alloc(r.pool, 1);
            size_t old = bitfit_usable_size(r.pool, block);
            fill_counting(block, old);
            block = bitfit_realloc(r.pool, block, sizes[i]);
            assert_non_null(block);
            assert_counting(block, old < sizes[i] ? old : sizes[i]);
        }
        assert_sound(r.pool);
        rig_close(&r);
    }
}

static void realloc_of_null_allocates(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 8, NULL);
    assert_ptr_equal(bitfit_realloc(r.pool, NULL, 17), r.payload);
    assert_ptr_equal(bitfit_realloc(r.pool, NULL, 0), r.payload + 32);
    assert_null(bitfit_realloc(r.pool, NULL, 16 * 6));
    bitfit_stats stats = rig_stats(&r);
    assert_int_equal(stats.allocations, 2);
    assert_int_equal(stats.reallocations, 0);
    assert_int_equal(stats.failures, 1);
    rig_close(&r);
}

static void realloc_to_0_shrinks_to_one_granule(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 8, NULL);
    void *block = bitfit_alloc(r.pool, 100);
    assert_ptr_equal(bitfit_realloc(r.pool, block, 0), block);
    assert_int_equal(bitfit_usable_size(r.pool, block), 16);
    assert_sound(r.pool);
    rig_close(&r);
}

static void realloc_null_leaves_the_block_untouched(void **state)
{
    (void)state;
    static const size_t sizes[] = {16 * 7, 16 * 1000, SIZE_MAX, SIZE_MAX - 15};
    rig r;
    rig_open(&r, 8, NULL);
    rig_build(&r, "AAB.....");
    fill_counting(r.payload, 32);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        assert_null(bitfit_realloc(r.pool, r.payload, sizes[i]));
        assert_picture(&r, "AAB.....");
        assert_int_equal(rig_stats(&r).failures, i + 1);
        assert_counting(r.payload, 32);
    }
    assert_sound(r.pool);
    rig_close(&r);
}

static void a_shrink_never_fails(void **state)
{
    (void)state;
    for (int moves = 0; moves < 2; moves++) {
        bitfit_options options = unlocked;
        options.resize_moves = moves != 0;
        rig r;
        rig_open(&r, 200, &options);
        void *block = bitfit_alloc(r.pool, 200 * 16);
        for (size_t count = 200; count-- > 0;) {
            assert_ptr_equal(bitfit_realloc(r.pool, block, count * 16), block);
            size_t kept = moves ? 200 : count == 0 ? 1 : count;
            /* Half the pool is free then, and the block can move into it. */
            assert_int_equal(bitfit_usable_size(r.pool, block), kept * 16);
        }
        assert_sound(r.pool);
        rig_close(&r);
    }
}

/* ------------------------------------------------------------------ free() */

static void free_null_does_nothing(void **state)
{
    (void)state;
    recorder seen;
    bitfit_options options = recording(&seen);
    rig r;
    rig_open(&r, 8, &options);
    rig_build(&r, "AAB.C");
    bitfit_stats before = rig_stats(&r);
    bitfit_free(r.pool, NULL);
    bitfit_free_sized(r.pool, NULL, 17);
    assert_int_equal(bitfit_usable_size(r.pool, NULL), 0);
    bitfit_stats after = rig_stats(&r);
    assert_memory_equal(&before, &after, sizeof before);
    assert_picture(&r, "AAB.C...");
    assert_int_equal(seen.calls, 0);
    rig_close(&r);
}

/* Every byte of the payload and around it, against what lies there. */
static bitfit_misuse_kind verdict_for(const rig *r, const char *picture,
                                      const unsigned char *at)
{
    if (at < r->payload || at >= r->payload + r->count * 16) {
        return BITFIT_FOREIGN;
    }
    size_t offset = (size_t)(at - r->payload);
    if (offset % 16 != 0) {
        return BITFIT_MISALIGNED;
    }
    size_t index = offset / 16;
    if (picture[index] == '.') {
        return BITFIT_DOUBLE_FREE;
    }
    bool starts = index == 0 || picture[index - 1] != picture[index];
    return starts ? (bitfit_misuse_kind)0 : BITFIT_INTERIOR;
}

static void a_block_is_known_by_its_start_alone(void **state)
{
    (void)state;
    recorder seen;
    bitfit_options options = recording(&seen);
    rig r;
    rig_open(&r, 210, &options);
    char *picture = picture_expand("AAB..C{70}.{65}D.{60}EE.F{5}G");
    rig_build(&r, picture);
    for (unsigned char *at = r.memory - 40; at < r.memory + r.size + 40; at++) {
        bitfit_misuse_kind expect = verdict_for(&r, picture, at);
        size_t calls = seen.calls;
        size_t size = bitfit_usable_size(r.pool, at);
        assert_int_equal(size != 0, expect == 0);
        assert_int_equal(seen.calls - calls, expect != 0);
        if (expect != 0) {
            assert_int_equal(seen.last.kind, expect);
            assert_ptr_equal(seen.last.pointer, at);
            bitfit_free(r.pool, at);
            assert_int_equal(seen.last.kind, expect);
        }
    }
    assert_picture(&r, picture);
    assert_sound(r.pool);
    free(picture);
    rig_close(&r);
}

static void sized_free_is_right_iff_the_size_rounds_up(void **state)
{
    (void)state;
    recorder seen;
    bitfit_options options = recording(&seen);
    rig r;
    rig_open(&r, 200, &options);
    for (size_t size = 0; size < 160; size++) {
        for (size_t freed = 0; freed < 200; freed++) {
            void *block = bitfit_alloc(r.pool, size);
            size_t calls = seen.calls;
            bool right = granules_for(&r, size) == granules_for(&r, freed);
            bitfit_free_sized(r.pool, block, freed);
            assert_int_equal(seen.calls - calls, !right);
            assert_int_equal(rig_stats(&r).blocks, right ? 0 : 1);
            bitfit_free(r.pool, right ? NULL : block);
        }
    }
    assert_int_equal(seen.last.kind, BITFIT_WRONG_SIZE);
    assert_int_equal(seen.last.size, 199);
    rig_close(&r);
}

static void sized_free_of_wild_sizes_is_misuse(void **state)
{
    (void)state;
    static const size_t wild[] = {SIZE_MAX, SIZE_MAX - 14, SIZE_MAX - 15,
                                  SIZE_MAX / 2 + 1};
    recorder seen;
    bitfit_options options = recording(&seen);
    rig r;
    rig_open(&r, 64, &options);
    void *block = bitfit_alloc(r.pool, 1);
    for (size_t i = 0; i < LENGTH(wild); i++) {
        bitfit_free_sized(r.pool, block, wild[i]);
        assert_int_equal(seen.calls, i + 1);
        assert_int_equal(seen.last.kind, BITFIT_WRONG_SIZE);
        assert_int_equal(seen.last.size, wild[i]);
    }
    assert_int_equal(rig_stats(&r).blocks, 1);
    rig_close(&r);
}

/* ------------------------------------------------------------------- sizes */

static void usable_size_is_the_size_rounded_up_to_granules(void **state)
{
    (void)state;
    for (size_t granule = 8; granule <= 256; granule *= 2) {
        bitfit_options options = unlocked;
        options.granule = granule;
        rig r;
        rig_open(&r, 300, &options);
        for (size_t size = 1; size < 280 * granule; size += 1 + size / 8) {
            void *block = bitfit_alloc(r.pool, size);
            size_t expect = (size + granule - 1) / granule * granule;
            assert_int_equal(bitfit_usable_size(r.pool, block), expect);
            assert_int_equal(bitfit_good_size(r.pool, size), expect);
            bitfit_free(r.pool, block);
        }
        rig_close(&r);
    }
}

static void usable_size_is_stable_while_neighbours_change(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 500, NULL);
    rig_build(&r, "A{70}B{130}C{70}.{230}");
    void *block = rig_pointer(&r, 70);
    assert_int_equal(bitfit_usable_size(r.pool, block), 130 * 16);
    rig_free(&r, 0);
    assert_int_equal(bitfit_usable_size(r.pool, block), 130 * 16);
    rig_free(&r, 200);
    assert_int_equal(bitfit_usable_size(r.pool, block), 130 * 16);
    rig_alloc(&r, 300);
    assert_int_equal(bitfit_usable_size(r.pool, block), 130 * 16);
    rig_close(&r);
}

static void good_size_is_0_iff_more_than_the_payload(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 100, NULL);
    assert_int_equal(bitfit_good_size(r.pool, 0), 16);
    assert_int_equal(bitfit_good_size(r.pool, 1600), 1600);
    assert_int_equal(bitfit_good_size(r.pool, 1585), 1600);
    assert_int_equal(bitfit_good_size(r.pool, 1601), 0);
    assert_int_equal(bitfit_good_size(r.pool, SIZE_MAX), 0);
    assert_int_equal(bitfit_good_size(r.pool, SIZE_MAX - 15), 0);
    rig_alloc(&r, 100);
    assert_int_equal(bitfit_good_size(r.pool, 1600), 1600);
    rig_close(&r);
}

static void owns_is_inside_the_payload_live_or_not(void **state)
{
    (void)state;
    rig r;
    rig_open_inside(&r, 4096, NULL);
    unsigned char *end = r.payload + r.count * r.granule;
    for (int live = 0; live < 2; live++) {
        assert_true(bitfit_owns(r.pool, r.payload));
        assert_true(bitfit_owns(r.pool, r.payload + 1));
        assert_true(bitfit_owns(r.pool, end - 1));
        assert_false(bitfit_owns(r.pool, r.payload - 1));
        assert_false(bitfit_owns(r.pool, r.memory));
        assert_false(bitfit_owns(r.pool, end));
        assert_false(bitfit_owns(r.pool, NULL));
        assert_false(bitfit_owns(r.pool, &r));
        rig_alloc(&r, r.count);
    }
    rig_close(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_returns_null_iff_no_run_is_long_enough),
        cmocka_unit_test(size_0_gets_a_block_of_one_granule),
        cmocka_unit_test(payload_is_never_written),
        cmocka_unit_test(payload_is_never_read),
        cmocka_unit_test(calloc_zeroes_every_byte),
        cmocka_unit_test(calloc_returns_null_when_the_product_overflows),
        cmocka_unit_test(zeroed_calloc_is_zero_where_blocks_were_written),
        cmocka_unit_test(zeroed_calloc_is_zero_after_reset),
        cmocka_unit_test(zeroed_calloc_is_zero_after_resizing),
        cmocka_unit_test(zeroed_calloc_is_zero_behind_an_aligned_block),
        cmocka_unit_test(zeroed_pools_place_as_others_do),
        cmocka_unit_test(aligned_alloc_refuses_what_is_no_power_of_two),
        cmocka_unit_test(aligned_alloc_gives_every_alignment),
        cmocka_unit_test(aligned_alloc_goes_by_address_not_by_offset),
        cmocka_unit_test(aligned_alloc_is_null_where_no_block_can_be_aligned),
        cmocka_unit_test(realloc_keeps_the_content_up_to_the_smaller_size),
        cmocka_unit_test(realloc_of_null_allocates),
        cmocka_unit_test(realloc_to_0_shrinks_to_one_granule),
        cmocka_unit_test(realloc_null_leaves_the_block_untouched),
        cmocka_unit_test(a_shrink_never_fails),
        cmocka_unit_test(free_null_does_nothing),
        cmocka_unit_test(a_block_is_known_by_its_start_alone),
        cmocka_unit_test(sized_free_is_right_iff_the_size_rounds_up),
        cmocka_unit_test(sized_free_of_wild_sizes_is_misuse),
        cmocka_unit_test(usable_size_is_the_size_rounded_up_to_granules),
        cmocka_unit_test(usable_size_is_stable_while_neighbours_change),
        cmocka_unit_test(good_size_is_0_iff_more_than_the_payload),
        cmocka_unit_test(owns_is_inside_the_payload_live_or_not),
    };
    return cmocka_run_group_tests_name("contract/use", tests, NULL, NULL);
}
