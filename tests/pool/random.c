/*
 * Long random runs, address by address against a naive first fit; and what
 * follows from exactness: the same calls give the same addresses everywhere,
 * and one replay in a large pool shows the smallest pool that serves.
 *
 * The seed is printed; BITFIT_SEED=... in the environment repeats a run.
 */
#include "support.h"

#include "pool.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4096 };

/* What a run is made of. */
typedef struct setting {
    const char *name;
    size_t granule;
    size_t count; /* granules */
    size_t steps;
    size_t largest; /* granules of a usual request */
    size_t huge;    /* granules of an occasional one, 0 for none */
    bool resize_moves;
    bool inside;
    bool zeroed;
} setting;

static const setting settings[] = {
    {"one_granule", 16, 1, 10000, 2, 0, false, false, false},
    {"three_granules", 16, 3, 25000, 3, 0, false, false, false},
    {"half_a_word", 16, 31, 50000, 6, 0, false, false, false},
    {"a_word_of_32", 8, 32, 50000, 8, 33, true, false, false},
    {"one_more_than_32", 8, 33, 50000, 8, 33, false, false, true},
    {"a_word", 16, 64, 100000, 8, 66, false, false, false},
    {"a_word_inside", 16, 64, 100000, 8, 64, false, true, false},
    {"one_more_than_a_word", 64, 65, 100000, 9, 65, true, false, true},
    {"two_words", 16, 128, 100000, 20, 129, false, false, false},
    {"a_node", 16, 1024, 150000, 40, 300, false, false, false},
    {"a_node_and_one", 16, 1025, 150000, 70, 1000, true, true, false},
    {"small_blocks", 16, 5000, 200000, 12, 300, false, false, true},
    {"blocks_of_words", 16, 20000, 150000, 300, 4000, false, true, false},
    {"blocks_of_words_moved", 16, 20000, 150000, 300, 4000, true, false, true},
    {"around_191", 16, 16384, 150000, 260, 2000, false, false, false},
    {"large_granules", 4096, 700, 25000, 30, 300, false, false, false},
    {"granule_64", 64, 9000, 100000, 130, 2000, false, true, true},
    {"granule_8", 8, 60000, 150000, 300, 6000, false, false, false},
    {"large_pool", 16, 100001, 150000, 300, 9000, false, false, false},
    {"two_million_granules", 16, 2000000, 30000, 3000, 200000, false, false,
     false},
    {"large_pool_moved", 16, 65537, 100000, 300, 9000, true, true, true},
};

/* ------------------------------------------------------------------- a run */

typedef struct run {
    const setting *setting;
    rig rig;
    model model;
    dice dice;
    size_t live[SLOTS]; /* the starts of the blocks, in no order */
    size_t blocks;
    size_t fill; /* per cent of the pool that the run strives for */
} run;

static size_t wanted_count(run *r)
{
    const setting *s = r->setting;
    size_t chance = dice_below(&r->dice, 100);
    if (chance < 60) {
        return dice_between(&r->dice, 1, 1 + s->largest / 8);
    }
    bool huge = chance >= 97 && s->huge != 0;
    return dice_between(&r->dice, 1, huge ? s->huge : s->largest);
}

/* Any size that rounds up to `count` granules. */
static size_t wanted_size(run *r, size_t count)
{
    size_t granule = r->setting->granule;
    size_t slack =
        dice_below(&r->dice, 2) == 0 ? 0 : dice_below(&r->dice, granule);
    return count * granule - slack;
}

/* Both ends of a block carry its start, to be found again after a move. */
static void mark(const run *r, size_t index)
{
    unsigned char *bytes = rig_pointer(&r->rig, index);
    size_t size = model_block(&r->model, index) * r->rig.granule;
    uint32_t tag = (uint32_t)index;
    memcpy(bytes, &tag, sizeof tag);
    memcpy(bytes + size - sizeof tag, &tag, sizeof tag);
}

static void assert_marked(const run *r, size_t index, size_t at, uint32_t tag)
{
    const unsigned char *bytes = rig_pointer(&r->rig, index);
    assert_memory_equal(bytes + at, &tag, sizeof tag);
}

static void add_block(run *r, size_t index)
{
    if (index != MODEL_NONE) {
        assert_true(r->blocks < SLOTS);
        r->live[r->blocks++] = index;
        mark(r, index);
    }
}

static void assert_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            assert_int_equal(bytes[i], 0);
        }
    }
}

/* -------------------------------------------------------------- the calls */

static void step_alloc(run *r)
{
    size_t size = wanted_size(r, wanted_count(r));
    void *block = bitfit_alloc(r->rig.pool, size);
    size_t expect =
        model_alloc(&r->model, granules_for(&r->rig, size), MODEL_ANYWHERE);
    assert_int_equal(rig_index(&r->rig, block), expect);
    add_block(r, expect);
}

static void step_calloc(run *r)
{
    size_t size = wanted_size(r, wanted_count(r));
    void *block = bitfit_calloc(r->rig.pool, size, 1);
    size_t expect =
        model_alloc(&r->model, granules_for(&r->rig, size), MODEL_ANYWHERE);
    assert_int_equal(rig_index(&r->rig, block), expect);
    if (block != NULL) {
        assert_zero(block, size);
    }
    add_block(r, expect);
}

static void step_aligned(run *r)
{
    size_t size = wanted_size(r, wanted_count(r));
    size_t alignment = (size_t)1 << dice_below(&r->dice, 15);
    model_places places = MODEL_ANYWHERE;
    bool possible = places_for(&r->rig, alignment, &places);
    size_t count = possible ? granules_for(&r->rig, size) : 0;
    void *block = bitfit_aligned_alloc(r->rig.pool, alignment, size);
    size_t expect = model_alloc(&r->model, count, places);
    assert_int_equal(rig_index(&r->rig, block), expect);
    add_block(r, expect);
}

static void step_realloc(run *r)
{
    if (r->blocks == 0) {
        return;
    }
    size_t *slot = &r->live[dice_below(&r->dice, r->blocks)];
    size_t old = *slot;
    size_t old_count = model_block(&r->model, old);
    size_t size = wanted_size(r, wanted_count(r));
    void *block = bitfit_realloc(r->rig.pool, rig_pointer(&r->rig, old), size);
    size_t expect = model_resize(&r->model, old, granules_for(&r->rig, size));
    assert_int_equal(rig_index(&r->rig, block), expect);
    if (expect == MODEL_NONE) {
        return;
    }
    *slot = expect;
    assert_marked(r, expect, 0, (uint32_t)old);
    if (model_block(&r->model, expect) >= old_count) {
        size_t end = old_count * r->rig.granule;
        assert_marked(r, expect, end - sizeof(uint32_t), (uint32_t)old);
    }
    mark(r, expect);
}

static void step_free(run *r)
{
    if (r->blocks == 0) {
        return;
    }
    size_t slot = dice_below(&r->dice, r->blocks);
    size_t index = r->live[slot];
    size_t size = model_block(&r->model, index) * r->rig.granule;
    void *block = rig_pointer(&r->rig, index);
    assert_marked(r, index, size - sizeof(uint32_t), (uint32_t)index);
    assert_int_equal(bitfit_usable_size(r->rig.pool, block), size);
    if (dice_below(&r->dice, 2) == 0) {
        bitfit_free(r->rig.pool, block);
    } else {
        bitfit_free_sized(r->rig.pool, block, size);
    }
    model_release(&r->model, index);
    r->live[slot] = r->live[--r->blocks];
}

static void step_reset(run *r)
{
    bitfit_reset(r->rig.pool);
    model_reset(&r->model);
    r->blocks = 0;
}

/* From now on so many short requests begin at the top, whatever the floors did
 * for them (short.h). */
static void judge_otherwise(const run *r)
{
    bitfit_pool *pool = r->rig.pool;
    if (BF_QUICK && bf_fit_has_tree(&pool->fit) &&
        bf_fit_tree(&pool->fit)->rows != 0) {
        bf_upper *upper = bf_upper_of(bf_fit_tree(&pool->fit));
        pool->floored = 0;
        upper->direct = 200;
        memset(upper->floors, 0, BF_SHORT_CLASSES * sizeof *upper->floors);
    }
}

/* The fill that the run strives for changes now and then, from nearly empty to
 * more than there is. */
static void step(run *r)
{
    size_t chance = dice_below(&r->dice, 1000);
    if (dice_below(&r->dice, 700) == 0) {
        judge_otherwise(r);
    }
    if (dice_below(&r->dice, 1500) == 0) {
        r->fill = dice_between(&r->dice, 5, 120);
    }
    bool full = r->model.stats.live * 100 >= r->fill * r->model.count;
    bool crowded = r->blocks == SLOTS;
    if (chance == 999 && dice_below(&r->dice, 20) == 0) {
        step_reset(r);
    } else if (crowded || chance < (full ? 600u : 150u)) {
        step_free(r);
    } else if (chance < (full ? 750u : 350u)) {
        step_realloc(r);
    } else if (chance < (full ? 800u : 420u)) {
        step_aligned(r);
    } else if (chance < (full ? 850u : 500u)) {
        step_calloc(r);
    } else {
        step_alloc(r);
    }
}

static void compare(run *r)
{
    assert_sound(r->rig.pool);
    assert_same_stats(&r->rig, &r->model);
    assert_same_runs(&r->rig, &r->model);
}

static void open_run(run *r, const setting *s, uint64_t seed)
{
    bitfit_options options = {.granule = s->granule,
                              .lock_kind = BITFIT_LOCK_NONE,
                              .resize_moves = s->resize_moves,
                              .zeroed = s->zeroed};
    r->setting = s;
    r->dice = dice_from(seed);
    r->blocks = 0;
    r->fill = 80;
    if (s->inside) {
        rig_open_inside(&r->rig, s->count * s->granule + 512, &options);
    } else {
        rig_open(&r->rig, s->count, &options);
    }
    assert_true(model_open(&r->model, r->rig.count, s->resize_moves));
}

static void close_run(run *r)
{
    model_close(&r->model);
    rig_close(&r->rig);
}

static uint64_t seed;

/* Small pools are compared after every step, large ones now and then: but at
 * times that the dice choose, so that stale knowledge is not always refreshed
 * by the comparison itself. */
static void random_run(void **state)
{
    static run r;
    const setting *s = *state;
    size_t rarity = 1 + s->count / 64;
    open_run(&r, s, seed + s->count);
    for (size_t i = 0; i < s->steps; i++) {
        step(&r);
        if (dice_below(&r.dice, rarity) == 0) {
            compare(&r);
        }
    }
    compare(&r);
    close_run(&r);
}

/* ------------------------------------------------------------- determinism */

static uint64_t mix(uint64_t hash, size_t index)
{
    uint64_t value = index == MODEL_NONE ? UINT64_MAX : index;
    return (hash ^ value) * UINT64_C(0x100000001B3);
}

/* One fixed sequence of calls; the hash of all offsets. The dice never see an
 * address, so that the calls are the same everywhere. */
static uint64_t hash_of_offsets(rig *r, size_t largest)
{
    static size_t slots[512];
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    dice d = dice_from(2024);
    for (size_t i = 0; i < LENGTH(slots); i++) {
        slots[i] = MODEL_NONE;
    }
    for (size_t i = 0; i < 20000; i++) {
        size_t *slot = &slots[dice_below(&d, LENGTH(slots))];
        size_t count = dice_between(&d, 1, largest);
        void *old = rig_pointer(r, *slot);
        if (*slot != MODEL_NONE && dice_below(&d, 2) == 0) {
            rig_free(r, *slot);
            *slot = MODEL_NONE;
            continue;
        }
        void *new = bitfit_realloc(r->pool, old, count * r->granule);
        hash = mix(hash, rig_index(r, new));
        *slot = new != NULL ? rig_index(r, new) : *slot;
    }
    return hash;
}

/* The same calls as the model answers them. */
static uint64_t hash_of_model(size_t granules, size_t largest)
{
    static size_t slots[512];
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    dice d = dice_from(2024);
    model m;
    assert_true(model_open(&m, granules, false));
    for (size_t i = 0; i < LENGTH(slots); i++) {
        slots[i] = MODEL_NONE;
    }
    for (size_t i = 0; i < 20000; i++) {
        size_t *slot = &slots[dice_below(&d, LENGTH(slots))];
        size_t count = dice_between(&d, 1, largest);
        if (*slot != MODEL_NONE && dice_below(&d, 2) == 0) {
            model_release(&m, *slot);
            *slot = MODEL_NONE;
            continue;
        }
        size_t new = *slot == MODEL_NONE
                         ? model_alloc(&m, count, MODEL_ANYWHERE)
                         : model_resize(&m, *slot, count);
        hash = mix(hash, new);
        *slot = new != MODEL_NONE ? new : *slot;
    }
    model_close(&m);
    return hash;
}

typedef struct constant {
    size_t granules;
    size_t largest;
    uint64_t hash;
} constant;

/* The hashes that every machine, word size and build must give. */
static const constant constants[] = {
    {300, 4, UINT64_C(0x3AEEF7F7BB2855A7)},
    {3000, 20, UINT64_C(0xBF7FEFCC7B2A16D9)},
    {40000, 300, UINT64_C(0x8C75045DC26F2312)},
};

static void the_same_calls_give_the_same_offsets_everywhere(void **state)
{
    (void)state;
    static const size_t granules[] = {8, 16, 64};
    for (size_t i = 0; i < LENGTH(constants) * LENGTH(granules) * 2; i++) {
        const constant *c = &constants[i % LENGTH(constants)];
        bitfit_options options = {
            .granule = granules[i / LENGTH(constants) % LENGTH(granules)],
            .zeroed = i >= LENGTH(constants) * LENGTH(granules)};
        rig r;
        rig_open(&r, c->granules, &options);
        assert_int_equal(hash_of_offsets(&r, c->largest), c->hash);
        assert_sound(r.pool);
        rig_close(&r);
    }
}

static void the_constants_are_the_models(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(constants); i++) {
        const constant *c = &constants[i];
        uint64_t hash = hash_of_model(c->granules, c->largest);
        if (hash != c->hash) {
            print_error("UINT64_C(0x%016llX)\n", (unsigned long long)hash);
        }
        assert_int_equal(hash, c->hash);
    }
}

/* --------------------------------------------------------------- high water */

typedef struct replay {
    size_t failures;
    size_t high_water; /* granules */
    uint64_t hash;
} replay;

/* A sequence of alloc and free alone: block i is asked for by number, so that a
 * failed request changes nothing in the calls that follow. */
static replay replay_in(size_t granules, uint64_t from)
{
    static size_t slots[300];
    replay result = {0, 0, 0};
    dice d = dice_from(from);
    rig r;
    rig_open(&r, granules, NULL);
    for (size_t i = 0; i < LENGTH(slots); i++) {
        slots[i] = MODEL_NONE;
    }
    for (size_t i = 0; i < 4000; i++) {
        size_t *slot = &slots[dice_below(&d, LENGTH(slots))];
        size_t count = dice_between(&d, 1, 1 + dice_below(&d, 90));
        rig_free(&r, *slot);
        *slot = dice_below(&d, 3) != 0 ? rig_alloc(&r, count) : MODEL_NONE;
        result.hash = mix(result.hash, *slot);
    }
    bitfit_stats stats = rig_stats(&r);
    result.failures = (size_t)stats.failures;
    result.high_water = stats.high_water / r.granule;
    rig_close(&r);
    return result;
}

static void the_high_water_mark_is_the_smallest_pool(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        replay large = replay_in(60000, seed + i);
        assert_int_equal(large.failures, 0);
        replay mark_serves = replay_in(large.high_water, seed + i);
        assert_int_equal(mark_serves.failures, 0);
        assert_int_equal(mark_serves.hash, large.hash);
        assert_int_equal(mark_serves.high_water, large.high_water);
        assert_true(replay_in(large.high_water - 1, seed + i).failures > 0);
    }
}

/* Neither the pool's end nor its size is consulted for a place. */
static void the_pools_size_never_matters(void **state)
{
    (void)state;
    static const size_t more[] = {1, 2, 63, 64, 65, 1000, 4096, 70000};
    replay first = replay_in(60000, seed);
    for (size_t i = 0; i < LENGTH(more); i++) {
        replay other = replay_in(first.high_water + more[i], seed);
        assert_int_equal(other.hash, first.hash);
    }
}

/* In a pool that is full but for single cells of 32 granules, far behind the
 * last word that a floor can name (tree.h). */
static void few_holes_far_apart_are_found_in_order(void **state)
{
    enum { CELL = 32, CELLS = 80000, STEPS = 20000 };
    (void)state;
    rig r;
    dice d = dice_from(seed);
    bool *is_free = calloc(CELLS, sizeof *is_free);
    assert_non_null(is_free);
    const bitfit_options options = {.granule = 8};
    rig_open(&r, (size_t)CELLS * CELL, &options);
    for (size_t cell = 0; cell < CELLS; cell++) {
        assert_int_equal(rig_alloc(&r, CELL), cell * CELL);
    }
    for (size_t i = 0; i < STEPS; i++) {
        size_t cell = dice_below(&d, CELLS);
        if (i < 100 || dice_below(&d, 2) == 0) {
            if (!is_free[cell]) {
                rig_free(&r, cell * CELL);
                is_free[cell] = true;
            }
            continue;
        }
        for (cell = 0; cell < CELLS && !is_free[cell]; cell++) {
        }
        size_t expect = cell < CELLS ? cell * CELL : MODEL_NONE;
        size_t passing = rig_alloc(&r, dice_between(&d, 1, CELL));
        assert_int_equal(passing, expect);
        rig_free(&r, passing);
        assert_int_equal(rig_alloc(&r, CELL), expect);
        if (expect != MODEL_NONE) {
            is_free[cell] = false;
        }
    }
    assert_sound(r.pool);
    free(is_free);
    rig_close(&r);
}

int main(void)
{
    enum { OTHERS = 5 };
    static struct CMUnitTest tests[LENGTH(settings) + OTHERS] = {
        cmocka_unit_test(the_constants_are_the_models),
        cmocka_unit_test(the_same_calls_give_the_same_offsets_everywhere),
        cmocka_unit_test(the_high_water_mark_is_the_smallest_pool),
        cmocka_unit_test(the_pools_size_never_matters),
        cmocka_unit_test(few_holes_far_apart_are_found_in_order),
    };
    seed = seed_for_this_run();
    for (size_t i = 0; i < LENGTH(settings); i++) {
        /* cmocka hands the state on as plain void *; nothing writes to it. */
        setting *s = (setting *)(uintptr_t)&settings[i];
        tests[i + OTHERS] =
            (struct CMUnitTest){settings[i].name, random_run, NULL, NULL, s};
    }
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
