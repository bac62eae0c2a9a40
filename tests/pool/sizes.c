/*
 * Sizes that wrap: every call that allocates, and creation, over the sizes and
 * alignments whose sums, products and roundings overflow somewhere. Where the
 * request cannot be met the answer is NULL and nothing has changed.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { GRANULES = 260, MOST = 64 };

#define TWO_TO_31 ((size_t)1 << 31)
#define TOP_BIT (SIZE_MAX / 2 + 1)

typedef struct list {
    size_t values[MOST];
    size_t count;
} list;

static void add(list *l, size_t value)
{
    assert_true(l->count < MOST);
    l->values[l->count++] = value;
}

static list sizes_for(size_t granule, size_t pool)
{
    const size_t below_max[] = {0,           1,           granule - 1, granule,
                                granule + 1, 2 * granule, 4096};
    const size_t marks[] = {0, granule, pool, TWO_TO_31, PTRDIFF_MAX};
    list l = {.count = 0};
    for (size_t i = 0; i < LENGTH(below_max); i++) {
        add(&l, SIZE_MAX - below_max[i]);
    }
    for (size_t i = 0; i < LENGTH(marks); i++) {
        add(&l, marks[i]);
        add(&l, marks[i] + 1);
        add(&l, marks[i] == 0 ? 2 : marks[i] - 1);
    }
#if SIZE_MAX > 0xffffffffu
    add(&l, ((size_t)1 << 32) - 1);
    add(&l, (size_t)1 << 32);
    add(&l, ((size_t)1 << 32) + 1);
#endif
    return l;
}

static list alignments_for(size_t pool)
{
    const size_t values[] = {0,    1,    2,       3,           8,
                             16,   32,   64,      4096,        4097,
                             pool, 8192, TOP_BIT, TOP_BIT / 2, SIZE_MAX};
    list l = {.count = 0};
    for (size_t i = 0; i < LENGTH(values); i++) {
        add(&l, values[i]);
    }
    return l;
}

/* --------------------------------------------------------------- one request
 */

/* A pool and its model in the same state. */
typedef struct twins {
    rig rig;
    model model;
} twins;

static void open_twins(twins *t, size_t granule)
{
    bitfit_options options = {.granule = granule,
                              .lock_kind = BITFIT_LOCK_NONE};
    static const size_t blocks[] = {3, 70, 1, 20, 2};
    rig_open(&t->rig, GRANULES, &options);
    assert_true(model_open(&t->model, GRANULES, false));
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        assert_int_equal(rig_alloc(&t->rig, blocks[i]),
                         model_alloc(&t->model, blocks[i], MODEL_ANYWHERE));
    }
    rig_free(&t->rig, 3);
    model_release(&t->model, 3);
}

static void close_twins(twins *t)
{
    model_close(&t->model);
    rig_close(&t->rig);
}

/* The block that the pool gave must be the model's; then both give it back, so
 * that the next request finds the same state. */
static void settle(twins *t, void *block, size_t expect)
{
    assert_ptr_equal(block, rig_pointer(&t->rig, expect));
    assert_sound(t->rig.pool);
    assert_same_stats(&t->rig, &t->model);
    assert_same_runs(&t->rig, &t->model);
    if (block != NULL) {
        bitfit_free(t->rig.pool, block);
        model_release(&t->model, expect);
    }
}

static void request(twins *t, size_t size)
{
    size_t count = granules_for(&t->rig, size);
    settle(t, bitfit_alloc(t->rig.pool, size),
           model_alloc(&t->model, count, MODEL_ANYWHERE));
    settle(t, bitfit_realloc(t->rig.pool, NULL, size),
           model_alloc(&t->model, count, MODEL_ANYWHERE));
    size_t good = count * t->rig.granule;
    assert_int_equal(bitfit_good_size(t->rig.pool, size), good);
}

static const size_t granules[] = {8, 16, 64, 4096};

static void alloc_of_every_size(void **state)
{
    (void)state;
    for (size_t g = 0; g < LENGTH(granules); g++) {
        twins t;
        open_twins(&t, granules[g]);
        list sizes = sizes_for(granules[g], t.rig.size);
        for (size_t i = 0; i < sizes.count; i++) {
            request(&t, sizes.values[i]);
        }
        close_twins(&t);
    }
}

static bool product_overflows(size_t a, size_t b)
{
    return a != 0 && b > SIZE_MAX / a;
}

static void calloc_of_every_pair_of_sizes(void **state)
{
    (void)state;
    for (size_t g = 0; g < LENGTH(granules); g++) {
        twins t;
        open_twins(&t, granules[g]);
        list sizes = sizes_for(granules[g], t.rig.size);
        for (size_t i = 0; i < sizes.count * sizes.count; i++) {
            size_t count = sizes.values[i / sizes.count];
            size_t size = sizes.values[i % sizes.count];
            size_t wanted = product_overflows(count, size)
                                ? 0
                                : granules_for(&t.rig, count * size);
            settle(&t, bitfit_calloc(t.rig.pool, count, size),
                   model_alloc(&t.model, wanted, MODEL_ANYWHERE));
        }
        close_twins(&t);
    }
}

static void aligned_alloc_of_every_size_and_alignment(void **state)
{
    (void)state;
    for (size_t g = 0; g < LENGTH(granules); g++) {
        twins t;
        open_twins(&t, granules[g]);
        list sizes = sizes_for(granules[g], t.rig.size);
        list alignments = alignments_for(t.rig.size);
        for (size_t i = 0; i < sizes.count * alignments.count; i++) {
            size_t size = sizes.values[i % sizes.count];
            size_t alignment = alignments.values[i / sizes.count];
            model_places places = MODEL_ANYWHERE;
            size_t wanted = places_for(&t.rig, alignment, &places)
                                ? granules_for(&t.rig, size)
                                : 0;
            settle(&t, bitfit_aligned_alloc(t.rig.pool, alignment, size),
                   model_alloc(&t.model, wanted, places));
        }
        close_twins(&t);
    }
}

/* A block in the middle of the pool; its content must survive what fails. */
static void realloc_to_every_size(void **state)
{
    (void)state;
    for (size_t g = 0; g < LENGTH(granules); g++) {
        twins t;
        open_twins(&t, granules[g]);
        list sizes = sizes_for(granules[g], t.rig.size);
        for (size_t i = 0; i < sizes.count; i++) {
            unsigned char *old = bitfit_alloc(t.rig.pool, 1);
            size_t index = model_alloc(&t.model, 1, MODEL_ANYWHERE);
            size_t wanted = granules_for(&t.rig, sizes.values[i]);
            memset(old, 0x77, 8);
            void *block = bitfit_realloc(t.rig.pool, old, sizes.values[i]);
            size_t expect = model_resize(&t.model, index, wanted);
            assert_int_equal(old[7], 0x77);
            if (expect == MODEL_NONE) {
                assert_null(block);
                settle(&t, old, index);
            } else {
                settle(&t, block, expect);
            }
        }
        close_twins(&t);
    }
}

static void free_sized_of_every_size(void **state)
{
    (void)state;
    recorder seen;
    bitfit_options options = recording(&seen);
    rig r;
    rig_open(&r, GRANULES, &options);
    list sizes = sizes_for(16, r.size);
    void *block = bitfit_alloc(r.pool, 100 * 16 - 3);
    for (size_t i = 0; i < sizes.count; i++) {
        size_t calls = seen.calls;
        if (granules_for(&r, sizes.values[i]) != 100) {
            bitfit_free_sized(r.pool, block, sizes.values[i]);
            assert_int_equal(seen.calls, calls + 1);
            assert_int_equal(seen.last.kind, BITFIT_WRONG_SIZE);
            assert_int_equal(rig_stats(&r).blocks, 1);
        }
    }
    assert_sound(r.pool);
    rig_close(&r);
}

/* ----------------------------------------------------------------- creation */

static _Alignas(65536) unsigned char memory[8192];
static _Alignas(max_align_t) unsigned char bookkeeping[1024];

static bool untouched(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0x3C) {
            return false;
        }
    }
    return true;
}

/* A size that the memory does not have is asked about, never acted upon. */
static void create(size_t size, const bitfit_options *options)
{
    bitfit_status status = bitfit_init_status(memory, size, options);
    memset(memory, 0x3C, sizeof memory);
    memset(bookkeeping, 0x3C, sizeof bookkeeping);
    bool wraps = size != 0 && size - 1 > UINTPTR_MAX - (uintptr_t)memory;
    if (wraps) {
        assert_int_not_equal(status, BITFIT_OK);
    }
    if (status == BITFIT_OK) {
        if (size <= sizeof memory) {
            bitfit_pool *pool = bitfit_init(memory, size, options);
            assert_non_null(pool);
            assert_sound(pool);
            assert_int_equal(bitfit_destroy(pool), 0);
        }
        return;
    }
    assert_null(bitfit_init(memory, size, options));
    assert_true(untouched(memory, sizeof memory));
    assert_true(untouched(bookkeeping, sizeof bookkeeping));
}

static void init_of_every_size_granule_and_alignment(void **state)
{
    (void)state;
    list sizes = sizes_for(16, sizeof memory);
    list alignments = alignments_for(sizeof memory);
    list grains = alignments_for((size_t)1 << 30);
    size_t all = sizes.count * alignments.count * grains.count;
    for (size_t i = 0; i < 2 * all; i++) {
        size_t j = i % all;
        bitfit_options options = {
            .granule = grains.values[j % grains.count],
            .payload_alignment =
                alignments.values[j / grains.count % alignments.count],
            .bookkeeping = i < all ? NULL : bookkeeping,
            .bookkeeping_size = sizeof bookkeeping,
            .lock_kind = BITFIT_LOCK_NONE};
        create(sizes.values[j / grains.count / alignments.count], &options);
    }
}

static void init_with_every_bookkeeping_size(void **state)
{
    (void)state;
    list sizes = sizes_for(16, sizeof bookkeeping);
    for (size_t i = 0; i < sizes.count; i++) {
        bitfit_options options = {.bookkeeping = bookkeeping,
                                  .bookkeeping_size = sizes.values[i],
                                  .lock_kind = BITFIT_LOCK_NONE};
        if (sizes.values[i] > UINTPTR_MAX - (uintptr_t)bookkeeping) {
            create(4096, &options);
        }
        size_t need = bitfit_bookkeeping_size(4096, &options);
        bitfit_status status = bitfit_init_status(memory, 4096, &options);
        if (sizes.values[i] < need) {
            assert_int_equal(status, BITFIT_BAD_BOOKKEEPING);
        }
    }
}

/* Memory that ends `before` bytes below the end of the address space. */
static void init_below_the_end(size_t size, size_t before)
{
    uintptr_t at = 0 - before - (size + 15) / 16 * 16;
    bitfit_status status = bitfit_init_status((const void *)at, size, NULL);
    assert_true(status == BITFIT_OK || status == BITFIT_TOO_SMALL);
    for (size_t more = 1; more <= 32; more++) {
        uintptr_t fits = 0 - at;
        status = bitfit_init_status((const void *)at, fits + more, NULL);
        assert_int_equal(status, BITFIT_BAD_MEMORY);
    }
}

static void init_at_the_end_of_the_address_space(void **state)
{
    (void)state;
    list sizes = sizes_for(16, 4096);
    for (size_t i = 0; i < sizes.count; i++) {
        if (sizes.values[i] > 0 && sizes.values[i] < SIZE_MAX / 2) {
            init_below_the_end(sizes.values[i], 0);
            init_below_the_end(sizes.values[i], 16);
        }
    }
}

static void bookkeeping_at_the_end_of_the_address_space(void **state)
{
    (void)state;
    uintptr_t at = (uintptr_t)0 - 4096;
    bitfit_options options = {.bookkeeping = (void *)at,
                              .bookkeeping_size = 4096};
    assert_int_equal(bitfit_init_status(memory, 4096, &options), BITFIT_OK);
    options.bookkeeping_size = 4097;
    assert_int_equal(bitfit_init_status(memory, 4096, &options),
                     BITFIT_BAD_BOOKKEEPING);
}

/* The payload is nowhere: nothing but its addresses is used. */
static void a_payload_at_the_end_of_the_address_space(void **state)
{
    (void)state;
    unsigned char *at = (unsigned char *)((uintptr_t)0 - 4096);
    const bitfit_options options = {.bookkeeping = bookkeeping,
                                    .bookkeeping_size = sizeof bookkeeping,
                                    .lock_kind = BITFIT_LOCK_NONE};
    bitfit_pool *pool = bitfit_init(at, 4096, &options);
    assert_non_null(pool);
    for (size_t i = 0; i < 256; i++) {
        assert_ptr_equal(bitfit_alloc(pool, 16), at + 16 * i);
    }
    assert_null(bitfit_alloc(pool, 16));
    assert_true(bitfit_owns(pool, at + 4095));
    assert_false(bitfit_owns(pool, NULL));
    assert_int_equal(bitfit_copy_check(bookkeeping, sizeof bookkeeping),
                     BITFIT_COPY_WHOLE);
    bitfit_free(pool, at + 16 * 255);
    assert_ptr_equal(bitfit_aligned_alloc(pool, 16, 16), at + 16 * 255);
    assert_sound(pool);
}

static void bookkeeping_size_of_every_size(void **state)
{
    (void)state;
    list sizes = sizes_for(16, 4096);
    for (size_t granule = 8; granule <= 4096; granule *= 2) {
        bitfit_options options = {.granule = granule};
        for (size_t i = 0; i < sizes.count; i++) {
            size_t size = sizes.values[i];
            size_t need = bitfit_bookkeeping_size(size, &options);
            assert_int_equal(need != 0, size >= granule);
            /* Two bits a granule are the least there can be. */
            assert_true(size < granule || need >= size / granule / 4);
            assert_true(need <= size / granule / 2 + 512);
        }
    }
}

static void bytes_for_of_every_size(void **state)
{
    (void)state;
    list sizes = sizes_for(16, 4096);
    for (size_t i = 0; i < sizes.count * sizes.count; i++) {
        size_t peak = sizes.values[i % sizes.count];
        size_t largest = sizes.values[i / sizes.count];
        size_t bytes = bitfit_bytes_for(peak, largest, 16);
        if (peak == 0 || largest == 0 || largest > peak ||
            peak > SIZE_MAX / 23) {
            assert_int_equal(bytes, 0);
        } else if (bytes != 0) {
            assert_true(bytes / 16 > peak);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_of_every_size),
        cmocka_unit_test(calloc_of_every_pair_of_sizes),
        cmocka_unit_test(aligned_alloc_of_every_size_and_alignment),
        cmocka_unit_test(realloc_to_every_size),
        cmocka_unit_test(free_sized_of_every_size),
        cmocka_unit_test(init_of_every_size_granule_and_alignment),
        cmocka_unit_test(init_with_every_bookkeeping_size),
        cmocka_unit_test(init_at_the_end_of_the_address_space),
        cmocka_unit_test(bookkeeping_at_the_end_of_the_address_space),
        cmocka_unit_test(a_payload_at_the_end_of_the_address_space),
        cmocka_unit_test(bookkeeping_size_of_every_size),
        cmocka_unit_test(bytes_for_of_every_size),
    };
    return cmocka_run_group_tests_name("sizes", tests, NULL, NULL);
}
