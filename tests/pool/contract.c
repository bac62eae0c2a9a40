/*
 * The contract: one test for each promise of include/bitfit.h, bearing its
 * name. Placement itself is tested by pictures.c, exhaust.c and random.c.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ALIGN _Alignof(max_align_t)

/* Memory for the tests that call bitfit_init() by hand. */
static _Alignas(65536) unsigned char memory[65536];
static _Alignas(max_align_t) unsigned char bookkeeping[8192];

static const bitfit_options unlocked = {.lock_kind = BITFIT_LOCK_NONE};

static bool all_are(const unsigned char *bytes, size_t size,
                    unsigned char value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

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
    static const char *const crimes[] = {
        "double free",     "interior pointer", "misaligned pointer",
        "foreign pointer", "wrong size",       "re-entry"};
    for (int crime = -1; crime < 9; crime++) {
        assert_non_null(bitfit_crime_name((bitfit_crime)crime));
    }
    for (size_t i = 0; i < LENGTH(crimes); i++) {
        bitfit_crime crime = (bitfit_crime)(BITFIT_DOUBLE_FREE + i);
        assert_string_equal(bitfit_crime_name(crime), crimes[i]);
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

static void one_random_step(rig *r, dice *d, void **slots, size_t count)
{
    void **slot = &slots[dice_below(d, count)];
    bitfit_free(r->pool, *slot);
    size_t size = dice_between(d, 0, 1200);
    *slot = dice_below(d, 4) == 0 ? bitfit_aligned_alloc(r->pool, 64, size)
                                  : bitfit_alloc(r->pool, size);
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
        one_random_step(&r, &d, slots, LENGTH(slots));
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
static bitfit_crime verdict_for(const rig *r, const char *picture,
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
    return starts ? (bitfit_crime)0 : BITFIT_INTERIOR;
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
        bitfit_crime expect = verdict_for(&r, picture, at);
        size_t calls = seen.calls;
        size_t size = bitfit_usable_size(r.pool, at);
        assert_int_equal(size != 0, expect == 0);
        assert_int_equal(seen.calls - calls, expect != 0);
        if (expect != 0) {
            assert_int_equal(seen.last.crime, expect);
            assert_ptr_equal(seen.last.pointer, at);
            bitfit_free(r.pool, at);
            assert_int_equal(seen.last.crime, expect);
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
    assert_int_equal(seen.last.crime, BITFIT_WRONG_SIZE);
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
        assert_int_equal(seen.last.crime, BITFIT_WRONG_SIZE);
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

/* -------------------------------------------------------------- statistics */

static void stats_of_a_new_pool(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 100, NULL);
    bitfit_stats expect = {.granule = 16,
                           .capacity = 1600,
                           .bookkeeping = r.options.bookkeeping_size,
                           .free = 1600,
                           .largest_free = 1600};
    bitfit_stats stats = rig_stats(&r);
    assert_memory_equal(&stats, &expect, sizeof stats);
    rig_close(&r);
}

static void stats_count_bytes_blocks_and_calls(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 100, NULL);
    void *a = bitfit_alloc(r.pool, 17);
    void *b = bitfit_calloc(r.pool, 3, 16);
    void *c = bitfit_aligned_alloc(r.pool, 128, 1);
    assert_null(bitfit_alloc(r.pool, 1600));
    bitfit_free(r.pool, a);
    b = bitfit_realloc(r.pool, b, 16);
    bitfit_free_sized(r.pool, c, 1);
    bitfit_stats expect = {.granule = 16,
                           .capacity = 1600,
                           .bookkeeping = r.options.bookkeeping_size,
                           .live = 16,
                           .free = 1584,
                           .blocks = 1,
                           .largest_free = 1600 - 48,
                           .high_water = 144,
                           .peak_live = 96,
                           .largest_block = 48,
                           .allocations = 3,
                           .frees = 2,
                           .reallocations = 1,
                           .failures = 1};
    bitfit_stats stats = rig_stats(&r);
    assert_memory_equal(&stats, &expect, sizeof stats);
    rig_close(&r);
}

static void stats_largest_free_is_the_largest_that_succeeds(void **state)
{
    (void)state;
    void *slots[60] = {NULL};
    dice d = dice_from(11);
    rig r;
    rig_open(&r, 1500, NULL);
    for (size_t i = 0; i < 2000; i++) {
        one_random_step(&r, &d, slots, LENGTH(slots));
        size_t largest = rig_stats(&r).largest_free;
        assert_null(bitfit_alloc(r.pool, largest + 1));
        void *block = largest == 0 ? NULL : bitfit_alloc(r.pool, largest);
        assert_int_equal(block != NULL, largest != 0);
        bitfit_free(r.pool, block);
    }
    assert_sound(r.pool);
    rig_close(&r);
}

/* Both copies are in blocks while a block moves: bitfit_bytes_for() counts
 * them, so the peak does. */
static void stats_peak_counts_both_copies_of_a_move(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 20, NULL);
    rig_build(&r, "AAB");
    assert_int_equal(rig_index(&r, bitfit_realloc(r.pool, r.payload, 48)), 3);
    bitfit_stats stats = rig_stats(&r);
    assert_int_equal(stats.peak_live, (2 + 1 + 3) * 16);
    assert_int_equal(stats.live, (1 + 3) * 16);
    assert_int_equal(stats.high_water, 6 * 16);
    assert_int_equal(stats.largest_block, 3 * 16);
    assert_int_equal(stats.allocations, 2);
    assert_int_equal(stats.frees, 0);
    assert_int_equal(stats.reallocations, 1);
    rig_close(&r);
}

/* ------------------------------------------------------ walk, check, draw */

typedef struct visit_count {
    size_t visits;
    size_t stop_after;
} visit_count;

static bool count_visit(const bitfit_run *run, void *context)
{
    visit_count *c = context;
    assert_non_null(run->start);
    return ++c->visits != c->stop_after;
}

static void walk_says_whether_the_visitor_saw_all(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 9, NULL);
    rig_build(&r, "AAB..CD..");
    for (size_t stop = 1; stop <= 6; stop++) {
        visit_count count = {0, stop};
        assert_false(bitfit_walk(r.pool, count_visit, &count));
        assert_int_equal(count.visits, stop);
    }
    visit_count all = {0, 0};
    assert_true(bitfit_walk(r.pool, count_visit, &all));
    assert_int_equal(all.visits, 6);
    rig_close(&r);
}

typedef struct intrusion {
    bitfit_pool *pool;
    void *block;
    unsigned call;
    bool answered; /* anything but NULL, 0 or false */
} intrusion;

static bool go_on(const bitfit_run *run, void *context)
{
    (void)run;
    (void)context;
    return true;
}

/* Every call that takes the lock, by number; the last two do not give it back
 * or end the pool. */
static const char *const entering[] = {
    "bitfit_alloc",      "bitfit_calloc",    "bitfit_aligned_alloc",
    "bitfit_realloc",    "bitfit_realloc",   "bitfit_free",
    "bitfit_free_sized", "bitfit_reset",     "bitfit_walk",
    "bitfit_draw",       "bitfit_get_stats", "bitfit_usable_size",
    "bitfit_check",      "bitfit_lock",      "bitfit_destroy",
};

static bool enter(bitfit_pool *pool, void *block, unsigned call)
{
    char drawing[8] = "";
    bitfit_stats stats;
    switch (call) {
    case 0:
        return bitfit_alloc(pool, 1) != NULL;
    case 1:
        return bitfit_calloc(pool, 1, 1) != NULL;
    case 2:
        return bitfit_aligned_alloc(pool, 64, 1) != NULL;
    case 3:
        return bitfit_realloc(pool, block, 100) != NULL;
    case 4:
        return bitfit_realloc(pool, NULL, 100) != NULL;
    case 5:
        bitfit_free(pool, block);
        return false;
    case 6:
        bitfit_free_sized(pool, block, 32);
        return false;
    case 7:
        bitfit_reset(pool);
        return false;
    case 8:
        return bitfit_walk(pool, go_on, NULL);
    case 9:
        return bitfit_draw(pool, drawing, sizeof drawing) != 0;
    case 10:
        bitfit_get_stats(pool, &stats);
        return false;
    case 11:
        return bitfit_usable_size(pool, block) != 0;
    case 12:
        return bitfit_check(pool) != 0;
    case 13:
        bitfit_lock(pool);
        return false;
    default:
        return bitfit_destroy(pool) != 0;
    }
}

static bool intrude(const bitfit_run *run, void *context)
{
    intrusion *i = context;
    (void)run;
    i->answered = enter(i->pool, i->block, i->call);
    return false;
}

static void assert_reentry_is_caught(const bitfit_options *options,
                                     recorder *seen)
{
    rig r;
    rig_open(&r, 9, options);
    rig_build(&r, "AAB..CD..");
    bitfit_stats before = rig_stats(&r);
    for (unsigned call = 0; call < LENGTH(entering); call++) {
        intrusion i = {r.pool, r.payload, call, false};
        *seen = (recorder){0};
        assert_false(bitfit_walk(r.pool, intrude, &i));
        assert_int_equal(seen->calls, 1);
        assert_int_equal(seen->last.crime, BITFIT_REENTRY);
        assert_string_equal(seen->last.call, entering[call]);
        assert_ptr_equal(seen->last.pool, r.pool);
        assert_null(seen->last.pointer);
        assert_false(i.answered);
        bitfit_stats after = rig_stats(&r);
        assert_memory_equal(&before, &after, sizeof before);
        assert_picture(&r, "AAB..CD..");
    }
    assert_sound(r.pool);
    rig_close(&r);
}

static void walk_callback_reentry_is_caught(void **state)
{
    (void)state;
    recorder seen;
    bitfit_options options = recording(&seen);
    assert_reentry_is_caught(&options, &seen);
    options.lock_kind = BITFIT_LOCK_MUTEX;
    assert_reentry_is_caught(&options, &seen);
}

static void calls_under_bitfit_lock_are_reentries(void **state)
{
    (void)state;
    static const bitfit_lock_kind kinds[] = {BITFIT_LOCK_NONE,
                                             BITFIT_LOCK_MUTEX};
    for (size_t i = 0; i < LENGTH(kinds); i++) {
        recorder seen;
        bitfit_options options = recording(&seen);
        options.lock_kind = kinds[i];
        rig r;
        rig_open(&r, 9, &options);
        bitfit_lock(r.pool);
        assert_null(bitfit_alloc(r.pool, 1));
        assert_int_equal(seen.calls, 1);
        assert_int_equal(seen.last.crime, BITFIT_REENTRY);
        bitfit_unlock(r.pool);
        assert_non_null(bitfit_alloc(r.pool, 1));
        assert_int_equal(seen.calls, 1);
        rig_close(&r);
    }
}

static void draw_truncates_like_snprintf(void **state)
{
    (void)state;
    static const char whole[] = "AAB..CC..";
    rig r;
    rig_open(&r, 9, NULL);
    rig_build(&r, "xxy..zz..");
    assert_int_equal(bitfit_draw(r.pool, NULL, 0), 9);
    for (size_t size = 0; size <= 12; size++) {
        char buffer[16];
        memset(buffer, '#', sizeof buffer);
        assert_int_equal(bitfit_draw(r.pool, buffer, size), 9);
        size_t written = size == 0 ? 0 : size <= 9 ? size - 1 : 9;
        assert_memory_equal(buffer, whole, written);
        if (size > 0) {
            assert_int_equal(buffer[written++], '\0');
        }
        for (size_t i = written; i < sizeof buffer; i++) {
            assert_int_equal(buffer[i], '#');
        }
    }
    rig_close(&r);
}

static void check_finds_nothing_in_a_sound_pool(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, 300, NULL);
    assert_int_equal(bitfit_check(r.pool), 0);
    rig_build(&r, "AAB.C{70}.{65}D.{60}EE.F{5}G.{91}");
    assert_int_equal(bitfit_check(r.pool), 0);
    rig_close(&r);
}

/* -------------------------------------------------------------- the handler */

typedef struct caller {
    int depth;
    int deepest;
    size_t locks;
    size_t unlocks;
} caller;

static void caller_lock(void *context)
{
    caller *c = context;
    c->locks++;
    c->depth++;
    c->deepest = c->depth > c->deepest ? c->depth : c->deepest;
}

static void caller_unlock(void *context)
{
    caller *c = context;
    c->unlocks++;
    c->depth--;
}

static bitfit_options with_callers_lock(caller *c, recorder *seen)
{
    *c = (caller){0};
    bitfit_options options = recording(seen);
    options.lock_kind = BITFIT_LOCK_CALLER;
    options.lock = caller_lock;
    options.unlock = caller_unlock;
    options.lock_context = c;
    return options;
}

static void callers_lock_is_called_in_pairs(void **state)
{
    (void)state;
    caller c;
    recorder seen;
    bitfit_options options = with_callers_lock(&c, &seen);
    rig r;
    rig_open(&r, 64, &options);
    for (unsigned call = 0; call < LENGTH(entering) - 2; call++) {
        size_t before = c.locks;
        void *block = bitfit_alloc(r.pool, 32);
        assert_int_equal(c.locks - before, 1);
        enter(r.pool, block, call);
        assert_int_equal(c.locks - before, 2);
        assert_int_equal(c.locks, c.unlocks);
        bitfit_reset(r.pool);
    }
    assert_int_equal(bitfit_check(r.pool), 0);
    assert_int_equal(c.locks, c.unlocks);
    bitfit_lock(r.pool);
    assert_int_equal(c.depth, 1);
    bitfit_unlock(r.pool);
    assert_int_equal(c.depth, 0);
    assert_int_equal(c.deepest, 1);
    assert_int_equal(seen.calls, 0);
    rig_close(&r);
    assert_int_equal(c.locks, c.unlocks);
}

static void callers_recursive_lock_shows_reentry(void **state)
{
    (void)state;
    caller c;
    recorder seen;
    bitfit_options options = with_callers_lock(&c, &seen);
    assert_reentry_is_caught(&options, &seen);
    assert_int_equal(c.deepest, 2);
    assert_int_equal(c.depth, 0);
}

typedef struct inquiry {
    const caller *lock;
    int depth;
    size_t live;
    void *block;
} inquiry;

/* A handler that uses the pool. */
static void inquire(const bitfit_misuse *misuse, void *context)
{
    inquiry *q = context;
    bitfit_stats stats;
    q->depth = q->lock->depth;
    bitfit_get_stats(misuse->pool, &stats);
    q->live = stats.live;
    q->block = bitfit_alloc(misuse->pool, 16);
}

static void handler_runs_after_the_lock_is_released(void **state)
{
    (void)state;
    caller c;
    recorder unused;
    inquiry q = {.lock = &c, .depth = -1};
    bitfit_options options = with_callers_lock(&c, &unused);
    options.on_misuse = inquire;
    options.misuse_context = &q;
    rig r;
    rig_open(&r, 64, &options);
    rig_alloc(&r, 2);
    rig_free(&r, 1);
    assert_int_equal(q.depth, 0);
    assert_int_equal(q.live, 32);
    rig_close(&r);
}

static void handler_may_call_the_pool(void **state)
{
    (void)state;
    static const bitfit_lock_kind kinds[] = {BITFIT_LOCK_NONE,
                                             BITFIT_LOCK_MUTEX};
    for (size_t i = 0; i < LENGTH(kinds); i++) {
        caller none = {0};
        inquiry q = {.lock = &none};
        bitfit_options options = {
            .lock_kind = kinds[i], .on_misuse = inquire, .misuse_context = &q};
        rig r;
        rig_open(&r, 64, &options);
        rig_alloc(&r, 2);
        rig_free(&r, 1);
        assert_ptr_equal(q.block, r.payload + 32);
        assert_int_equal(rig_stats(&r).blocks, 2);
        assert_sound(r.pool);
        rig_close(&r);
    }
}

static void leave(const bitfit_misuse *misuse, void *context)
{
    jmp_buf *place = context;
    assert_int_equal(misuse->crime, BITFIT_DOUBLE_FREE);
    longjmp(*place, 1);
}

static void handler_may_leave_by_longjmp(void **state)
{
    (void)state;
    static const bitfit_lock_kind kinds[] = {BITFIT_LOCK_NONE,
                                             BITFIT_LOCK_MUTEX};
    for (volatile size_t i = 0; i < LENGTH(kinds); i++) {
        jmp_buf place;
        const bitfit_options options = {.lock_kind = kinds[i],
                                        .on_misuse = leave,
                                        .misuse_context = &place};
        bitfit_pool *pool = bitfit_init(memory, 4096, &options);
        void *block = bitfit_alloc(pool, 16);
        bitfit_free(pool, block);
        if (setjmp(place) == 0) {
            bitfit_free(pool, block);
            fail();
        }
        assert_ptr_equal(bitfit_alloc(pool, 16), block);
        assert_sound(pool);
    }
}

static void misuse_says_which_call_pool_pointer_and_size(void **state)
{
    (void)state;
    recorder seen;
    bitfit_options options = recording(&seen);
    rig r;
    rig_open(&r, 64, &options);
    unsigned char *block = bitfit_alloc(r.pool, 32);
    bitfit_free(r.pool, block + 16);
    assert_string_equal(seen.last.call, "bitfit_free");
    assert_ptr_equal(seen.last.pointer, block + 16);
    assert_ptr_equal(seen.last.pool, r.pool);
    bitfit_free_sized(r.pool, block, 7);
    assert_string_equal(seen.last.call, "bitfit_free_sized");
    assert_int_equal(seen.last.size, 7);
    assert_null(bitfit_realloc(r.pool, block + 1, 7));
    assert_string_equal(seen.last.call, "bitfit_realloc");
    assert_int_equal(seen.last.crime, BITFIT_MISALIGNED);
    assert_int_equal(bitfit_usable_size(r.pool, &r), 0);
    assert_string_equal(seen.last.call, "bitfit_usable_size");
    assert_int_equal(seen.last.crime, BITFIT_FOREIGN);
    assert_int_equal(seen.calls, 4);
    rig_close(&r);
}

static void every_lock_kind_serves(void **state)
{
    (void)state;
    caller c;
    recorder seen;
    for (int kind = 0; kind <= BITFIT_LOCK_CALLER; kind++) {
        bitfit_options options = with_callers_lock(&c, &seen);
        options.lock_kind = (bitfit_lock_kind)kind;
        rig r;
        rig_open(&r, 9, &options);
        rig_build(&r, "AAB..CD..");
        assert_picture(&r, "AAB..CD..");
        assert_int_equal(c.locks > 0, kind == BITFIT_LOCK_CALLER);
        rig_close(&r);
    }
}

/* -------------------------------------------------------------- bytes_for() */

static long double harmonic(size_t n)
{
    long double sum = 0;
    for (size_t i = n; i > 0; i--) {
        sum += 1.0L / (long double)i;
    }
    return sum;
}

/* The theorem's N, not rounded. */
static long double bound_for(size_t peak, size_t largest)
{
    const long double ln_2 = 0.693147180559945309417232121458L;
    return (long double)peak * harmonic(largest) / ln_2;
}

static size_t capacity_of(size_t size, size_t granule)
{
    bitfit_options options = {.granule = granule};
    bitfit_stats stats;
    rig r;
    rig_open_inside(&r, size, &options);
    stats = rig_stats(&r);
    rig_close(&r);
    return stats.capacity / granule;
}

/* The pool holds N granules, and not many more. */
static void bytes_for_gives_a_pool_of_n_granules(void **state)
{
    (void)state;
    static const size_t granules[] = {8, 16, 64, 4096};
    for (size_t i = 0; i < LENGTH(granules); i++) {
        for (size_t peak = 1; peak < 3000; peak += 1 + peak / 3) {
            for (size_t n = 1; n <= peak; n += 1 + n / 2) {
                size_t bytes = bitfit_bytes_for(peak, n, granules[i]);
                size_t capacity = capacity_of(bytes, granules[i]);
                long double bound = bound_for(peak, n);
                assert_true((long double)capacity >= bound);
                assert_true((long double)capacity <= bound * 1.0001L + 18);
            }
        }
    }
}

static void bytes_for_follows_the_formula_at_any_size(void **state)
{
    (void)state;
    for (size_t peak = 1000; peak < SIZE_MAX / 4096; peak *= 10) {
        for (size_t n = 1; n <= peak && n < 3000000; n = n * 3 + 1) {
            size_t bytes = bitfit_bytes_for(peak, n, 16);
            long double least = bound_for(peak, n) * 16;
            assert_true(bytes != 0);
            assert_true((long double)bytes >= least);
            assert_true((long double)bytes <= least * 1.0205L + 4096);
        }
    }
}

static void bytes_for_is_0_iff_it_cannot_be(void **state)
{
    (void)state;
    static const size_t bad[] = {1, 4, 7, 24, SIZE_MAX, (size_t)1 << 31};
    assert_int_equal(bitfit_bytes_for(0, 1, 16), 0);
    assert_int_equal(bitfit_bytes_for(1, 0, 16), 0);
    assert_int_equal(bitfit_bytes_for(0, 0, 16), 0);
    assert_int_equal(bitfit_bytes_for(10, 11, 16), 0);
    for (size_t i = 0; i < LENGTH(bad); i++) {
        assert_int_equal(bitfit_bytes_for(10, 5, bad[i]), 0);
    }
    assert_int_equal(bitfit_bytes_for(10, 10, 0), bitfit_bytes_for(10, 10, 16));
    assert_true(bitfit_bytes_for(1, 1, 8) > 0);
}

static void bytes_for_is_0_on_overflow(void **state)
{
    (void)state;
    for (size_t granule = 8; granule <= 4096; granule *= 2) {
        for (size_t peak = SIZE_MAX; peak > 1000; peak -= peak / 5) {
            for (size_t n = 1; n <= 100; n += 33) {
                long double least = bound_for(peak, n) * (long double)granule;
                size_t bytes = bitfit_bytes_for(peak, n, granule);
                if (least >= (long double)SIZE_MAX) {
                    assert_int_equal(bytes, 0);
                } else if (least * 1.06L + 4096 < (long double)SIZE_MAX) {
                    assert_true((long double)bytes >= least);
                }
            }
            assert_int_equal(bitfit_bytes_for(SIZE_MAX, SIZE_MAX, granule), 0);
        }
    }
}

static void bytes_for_never_shrinks_as_its_arguments_grow(void **state)
{
    (void)state;
    size_t before = 0;
    for (size_t n = 1; n < 20000; n += 1 + n / 50) {
        size_t bytes = bitfit_bytes_for(20000, n, 16);
        assert_true(bytes >= before);
        before = bytes;
    }
    before = 0;
    for (size_t peak = 100; peak < 20000; peak += 1 + peak / 50) {
        size_t bytes = bitfit_bytes_for(peak, 100, 16);
        assert_true(bytes > before);
        before = bytes;
    }
}

enum { PEAK = 256, LARGEST = 16 };

/* A pool for PEAK granules in blocks of at most LARGEST, and no more. */
static void open_bounded(rig *r, bool moves)
{
    bitfit_options options = {.resize_moves = moves};
    size_t size = bitfit_bytes_for(PEAK, LARGEST, 16);
    assert_true(size > 0);
    rig_open_inside(r, size, &options);
}

/* Each live granule keeps the next block of LARGEST from fitting before it:
 * takes blocks of LARGEST and shrinks the one before last to one granule.
 * Returns whether a request failed with no more than PEAK live. */
static bool shrinking_breaks(rig *r)
{
    void *last = bitfit_alloc(r->pool, LARGEST * 16);
    for (;;) {
        size_t live = rig_stats(r).live / 16;
        if (live + LARGEST > PEAK) {
            return false;
        }
        void *next = bitfit_alloc(r->pool, LARGEST * 16);
        if (next == NULL) {
            return true;
        }
        last = bitfit_realloc(r->pool, last, 1);
        assert_non_null(last);
        last = next;
    }
}

static void bytes_for_needs_blocks_not_resized_in_place(void **state)
{
    (void)state;
    rig r;
    open_bounded(&r, false);
    assert_true(shrinking_breaks(&r));
    rig_close(&r);
    open_bounded(&r, true);
    assert_false(shrinking_breaks(&r));
    rig_close(&r);
}

static size_t blocks_that_fit(rig *r, size_t alignment, size_t size,
                              size_t most)
{
    size_t blocks = 0;
    while (blocks < most &&
           bitfit_aligned_alloc(r->pool, alignment, size) != NULL) {
        blocks++;
    }
    return blocks;
}

static void bytes_for_needs_alignments_of_the_block(void **state)
{
    (void)state;
    rig r;
    open_bounded(&r, false);
    assert_true(blocks_that_fit(&r, 256, 16, PEAK) < PEAK);
    bitfit_reset(r.pool);
    assert_int_equal(blocks_that_fit(&r, 16, 16, PEAK), PEAK);
    rig_close(&r);
}

/* Requests of 1 byte: PEAK granules' bytes are PEAK * 16 of them. */
static void bytes_for_counts_granules_not_requested_bytes(void **state)
{
    (void)state;
    rig r;
    open_bounded(&r, false);
    assert_true(blocks_that_fit(&r, 1, 1, PEAK * 16) < PEAK * 16);
    bitfit_reset(r.pool);
    assert_int_equal(blocks_that_fit(&r, 1, 1, PEAK), PEAK);
    rig_close(&r);
}

/* The theorem at work: random requests that keep to PEAK and LARGEST, with
 * resize_moves and both copies counted, all succeed. */
static bool within_peak(rig *r, size_t more)
{
    return rig_stats(r).live / 16 + more <= PEAK;
}

static void bytes_for_never_fails_within_its_conditions(void **state)
{
    (void)state;
    void *slots[PEAK] = {NULL};
    dice d = dice_from(23);
    rig r;
    open_bounded(&r, true);
    for (size_t i = 0; i < 50000; i++) {
        void **slot = &slots[dice_below(&d, LENGTH(slots))];
        size_t count = dice_between(&d, 1, LARGEST);
        if (*slot != NULL && dice_below(&d, 2) == 0) {
            bitfit_free(r.pool, *slot);
            *slot = NULL;
        } else if (within_peak(&r, count)) {
            *slot = bitfit_realloc(r.pool, *slot, count * 16);
            assert_non_null(*slot);
        }
    }
    bitfit_stats stats = rig_stats(&r);
    assert_int_equal(stats.failures, 0);
    assert_true(stats.peak_live <= PEAK * 16);
    assert_true(stats.peak_live > (PEAK - LARGEST) * 16);
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
        cmocka_unit_test(stats_of_a_new_pool),
        cmocka_unit_test(stats_count_bytes_blocks_and_calls),
        cmocka_unit_test(stats_largest_free_is_the_largest_that_succeeds),
        cmocka_unit_test(stats_peak_counts_both_copies_of_a_move),
        cmocka_unit_test(walk_says_whether_the_visitor_saw_all),
        cmocka_unit_test(walk_callback_reentry_is_caught),
        cmocka_unit_test(calls_under_bitfit_lock_are_reentries),
        cmocka_unit_test(draw_truncates_like_snprintf),
        cmocka_unit_test(check_finds_nothing_in_a_sound_pool),
        cmocka_unit_test(callers_lock_is_called_in_pairs),
        cmocka_unit_test(callers_recursive_lock_shows_reentry),
        cmocka_unit_test(handler_runs_after_the_lock_is_released),
        cmocka_unit_test(handler_may_call_the_pool),
        cmocka_unit_test(handler_may_leave_by_longjmp),
        cmocka_unit_test(misuse_says_which_call_pool_pointer_and_size),
        cmocka_unit_test(every_lock_kind_serves),
        cmocka_unit_test(bytes_for_gives_a_pool_of_n_granules),
        cmocka_unit_test(bytes_for_follows_the_formula_at_any_size),
        cmocka_unit_test(bytes_for_is_0_iff_it_cannot_be),
        cmocka_unit_test(bytes_for_is_0_on_overflow),
        cmocka_unit_test(bytes_for_never_shrinks_as_its_arguments_grow),
        cmocka_unit_test(bytes_for_needs_blocks_not_resized_in_place),
        cmocka_unit_test(bytes_for_needs_alignments_of_the_block),
        cmocka_unit_test(bytes_for_counts_granules_not_requested_bytes),
        cmocka_unit_test(bytes_for_never_fails_within_its_conditions),
    };
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
