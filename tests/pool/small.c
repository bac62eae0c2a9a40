/*
 * The small build: the places of the model, every bad pointer caught, options
 * and sizes of all kinds. It sees no internals but where the map is: the end of
 * the bookkeeping, two words for each word's granules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bitfit.h"
#include "model.h"
#include "platform.h"

enum { MEMORY = 8192, GUARD = 64, GARBAGE = 0xA5, MOST = 400 };

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static _Alignas(4096) unsigned char arena[GUARD + MEMORY + GUARD];
static unsigned char *const memory = arena + GUARD;

/* What the handler saw. */
static bitfit_misuse last;
static size_t accused;

static void record(const bitfit_misuse *misuse, void *context)
{
    assert_ptr_equal(context, arena);
    last = *misuse;
    accused++;
}

static bitfit_options options_of(size_t granule)
{
    return (bitfit_options){.granule = granule,
                            .lock_kind = BITFIT_LOCK_NONE,
                            .on_misuse = record,
                            .misuse_context = arena};
}

static bitfit_stats stats_of(bitfit_pool *pool)
{
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    return stats;
}

/* A pool of exactly so many granules. */
static bitfit_pool *pool_of(size_t count, const bitfit_options *options)
{
    memset(arena, GARBAGE, sizeof arena);
    for (size_t size = 8; size <= MEMORY; size += 8) {
        bitfit_pool *pool = bitfit_init(memory, size, options);
        if (pool != NULL &&
            stats_of(pool).capacity == count * options->granule) {
            return pool;
        }
    }
    fail();
    return NULL;
}

static bool take_first(const bitfit_run *run, void *context)
{
    *(unsigned char **)context = run->start;
    return false;
}

static unsigned char *payload_of(bitfit_pool *pool)
{
    unsigned char *payload = NULL;
    (void)bitfit_walk(pool, take_first, &payload);
    return payload;
}

static unsigned dice(unsigned bound)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 12) % bound;
}

/* ------------------------------------------------------------- the same places
 */

typedef struct churn {
    bitfit_pool *pool;
    unsigned char *payload;
    size_t granule;
    model model;
    size_t starts[MOST]; /* of the live blocks, in no order */
    size_t blocks;
} churn;

static void *pointer_of(const churn *c, size_t index)
{
    return index == MODEL_NONE ? NULL : c->payload + index * c->granule;
}

/* A size that rounds up to `count` granules; 0 for the smallest, at times. */
static size_t size_for(const churn *c, size_t count)
{
    size_t slack = count == 1 ? c->granule + 1 : c->granule;
    return count * c->granule - dice((unsigned)slack);
}

static size_t random_count(const churn *c)
{
    unsigned most = dice(8) == 0 ? (unsigned)c->model.count + 2 : 7;
    return 1 + dice(most);
}

static size_t fit_or_none(const churn *c, size_t count)
{
    return count <= c->model.count ? count : 0;
}

static void step_alloc(churn *c)
{
    size_t count = random_count(c);
    size_t size = size_for(c, count);
    size_t expect =
        model_alloc(&c->model, fit_or_none(c, count), MODEL_ANYWHERE);
    bool clear = dice(2) == 0;
    unsigned char *block =
        clear ? bitfit_calloc(c->pool, 1, size) : bitfit_alloc(c->pool, size);
    assert_ptr_equal(block, pointer_of(c, expect));
    if (block == NULL) {
        return;
    }
    for (size_t i = 0; clear && i < size; i++) {
        assert_int_equal(block[i], 0);
    }
    memset(block, (int)(expect % 251), count * c->granule);
    c->starts[c->blocks++] = expect;
}

static void step_realloc(churn *c, size_t slot)
{
    size_t start = c->starts[slot];
    size_t count = random_count(c);
    size_t before = model_block(&c->model, start);
    size_t kept = before < count ? before : count;
    size_t expect = model_resize(&c->model, start, fit_or_none(c, count));
    unsigned char *block =
        bitfit_realloc(c->pool, pointer_of(c, start), size_for(c, count));
    assert_ptr_equal(block, pointer_of(c, expect));
    if (block == NULL) {
        return;
    }
    for (size_t i = 0; i < kept * c->granule; i++) {
        assert_int_equal(block[i], start % 251);
    }
    memset(block, (int)(expect % 251),
           model_block(&c->model, expect) * c->granule);
    c->starts[slot] = expect;
}

static void step_free(churn *c, size_t slot)
{
    size_t start = c->starts[slot];
    size_t count = model_block(&c->model, start);
    void *block = pointer_of(c, start);
    assert_int_equal(bitfit_usable_size(c->pool, block), count * c->granule);
    if (dice(2) == 0) {
        bitfit_free(c->pool, block);
    } else {
        bitfit_free_sized(c->pool, block, size_for(c, count));
    }
    model_release(&c->model, start);
    c->starts[slot] = c->starts[--c->blocks];
}

static void assert_same(const churn *c)
{
    char picture[MOST + 1];
    char expect[MOST + 1];
    assert_int_equal(bitfit_draw(c->pool, picture, sizeof picture),
                     c->model.count);
    model_draw(&c->model, expect);
    assert_string_equal(picture, expect);
    assert_int_equal(bitfit_check(c->pool), 0);

    const model_stats *m = &c->model.stats;
    bitfit_stats stats = stats_of(c->pool);
    assert_int_equal(stats.live, m->live * c->granule);
    assert_int_equal(stats.free, stats.capacity - stats.live);
    assert_int_equal(stats.blocks, m->blocks);
    assert_int_equal(stats.high_water, m->high_water * c->granule);
    assert_int_equal(stats.peak_live, m->peak_live * c->granule);
    assert_int_equal(stats.largest_free,
                     model_largest_hole(&c->model) * c->granule);
    assert_int_equal(accused, 0);
}

static void churn_in(size_t count, size_t granule, bool resize_moves,
                     unsigned steps)
{
    bitfit_options options = options_of(granule);
    options.resize_moves = resize_moves;
    churn c = {.granule = granule};
    c.pool = pool_of(count, &options);
    c.payload = payload_of(c.pool);
    assert_true(model_open(&c.model, count, resize_moves));
    accused = 0;
    for (unsigned i = 0; i < steps; i++) {
        unsigned kind = dice(5);
        if (c.blocks == 0 || kind < 2) {
            step_alloc(&c);
        } else if (kind == 2) {
            step_realloc(&c, dice((unsigned)c.blocks));
        } else {
            step_free(&c, dice((unsigned)c.blocks));
        }
        assert_same(&c);
    }
    assert_int_equal(bitfit_destroy(c.pool), c.blocks);
    model_close(&c.model);
}

static void places_are_the_models(void **state)
{
    static const size_t counts[] = {1,  2,  5,  31, 32,  33,  63,  64,
                                    65, 95, 96, 97, 127, 128, 129, 300};
    (void)state;
    for (size_t i = 0; i < LENGTH(counts); i++) {
        churn_in(counts[i], 16, false, 3000);
        churn_in(counts[i], 8, true, 3000);
    }
    churn_in(7, 1024, false, 1000);
}

static void blocks_of_many_words(void **state)
{
    (void)state;
    bitfit_options options = options_of(8);
    bitfit_pool *pool = pool_of(300, &options);
    unsigned char *payload = payload_of(pool);
    for (size_t gap = 0; gap < 70; gap++) {
        for (size_t count = 1; gap + count <= 300; count += 13) {
            unsigned char *below = bitfit_alloc(pool, gap * 8);
            unsigned char *block = bitfit_alloc(pool, count * 8);
            size_t start = gap == 0 ? 1 : gap;
            if (start + count > 300) {
                assert_null(block);
                bitfit_free(pool, below);
                continue;
            }
            assert_ptr_equal(block, payload + start * 8);
            bitfit_free(pool, below);
            assert_null(bitfit_alloc(pool, (300 - count) * 8 + 1));
            bitfit_free_sized(pool, block, count * 8);
            assert_int_equal(stats_of(pool).largest_free, 300 * 8);
            assert_int_equal(bitfit_check(pool), 0);
        }
    }
    assert_int_equal(accused, 0);
}

/* ------------------------------------------------------------------- misuse */

static void assert_accused(bitfit_pool *pool, const char *call,
                           const void *pointer, size_t size)
{
    assert_int_equal(accused, 1);
    assert_int_equal(last.kind, BITFIT_NO_BLOCK);
    assert_string_equal(last.call, call);
    assert_ptr_equal(last.pool, pool);
    assert_ptr_equal(last.pointer, pointer);
    assert_int_equal(last.size, size);
    accused = 0;
}

/* Three blocks and two holes. */
static bitfit_pool *pool_with_blocks(size_t granule, unsigned char *blocks[3])
{
    bitfit_options options = options_of(granule);
    bitfit_pool *pool = pool_of(70, &options);
    blocks[0] = bitfit_alloc(pool, 2 * granule);
    void *hole = bitfit_alloc(pool, 3 * granule);
    blocks[1] = bitfit_alloc(pool, 40 * granule);
    blocks[2] = bitfit_alloc(pool, granule);
    bitfit_free(pool, hole);
    accused = 0;
    return pool;
}

static void every_pointer_but_blocks_is_refused(void **state)
{
    (void)state;
    unsigned char *blocks[3];
    bitfit_pool *pool = pool_with_blocks(16, blocks);
    static unsigned char before[sizeof arena];
    memcpy(before, arena, sizeof arena);
    for (unsigned char *p = arena; p <= arena + sizeof arena; p++) {
        if (p == blocks[0] || p == blocks[1] || p == blocks[2]) {
            continue;
        }
        bitfit_free(pool, p);
        assert_accused(pool, "bitfit_free", p, 0);
        bitfit_free_sized(pool, p, 16);
        assert_accused(pool, "bitfit_free_sized", p, 16);
        assert_int_equal(bitfit_usable_size(pool, p), 0);
        assert_accused(pool, "bitfit_usable_size", p, 0);
        assert_null(bitfit_realloc(pool, p, 48));
        assert_accused(pool, "bitfit_realloc", p, 48);
    }
    assert_memory_equal(before, arena, sizeof arena);
}

static void a_wrong_size_is_refused(void **state)
{
    (void)state;
    unsigned char *blocks[3];
    bitfit_pool *pool = pool_with_blocks(64, blocks);
    static const size_t sizes[] = {0,    1,    64,           129,
                                   4096, 2561, SIZE_MAX - 1, SIZE_MAX};
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        bitfit_free_sized(pool, blocks[0], sizes[i]);
        assert_accused(pool, "bitfit_free_sized", blocks[0], sizes[i]);
    }
    bitfit_free_sized(pool, blocks[0], 65);
    bitfit_free_sized(pool, blocks[1], 2560);
    bitfit_free_sized(pool, blocks[2], 0);
    assert_int_equal(accused, 0);
    assert_int_equal(stats_of(pool).live, 0);
}

static void a_second_free_is_refused(void **state)
{
    (void)state;
    unsigned char *blocks[3];
    bitfit_pool *pool = pool_with_blocks(16, blocks);
    for (size_t i = 0; i < 3; i++) {
        bitfit_free(pool, blocks[i]);
        bitfit_free(pool, blocks[i]);
        assert_accused(pool, "bitfit_free", blocks[i], 0);
    }
    assert_int_equal(bitfit_check(pool), 0);
}

static void null_is_no_misuse(void **state)
{
    (void)state;
    unsigned char *blocks[3];
    bitfit_pool *pool = pool_with_blocks(16, blocks);
    bitfit_free(pool, NULL);
    bitfit_free_sized(pool, NULL, 5);
    assert_int_equal(bitfit_usable_size(pool, NULL), 0);
    assert_ptr_equal(bitfit_realloc(pool, NULL, 1), blocks[0] + 32);
    assert_int_equal(bitfit_destroy(NULL), 0);
    assert_int_equal(accused, 0);
    assert_string_equal(bitfit_misuse_name(BITFIT_NO_BLOCK), "no such block");
}

static void sizes_that_wrap_are_refused(void **state)
{
    (void)state;
    unsigned char *blocks[3];
    bitfit_pool *pool = pool_with_blocks(16, blocks);
    size_t capacity = stats_of(pool).capacity;
    const size_t sizes[] = {
        capacity + 1,  SIZE_MAX / 2 - 1,  SIZE_MAX / 2,    SIZE_MAX / 2 + 1,
        SIZE_MAX / 16, SIZE_MAX / 16 + 1, SIZE_MAX - 4096, SIZE_MAX - 32,
        SIZE_MAX - 16, SIZE_MAX - 15,     SIZE_MAX - 1,    SIZE_MAX};
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        assert_null(bitfit_alloc(pool, sizes[i]));
        assert_null(bitfit_calloc(pool, sizes[i], 1));
        assert_null(bitfit_calloc(pool, 1, sizes[i]));
        assert_null(bitfit_calloc(pool, sizes[i], sizes[i]));
        assert_null(bitfit_realloc(pool, blocks[1], sizes[i]));
        assert_int_equal(bitfit_good_size(pool, sizes[i]), 0);
    }
    assert_int_equal(bitfit_good_size(pool, capacity), capacity);
    assert_int_equal(bitfit_good_size(pool, 0), 16);
    assert_int_equal(bitfit_usable_size(pool, blocks[1]), 640);
    assert_int_equal(accused, 0);
}

/* ----------------------------------------------------------------- creating */

/* The payload of a pool in that memory, by trying every count. */
static size_t most_granules(size_t header, size_t size, size_t granule,
                            size_t alignment, uintptr_t *payload)
{
    size_t most = 0;
    for (size_t count = 1; count <= size / granule; count++) {
        size_t words = count / BF_WORD_BITS + 1;
        uintptr_t at = (uintptr_t)memory + header + words * 2 * sizeof(bf_word);
        at = (at + alignment - 1) / alignment * alignment;
        if (at + count * granule <= (uintptr_t)memory + size) {
            most = count;
            *payload = at;
        }
    }
    return most;
}

static void pools_are_as_large_as_can_be(void **state)
{
    (void)state;
    bitfit_options options = options_of(16);
    size_t header = bitfit_bookkeeping_size(16, &options) - 2 * sizeof(bf_word);
    for (options.granule = 8; options.granule <= 64; options.granule *= 2) {
        for (size_t align = 1; align <= 4096; align *= 4) {
            options.payload_alignment = align;
            for (size_t size = 0; size < 1500; size += size < 400 ? 1 : 13) {
                memset(arena, GARBAGE, sizeof arena);
                uintptr_t payload = 0;
                size_t most = most_granules(header, size, options.granule,
                                            align, &payload);
                bitfit_pool *pool = bitfit_init(memory, size, &options);
                assert_int_equal(bitfit_init_status(memory, size, &options),
                                 most == 0 ? BITFIT_TOO_SMALL : BITFIT_OK);
                if (most == 0) {
                    assert_null(pool);
                    continue;
                }
                bitfit_stats stats = stats_of(pool);
                assert_int_equal(stats.capacity, most * options.granule);
                assert_int_equal(
                    stats.bookkeeping,
                    bitfit_bookkeeping_size(stats.capacity, &options));
                assert_int_equal((uintptr_t)payload_of(pool), payload);
                for (size_t i = 0; i < GUARD; i++) {
                    assert_int_equal(arena[i], GARBAGE);
                    assert_int_equal(memory[size + i], GARBAGE);
                }
            }
        }
    }
}

static void assert_refused(const bitfit_options *options, bitfit_status why)
{
    memset(arena, GARBAGE, sizeof arena);
    assert_null(bitfit_init(memory, 1024, options));
    assert_int_equal(bitfit_init_status(memory, 1024, options), why);
    assert_int_equal(bitfit_bookkeeping_size(1024, options), 0);
    for (size_t i = 0; i < sizeof arena; i++) {
        assert_int_equal(arena[i], GARBAGE);
    }
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    static const size_t granules[] = {1, 4, 7, 12, 24, 1u << 31, SIZE_MAX};
    for (size_t i = 0; i < LENGTH(granules); i++) {
        assert_refused(&(bitfit_options){.granule = granules[i]},
                       BITFIT_BAD_GRANULE);
    }
    assert_refused(&(bitfit_options){.payload_alignment = 48},
                   BITFIT_BAD_ALIGNMENT);
    assert_refused(&(bitfit_options){.struct_size = 8}, BITFIT_BAD_OPTIONS);
    assert_refused(&(bitfit_options){.guard = true}, BITFIT_BAD_OPTIONS);
    assert_refused(&(bitfit_options){.lock_kind = BITFIT_LOCK_CALLER},
                   BITFIT_BAD_LOCK);
    assert_refused(&(bitfit_options){.lock_kind = (bitfit_lock_kind)9},
                   BITFIT_BAD_OPTIONS);
    assert_refused(
        &(bitfit_options){.bookkeeping = arena, .bookkeeping_size = GUARD},
        BITFIT_BAD_BOOKKEEPING);
}

static void what_can_be_no_pool_needs_no_bookkeeping(void **state)
{
    (void)state;
    assert_int_equal(bitfit_bookkeeping_size(15, NULL), 0);
    assert_int_equal(
        bitfit_bookkeeping_size(1024, &(bitfit_options){.granule = 7}), 0);
    assert_string_equal(bitfit_version(), BITFIT_VERSION);
    const bitfit_options sized = {.struct_size = sizeof sized};
    assert_true(bitfit_bookkeeping_size(1024, &sized) > 0);
}

static void bad_memory_is_refused(void **state)
{
    (void)state;
    static const size_t wrapping[] = {SIZE_MAX, SIZE_MAX - 4096};
    assert_null(bitfit_init(NULL, 4096, NULL));
    assert_null(bitfit_init(memory + 4, 1024, NULL));
    for (size_t i = 0; i < LENGTH(wrapping); i++) {
        assert_int_equal(bitfit_init_status(memory, wrapping[i], NULL),
                         BITFIT_BAD_MEMORY);
    }
    /* What is not looked at may be as large as the address space. */
    uintptr_t to_the_end = 0 - (uintptr_t)memory;
    assert_int_equal(bitfit_init_status(memory, to_the_end, NULL), BITFIT_OK);
    bitfit_options far = {.payload_alignment = SIZE_MAX / 2 + 1};
    assert_int_equal(bitfit_init_status(memory, MEMORY, &far),
                     BITFIT_TOO_SMALL);
}

/* ------------------------------------------------------------- seeing, locks
 */

static bool note_call(const bitfit_run *run, void *context)
{
    (void)run;
    (void)context;
    fail();
    return true;
}

/* Each call that enters the pool, from a visitor. */
static bool call_inside(const bitfit_run *run, void *context)
{
    bitfit_pool *pool = context;
    bitfit_stats stats;
    char picture[8];
    size_t before = accused;
    assert_null(bitfit_alloc(pool, 1));
    assert_null(bitfit_calloc(pool, 1, 1));
    assert_null(bitfit_realloc(pool, run->start, 1));
    bitfit_free(pool, run->start);
    bitfit_free_sized(pool, run->start, run->size);
    assert_int_equal(bitfit_usable_size(pool, run->start), 0);
    bitfit_reset(pool);
    bitfit_reset_peak(pool);
    bitfit_get_stats(pool, &stats);
    assert_false(bitfit_walk(pool, note_call, NULL));
    assert_int_equal(bitfit_draw(pool, picture, sizeof picture), 0);
    assert_int_equal(bitfit_check(pool), 0);
    assert_int_equal(accused - before, 12);
    return true;
}

static void a_mutex_notices_a_reentry(void **state)
{
    (void)state;
    bitfit_options options = options_of(16);
    options.lock_kind = BITFIT_LOCK_MUTEX;
    bitfit_pool *pool = bitfit_init(memory, 1024, &options);
    assert_non_null(pool);
    accused = 0;
    void *block = bitfit_alloc(pool, 1);
    assert_true(bitfit_walk(pool, call_inside, pool));
    assert_int_equal(accused, 2 * 12);
    assert_int_equal(last.kind, BITFIT_REENTRY);
    assert_null(last.pointer);
    bitfit_lock(pool);
    assert_null(bitfit_alloc(pool, 1));
    bitfit_unlock(pool);
    assert_int_equal(bitfit_usable_size(pool, block), 16);
    assert_non_null(bitfit_alloc(pool, 1));
}

#ifdef __unix__
static jmp_buf after_abort;

static void on_abort(int number)
{
    (void)number;
    longjmp(after_abort, 1);
}

static void without_a_handler_misuse_aborts(void **state)
{
    (void)state;
    bitfit_options options = options_of(16);
    options.on_misuse = NULL;
    bitfit_pool *pool = bitfit_init(memory, 1024, &options);
    signal(SIGABRT, on_abort);
    if (setjmp(after_abort) == 0) {
        bitfit_free(pool, arena);
        fail();
    }
    signal(SIGABRT, SIG_DFL);
    assert_int_equal(bitfit_check(pool), 0);
}
#endif

static void reset_begins_anew(void **state)
{
    (void)state;
    unsigned char *blocks[3];
    bitfit_pool *pool = pool_with_blocks(16, blocks);
    bitfit_free(pool, blocks[1]);
    bitfit_reset_peak(pool);
    assert_int_equal(stats_of(pool).peak_live, 48);
    assert_int_equal(stats_of(pool).high_water, 46 * 16);
    bitfit_reset(pool);
    bitfit_stats stats = stats_of(pool);
    assert_int_equal(stats.peak_live, 0);
    assert_int_equal(stats.high_water, 0);
    assert_int_equal(stats.largest_free, stats.capacity);
    assert_ptr_equal(bitfit_alloc(pool, stats.capacity), blocks[0]);
    assert_true(bitfit_owns(pool, blocks[0] + stats.capacity - 1));
    assert_false(bitfit_owns(pool, blocks[0] + stats.capacity));
    assert_false(bitfit_owns(pool, blocks[0] - 1));
}

static void a_picture_ends_where_its_room_ends(void **state)
{
    (void)state;
    unsigned char *blocks[3];
    bitfit_pool *pool = pool_with_blocks(16, blocks);
    char picture[12];
    for (size_t room = 0; room < sizeof picture; room++) {
        memset(picture, '#', sizeof picture);
        assert_int_equal(bitfit_draw(pool, picture, room), 70);
        if (room != 0) {
            assert_memory_equal(picture, "AA...BBBBBBBB", room - 1);
            assert_int_equal(picture[room - 1], 0);
        }
        assert_int_equal(picture[room], '#');
    }
}

/* The map of free and of start bits, as the check reads it. */
static void check_finds_changed_bits(void **state)
{
    (void)state;
    unsigned char *blocks[3];
    bitfit_pool *pool = pool_with_blocks(16, blocks);
    size_t words = 70 / BF_WORD_BITS + 1;
    unsigned char *end = (unsigned char *)pool + stats_of(pool).bookkeeping;
    bf_word *map = (bf_word *)(void *)(end - words * 2 * sizeof *map);
    for (size_t bit = 0; bit < words * BF_WORD_BITS; bit++) {
        bf_word mask = (bf_word)1 << bit % BF_WORD_BITS;
        bf_word *free = &map[bit / BF_WORD_BITS * 2];
        bf_word *start = free + 1;
        *free ^= mask;
        assert_int_not_equal(bitfit_check(pool), 0);
        *free ^= mask;
        /* Inside a block a start bit makes two of it; without the second of two
         * that touch they are one. */
        bool silent = bit == 1 || (bit > 5 && bit <= 45);
        *start ^= mask;
        assert_int_equal(bitfit_check(pool) == 0, silent);
        *start ^= mask;
        assert_int_equal(bitfit_check(pool), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_the_models),
        cmocka_unit_test(blocks_of_many_words),
        cmocka_unit_test(every_pointer_but_blocks_is_refused),
        cmocka_unit_test(a_wrong_size_is_refused),
        cmocka_unit_test(a_second_free_is_refused),
        cmocka_unit_test(null_is_no_misuse),
        cmocka_unit_test(sizes_that_wrap_are_refused),
        cmocka_unit_test(pools_are_as_large_as_can_be),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(what_can_be_no_pool_needs_no_bookkeeping),
        cmocka_unit_test(bad_memory_is_refused),
        cmocka_unit_test(a_mutex_notices_a_reentry),
#ifdef __unix__
        cmocka_unit_test(without_a_handler_misuse_aborts),
#endif
        cmocka_unit_test(reset_begins_anew),
        cmocka_unit_test(a_picture_ends_where_its_room_ends),
        cmocka_unit_test(check_finds_changed_bits),
    };
    return cmocka_run_group_tests_name("small", tests, NULL, NULL);
}
