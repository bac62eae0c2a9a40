/*
 * Creating and ending a pool. One test for each promise of bitfit.h, bearing
 * its name.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#define MAX_ALIGN _Alignof(max_align_t)

/* Memory for the tests that call bitfit_init() by hand. */
static _Alignas(65536) unsigned char memory[65536];
static _Alignas(max_align_t) unsigned char bookkeeping[8192];

static const bitfit_options unlocked = {.lock_kind = BITFIT_LOCK_NONE};

/* ----------------------------------------------------------------- version */

static void version_is_the_headers(void **state)
{
    (void)state;
    char expect[32];
    snprintf(expect, sizeof expect, "%d.%d.%d", BITFIT_VERSION_MAJOR,
             BITFIT_VERSION_MINOR, BITFIT_VERSION_PATCH);
    assert_string_equal(BITFIT_VERSION, expect);
    assert_string_equal(bitfit_version(), BITFIT_VERSION);
}

static void texts_are_never_null_and_differ(void **state)
{
    (void)state;
    static const char *const misuses[] = {
        "double free",     "interior pointer", "misaligned pointer",
        "foreign pointer", "wrong size",       "re-entry"};
    for (int kind = -1; kind < 9; kind++) {
        assert_non_null(bitfit_misuse_name((bitfit_misuse_kind)kind));
    }
    for (size_t i = 0; i < LENGTH(misuses); i++) {
        bitfit_misuse_kind kind = (bitfit_misuse_kind)(BITFIT_DOUBLE_FREE + i);
        assert_string_equal(bitfit_misuse_name(kind), misuses[i]);
    }
    for (int status = -1; status < 10; status++) {
        assert_non_null(bitfit_status_text((bitfit_status)status));
    }
    for (int a = BITFIT_OK; a <= BITFIT_TOO_SMALL; a++) {
        for (int b = BITFIT_OK; b < a; b++) {
            assert_string_not_equal(bitfit_status_text((bitfit_status)a),
                                    bitfit_status_text((bitfit_status)b));
        }
    }
}

/* -------------------------------------------------------------------- init */

static void init_without_options_takes_the_defaults(void **state)
{
    (void)state;
    bitfit_options zeros = {0};
    bitfit_options spelled = {.struct_size = sizeof spelled,
                              .granule = 16,
                              .payload_alignment = 16,
                              .lock_kind = BITFIT_LOCK_MUTEX};
    const bitfit_options *all[] = {NULL, &zeros, &spelled};
    bitfit_stats stats[LENGTH(all)];
    for (size_t i = 0; i < LENGTH(all); i++) {
        bitfit_pool *pool = bitfit_init(memory, 4096, all[i]);
        assert_non_null(pool);
        bitfit_get_stats(pool, &stats[i]);
        bitfit_destroy(pool);
        assert_memory_equal(&stats[i], &stats[0], sizeof stats[0]);
    }
    assert_int_equal(stats[0].granule, 16);
    assert_true(stats[0].capacity + stats[0].bookkeeping <= 4096);
}

static void init_takes_memory_of_any_content(void **state)
{
    (void)state;
    static const unsigned char contents[] = {0x00, 0xFF, 0xA5, 0x01, 0x80};
    for (size_t i = 0; i < LENGTH(contents); i++) {
        memset(memory, contents[i], sizeof memory);
        bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
        assert_non_null(pool);
        assert_sound(pool);
        assert_ptr_equal(bitfit_alloc(pool, 100), payload_of(pool));
        assert_sound(pool);
        bitfit_destroy(pool);
    }
}

static void init_needs_no_other_memory_than_its_own(void **state)
{
    (void)state;
    memset(memory, 0x3C, sizeof memory);
    bitfit_pool *pool = bitfit_init(memory + 4096, 4096, NULL);
    bitfit_alloc(pool, 1000);
    bitfit_destroy(pool);
    assert_true(all_are(memory, 4096, 0x3C));
    assert_true(all_are(memory + 8192, sizeof memory - 8192, 0x3C));
}

typedef struct refusal {
    const char *name;
    void *memory;
    size_t size;
    bitfit_options options;
    bitfit_status status;
} refusal;

static const refusal refusals[] = {
    {"no memory", NULL, 4096, {0}, BITFIT_BAD_MEMORY},
    {"misaligned by 1", memory + 1, 4096, {0}, BITFIT_BAD_MEMORY},
    {"misaligned by 8", memory + MAX_ALIGN / 2, 4096, {0}, BITFIT_BAD_MEMORY},
    {"wraps", memory, SIZE_MAX, {0}, BITFIT_BAD_MEMORY},
    {"struct_size 1", memory, 4096, {.struct_size = 1}, BITFIT_BAD_OPTIONS},
    {"struct_size less",
     memory,
     4096,
     {.struct_size = sizeof(bitfit_options) - 1},
     BITFIT_BAD_OPTIONS},
    {"struct_size more",
     memory,
     4096,
     {.struct_size = sizeof(bitfit_options) + 8},
     BITFIT_BAD_OPTIONS},
    {"struct_size wild",
     memory,
     4096,
     {.struct_size = SIZE_MAX},
     BITFIT_BAD_OPTIONS},
    {"lock kind 4",
     memory,
     4096,
     {.lock_kind = (bitfit_lock_kind)4},
     BITFIT_BAD_OPTIONS},
    {"lock kind -1",
     memory,
     4096,
     {.lock_kind = (bitfit_lock_kind)-1},
     BITFIT_BAD_OPTIONS},
    {"granule 1", memory, 4096, {.granule = 1}, BITFIT_BAD_GRANULE},
    {"granule 4", memory, 4096, {.granule = 4}, BITFIT_BAD_GRANULE},
    {"granule 24", memory, 4096, {.granule = 24}, BITFIT_BAD_GRANULE},
    {"granule 2^31",
     memory,
     4096,
     {.granule = (size_t)1 << 31},
     BITFIT_BAD_GRANULE},
    {"granule wild", memory, 4096, {.granule = SIZE_MAX}, BITFIT_BAD_GRANULE},
    {"alignment 3",
     memory,
     4096,
     {.payload_alignment = 3},
     BITFIT_BAD_ALIGNMENT},
    {"alignment 48",
     memory,
     4096,
     {.payload_alignment = 48},
     BITFIT_BAD_ALIGNMENT},
    {"alignment wild",
     memory,
     4096,
     {.payload_alignment = SIZE_MAX},
     BITFIT_BAD_ALIGNMENT},
    {"alignment out of reach",
     memory + MAX_ALIGN,
     4096,
     {.payload_alignment = SIZE_MAX / 2 + 1},
     BITFIT_TOO_SMALL},
    {"bookkeeping misaligned",
     memory,
     4096,
     {.bookkeeping = bookkeeping + 1, .bookkeeping_size = 4096},
     BITFIT_BAD_BOOKKEEPING},
    {"bookkeeping of no bytes",
     memory,
     4096,
     {.bookkeeping = bookkeeping},
     BITFIT_BAD_BOOKKEEPING},
    {"bookkeeping inside the memory",
     memory,
     32768,
     {.bookkeeping = memory + 4096, .bookkeeping_size = 8192},
     BITFIT_BAD_BOOKKEEPING},
    {"bookkeeping overlaps the front",
     memory + 4096,
     4096,
     {.bookkeeping = memory, .bookkeeping_size = 4096 + MAX_ALIGN},
     BITFIT_BAD_BOOKKEEPING},
    {"bookkeeping overlaps the end",
     memory,
     4096,
     {.bookkeeping = memory + 4096 - MAX_ALIGN, .bookkeeping_size = 4096},
     BITFIT_BAD_BOOKKEEPING},
    {"bookkeeping wraps",
     memory,
     4096,
     {.bookkeeping = bookkeeping, .bookkeeping_size = SIZE_MAX},
     BITFIT_BAD_BOOKKEEPING},
    {"no functions",
     memory,
     4096,
     {.lock_kind = BITFIT_LOCK_CALLER},
     BITFIT_BAD_LOCK},
    {"no bytes", memory, 0, {0}, BITFIT_TOO_SMALL},
    {"one granule", memory, 16, {0}, BITFIT_TOO_SMALL},
    {"less than a granule",
     memory,
     4095,
     {.granule = 4096,
      .bookkeeping = bookkeeping,
      .bookkeeping_size = sizeof bookkeeping},
     BITFIT_TOO_SMALL},
};

static void init_refuses_and_touches_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(refusals); i++) {
        const refusal *r = &refusals[i];
        memset(memory, 0x3C, sizeof memory);
        memset(bookkeeping, 0x3C, sizeof bookkeeping);
        bitfit_status status =
            bitfit_init_status(r->memory, r->size, &r->options);
        if (status != r->status) {
            print_error("%s: %s\n", r->name, bitfit_status_text(status));
        }
        assert_int_equal(status, r->status);
        assert_null(bitfit_init(r->memory, r->size, &r->options));
        assert_true(all_are(memory, sizeof memory, 0x3C));
        assert_true(all_are(bookkeeping, sizeof bookkeeping, 0x3C));
    }
}

static void nothing_lock(void *context)
{
    (void)context;
}

static void init_refuses_a_lock_without_both_functions(void **state)
{
    (void)state;
    bitfit_options options = {.lock_kind = BITFIT_LOCK_CALLER};
    options.lock = nothing_lock;
    assert_int_equal(bitfit_init_status(memory, 4096, &options),
                     BITFIT_BAD_LOCK);
    options.lock = NULL;
    options.unlock = nothing_lock;
    assert_int_equal(bitfit_init_status(memory, 4096, &options),
                     BITFIT_BAD_LOCK);
    options.lock = nothing_lock;
    assert_int_equal(bitfit_init_status(memory, 4096, &options), BITFIT_OK);
}

static void init_takes_struct_size_0_and_its_own(void **state)
{
    (void)state;
    bitfit_options options = {0};
    assert_int_equal(bitfit_init_status(memory, 4096, &options), BITFIT_OK);
    options.struct_size = sizeof options;
    assert_int_equal(bitfit_init_status(memory, 4096, &options), BITFIT_OK);
}

/* The options of a later version, for a library that does not know them all. */
static void init_takes_later_fields_only_while_they_are_zero(void **state)
{
    (void)state;
    struct {
        bitfit_options known;
        unsigned char later[16];
    } options = {.known = {.struct_size = sizeof options, .granule = 32}};
    bitfit_pool *pool = bitfit_init(memory, 4096, &options.known);
    assert_non_null(pool);
    assert_int_equal(bitfit_good_size(pool, 1), 32);
    bitfit_destroy(pool);
    for (size_t i = 0; i < sizeof options.later; i++) {
        options.later[i] = 1;
        assert_int_equal(bitfit_init_status(memory, 4096, &options.known),
                         BITFIT_BAD_OPTIONS);
        options.later[i] = 0;
        assert_int_equal(bitfit_init_status(memory, 4096, &options.known),
                         BITFIT_OK);
    }
}

static void status_is_pure(void **state)
{
    (void)state;
    bitfit_options options = {.bookkeeping = bookkeeping,
                              .bookkeeping_size = sizeof bookkeeping};
    memset(memory, 0x3C, sizeof memory);
    memset(bookkeeping, 0x3C, sizeof bookkeeping);
    assert_int_equal(bitfit_init_status(memory, 4096, NULL), BITFIT_OK);
    assert_int_equal(bitfit_init_status(memory, 4096, &options), BITFIT_OK);
    assert_true(all_are(memory, sizeof memory, 0x3C));
    assert_true(all_are(bookkeeping, sizeof bookkeeping, 0x3C));
}

/* One pool of each size from nothing up, until and beyond the first that fits.
 * Once init says yes, it says yes to every larger size. */
static void sweep_sizes(const bitfit_options *options)
{
    size_t granule = options->granule != 0 ? options->granule : 16;
    size_t capacity_before = 0;
    for (size_t size = 0; size < 3000; size++) {
        bitfit_status status = bitfit_init_status(memory, size, options);
        bitfit_pool *pool = bitfit_init(memory, size, options);
        assert_int_equal(pool != NULL, status == BITFIT_OK);
        if (pool == NULL) {
            assert_int_equal(status, BITFIT_TOO_SMALL);
            assert_int_equal(capacity_before, 0);
            continue;
        }
        bitfit_stats stats;
        bitfit_get_stats(pool, &stats);
        assert_true(stats.capacity >= granule);
        assert_int_equal(stats.capacity % granule, 0);
        assert_true(stats.capacity + stats.bookkeeping <= size);
        assert_true(stats.capacity >= capacity_before);
        capacity_before = stats.capacity;
        assert_non_null(bitfit_alloc(pool, stats.capacity));
        assert_sound(pool);
        bitfit_destroy(pool);
    }
    assert_true(capacity_before > 0);
}

static void init_returns_null_iff_status_is_not_ok(void **state)
{
    (void)state;
    static const size_t granules[] = {0, 8, 16, 32, 256, 1024};
    static const size_t alignments[] = {0, 1, 8, 64, 512};
    for (size_t i = 0; i < LENGTH(granules) * LENGTH(alignments); i++) {
        bitfit_options options = {.granule = granules[i % LENGTH(granules)],
                                  .payload_alignment =
                                      alignments[i / LENGTH(granules)],
                                  .lock_kind = BITFIT_LOCK_NONE};
        sweep_sizes(&options);
    }
}

static void payload_starts_at_its_alignment(void **state)
{
    (void)state;
    for (size_t alignment = 1; alignment <= 16384; alignment *= 2) {
        for (size_t skew = 0; skew < 256; skew += MAX_ALIGN) {
            bitfit_options options = unlocked;
            options.payload_alignment = alignment;
            bitfit_pool *pool = bitfit_init(memory + skew, 40000, &options);
            assert_non_null(pool);
            uintptr_t payload = (uintptr_t)payload_of(pool);
            assert_int_equal(payload % alignment, 0);
            assert_true(bitfit_owns(pool, payload_of(pool)));
            bitfit_destroy(pool);
        }
    }
}

static void blocks_have_the_smaller_of_granule_and_alignment(void **state)
{
    (void)state;
    for (size_t granule = 8; granule <= 1024; granule *= 2) {
        for (size_t alignment = 8; alignment <= 1024; alignment *= 2) {
            bitfit_options options = unlocked;
            options.granule = granule;
            options.payload_alignment = alignment;
            bitfit_pool *pool = bitfit_init(memory + 16, 40000, &options);
            size_t promised = granule < alignment ? granule : alignment;
            for (void *block; (block = bitfit_alloc(pool, 1)) != NULL;) {
                assert_int_equal((uintptr_t)block % promised, 0);
            }
            assert_sound(pool);
            bitfit_destroy(pool);
        }
    }
}

static void granules_from_8_to_2_to_the_30(void **state)
{
    (void)state;
    for (size_t granule = 8; granule <= (size_t)1 << 30; granule *= 2) {
        bitfit_options options = unlocked;
        options.granule = granule;
        assert_true(bitfit_bookkeeping_size(granule, &options) > 0);
        assert_int_equal(bitfit_bookkeeping_size(granule - 1, &options), 0);
        if (granule <= 4096) {
            rig r;
            rig_open(&r, 10, &options);
            rig_build(&r, "AAB.CC.DDD");
            assert_picture(&r, "AAB.CC.DDD");
            assert_int_equal(rig_stats(&r).capacity, 10 * granule);
            assert_sound(r.pool);
            rig_close(&r);
        }
    }
}

/* ------------------------------------------------------------- bookkeeping */

static void separate_bookkeeping_leaves_all_memory_to_blocks(void **state)
{
    (void)state;
    for (size_t count = 1; count < 400; count++) {
        rig r;
        rig_open(&r, count, NULL);
        bitfit_stats stats = rig_stats(&r);
        assert_int_equal(stats.capacity, count * 16);
        assert_int_equal(stats.bookkeeping, r.options.bookkeeping_size);
        assert_int_equal(rig_alloc(&r, count), 0);
        assert_sound(r.pool);
        rig_close(&r);
    }
}

static void pay_no_heed(const bitfit_misuse *misuse, void *context)
{
    (void)misuse;
    (void)context;
}

static void bookkeeping_size_is_the_least_that_serves(void **state)
{
    (void)state;
    static const size_t sizes[] = {16, 17, 1024, 1040, 4096, 20000, 65536};
    for (size_t i = 0; i < 4 * LENGTH(sizes); i++) {
        bitfit_options options = {
            .lock_kind = i % 2 == 0 ? BITFIT_LOCK_NONE : BITFIT_LOCK_DEFAULT,
            .on_misuse = i / 2 % 2 == 0 ? NULL : pay_no_heed};
        size_t size = sizes[i / 4];
        size_t need = bitfit_bookkeeping_size(size, &options);
        options.bookkeeping = bookkeeping;
        options.bookkeeping_size = need - 1;
        assert_int_equal(bitfit_init_status(memory, size, &options),
                         BITFIT_BAD_BOOKKEEPING);
        options.bookkeeping_size = need;
        assert_int_equal(bitfit_init_status(memory, size, &options), BITFIT_OK);
        assert_int_equal(bitfit_bookkeeping_size(size, &options), need);
    }
}

static void bookkeeping_size_is_0_iff_bad(void **state)
{
    (void)state;
    bitfit_options bad_granule = {.granule = 24};
    bitfit_options bad_size = {.struct_size = 1};
    bitfit_options bad_lock = {.lock_kind = BITFIT_LOCK_CALLER};
    bitfit_options bad_alignment = {.payload_alignment = 3};
    bitfit_options large = {.granule = 4096};
    assert_int_equal(bitfit_bookkeeping_size(4096, &bad_granule), 0);
    assert_int_equal(bitfit_bookkeeping_size(4096, &bad_size), 0);
    assert_int_equal(bitfit_bookkeeping_size(4096, &bad_lock), 0);
    assert_int_equal(bitfit_bookkeeping_size(4096, &bad_alignment), 0);
    assert_int_equal(bitfit_bookkeeping_size(4095, &large), 0);
    assert_int_equal(bitfit_bookkeeping_size(15, NULL), 0);
    assert_int_equal(bitfit_bookkeeping_size(0, NULL), 0);
    assert_true(bitfit_bookkeeping_size(4096, &large) > 0);
    assert_true(bitfit_bookkeeping_size(16, NULL) > 0);
    assert_true(bitfit_bookkeeping_size(SIZE_MAX, NULL) > 0);
}

static void bookkeeping_is_2_percent_at_most_from_1_mib(void **state)
{
    (void)state;
    size_t before = 0;
    for (size_t size = (size_t)1 << 20; size <= SIZE_MAX / 4;
         size += size / 7) {
        size_t need = bitfit_bookkeeping_size(size, NULL);
        assert_true(need > 0);
        assert_true(need <= size / 50);
        assert_true(need >= before);
        before = need;
    }
}

static void tiny_pool_with_separate_bookkeeping(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 64, NULL);
    assert_int_equal(r.size, 1024);
    assert_true(r.options.bookkeeping_size <= 128);
    for (size_t i = 0; i < 32; i++) {
        assert_ptr_equal(bitfit_alloc(r.pool, 32), r.memory + 32 * i);
    }
    assert_null(bitfit_alloc(r.pool, 1));
    rig_close(&r);
}

static void tiny_pool_with_everything_inside(void **state)
{
    (void)state;
    size_t blocks = 0;
    rig r;
    bitfit_options options = {.lock_kind = BITFIT_LOCK_MUTEX};
    rig_open_inside(&r, 1024, &options);
    while (bitfit_alloc(r.pool, 32) != NULL) {
        blocks++;
    }
    assert_true(blocks >= 27);
    rig_close(&r);
}

/* ------------------------------------------------------- destroy and reset */

static void destroy_reports_live_blocks(void **state)
{
    (void)state;
    assert_int_equal(bitfit_destroy(NULL), 0);
    for (size_t live = 0; live < 5; live++) {
        bitfit_pool *pool = bitfit_init(memory, 4096, NULL);
        void *extra = bitfit_alloc(pool, 1);
        for (size_t i = 0; i < live; i++) {
            bitfit_alloc(pool, 100);
        }
        bitfit_free(pool, extra);
        assert_int_equal(bitfit_destroy(pool), live);
    }
}

static void destroy_writes_bookkeeping_only(void **state)
{
    (void)state;
    bitfit_options options = unlocked;
    options.bookkeeping = bookkeeping;
    options.bookkeeping_size = sizeof bookkeeping;
    memset(memory, 0x3C, sizeof memory);
    bitfit_pool *pool = bitfit_init(memory, 4096, &options);
    bitfit_alloc(pool, 100);
    bitfit_destroy(pool);
    assert_true(all_are(memory, sizeof memory, 0x3C));
}

static void reset_makes_the_pool_as_new(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 300, NULL);
    bitfit_stats fresh = rig_stats(&r);
    rig_build(&r, "AABB.CC");
    assert_null(bitfit_alloc(r.pool, 5000));
    bitfit_reset(r.pool);
    bitfit_stats after = rig_stats(&r);
    assert_memory_equal(&after, &fresh, sizeof after);
    assert_picture(&r, ".{300}");
    assert_sound(r.pool);
    rig_close(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_the_headers),
        cmocka_unit_test(texts_are_never_null_and_differ),
        cmocka_unit_test(init_without_options_takes_the_defaults),
        cmocka_unit_test(init_takes_memory_of_any_content),
        cmocka_unit_test(init_needs_no_other_memory_than_its_own),
        cmocka_unit_test(init_refuses_and_touches_nothing),
        cmocka_unit_test(init_refuses_a_lock_without_both_functions),
        cmocka_unit_test(init_takes_struct_size_0_and_its_own),
        cmocka_unit_test(init_takes_later_fields_only_while_they_are_zero),
        cmocka_unit_test(status_is_pure),
        cmocka_unit_test(init_returns_null_iff_status_is_not_ok),
        cmocka_unit_test(payload_starts_at_its_alignment),
        cmocka_unit_test(blocks_have_the_smaller_of_granule_and_alignment),
        cmocka_unit_test(granules_from_8_to_2_to_the_30),
        cmocka_unit_test(separate_bookkeeping_leaves_all_memory_to_blocks),
        cmocka_unit_test(bookkeeping_size_is_the_least_that_serves),
        cmocka_unit_test(bookkeeping_size_is_0_iff_bad),
        cmocka_unit_test(bookkeeping_is_2_percent_at_most_from_1_mib),
        cmocka_unit_test(tiny_pool_with_separate_bookkeeping),
        cmocka_unit_test(tiny_pool_with_everything_inside),
        cmocka_unit_test(destroy_reports_live_blocks),
        cmocka_unit_test(destroy_writes_bookkeeping_only),
        cmocka_unit_test(reset_makes_the_pool_as_new),
    };
    return cmocka_run_group_tests_name("contract/create", tests, NULL, NULL);
}
