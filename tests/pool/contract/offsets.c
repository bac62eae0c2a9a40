/*
 * Pools without memory. One test for each promise of bitfit_offsets.h, bearing
 * its name; tests/pool/offsets.c has the model.
 */
#include "bitfit_offsets.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define KIB ((uint64_t)1024)
#define SIZE (100 * KIB)

static _Alignas(max_align_t) unsigned char books[4096];
static recorder seen;

static bitfit_options options_for_books(void)
{
    seen = (recorder){0};
    bitfit_options options = recording(&seen);
    options.granule = KIB;
    options.bookkeeping = books;
    options.bookkeeping_size = sizeof books;
    return options;
}

/* 100 granules of 1 KiB. */
static bitfit_pool *open_pool(void)
{
    bitfit_options options = options_for_books();
    bitfit_pool *pool = bitfit_init_offsets(SIZE, &options);
    assert_non_null(pool);
    return pool;
}

/* ---------------------------------------------------------------- creating */

static void assert_refused(bitfit_status expect, uint64_t size,
                           const bitfit_options *options)
{
    memset(books, RIG_GARBAGE, sizeof books);
    assert_int_equal(bitfit_init_offsets_status(size, options), expect);
    assert_null(bitfit_init_offsets(size, options));
    assert_true(all_are(books, sizeof books, RIG_GARBAGE));
}

static void init_refuses_what_the_status_names(void **state)
{
    (void)state;
    bitfit_options options = options_for_books();
    assert_refused(BITFIT_TOO_SMALL, 0, &options);
    assert_refused(BITFIT_TOO_SMALL, KIB - 1, &options);
    assert_refused(BITFIT_BAD_BOOKKEEPING, UINT64_C(1) << 36, &options);
    assert_refused(BITFIT_BAD_BOOKKEEPING, SIZE, NULL);
    options.bookkeeping_size = bitfit_offsets_bookkeeping_size(SIZE, &options);
    assert_int_equal(bitfit_init_offsets_status(SIZE, &options), BITFIT_OK);
    options.bookkeeping_size--;
    assert_refused(BITFIT_BAD_BOOKKEEPING, SIZE, &options);
    options = options_for_books();
    options.bookkeeping = books + 1;
    assert_refused(BITFIT_BAD_BOOKKEEPING, SIZE, &options);
    options = options_for_books();
    options.granule = 24;
    assert_refused(BITFIT_BAD_GRANULE, SIZE, &options);
    options.granule = 0;
    options.lock_kind = BITFIT_LOCK_CALLER;
    assert_refused(BITFIT_BAD_LOCK, SIZE, &options);
    options = options_for_books();
    options.guard = true;
    assert_refused(BITFIT_BAD_OPTIONS, SIZE, &options);
}

static void more_granules_than_can_be_counted_are_refused(void **state)
{
    (void)state;
    bitfit_options options = options_for_books();
    options.granule = 8;
    bool counted = SIZE_MAX > UINT32_MAX;
    assert_refused(counted ? BITFIT_BAD_BOOKKEEPING : BITFIT_TOO_LARGE,
                   UINT64_MAX, &options);
    assert_int_equal(bitfit_offsets_bookkeeping_size(UINT64_MAX, &options) != 0,
                     counted);
    assert_string_equal(bitfit_status_text(BITFIT_TOO_LARGE),
                        "more granules than this machine can count");
}

static void bookkeeping_size_is_that_of_a_pool_with_memory(void **state)
{
    (void)state;
    bitfit_options options = {.granule = KIB};
    assert_int_equal(bitfit_offsets_bookkeeping_size(SIZE, &options),
                     bitfit_bookkeeping_size(SIZE, &options));
    assert_int_equal(bitfit_offsets_bookkeeping_size(SIZE + KIB - 1, &options),
                     bitfit_bookkeeping_size(SIZE, &options));
    assert_int_equal(bitfit_offsets_bookkeeping_size(KIB - 1, &options), 0);
    options.granule = 7;
    assert_int_equal(bitfit_offsets_bookkeeping_size(SIZE, &options), 0);
}

/* ------------------------------------------------------------------- using */

static void a_request_gets_the_lowest_offset_that_fits(void **state)
{
    (void)state;
    bitfit_pool *pool = open_pool();
    assert_int_equal(bitfit_alloc_offset(pool, 0), 0);
    assert_int_equal(bitfit_alloc_offset(pool, 1), KIB);
    assert_int_equal(bitfit_alloc_offset(pool, 2 * KIB), 2 * KIB);
    bitfit_free_offset(pool, KIB);
    assert_int_equal(bitfit_alloc_offset(pool, KIB + 1), 4 * KIB);
    assert_int_equal(bitfit_alloc_offset(pool, KIB), KIB);
    assert_int_equal(bitfit_alloc_offset(pool, SIZE), BITFIT_NO_OFFSET);
    assert_int_equal(bitfit_alloc_offset(pool, UINT64_MAX), BITFIT_NO_OFFSET);
    assert_int_equal(bitfit_alloc_offset(pool, 94 * KIB), 6 * KIB);
    assert_int_equal(bitfit_destroy(pool), 5);
}

static void an_alignment_is_that_of_the_offset(void **state)
{
    (void)state;
    bitfit_pool *pool = open_pool();
    assert_int_equal(bitfit_aligned_alloc_offset(pool, 1, 1), 0);
    assert_int_equal(bitfit_aligned_alloc_offset(pool, 4 * KIB, 1), 4 * KIB);
    assert_int_equal(bitfit_aligned_alloc_offset(pool, KIB, 1), KIB);
    assert_int_equal(bitfit_aligned_alloc_offset(pool, 0, 1), BITFIT_NO_OFFSET);
    assert_int_equal(bitfit_aligned_alloc_offset(pool, 3 * KIB, 1),
                     BITFIT_NO_OFFSET);
    uint64_t huge = UINT64_C(1) << 63; /* only 0 is a multiple of it */
    assert_int_equal(bitfit_aligned_alloc_offset(pool, huge, 1),
                     BITFIT_NO_OFFSET);
    bitfit_free_offset(pool, 0);
    assert_int_equal(bitfit_aligned_alloc_offset(pool, huge, 1), 0);
}

static void a_reserved_place_is_all_that_it_touches(void **state)
{
    (void)state;
    bitfit_pool *pool = open_pool();
    assert_true(bitfit_alloc_at_offset(pool, 2 * KIB + 1, KIB));
    assert_int_equal(bitfit_offset_size(pool, 2 * KIB), 2 * KIB);
    assert_true(bitfit_alloc_at_offset(pool, SIZE - 1, 0));
    assert_false(bitfit_alloc_at_offset(pool, SIZE - KIB, 1));
    assert_false(bitfit_alloc_at_offset(pool, 4 * KIB, UINT64_MAX));
    assert_false(bitfit_alloc_at_offset(pool, 4 * KIB + 1, UINT64_MAX));
    assert_false(bitfit_alloc_at_offset(pool, SIZE, 1));
    assert_false(bitfit_alloc_at_offset(pool, UINT64_MAX, 1));
    assert_false(bitfit_alloc_at_offset(pool, 0, 2 * KIB + 1));
    assert_true(bitfit_alloc_at_offset(pool, 0, 2 * KIB));
    assert_true(bitfit_alloc_at_offset(pool, 4 * KIB, 95 * KIB));
    assert_int_equal(bitfit_largest_free(pool), 0);
    assert_sound(pool);
}

static void a_block_is_resized_where_it_is_or_not_at_all(void **state)
{
    (void)state;
    bitfit_pool *pool = open_pool();
    uint64_t a = bitfit_alloc_offset(pool, 4 * KIB);
    uint64_t b = bitfit_alloc_offset(pool, KIB);
    assert_false(bitfit_resize_offset(pool, a, 4 * KIB + 1));
    assert_int_equal(bitfit_offset_size(pool, a), 4 * KIB);
    assert_true(bitfit_resize_offset(pool, a, 0));
    assert_int_equal(bitfit_offset_size(pool, a), KIB);
    assert_true(bitfit_resize_offset(pool, a, 4 * KIB));
    assert_true(bitfit_resize_offset(pool, b, 96 * KIB));
    assert_false(bitfit_resize_offset(pool, b, 96 * KIB + 1));
    assert_false(bitfit_resize_offset(pool, b, UINT64_MAX));
    assert_sound(pool);
}

/* ------------------------------------------------------------------ misuse */

static void assert_named(bitfit_misuse_kind kind, const char *call,
                         uint64_t offset)
{
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.last.kind, kind);
    assert_string_equal(seen.last.call, call);
    assert_int_equal(seen.last.offset, offset);
    assert_null(seen.last.pointer);
    seen = (recorder){0};
}

static void a_bad_offset_is_named_before_anything_changes(void **state)
{
    static const struct {
        bitfit_misuse_kind kind;
        uint64_t offset;
    } bad[] = {{BITFIT_INTERIOR, KIB},          {BITFIT_MISALIGNED, 1},
               {BITFIT_DOUBLE_FREE, 3 * KIB},   {BITFIT_DOUBLE_FREE, 2 * KIB},
               {BITFIT_FOREIGN, SIZE},          {BITFIT_FOREIGN, SIZE + 1},
               {BITFIT_FOREIGN, UINT64_MAX - 1}};
    (void)state;
    bitfit_pool *pool = open_pool();
    assert_int_equal(bitfit_alloc_offset(pool, 2 * KIB), 0);
    uint64_t freed = bitfit_alloc_offset(pool, 2 * KIB);
    bitfit_free_offset(pool, freed);
    for (size_t i = 0; i < LENGTH(bad); i++) {
        bitfit_free_offset(pool, bad[i].offset);
        assert_named(bad[i].kind, "bitfit_free_offset", bad[i].offset);
        assert_int_equal(bitfit_offset_size(pool, bad[i].offset), 0);
        assert_named(bad[i].kind, "bitfit_offset_size", bad[i].offset);
        assert_false(bitfit_resize_offset(pool, bad[i].offset, 1));
        assert_named(bad[i].kind, "bitfit_resize_offset", bad[i].offset);
    }
    assert_int_equal(bitfit_destroy(pool), 1);
}

static void no_offset_is_as_null(void **state)
{
    (void)state;
    bitfit_pool *pool = open_pool();
    bitfit_free_offset(pool, BITFIT_NO_OFFSET);
    assert_int_equal(bitfit_offset_size(pool, BITFIT_NO_OFFSET), 0);
    assert_int_equal(seen.calls, 0);
}

static bool go_on(const bitfit_run *run, void *context)
{
    (void)run;
    (void)context;
    return true;
}

/* Makes call number `call` of those that speak of pointers; its name. */
static const char *call_on_pointers(bitfit_pool *pool, unsigned call)
{
    char *block = (char *)books;
    bitfit_stats stats;
    switch (call) {
    case 0:
        assert_null(bitfit_alloc(pool, 1));
        return "bitfit_alloc";
    case 1:
        assert_null(bitfit_calloc(pool, 1, 1));
        return "bitfit_calloc";
    case 2:
        assert_null(bitfit_aligned_alloc(pool, 16, 1));
        return "bitfit_aligned_alloc";
    case 3:
        assert_null(bitfit_realloc(pool, block, 1));
        return "bitfit_realloc";
    case 4:
        bitfit_free(pool, block);
        return "bitfit_free";
    case 5:
        bitfit_free_sized(pool, block, 1);
        return "bitfit_free_sized";
    case 6:
        assert_int_equal(bitfit_usable_size(pool, block), 0);
        return "bitfit_usable_size";
    case 7:
        bitfit_get_stats(pool, &stats);
        assert_int_equal(stats.capacity, 0);
        return "bitfit_get_stats";
    default:
        assert_false(bitfit_walk(pool, go_on, NULL));
        return "bitfit_walk";
    }
}

static void pointers_are_misuse_in_a_pool_without_memory(void **state)
{
    static const bitfit_lock_kind kinds[] = {BITFIT_LOCK_NONE,
                                             BITFIT_LOCK_DEFAULT};
    (void)state;
    for (unsigned i = 0; i < 2 * 9; i++) {
        bitfit_options options = options_for_books();
        options.lock_kind = kinds[i % 2];
        bitfit_pool *pool = bitfit_init_offsets(SIZE, &options);
        const char *name = call_on_pointers(pool, i / 2);
        assert_named(BITFIT_WRONG_POOL, name, 0);
        assert_int_equal(bitfit_destroy(pool), 0);
    }
    assert_string_equal(bitfit_misuse_name(BITFIT_WRONG_POOL),
                        "wrong kind of pool");
}

/* Whatever lock it has. */
static void offsets_are_misuse_in_a_pool_with_guards(void **state)
{
    static const bitfit_lock_kind kinds[] = {BITFIT_LOCK_NONE,
                                             BITFIT_LOCK_DEFAULT};
    static _Alignas(max_align_t) unsigned char memory[4096];
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        seen = (recorder){0};
        bitfit_options options = recording(&seen);
        options.lock_kind = kinds[i];
        options.guard = true;
        bitfit_pool *pool = bitfit_init(memory, sizeof memory, &options);
        assert_true(bitfit_alloc_offset(pool, 1) == BITFIT_NO_OFFSET);
        assert_int_equal(seen.calls, 1);
        assert_int_equal(seen.last.kind, BITFIT_WRONG_POOL);
        assert_int_equal(bitfit_destroy(pool), 0);
    }
}

static bool go_on_beyond(const bitfit_range *range, void *context)
{
    (void)range;
    (void)context;
    fail();
    return true;
}

/* Each call on offsets, from a visitor. */
static bool intrude(const bitfit_range *range, void *context)
{
    bitfit_pool *pool = context;
    bitfit_offset_stats stats = {.struct_size = 0};
    bitfit_move move;
    assert_int_equal(bitfit_aligned_alloc_offset(pool, KIB, 1),
                     BITFIT_NO_OFFSET);
    assert_false(bitfit_alloc_at_offset(pool, KIB, 1));
    assert_false(bitfit_resize_offset(pool, 0, 1));
    bitfit_free_offset(pool, 0);
    assert_int_equal(bitfit_offset_size(pool, 0), 0);
    assert_false(bitfit_next_move(pool, SIZE, &move));
    assert_false(bitfit_get_offset_stats(pool, &stats));
    assert_int_equal(bitfit_largest_free(pool), 0);
    assert_false(bitfit_walk_offsets(pool, go_on_beyond, NULL));
    assert_int_equal(seen.calls, 9);
    assert_int_equal(bitfit_alloc_offset(pool, 1), BITFIT_NO_OFFSET);
    return range->live;
}

static void reentry_is_caught(void **state)
{
    (void)state;
    bitfit_pool *pool = open_pool();
    assert_false(bitfit_walk_offsets(pool, intrude, pool));
    assert_int_equal(seen.last.kind, BITFIT_REENTRY);
    assert_string_equal(seen.last.call, "bitfit_alloc_offset");
    assert_int_equal(bitfit_largest_free(pool), SIZE);
}

/* ------------------------------------------------------------------ seeing */

static void what_speaks_of_neither_serves(void **state)
{
    (void)state;
    char picture[12];
    bitfit_pool *pool = open_pool();
    const void *start;
    size_t size;
    bitfit_alloc_at_offset(pool, 2 * KIB, 3 * KIB);
    assert_int_equal(bitfit_draw(pool, picture, sizeof picture), 100);
    assert_string_equal(picture, "..AAA......");
    assert_false(bitfit_owns(pool, NULL));
    assert_false(bitfit_owns(pool, (void *)(uintptr_t)(3 * KIB)));
    bitfit_bookkeeping(pool, &start, &size);
    assert_ptr_equal(start, books);
    assert_int_equal(bitfit_copy_check(books, size), BITFIT_COPY_WHOLE);
    bitfit_stats stats;
    assert_true(bitfit_copy_get_stats(books, size, &stats));
    assert_int_equal(stats.live, 3 * KIB);
    bitfit_reset(pool);
    bitfit_lock(pool);
    bitfit_unlock(pool);
    assert_int_equal(bitfit_largest_free(pool), SIZE);
    assert_sound(pool);
    assert_int_equal(seen.calls, 0);
}

static void expect_stats_of_other_sizes(bitfit_pool *pool)
{
    bitfit_offset_stats old = {.struct_size = 0};
    assert_true(bitfit_get_offset_stats(pool, &old));
    assert_int_equal(old.live, 2 * KIB);
    const size_t some = offsetof(bitfit_offset_stats, capacity);
    old = (bitfit_offset_stats){.struct_size = some, .capacity = 7};
    assert_false(bitfit_get_offset_stats(pool, &old));
    assert_int_equal(old.capacity, 7); /* beyond those bytes */
    assert_int_equal(old.granule, 0);
    old.struct_size = 1; /* not even itself */
    assert_false(bitfit_get_offset_stats(pool, &old));
    old = (bitfit_offset_stats){.struct_size = SIZE_MAX, .capacity = 7};
    assert_false(bitfit_get_offset_stats(pool, &old)); /* nor written to */
    assert_int_equal(old.capacity, 7);
}

static void stats_have_64_bits_and_say_their_size(void **state)
{
    (void)state;
    bitfit_pool *pool = open_pool();
    bitfit_alloc_offset(pool, 3 * KIB);
    bitfit_resize_offset(pool, 0, 2 * KIB);
    bitfit_alloc_offset(pool, SIZE);
    bitfit_alloc_offset(pool, 1);
    bitfit_free_offset(pool, 2 * KIB);
    struct {
        bitfit_offset_stats stats;
        uint64_t later;
    } newer = {.stats = {.struct_size = sizeof newer}, .later = 7};
    const bitfit_offset_stats expect = {
        .struct_size = sizeof newer,
        .granule = KIB,
        .capacity = SIZE,
        .bookkeeping = bitfit_offsets_bookkeeping_size(
            SIZE, &(bitfit_options){.granule = KIB,
                                    .lock_kind = BITFIT_LOCK_NONE,
                                    .on_misuse = record_misuse}),
        .live = 2 * KIB,
        .free = 98 * KIB,
        .blocks = 1,
        .largest_free = 98 * KIB,
        .high_water = 3 * KIB,
        .peak_live = 3 * KIB,
        .largest_block = 3 * KIB,
        .allocations = 2,
        .frees = 1,
        .reallocations = 1,
        .failures = 1};
    assert_true(bitfit_get_offset_stats(pool, &newer.stats));
    assert_int_equal(newer.stats.struct_size, sizeof newer);
    size_t behind = offsetof(bitfit_offset_stats, granule); /* and a gap */
    assert_memory_equal(&newer.stats.granule, &expect.granule,
                        sizeof expect - behind);
    assert_int_equal(newer.later, 0);
    expect_stats_of_other_sizes(pool);
}

/* 64 GiB of offsets: on a 32-bit machine more than a pointer or a size says. */
static void a_copy_of_a_large_pool_is_whole(void **state)
{
    (void)state;
    const uint64_t size = UINT64_C(1) << 36;
    bitfit_options options = {.granule = 64 * KIB};
    size_t bookkeeping = bitfit_offsets_bookkeeping_size(size, &options);
    options.bookkeeping = memory_for_pool(bookkeeping);
    options.bookkeeping_size = bookkeeping;
    bitfit_pool *pool = bitfit_init_offsets(size, &options);
    assert_non_null(pool);
    assert_int_equal(bitfit_alloc_offset(pool, size / 2), 0);
    assert_int_equal(bitfit_alloc_offset(pool, 1), size / 2);
    assert_int_equal(bitfit_good_size(pool, 100), 64 * KIB);
    assert_int_equal(bitfit_copy_check(pool, bookkeeping), BITFIT_COPY_WHOLE);
    assert_sound(pool);
    free(options.bookkeeping);
}

static bool add_up(const bitfit_range *range, void *context)
{
    uint64_t *end = context;
    assert_int_equal(range->offset, *end);
    *end += range->size;
    return true;
}

static void a_pool_with_memory_has_offsets_too(void **state)
{
    (void)state;
    rig r;
    uint64_t end = 0;
    rig_open(&r, 50, NULL);
    char *block = bitfit_alloc(r.pool, 20);
    uint64_t at = bitfit_alloc_offset(r.pool, 20);
    assert_ptr_equal(block + at, r.payload + 32);
    assert_true(bitfit_alloc_at_offset(r.pool, 160, 16));
    bitfit_free(r.pool, r.payload + 160);
    bitfit_free_offset(r.pool, 0);
    assert_true(bitfit_walk_offsets(r.pool, add_up, &end));
    assert_int_equal(end, 800);
    char picture[7];
    bitfit_draw(r.pool, picture, sizeof picture);
    assert_string_equal(picture, "..AA..");
    rig_close(&r);
}

static void next_move_changes_nothing_and_ends(void **state)
{
    (void)state;
    bitfit_pool *pool = open_pool();
    bitfit_move move = {7, 7, 7};
    char picture[101];
    assert_false(bitfit_next_move(pool, BITFIT_NO_OFFSET, &move));
    assert_true(bitfit_alloc_at_offset(pool, 2 * KIB, 3 * KIB));
    assert_false(bitfit_next_move(pool, BITFIT_NO_OFFSET, &move)); /* overlap */
    assert_true(bitfit_alloc_at_offset(pool, 7 * KIB, 2 * KIB));
    assert_false(bitfit_next_move(pool, 7 * KIB, &move));
    assert_false(bitfit_next_move(pool, 0, &move));
    assert_int_equal(move.from, 7);
    assert_true(bitfit_next_move(pool, 7 * KIB + 1, &move));
    assert_int_equal(move.from, 7 * KIB);
    assert_int_equal(move.to, 0);
    assert_int_equal(move.size, 2 * KIB);
    bitfit_draw(pool, picture, 12);
    assert_string_equal(picture, "..AAA..BB..");
}

/* ---------------------------------------------------------------- printing */

typedef struct printed {
    char text[1024];
    size_t length;
} printed;

static void collect(const char *text, size_t length, void *context)
{
    printed *all = context;
    assert_true(length < sizeof all->text - all->length);
    memcpy(all->text + all->length, text, length);
    all->length += length;
}

static void print_offsets_writes_json(void **state)
{
    (void)state;
    printed all = {.length = 0};
    bitfit_options options = options_for_books();
    options.granule = (size_t)1 << 30;
    bitfit_pool *pool = bitfit_init_offsets(UINT64_C(100) << 30, &options);
    bitfit_alloc_at_offset(pool, UINT64_C(40) << 30, UINT64_C(50) << 30);
    bitfit_print_offsets(pool, collect, &all);
    assert_string_equal(
        all.text,
        "{\"Stats\":{\"BlockCount\":1,\"BlockBytes\":107374182400,"
        "\"AllocationCount\":1,\"AllocationBytes\":53687091200,"
        "\"UnusedRangeCount\":2},\n"
        "\"Details\":{\"TotalBytes\":107374182400,"
        "\"UnusedBytes\":53687091200,\"Allocations\":1,\"UnusedRanges\":2,"
        "\"Suballocations\":[\n"
        "{\"Offset\":0,\"Type\":\"FREE\",\"Size\":42949672960},\n"
        "{\"Offset\":42949672960,\"Size\":53687091200},\n"
        "{\"Offset\":96636764160,\"Type\":\"FREE\",\"Size\":10737418240}"
        "]}}\n");
}

static void print_inside(const char *text, size_t length, void *context)
{
    (void)text;
    (void)length;
    if (seen.calls == 0) {
        bitfit_print_offsets(context, print_inside, context);
    }
}

static void print_offsets_does_not_enter_twice(void **state)
{
    (void)state;
    bitfit_pool *pool = open_pool();
    bitfit_print_offsets(pool, print_inside, pool);
    assert_named(BITFIT_REENTRY, "bitfit_print_offsets", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_refuses_what_the_status_names),
        cmocka_unit_test(more_granules_than_can_be_counted_are_refused),
        cmocka_unit_test(bookkeeping_size_is_that_of_a_pool_with_memory),
        cmocka_unit_test(a_request_gets_the_lowest_offset_that_fits),
        cmocka_unit_test(an_alignment_is_that_of_the_offset),
        cmocka_unit_test(a_reserved_place_is_all_that_it_touches),
        cmocka_unit_test(a_block_is_resized_where_it_is_or_not_at_all),
        cmocka_unit_test(a_bad_offset_is_named_before_anything_changes),
        cmocka_unit_test(no_offset_is_as_null),
        cmocka_unit_test(pointers_are_misuse_in_a_pool_without_memory),
        cmocka_unit_test(offsets_are_misuse_in_a_pool_with_guards),
        cmocka_unit_test(reentry_is_caught),
        cmocka_unit_test(what_speaks_of_neither_serves),
        cmocka_unit_test(stats_have_64_bits_and_say_their_size),
        cmocka_unit_test(a_copy_of_a_large_pool_is_whole),
        cmocka_unit_test(a_pool_with_memory_has_offsets_too),
        cmocka_unit_test(next_move_changes_nothing_and_ends),
        cmocka_unit_test(print_offsets_writes_json),
        cmocka_unit_test(print_offsets_does_not_enter_twice),
    };
    return cmocka_run_group_tests_name("offsets", tests, NULL, NULL);
}
