#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------------------- a rig */

enum { GUARD = 64, GUARD_BYTE = 0x5A };

static void *must(void *memory)
{
    assert_non_null(memory);
    return memory;
}

void *memory_for_pool(size_t size)
{
    size_t alignment = _Alignof(max_align_t);
    return must(aligned_alloc(alignment, size + (0 - size) % alignment));
}

/* `size` bytes at a multiple of `alignment`, with a guard on either side. The
 * memory to free() goes to *raw. */
static unsigned char *guarded(size_t size, size_t alignment, unsigned char fill,
                              void **raw)
{
    size_t total = size + alignment + 2 * (size_t)GUARD;
    unsigned char *bytes = must(malloc(total));
    size_t skip = (size_t)(-((uintptr_t)bytes + GUARD)) & (alignment - 1);
    unsigned char *memory = bytes + GUARD + skip;
    *raw = bytes;
    memset(memory - GUARD, GUARD_BYTE, GUARD);
    memset(memory, fill, size);
    memset(memory + size, GUARD_BYTE, GUARD);
    return memory;
}

static void assert_guards(const unsigned char *memory, size_t size)
{
    unsigned char expect[GUARD];
    memset(expect, GUARD_BYTE, sizeof expect);
    assert_memory_equal(memory - GUARD, expect, sizeof expect);
    assert_memory_equal(memory + size, expect, sizeof expect);
}

static bool first_run(const bitfit_run *run, void *context)
{
    *(unsigned char **)context = run->start;
    return false;
}

unsigned char *payload_of(bitfit_pool *pool)
{
    unsigned char *payload = NULL;
    bitfit_walk(pool, first_run, &payload);
    return payload;
}

static void rig_start(rig *r)
{
    assert_int_equal(bitfit_init_status(r->memory, r->size, &r->options),
                     BITFIT_OK);
    r->pool = must(bitfit_init(r->memory, r->size, &r->options));
    bitfit_stats stats = rig_stats(r);
    r->granule = stats.granule;
    r->count = stats.capacity / stats.granule;
    r->payload = payload_of(r->pool);
    r->names = must(malloc(r->count));
    memset(r->names, '?', r->count);
}

static void rig_options(rig *r, const bitfit_options *options)
{
    memset(r, 0, sizeof *r);
    if (options != NULL) {
        r->options = *options;
    } else {
        r->options.lock_kind = BITFIT_LOCK_NONE;
    }
}

static void rig_memory(rig *r, size_t size)
{
    unsigned char fill = r->options.zeroed ? 0 : RIG_GARBAGE;
    r->size = size;
    r->memory = guarded(size, RIG_ALIGNMENT, fill, &r->memory_raw);
}

void rig_open(rig *r, size_t count, const bitfit_options *options)
{
    rig_options(r, options);
    r->granule = r->options.granule != 0 ? r->options.granule : 16;
    rig_memory(r, count * r->granule);
    unsigned char fill = r->options.zeroed ? 0 : RIG_GARBAGE;
    size_t need = bitfit_bookkeeping_size(r->size, &r->options);
    assert_true(need > 0);
    r->options.bookkeeping_size = need;
    r->options.bookkeeping =
        guarded(need, _Alignof(max_align_t), fill, &r->bookkeeping_raw);
    rig_start(r);
    assert_int_equal(r->count, count);
    assert_ptr_equal(r->payload, r->memory);
}

void rig_open_inside(rig *r, size_t size, const bitfit_options *options)
{
    rig_options(r, options);
    r->options.bookkeeping = NULL;
    r->options.bookkeeping_size = 0;
    rig_memory(r, size);
    rig_start(r);
}

void rig_close(rig *r)
{
    bitfit_destroy(r->pool);
    assert_guards(r->memory, r->size);
    if (r->bookkeeping_raw != NULL) {
        assert_guards(r->options.bookkeeping, r->options.bookkeeping_size);
    }
    free(r->bookkeeping_raw);
    free(r->memory_raw);
    free(r->names);
    memset(r, 0, sizeof *r);
}

void *rig_pointer(const rig *r, size_t index)
{
    return index == MODEL_NONE ? NULL : r->payload + index * r->granule;
}

size_t rig_index(const rig *r, const void *pointer)
{
    if (pointer == NULL) {
        return MODEL_NONE;
    }
    size_t offset = (size_t)((const unsigned char *)pointer - r->payload);
    assert_int_equal(offset % r->granule, 0);
    assert_true(offset / r->granule < r->count);
    return offset / r->granule;
}

size_t rig_alloc(rig *r, size_t count)
{
    return rig_index(r, bitfit_alloc(r->pool, count * r->granule));
}

void rig_free(rig *r, size_t index)
{
    bitfit_free(r->pool, rig_pointer(r, index));
}

bitfit_stats rig_stats(const rig *r)
{
    bitfit_stats stats;
    memset(&stats, 0xEE, sizeof stats);
    bitfit_get_stats(r->pool, &stats);
    return stats;
}

/* ---------------------------------------------------------------- pictures */

/* Reads "{64}" if it stands at *at, and moves *at behind it. Else 1. */
static size_t repeat_count(const char **at)
{
    if (**at != '{') {
        return 1;
    }
    char *end = NULL;
    size_t count = strtoul(*at + 1, &end, 10);
    assert_int_equal(*end, '}');
    *at = end + 1;
    return count;
}

static size_t expanded_length(const char *picture)
{
    size_t length = 0;
    for (const char *at = picture; *at != '\0';) {
        at++;
        length += repeat_count(&at);
    }
    return length;
}

char *picture_expand(const char *picture)
{
    char *expanded = must(malloc(expanded_length(picture) + 1));
    char *out = expanded;
    for (const char *at = picture; *at != '\0';) {
        char glyph = *at++;
        size_t count = repeat_count(&at);
        memset(out, glyph, count);
        out += count;
    }
    *out = '\0';
    return expanded;
}

/* How many times the first character repeats. */
static size_t run_length(const char *picture)
{
    size_t length = 0;
    while (picture[length] != '\0' && picture[length] == picture[0]) {
        length++;
    }
    return length;
}

char *picture_shorten(const char *picture)
{
    enum { SHORTEST = 13 };
    size_t room = strlen(picture) + 1;
    char *shortened = must(malloc(room));
    char *out = shortened;
    while (*picture != '\0') {
        size_t length = run_length(picture);
        size_t left = room - (size_t)(out - shortened);
        if (length >= SHORTEST) {
            out += snprintf(out, left, "%c{%zu}", *picture, length);
        } else {
            memset(out, *picture, length);
            out += length;
        }
        picture += length;
    }
    *out = '\0';
    return shortened;
}

static void build_run(rig *r, size_t start, size_t count, char name)
{
    assert_int_equal(rig_alloc(r, count), start);
    r->names[start] = name;
}

/* Short holes are made granule by granule, long ones as one block. */
static size_t hole_step(size_t length)
{
    return length > 16 ? length : 1;
}

void rig_build(rig *r, const char *notation)
{
    char *picture = picture_expand(notation);
    size_t length = strlen(picture);
    for (size_t at = 0; at < length;) {
        size_t count = run_length(picture + at);
        count = picture[at] == '.' ? hole_step(count) : count;
        build_run(r, at, count, picture[at]);
        at += count;
    }
    for (size_t at = 0; at < length;) {
        size_t count = run_length(picture + at);
        if (picture[at] == '.') {
            count = hole_step(count);
            rig_free(r, at);
        }
        at += count;
    }
    free(picture);
}

typedef struct drawing {
    const rig *rig;
    char *picture;
    size_t next;
    bool after_hole;
} drawing;

/* Draws one run, and inspects what bitfit_walk() promises of it. */
static bool draw_run(const bitfit_run *run, void *context)
{
    drawing *d = context;
    size_t start = rig_index(d->rig, run->start);
    size_t count = run->size / d->rig->granule;
    assert_int_equal(start, d->next);
    assert_int_equal(run->size % d->rig->granule, 0);
    assert_true(count > 0 && count <= d->rig->count - start);
    assert_false(d->after_hole && !run->live);
    memset(d->picture + start, run->live ? d->rig->names[start] : '.', count);
    d->next = start + count;
    d->after_hole = !run->live;
    return true;
}

char *rig_picture(const rig *r)
{
    char *picture = must(malloc(r->count + 1));
    drawing d = {.rig = r, .picture = picture};
    assert_true(bitfit_walk(r->pool, draw_run, &d));
    assert_int_equal(d.next, r->count);
    picture[r->count] = '\0';
    return picture;
}

static void show_both(const char *expect, const char *actual, const char *what)
{
    char *expect_short = picture_shorten(expect);
    char *actual_short = picture_shorten(actual);
    print_error("%s\n    expect  \"%s\"\n    actual  \"%s\"\n", what,
                expect_short, actual_short);
    free(expect_short);
    free(actual_short);
}

void assert_picture_(const rig *r, const char *expect, const char *what,
                     const char *file, int line)
{
    char *actual = rig_picture(r);
    char *expanded = picture_expand(expect);
    bool same = strcmp(actual, expanded) == 0;
    if (!same) {
        show_both(expanded, actual, what);
    }
    free(expanded);
    free(actual);
    if (!same) {
        _fail(file, line);
    }
}

bool all_are(const unsigned char *bytes, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------- comparing with the model */

size_t granules_for(const rig *r, size_t size)
{
    if (size == 0) {
        return 1;
    }
    size_t count = size / r->granule + (size % r->granule != 0);
    return count > r->count ? 0 : count;
}

bool places_for(const rig *r, size_t alignment, model_places *places)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return false;
    }
    *places = MODEL_ANYWHERE;
    if (alignment > r->granule) {
        uintptr_t base = (uintptr_t)r->payload;
        uintptr_t first = (0 - base) & (alignment - 1);
        /* Aligned to the granule, no multiple is a multiple of more. */
        if (first % r->granule != 0) {
            return false;
        }
        places->step = alignment / r->granule;
        places->first = (size_t)first / r->granule;
    } else if (((uintptr_t)r->payload & (alignment - 1)) != 0) {
        return false;
    }
    return true;
}

typedef struct comparison {
    const rig *rig;
    const model *model;
    size_t next;
    size_t differs_at; /* MODEL_NONE while nothing does */
} comparison;

static bool compare_run(const bitfit_run *run, void *context)
{
    comparison *c = context;
    size_t start = rig_index(c->rig, run->start);
    bool live = c->model->state[start] == MODEL_START;
    bool same = start == c->next && run->live == live &&
                c->model->run[start] * c->rig->granule == run->size;
    if (!same) {
        c->differs_at = start;
        return false;
    }
    c->next = start + run->size / c->rig->granule;
    return true;
}

/* Shows the pool's and the model's picture. */
static void show_difference(const rig *r, const model *m)
{
    char *expect = must(malloc(m->count + 1));
    char *actual = must(malloc(r->count + 1));
    model_draw(m, expect);
    bitfit_draw(r->pool, actual, r->count + 1);
    show_both(expect, actual, "pool and model differ");
    free(expect);
    free(actual);
}

void assert_same_runs(const rig *r, const model *m)
{
    comparison c = {.rig = r, .model = m, .differs_at = MODEL_NONE};
    bool all = bitfit_walk(r->pool, compare_run, &c);
    if (!all || c.next != m->count) {
        show_difference(r, m);
    }
    assert_int_equal(c.differs_at, MODEL_NONE);
    assert_int_equal(c.next, m->count);
}

void assert_same_stats(const rig *r, const model *m)
{
    bitfit_stats s = rig_stats(r);
    assert_int_equal(s.granule, r->granule);
    assert_int_equal(s.capacity, r->count * r->granule);
    assert_int_equal(s.live, m->stats.live * r->granule);
    assert_int_equal(s.free, s.capacity - s.live);
    assert_int_equal(s.blocks, m->stats.blocks);
    assert_int_equal(s.largest_free, model_largest_hole(m) * r->granule);
    assert_int_equal(s.high_water, m->stats.high_water * r->granule);
    assert_int_equal(s.peak_live, m->stats.peak_live * r->granule);
    assert_int_equal(s.largest_block, m->stats.largest_block * r->granule);
    assert_int_equal(s.allocations, m->stats.allocations);
    assert_int_equal(s.frees, m->stats.frees);
    assert_int_equal(s.reallocations, m->stats.reallocations);
    assert_int_equal(s.failures, m->stats.failures);
}

/* ------------------------------------------------------------------ misuse */

void record_misuse(const bitfit_misuse *misuse, void *context)
{
    recorder *r = context;
    r->calls++;
    r->last = *misuse;
}

bitfit_options recording(recorder *into)
{
    *into = (recorder){0};
    return (bitfit_options){.lock_kind = BITFIT_LOCK_NONE,
                            .on_misuse = record_misuse,
                            .misuse_context = into};
}

/* ---------------------------------------------------------- random numbers */

dice dice_from(uint64_t seed)
{
    /* Zero is the one state that xorshift never leaves. */
    return (dice){seed * UINT64_C(0x9E3779B97F4A7C15) | 1};
}

uint64_t dice_next(dice *d)
{
    d->state ^= d->state >> 12;
    d->state ^= d->state << 25;
    d->state ^= d->state >> 27;
    return d->state * UINT64_C(0x2545F4914F6CDD1D);
}

size_t dice_below(dice *d, size_t bound)
{
    return (size_t)((dice_next(d) >> 33) % bound);
}

size_t dice_between(dice *d, size_t low, size_t high)
{
    return low + dice_below(d, high - low + 1);
}

void change_slot(rig *r, dice *d, void **slots, size_t count)
{
    void **slot = &slots[dice_below(d, count)];
    bitfit_free(r->pool, *slot);
    size_t size = dice_between(d, 0, 1200);
    *slot = dice_below(d, 4) == 0 ? bitfit_aligned_alloc(r->pool, 64, size)
                                  : bitfit_alloc(r->pool, size);
}

uint64_t seed_for_this_run(void)
{
    const char *given = getenv("BITFIT_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0)
                                  : (uint64_t)time(NULL) * 1000003u;
    print_message("seed: BITFIT_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}
