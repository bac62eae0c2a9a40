/*
 * Copies of a pool's bookkeeping: they show what the pool shows, wherever they
 * lie; a torn one is told from a whole one; what is no pool is refused; and
 * whatever stands in them, reading stays inside.
 */
#include "support.h"

#include "../../malloc/carve.h"
#include "bitfit_offsets.h"
#include "pool.h"

#include <stdlib.h>
#include <string.h>

/* A pool, and a copy of its bookkeeping with no byte to spare. */
typedef struct copied {
    rig rig;
    unsigned char *bytes;
    size_t size;
} copied;

static void take_copy(copied *c)
{
    const void *start;
    bitfit_bookkeeping(c->rig.pool, &start, &c->size);
    free(c->bytes);
    size_t alignment = _Alignof(max_align_t); /* malloc's may be smaller */
    c->bytes = aligned_alloc(alignment, (c->size / alignment + 1) * alignment);
    assert_non_null(c->bytes);
    memcpy(c->bytes, start, c->size);
}

static void open_copied(copied *c, const char *notation)
{
    char *picture = picture_expand(notation);
    *c = (copied){.bytes = NULL};
    rig_open(&c->rig, strlen(picture), NULL);
    rig_build(&c->rig, picture);
    take_copy(c);
    free(picture);
}

static void close_copied(copied *c)
{
    free(c->bytes);
    rig_close(&c->rig);
}

static bitfit_pool *struct_of(const copied *c)
{
    return (bitfit_pool *)(void *)c->bytes;
}

/* Where the run map lies in the copy. */
static bf_pair *pairs_of(const copied *c)
{
    size_t offset = (size_t)((unsigned char *)c->rig.pool->fit.map.pairs -
                             (unsigned char *)c->rig.pool);
    return (bf_pair *)(void *)(c->bytes + offset);
}

/* Fails unless the copy is this; then takes it anew. */
static void assert_state(copied *c, bitfit_copy_state state)
{
    assert_int_equal(bitfit_copy_check(c->bytes, c->size), state);
    take_copy(c);
    assert_int_equal(bitfit_copy_check(c->bytes, c->size), BITFIT_COPY_WHOLE);
}

/* -------------------------------------------------------------- comparing */

typedef struct run_list {
    bitfit_run runs[4096];
    size_t count;
    size_t stop_at;
} run_list;

static bool note_run(const bitfit_run *run, void *context)
{
    run_list *list = context;
    assert_true(list->count < LENGTH(list->runs));
    list->runs[list->count++] = *run;
    return list->count != list->stop_at;
}

/* The copy first: asking the pool frees the block that waits in its map. */
static void assert_shows_the_pool(copied *c)
{
    static run_list outside;
    static run_list inside;
    bitfit_stats by_copy;
    bitfit_stats by_pool;
    take_copy(c);
    outside.count = inside.count = 0;
    assert_int_equal(bitfit_copy_check(c->bytes, c->size), BITFIT_COPY_WHOLE);
    assert_true(bitfit_copy_walk(c->bytes, c->size, note_run, &outside));
    assert_true(bitfit_copy_get_stats(c->bytes, c->size, &by_copy));
    bitfit_get_stats(c->rig.pool, &by_pool);
    assert_true(bitfit_walk(c->rig.pool, note_run, &inside));
    assert_memory_equal(&by_copy, &by_pool, sizeof by_pool);
    assert_int_equal(outside.count, inside.count);
    for (size_t i = 0; i < inside.count; i++) {
        assert_ptr_equal(outside.runs[i].start, inside.runs[i].start);
        assert_int_equal(outside.runs[i].size, inside.runs[i].size);
        assert_int_equal(outside.runs[i].live, inside.runs[i].live);
    }
}

static void a_copy_shows_what_the_pool_shows(void **state)
{
    (void)state;
    static const size_t granules[] = {1, 63, 64, 100, 300, 1000, 5000};
    dice d = dice_from(seed_for_this_run());
    for (size_t i = 0; i < LENGTH(granules); i++) {
        copied c = {.bytes = NULL};
        size_t live[64] = {0};
        rig_open(&c.rig, granules[i], NULL);
        for (size_t step = 0; step < 64; step++)
            live[step] = MODEL_NONE;
        for (int step = 0; step < 400; step++) {
            size_t *slot = &live[dice_below(&d, LENGTH(live))];
            if (*slot != MODEL_NONE) {
                rig_free(&c.rig, *slot);
                *slot = MODEL_NONE;
            } else {
                *slot =
                    rig_alloc(&c.rig, dice_between(&d, 1, 1 + granules[i] / 4));
            }
            assert_shows_the_pool(&c);
        }
        close_copied(&c);
    }
}

/*
 *     map     "AA..BBB..CC"    B was the last block taken, and waits
 *     shown   "AA.......CC"
 */
static void a_block_that_waits_is_part_of_a_hole(void **state)
{
    (void)state;
    copied c;
    run_list list = {.count = 0};
    open_copied(&c, "AA..{10}CC{300}D..");
    size_t block = rig_alloc(&c.rig, 3);
    rig_free(&c.rig, block);
    take_copy(&c);
    assert_true(bitfit_copy_walk(c.bytes, c.size, note_run, &list));
    assert_false(list.runs[1].live);
    assert_int_equal(list.runs[1].size, 11 * c.rig.granule);
    assert_shows_the_pool(&c);
    close_copied(&c);
}

static void a_copy_of_a_held_pool_is_whole(void **state)
{
    (void)state;
    copied c = {.bytes = NULL};
    bitfit_misuse_handler *handler = record_misuse;
    recorder misuses = {0};
    const bitfit_options options = {.on_misuse = handler,
                                    .misuse_context = &misuses};
    rig_open_inside(&c.rig, 100000, &options);
    assert_true(rig_alloc(&c.rig, 7) != MODEL_NONE);
    bitfit_lock(c.rig.pool);
    take_copy(&c);
    bitfit_unlock(c.rig.pool);
    assert_int_equal(bitfit_copy_check(c.bytes, c.size), BITFIT_COPY_WHOLE);
    assert_shows_the_pool(&c);
    close_copied(&c);
}

static void a_block_too_short_for_its_guard_is_shown_as_it_is(void **state)
{
    (void)state;
    copied c = {.bytes = NULL};
    static run_list list;
    const bitfit_options options = {.guard = true};
    rig_open(&c.rig, 100, &options);
    bitfit_alloc(c.rig.pool, 16);
    take_copy(&c);
    pairs_of(&c)[0].start |= BF_ONE << 1;
    list.count = 0;
    assert_true(bitfit_copy_walk(c.bytes, c.size, note_run, &list));
    assert_int_equal(list.count, 3);
    assert_int_equal(list.runs[0].size, c.rig.granule);
    close_copied(&c);
}

/* Its addresses are its offsets. */
static void a_copy_of_a_pool_without_memory_is_read(void **state)
{
    (void)state;
    static _Alignas(max_align_t) unsigned char books[4096];
    const bitfit_options options = {
        .granule = 16, .bookkeeping = books, .bookkeeping_size = sizeof books};
    static run_list list;
    const void *start;
    size_t size;
    bitfit_pool *pool = bitfit_init_offsets(6400, &options);
    assert_non_null(pool);
    assert_true(bitfit_alloc_offset(pool, 100) == 0);
    assert_true(bitfit_alloc_offset(pool, 16) == 112);
    bitfit_free_offset(pool, 0);
    bitfit_bookkeeping(pool, &start, &size);
    assert_int_equal(bitfit_copy_check(start, size), BITFIT_COPY_WHOLE);
    assert_true(bitfit_copy_walk(start, size, note_run, &list));
    assert_int_equal(list.count, 3);
    assert_null(list.runs[0].start);
    assert_int_equal((uintptr_t)list.runs[1].start, 112);
    assert_true(list.runs[1].live);
    assert_int_equal(list.runs[2].size, 6400 - 128);
    bitfit_free_offset(pool, 112);
    bitfit_destroy(pool);
}

static void a_copy_of_a_pool_with_a_carved_top_is_whole(void **state)
{
    (void)state;
    copied c = {.bytes = NULL};
    rig_open(&c.rig, 1000, NULL);
    c.rig.names[bf_carve_reserve_top(c.rig.pool, 100)] = 'T';
    take_copy(&c);
    assert_state(&c, BITFIT_COPY_WHOLE);
    rig_alloc(&c.rig, 7);
    take_copy(&c);
    assert_shows_the_pool(&c);
    assert_state(&c, BITFIT_COPY_WHOLE);
    struct_of(&c)->high_water = 6;
    assert_state(&c, BITFIT_COPY_TORN);
    close_copied(&c);
}

static void the_walk_ends_when_the_visitor_says_so(void **state)
{
    (void)state;
    copied c;
    run_list list = {.stop_at = 2};
    open_copied(&c, "AA..BB");
    assert_false(bitfit_copy_walk(c.bytes, c.size, note_run, &list));
    assert_int_equal(list.count, 2);
    close_copied(&c);
}

static void bookkeeping_is_where_the_pool_was_told_to_put_it(void **state)
{
    (void)state;
    rig apart;
    const void *start;
    size_t size;
    rig_open(&apart, 1000, NULL);
    bitfit_bookkeeping(apart.pool, &start, &size);
    assert_ptr_equal(start, apart.options.bookkeeping);
    assert_int_equal(size, rig_stats(&apart).bookkeeping);
    rig_close(&apart);
    rig inside;
    rig_open_inside(&inside, 10000, NULL);
    bitfit_bookkeeping(inside.pool, &start, &size);
    assert_ptr_equal(start, inside.memory);
    assert_int_equal(size, rig_stats(&inside).bookkeeping);
    rig_close(&inside);
}

/* ---------------------------------------------------------------- refusing */

static const char scene[] = "AAB..C{70}.{65}D.{60}EE.F{5}G.{300}H{291}.I..";

static bool visit_nothing(const bitfit_run *run, void *context)
{
    (void)run;
    (void)context;
    fail();
    return true;
}

static void assert_no_pool(const void *copy, size_t size)
{
    bitfit_stats stats;
    const bitfit_stats zero = {0};
    assert_int_equal(bitfit_copy_check(copy, size), BITFIT_COPY_NO_POOL);
    assert_false(bitfit_copy_get_stats(copy, size, &stats));
    assert_memory_equal(&stats, &zero, sizeof zero);
    assert_false(bitfit_copy_walk(copy, size, visit_nothing, NULL));
}

static void a_copy_that_is_cut_off_is_no_pool(void **state)
{
    (void)state;
    copied c;
    open_copied(&c, scene);
    assert_no_pool(NULL, 0);
    for (size_t size = 0; size < c.size; size++) {
        void *part = malloc(size + 1);
        assert_non_null(part);
        memcpy(part, c.bytes, size);
        assert_no_pool(part, size);
        free(part);
    }
    close_copied(&c);
}

static void a_misaligned_copy_is_no_pool(void **state)
{
    (void)state;
    copied c;
    open_copied(&c, scene);
    unsigned char *shifted = malloc(c.size + 1);
    assert_non_null(shifted);
    memcpy(shifted + 1, c.bytes, c.size);
    assert_no_pool(shifted + 1, c.size);
    free(shifted);
    close_copied(&c);
}

/* Each field that says what lies where, out of its range. */
static void a_layout_that_cannot_be_is_no_pool(void **state)
{
    (void)state;
    copied c;
    open_copied(&c, scene);
    for (unsigned i = 0; i < 10; i++) {
        bitfit_pool *pool = struct_of(&c);
        switch (i) {
        case 0:
            pool->payload = NULL;
            break;
        case 1:
            pool->lock_kind = BITFIT_LOCK_DEFAULT;
            break;
        case 2:
            pool->lock_kind = BITFIT_LOCK_CALLER + 1;
            break;
        case 3:
            pool->granule_shift = 2;
            break;
        case 4:
            pool->granule_shift = 31;
            break;
        case 5:
            pool->fit.map.granules = 0;
            break;
        case 6:
            pool->fit.map.granules = SIZE_MAX;
            break;
        case 7:
            pool->fit.map.granules = SIZE_MAX >> pool->granule_shift;
            break;
        case 8:
            pool->fit.map.granules = SIZE_MAX >> 8;
            break;
        default:
            memset(&pool->has_handler, 2, 1);
        }
        assert_no_pool(c.bytes, c.size);
        take_copy(&c);
    }
    close_copied(&c);
}

/* -------------------------------------------------------------------- torn */

static void a_torn_run_map_is_seen(void **state)
{
    (void)state;
    copied c;
    open_copied(&c, "AAB...C{70}.{400}D..");
    pairs_of(&c)[0].start &= ~BF_ONE;
    assert_state(&c, BITFIT_COPY_TORN);
    pairs_of(&c)[0].free ^= BF_ONE << 1;
    assert_state(&c, BITFIT_COPY_TORN);
    pairs_of(&c)[bf_word_of(76) + 1].free ^= BF_ONE << 3; /* a tag */
    assert_state(&c, BITFIT_COPY_TORN);
    pairs_of(&c)[0].start |= BF_ONE << 4; /* two holes touch */
    assert_state(&c, BITFIT_COPY_TORN);
    close_copied(&c);
}

static void torn_counters_are_seen(void **state)
{
    (void)state;
    copied c;
    open_copied(&c, "AAB...C{70}..D{100}..");
    rig_free(&c.rig, 78);
    take_copy(&c);
    struct_of(&c)->room++;
    assert_state(&c, BITFIT_COPY_TORN);
    struct_of(&c)->frees++;
    assert_state(&c, BITFIT_COPY_TORN);
    struct_of(&c)->largest_block = 69;
    assert_state(&c, BITFIT_COPY_TORN);
    struct_of(&c)->high_water = 75;
    assert_state(&c, BITFIT_COPY_TORN);
    struct_of(&c)->peak_live -= struct_of(&c)->room + 1; /* one below live */
    struct_of(&c)->room = SIZE_MAX;
    assert_state(&c, BITFIT_COPY_TORN);
    struct_of(&c)->largest_block = struct_of(&c)->fit.map.granules + 1;
    assert_state(&c, BITFIT_COPY_TORN);
    size_t live = bf_pool_live(struct_of(&c));
    struct_of(&c)->peak_live = struct_of(&c)->fit.map.granules + 1;
    struct_of(&c)->room = struct_of(&c)->peak_live - live;
    assert_state(&c, BITFIT_COPY_TORN);
    struct_of(&c)->high_water = struct_of(&c)->fit.map.granules + 1;
    assert_state(&c, BITFIT_COPY_TORN);
    close_copied(&c);
}

/* Bytes of any value anywhere: the runs still cover the payload, or there is no
 * pool. Behind a block a guard may be left out; all guards have one size. (The
 * sanitizers watch the bounds.) */
typedef struct cover {
    uintptr_t end; /* of the last run; a number, for a copy may say anything */
    bool live;     /* the last run was a block */
    size_t guard;  /* bytes; 0 until one was left out */
    size_t size;
} cover;

static void skip_guard(cover *seen, size_t size)
{
    if (size != 0) {
        assert_true(seen->live);
        assert_true(seen->guard == 0 || seen->guard == size);
        seen->guard = size;
        seen->size += size;
    }
}

static bool extend_cover(const bitfit_run *run, void *context)
{
    cover *seen = context;
    uintptr_t start = (uintptr_t)run->start;
    skip_guard(seen, seen->size == 0 ? 0 : (size_t)(start - seen->end));
    assert_true(run->size > 0);
    seen->end = start + run->size;
    seen->live = run->live;
    seen->size += run->size;
    return true;
}

static void whatever_it_holds_the_runs_cover_the_payload(void **state)
{
    (void)state;
    static const char *const scenes[] = {"AB.", "A..B{9}..", scene};
    dice d = dice_from(seed_for_this_run());
    size_t read = 0;
    for (size_t round = 0; round < 3000; round++) {
        copied c;
        bitfit_stats stats;
        cover seen = {0};
        open_copied(&c, scenes[round % LENGTH(scenes)]);
        for (size_t flips = dice_between(&d, 1, 40); flips > 0; flips--)
            c.bytes[dice_below(&d, c.size)] = (unsigned char)dice_next(&d);
        if (bitfit_copy_walk(c.bytes, c.size, extend_cover, &seen)) {
            assert_true(bitfit_copy_get_stats(c.bytes, c.size, &stats));
            skip_guard(&seen, stats.capacity - seen.size);
            if (!bf_is_guarded(struct_of(&c)))
                assert_int_equal(stats.live + stats.free, stats.capacity);
            read++;
        } else {
            assert_no_pool(c.bytes, c.size);
        }
        close_copied(&c);
    }
    assert_in_range(read, 1, 2999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_shows_what_the_pool_shows),
        cmocka_unit_test(a_block_that_waits_is_part_of_a_hole),
        cmocka_unit_test(a_copy_of_a_held_pool_is_whole),
        cmocka_unit_test(a_block_too_short_for_its_guard_is_shown_as_it_is),
        cmocka_unit_test(a_copy_of_a_pool_without_memory_is_read),
        cmocka_unit_test(a_copy_of_a_pool_with_a_carved_top_is_whole),
        cmocka_unit_test(the_walk_ends_when_the_visitor_says_so),
        cmocka_unit_test(bookkeeping_is_where_the_pool_was_told_to_put_it),
        cmocka_unit_test(a_copy_that_is_cut_off_is_no_pool),
        cmocka_unit_test(a_misaligned_copy_is_no_pool),
        cmocka_unit_test(a_layout_that_cannot_be_is_no_pool),
        cmocka_unit_test(a_torn_run_map_is_seen),
        cmocka_unit_test(torn_counters_are_seen),
        cmocka_unit_test(whatever_it_holds_the_runs_cover_the_payload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
