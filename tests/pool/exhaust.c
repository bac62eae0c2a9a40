/*
 * Every reachable state of tiny pools, and every call in each of them, against
 * the byte-map model.
 *
 * A state is a picture such as "AABB..C". The search is breadth first from the
 * empty pool. Each state is kept as a copy of the bookkeeping, so that a call
 * is tried in exactly the state that the pool itself reached. All blocks and
 * holes in front of the window and behind it are fixed: so the window straddles
 * the borders of words, or touches long blocks and holes.
 *
 * What the pool leaves undone until it must know is done before it is looked
 * at. So the copy is taken before the look; and in some windows every call is
 * followed by every other without a look in between.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW_MOST = 12, CALLS_MOST = 300 };

typedef struct window {
    const char *name;
    const char *before; /* pictures of what stands around the window */
    const char *after;
    size_t granules;
    bool resize_moves;
    bool full;  /* begin with blocks of one granule: where new ones go before */
    bool pairs; /* try every pair of calls, too */
} window;

static const window windows[] = {
    {"alone_10", "", "", 10, false, false, false},
    {"alone_9_resize_moves", "", "", 9, true, false, false},
    {"alone_1", "", "", 1, false, false, false},
    {"alone_2", "", "", 2, false, false, false},
    {"across_32", "A{28}", "B{20}", 9, false, false, false},
    {"across_64", "A{60}", "B{20}", 9, false, false, false},
    {"across_64_between_long_blocks", "A{60}", "B{200}", 8, false, false,
     false},
    {"across_128_behind_a_long_block", "A{124}", "B", 8, false, false, false},
    {"ends_at_64", "A{56}", "", 8, false, false, false},
    {"ends_at_64_and_a_block_follows", "A{56}", "B{9}", 8, false, false, false},
    {"starts_at_64", "A{64}", "B", 8, false, false, false},
    {"ends_the_pool_at_67", "A{59}", "", 8, false, false, false},
    {"across_192_behind_single_blocks", "ABABABABAB{178}", "A", 8, false, false,
     false},
    {"before_a_long_hole", "A{60}", ".{200}B", 7, false, false, false},
    {"behind_a_long_hole", "A.{187}", "B{3}", 7, false, true, false},
    {"between_long_holes", "A.{123}", ".{130}", 7, false, true, false},
    {"across_64_resize_moves", "A{60}", "B{20}", 8, true, false, false},
    {"pairs_alone_6", "", "", 6, false, false, true},
    {"pairs_alone_6_resize_moves", "", "", 6, true, false, true},
    {"pairs_across_64", "A{61}", "B{300}", 6, false, false, true},
    {"pairs_before_a_long_hole", "A{61}", ".{300}", 5, false, false, true},
    {"pairs_behind_a_long_hole", "A.{187}", "B{140}", 5, false, true, true},
    {"pairs_between_long_holes", "A.{123}", ".{200}", 5, false, true, true},
    {"before_a_long_hole_resize_moves", "A{60}", ".{200}B", 6, true, false,
     false},
};

/* -------------------------------------------------------------- the states */

/* A picture of the window as a number, base 3 with a model_state a digit, one
 * more in front for what lies before it and behind it. */
typedef struct store {
    rig rig;
    model start;
    size_t first; /* the window's first granule */
    const window *window;
    unsigned char *seen;   /* by code: reached already */
    unsigned char *fresh;  /* the bookkeeping as the last call left it */
    unsigned char *copies; /* the bookkeeping of each state reached */
    unsigned char *maps;   /* the model's state map of each */
    size_t states;
    size_t room;
} store;

static size_t codes_for(size_t granules)
{
    size_t codes = 1;
    for (size_t i = 0; i < granules; i++) {
        codes *= 3;
    }
    return codes;
}

/* MODEL_NONE for a picture in which something outside the window differs. */
static size_t code_of(const store *s, const model *m)
{
    size_t code = 0;
    for (size_t i = 0; i < m->count; i++) {
        bool inside = i >= s->first && i < s->first + s->window->granules;
        if (inside) {
            code = code * 3 + m->state[i];
        } else if (m->state[i] != s->start.state[i]) {
            return MODEL_NONE;
        }
    }
    return code;
}

static unsigned char *copy_at(const store *s, size_t state)
{
    return s->copies + state * s->rig.options.bookkeeping_size;
}

static void make_room(store *s)
{
    if (s->states < s->room) {
        return;
    }
    s->room = s->room * 2 + 64;
    s->copies = realloc(s->copies, s->room * s->rig.options.bookkeeping_size);
    s->maps = realloc(s->maps, s->room * s->rig.count);
    assert_non_null(s->copies);
    assert_non_null(s->maps);
}

/* Keeps the state that the pool is in, if it is a new one. */
static void keep(store *s, const model *m)
{
    size_t code = code_of(s, m);
    if (code == MODEL_NONE || s->seen[code]) {
        return;
    }
    make_room(s);
    s->seen[code] = 1;
    memcpy(copy_at(s, s->states), s->fresh, s->rig.options.bookkeeping_size);
    memcpy(s->maps + s->states * m->count, m->state, m->count);
    s->states++;
}

/* The count of the run that starts at `at`. */
static size_t run_from(const unsigned char *map, size_t count, size_t at)
{
    unsigned char rest = map[at] == MODEL_FREE ? MODEL_FREE : MODEL_INNER;
    size_t end = at + 1;
    while (end < count && map[end] == rest) {
        end++;
    }
    return end - at;
}

/* Puts pool and model into a state that was kept. */
static void enter(store *s, size_t state, model *m)
{
    memcpy(s->rig.options.bookkeeping, copy_at(s, state),
           s->rig.options.bookkeeping_size);
    memcpy(m->state, s->maps + state * m->count, m->count);
    for (size_t at = 0; at < m->count; at += m->run[at]) {
        size_t count = run_from(m->state, m->count, at);
        m->run[at] = count;
        m->run[at + count - 1] = count;
    }
}

/* --------------------------------------------------------------- the calls */

typedef struct call {
    enum { ALLOC, ALIGNED, FREE, RESIZE } verb;
    size_t index;
    size_t count;
    size_t alignment; /* in granules */
} call;

static void assert_same_place(store *s, const void *block, size_t expect)
{
    assert_ptr_equal(block, rig_pointer(&s->rig, expect));
}

static void make_call(store *s, model *m, const call *c)
{
    rig *r = &s->rig;
    void *block = c->verb < FREE ? NULL : rig_pointer(r, c->index);
    size_t size = c->count * r->granule;
    size_t count = c->count > r->count ? 0 : c->count;
    model_places places = {c->alignment, 0};
    switch (c->verb) {
    case ALLOC:
        assert_same_place(s, bitfit_alloc(r->pool, size),
                          model_alloc(m, count, MODEL_ANYWHERE));
        break;
    case ALIGNED:
        block = bitfit_aligned_alloc(r->pool, c->alignment * r->granule, size);
        assert_same_place(s, block, model_alloc(m, count, places));
        break;
    case FREE:
        bitfit_free(r->pool, block);
        model_release(m, c->index);
        break;
    case RESIZE:
        assert_same_place(s, bitfit_realloc(r->pool, block, size),
                          model_resize(m, c->index, count));
        break;
    }
}

static void note_fresh(store *s)
{
    memcpy(s->fresh, s->rig.options.bookkeeping,
           s->rig.options.bookkeeping_size);
}

static void look(store *s, const model *m)
{
    assert_same_runs(&s->rig, m);
    assert_sound(s->rig.pool);
    assert_int_equal(rig_stats(&s->rig).largest_free,
                     model_largest_hole(m) * s->rig.granule);
}

/* Every call that is worth making in a state. */
typedef struct calls {
    call list[CALLS_MOST];
    size_t length;
} calls;

static void add(calls *c, call one)
{
    assert_true(c->length < CALLS_MOST);
    c->list[c->length++] = one;
}

static void add_requests(const store *s, calls *c)
{
    for (size_t count = 1; count <= s->window->granules + 1; count++) {
        add(c, (call){ALLOC, 0, count, 1});
        for (size_t alignment = 2; alignment <= 8; alignment *= 2) {
            add(c, (call){ALIGNED, 0, count, alignment});
        }
    }
}

/* Long holes beside the window call for long requests, too. */
static void add_long_requests(const store *s, calls *c)
{
    static const size_t counts[] = {63,  64,  65,  127, 128, 129, 130,
                                    190, 191, 192, 200, 204, 207};
    for (size_t i = 0; i < LENGTH(counts) && s->rig.count > 100; i++) {
        add(c, (call){ALLOC, 0, counts[i], 1});
    }
}

static void add_changes(const store *s, calls *c, size_t index)
{
    add(c, (call){FREE, index, 0, 1});
    for (size_t count = 1; count <= s->window->granules + 1; count++) {
        add(c, (call){RESIZE, index, count, 1});
    }
}

static void list_calls(const store *s, const model *m, calls *c)
{
    c->length = 0;
    add_requests(s, c);
    add_long_requests(s, c);
    for (size_t i = 0; i < s->window->granules; i++) {
        if (m->state[s->first + i] == MODEL_START) {
            add_changes(s, c, s->first + i);
        }
    }
}

/* Enters the state again and makes the call, without a look. */
static void redo(store *s, size_t state, model *m, const call *c)
{
    enter(s, state, m);
    make_call(s, m, c);
}

static void try_seconds(store *s, size_t state, model *m, const call *first)
{
    static calls seconds;
    redo(s, state, m, first);
    list_calls(s, m, &seconds);
    for (size_t i = 0; i < seconds.length; i++) {
        redo(s, state, m, first);
        make_call(s, m, &seconds.list[i]);
        look(s, m);
    }
}

static void try_all(store *s, size_t state, model *m)
{
    static calls firsts;
    enter(s, state, m);
    list_calls(s, m, &firsts);
    for (size_t i = 0; i < firsts.length; i++) {
        redo(s, state, m, &firsts.list[i]);
        note_fresh(s);
        look(s, m);
        keep(s, m);
        if (s->window->pairs) {
            try_seconds(s, state, m, &firsts.list[i]);
        }
    }
}

/* ----------------------------------------------------------- the whole walk */

static void load_start(store *s)
{
    char name[512];
    char *before = picture_expand(s->window->before);
    char *after = picture_expand(s->window->after);
    size_t length = strlen(before) + s->window->granules + strlen(after);
    assert_true(length < sizeof name);
    bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE,
                              .resize_moves = s->window->resize_moves};
    strcpy(name, before);
    for (size_t i = 0; i < s->window->granules; i++) {
        name[strlen(before) + i] = s->window->full ? "xy"[i % 2] : '.';
    }
    strcpy(name + strlen(before) + s->window->granules, after);
    s->first = strlen(before);
    rig_open(&s->rig, length, &options);
    rig_build(&s->rig, name);
    assert_true(model_open(&s->start, length, s->window->resize_moves));
    for (size_t i = 0; i < length; i++) {
        bool again = i > 0 && name[i] == name[i - 1];
        s->start.state[i] = name[i] == '.' ? MODEL_FREE
                            : again        ? MODEL_INNER
                                           : MODEL_START;
    }
    free(before);
    free(after);
}

/* How many pictures there are of n granules: each is free, starts a block, or
 * goes on with one, which it cannot at the start or behind a free one. */
static size_t pictures_of(size_t granules)
{
    size_t behind_free = 1;
    size_t behind_block = 0;
    for (size_t i = 0; i < granules; i++) {
        size_t all = behind_free + behind_block;
        behind_block = all + behind_block;
        behind_free = all;
    }
    return behind_free + behind_block;
}

static void every_state(void **state)
{
    const window *w = *state;
    store s = {.window = w};
    model m;
    assert_true(w->granules <= WINDOW_MOST);
    s.seen = calloc(codes_for(w->granules), 1);
    assert_non_null(s.seen);
    load_start(&s);
    s.fresh = malloc(s.rig.options.bookkeeping_size);
    assert_non_null(s.fresh);
    note_fresh(&s);
    assert_true(model_open(&m, s.start.count, w->resize_moves));
    keep(&s, &s.start);
    for (size_t i = 0; i < s.states; i++) {
        try_all(&s, i, &m);
    }
    assert_int_equal(s.states, pictures_of(w->granules));
    model_close(&m);
    model_close(&s.start);
    rig_close(&s.rig);
    free(s.seen);
    free(s.fresh);
    free(s.copies);
    free(s.maps);
}

int main(void)
{
    static struct CMUnitTest tests[LENGTH(windows)];
    for (size_t i = 0; i < LENGTH(windows); i++) {
        /* cmocka hands the state on as plain void *; nothing writes to it. */
        window *w = (window *)(uintptr_t)&windows[i];
        tests[i] =
            (struct CMUnitTest){windows[i].name, every_state, NULL, NULL, w};
    }
    return cmocka_run_group_tests_name("exhaust", tests, NULL, NULL);
}
