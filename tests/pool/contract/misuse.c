/*
 * The handler of misuse, the lock, and calls from inside a call. One test for
 * each promise of bitfit.h, bearing its name.
 */
#include "support.h"

/* Memory for the tests that call bitfit_init() by hand. */
static _Alignas(65536) unsigned char memory[65536];

/* ---------------------------------------------------------------- re-entry */

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
    "bitfit_alloc",      "bitfit_calloc",     "bitfit_aligned_alloc",
    "bitfit_realloc",    "bitfit_realloc",    "bitfit_free",
    "bitfit_free_sized", "bitfit_reset",      "bitfit_walk",
    "bitfit_draw",       "bitfit_get_stats",  "bitfit_usable_size",
    "bitfit_check",      "bitfit_reset_peak", "bitfit_lock",
    "bitfit_destroy",
};

/* The first seven. */
static bool use(bitfit_pool *pool, void *block, unsigned call)
{
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
    default:
        bitfit_free_sized(pool, block, 32);
        return false;
    }
}

static bool enter(bitfit_pool *pool, void *block, unsigned call)
{
    enum { USES = 7 };
    char drawing[8] = "";
    bitfit_stats stats;
    if (call < USES)
        return use(pool, block, call);
    switch (call) {
    case USES:
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
        bitfit_reset_peak(pool);
        return false;
    case 14:
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
        assert_int_equal(seen->last.kind, BITFIT_REENTRY);
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
        assert_int_equal(seen.last.kind, BITFIT_REENTRY);
        bitfit_unlock(r.pool);
        assert_non_null(bitfit_alloc(r.pool, 1));
        assert_int_equal(seen.calls, 1);
        rig_close(&r);
    }
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
    assert_int_equal(misuse->kind, BITFIT_DOUBLE_FREE);
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
    assert_int_equal(seen.last.kind, BITFIT_MISALIGNED);
    assert_int_equal(bitfit_usable_size(r.pool, &r), 0);
    assert_string_equal(seen.last.call, "bitfit_usable_size");
    assert_int_equal(seen.last.kind, BITFIT_FOREIGN);
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(walk_callback_reentry_is_caught),
        cmocka_unit_test(calls_under_bitfit_lock_are_reentries),
        cmocka_unit_test(callers_lock_is_called_in_pairs),
        cmocka_unit_test(callers_recursive_lock_shows_reentry),
        cmocka_unit_test(handler_runs_after_the_lock_is_released),
        cmocka_unit_test(handler_may_call_the_pool),
        cmocka_unit_test(handler_may_leave_by_longjmp),
        cmocka_unit_test(misuse_says_which_call_pool_pointer_and_size),
        cmocka_unit_test(every_lock_kind_serves),
    };
    return cmocka_run_group_tests_name("contract/misuse", tests, NULL, NULL);
}
