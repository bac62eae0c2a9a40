/*
 * The model of a heap: every moment of it is what a pool shows, pictures are
 * what the model says, and other processes' pools are read or refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/playback.h"
#include "trace/text.h"
#include "view/outside.h"
#include "view/picture.h"
#include "view/plane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* --------------------------------------------------------------- the traces */

enum { EVENTS = 1500, LIVE = 60 };

static char *no_sites[] = {"", "main;work;get", "main;work;take"};

/* What a trace's events are kept in; each comes a microsecond after the last.
 */
typedef struct storage {
    trace_event events[EVENTS];
    trace_packed packed[EVENTS];
    trace_tick ticks[EVENTS];
} storage;

static trace made_of(storage *in, size_t count, uint32_t blocks, uint32_t slots)
{
    for (uint32_t i = 0; i < count; i++) {
        in->packed[i] = (trace_packed){in->events[i].slot, i};
        in->ticks[i] = (trace_tick){i, 1000 * i};
    }
    return (trace){.events = in->packed,
                   .count = count,
                   .kinds = in->events,
                   .kind_count = count,
                   .ticks = in->ticks,
                   .tick_count = count,
                   .blocks = blocks,
                   .slots = slots,
                   .threads = 1,
                   .timed = true,
                   .sites = no_sites,
                   .site_count = 3,
                   .name = "made",
                   .about = "",
                   .format = "test"};
}

/* The same random calls each time. */
static trace random_trace(storage *in)
{
    uint64_t sizes[LIVE];
    uint32_t slots[LIVE]; /* those of live blocks, then the others */
    uint32_t count = 0;
    uint32_t blocks = 0;
    unsigned dice = 7;
    for (uint32_t i = 0; i < LIVE; i++)
        slots[i] = i;
    for (uint32_t i = 0; i < EVENTS; i++) {
        dice = dice * 1103515245 + 12345;
        unsigned choice = dice >> 16;
        trace_event *event = &in->events[i];
        *event = (trace_event){.site = choice % 3};
        uint32_t at = count == 0 ? 0 : choice % count;
        if (count < LIVE && choice % 5 < 3) {
            event->op = TRACE_ALLOC;
            event->slot = slots[count++];
            event->align_log2 = choice % 50 == 0 ? 8 : 0;
            event->size = sizes[event->slot] = choice % 700;
            blocks++;
        } else if (count > 0 && choice % 5 == 3) {
            event->op = TRACE_RESIZE;
            event->slot = slots[at];
            event->size = sizes[event->slot] = choice % 900;
        } else if (count > 0) {
            event->op = TRACE_FREE;
            event->slot = slots[at];
            event->size = sizes[event->slot];
            slots[at] = slots[--count];
            slots[count] = event->slot;
        } else {
            in->events[i--].op = TRACE_FREE; /* nothing to free: again */
        }
    }
    return made_of(in, EVENTS, blocks, LIVE);
}

/*
 *     0  alloc 32     "AA......"
 *     1  alloc 40     "AABBB..."      8 bytes of B are waste
 *     2  free A       "..BBB..."
 *     3  alloc 64     "..BBBCCCC"     the mark: 9 granules
 */
static trace small_trace(storage *in)
{
    const trace_event list[] = {
        {.op = TRACE_ALLOC, .slot = 0, .size = 32},
        {.op = TRACE_ALLOC, .slot = 1, .size = 40},
        {.op = TRACE_FREE, .slot = 0, .size = 32},
        {.op = TRACE_ALLOC, .slot = 0, .size = 64},
    };
    memcpy(in->events, list, sizeof list);
    return made_of(in, 4, 3, 2);
}

/* ------------------------------------------------------------------ moments */

typedef struct expected {
    const heap_moment *moment;
    size_t at;
    void *payload;
} expected;

static bool same_run(const bitfit_run *run, void *context)
{
    expected *e = context;
    assert_true(e->at < e->moment->count);
    const moment_run *mine = &e->moment->runs[e->at++];
    assert_int_equal(mine->offset,
                     (uintptr_t)run->start - (uintptr_t)e->payload);
    assert_int_equal(mine->size, run->size);
    assert_int_equal(mine->live, run->live);
    return true;
}

static void assert_moments_are_the_pools(const heap_history *heap,
                                         const playback_plan *plan)
{
    playback it;
    heap_moment moment;
    bitfit_stats stats;
    size_t peak =
        0; /* the pool's own counts both copies of a block that moves */
    assert_null(playback_open(&it, plan));
    for (uint32_t t = 0; t < heap->trace->count; t++) {
        playback_run(&it, (size_t)t + 1);
        assert_true(moment_of_heap(&moment, heap, t));
        expected e = {&moment, 0, it.payload};
        assert_true(bitfit_walk(it.pool, same_run, &e));
        assert_int_equal(e.at, moment.count);
        bitfit_get_stats(it.pool, &stats);
        assert_int_equal(moment.stats.live, stats.live);
        assert_int_equal(moment.stats.blocks, stats.blocks);
        assert_int_equal(moment.stats.largest_free, stats.largest_free);
        peak = stats.live > peak ? stats.live : peak;
        assert_true(t != heap->peak_event || stats.live == heap->peak_live);
        moment_close(&moment);
    }
    bitfit_get_stats(it.pool, &stats);
    assert_int_equal(heap->high_water, stats.high_water);
    assert_int_equal(heap->peak_live, peak);
    assert_int_equal(heap->failures, it.failures);
    playback_close(&it);
}

static playback_plan plan_of(const trace *from, const heap_history *heap)
{
    trace_summary summary;
    assert_true(trace_summarize(from, &summary));
    return (playback_plan){.from = from,
                           .granule = heap->granule,
                           .alignment = playback_alignment(summary.align_log2)};
}

static void each_moment_is_what_the_pool_shows(void **state)
{
    (void)state;
    static storage events;
    const char *why;
    trace from = random_trace(&events);
    for (size_t granule = 8; granule <= 64; granule *= 2) {
        const heap_options options = {.granule = granule, .samples = 100};
        heap_history *heap = heap_open(&from, &options, &why);
        assert_non_null(heap);
        playback_plan plan = plan_of(&from, heap);
        plan.payload = heap->capacity;
        assert_int_equal(heap->failures, 0);
        assert_int_equal(heap->capacity, heap->high_water);
        assert_moments_are_the_pools(heap, &plan);
        assert_int_equal(heap->sample_count, 100);
        heap_close(heap);
    }
}

static void a_small_pool_fails_some_requests(void **state)
{
    (void)state;
    static storage events;
    const char *why;
    trace from = random_trace(&events);
    const heap_options options = {.pool = 9000};
    heap_history *heap = heap_open(&from, &options, &why);
    assert_non_null(heap);
    assert_true(heap->failures > 0);
    playback_plan plan = plan_of(&from, heap);
    plan.pool = 9000;
    assert_moments_are_the_pools(heap, &plan);
    heap_close(heap);
    const heap_options bad = {.pool = 10};
    assert_null(heap_open(&from, &bad, &why));
    assert_non_null(why);
}

/* What stays and crowds cover, in granules x events and in bytes x events. */
typedef struct covered {
    uint64_t area, waste, stays;
} covered;

static covered covered_by(const heap_history *heap)
{
    covered sum = {.stays = heap->stay_count};
    for (size_t i = 0; i < heap->stay_count; i++) {
        const heap_stay *stay = &heap->stays[i];
        sum.area += (uint64_t)stay->count * (stay->died - stay->born);
        sum.waste +=
            (uint64_t)heap_waste(heap, stay) * (stay->died - stay->born);
    }
    for (size_t i = 0; i < heap->crowd_count; i++) {
        const heap_crowd *crowd = &heap->crowds[i];
        sum.area += crowd->area;
        sum.waste += crowd->waste;
        sum.stays += crowd->times;
        assert_true(crowd->born < crowd->died && crowd->times > 0);
        assert_true(crowd->died - crowd->born < 2 * heap->blur);
        assert_true(crowd->area <=
                    (uint64_t)crowd->count * (crowd->died - crowd->born));
        assert_true(i == 0 || crowd[-1].born <= crowd->born);
    }
    return sum;
}

static void crowds_cover_what_their_stays_did(void **state)
{
    (void)state;
    static storage events;
    const char *why;
    trace from = random_trace(&events);
    const heap_options whole = {.samples = 10};
    heap_history *exact = heap_open(&from, &whole, &why);
    assert_int_equal(exact->crowd_count, 0);
    covered all = covered_by(exact);
    for (size_t columns = 10; columns < 200; columns *= 3) {
        bool few = columns >= 90; /* stays are wanted */
        const heap_options options = {
            .samples = 10, .columns = columns, .stays = few ? 200 : 0};
        heap_history *heap = heap_open(&from, &options, &why);
        assert_non_null(heap);
        assert_int_equal(heap->blur, EVENTS / columns / 2 * (few ? 4 : 1));
        assert_true(heap->crowd_count > 0 &&
                    heap->stay_count < exact->stay_count);
        covered now = covered_by(heap);
        assert_memory_equal(&now, &all, sizeof all);
        assert_int_equal(heap->high_water, exact->high_water);
        heap_moment moment;
        assert_true(moment_of_heap(&moment, heap, heap->peak_event));
        assert_int_equal(moment.stats.live, exact->peak_live);
        moment_close(&moment);
        heap_close(heap);
    }
    assert_int_equal(heap_columns(&from, 7), 0);
    from.count = 15000000;
    assert_int_equal(heap_columns(&from, 7), 7);
    heap_close(exact);
}

static void an_empty_trace_has_an_empty_heap(void **state)
{
    (void)state;
    static storage none;
    const char *why;
    trace from = made_of(&none, 0, 0, 0);
    const heap_options options = {.samples = 10};
    heap_history *heap = heap_open(&from, &options, &why);
    assert_non_null(heap);
    heap_moment moment;
    assert_true(moment_of_heap(&moment, heap, 0));
    assert_int_equal(moment.stats.live, 0);
    assert_int_equal(heap_position(heap, CLOCK_TIME, 5), 0);
    moment_close(&moment);
    heap_close(heap);
}

static void holes_come_largest_first(void **state)
{
    (void)state;
    moment_run runs[] = {{0, 16, 0, false, NULL},
                         {16, 16, 0, true, NULL},
                         {32, 64, 0, false, NULL},
                         {96, 16, 0, true, NULL},
                         {112, 32, 0, false, NULL}};
    const heap_moment moment = {.runs = runs, .count = 5};
    const moment_run *holes[4];
    assert_int_equal(moment_holes(&moment, holes, 4), 3);
    assert_int_equal(holes[0]->size, 64);
    assert_int_equal(holes[1]->size, 32);
    assert_int_equal(holes[2]->size, 16);
    assert_int_equal(moment_holes(&moment, holes, 1), 1);
    assert_int_equal(holes[0]->size, 64);
}

/* ----------------------------------------------------------------- pictures */

/* Ten pixels a granule and an event: a pixel in each block, hole and waste. */
static void a_pixel_has_the_colour_of_its_block(void **state)
{
    (void)state;
    static storage events;
    const char *why;
    trace from = small_trace(&events);
    const heap_options options = {0};
    heap_history *heap = heap_open(&from, &options, &why);
    assert_non_null(heap);
    assert_int_equal(heap->capacity, 9 * 16);
    colour_scheme scheme;
    plane p;
    scheme_by_size(&scheme, false);
    assert_true(plane_open(&p, 40, 90, &scheme));
    plane_add_heap(&p, heap, &scheme, CLOCK_EVENTS);
    plane_finish(&p);
    const colour_theme *theme = theme_of(false);
    const struct {
        unsigned x, y;
        uint32_t colour;
    } pixels[] = {
        {0, 89, scheme.colours[0]},  /* A: 32 bytes */
        {19, 70, scheme.colours[0]}, /* to its end */
        {20, 89, theme->free},       /* freed by event 2 */
        {9, 69, theme->free},        /* before B */
        {10, 69, scheme.colours[1]}, /* B: 48 bytes */
        {39, 46, scheme.colours[1]}, /* below its waste */
        {39, 44, theme->waste},      /* the last 8 of 48 bytes */
        {29, 39, theme->free},       /* above it, before C */
        {30, 39, scheme.colours[1]}, /* C: 64 bytes */
        {39, 0, scheme.colours[1]},  /* to the end, and the top */
    };
    for (size_t i = 0; i < sizeof pixels / sizeof pixels[0]; i++)
        assert_int_equal(plane_colour(&p, &scheme, pixels[i].x, pixels[i].y),
                         pixels[i].colour);
    plane_close(&p);
    heap_close(heap);
}

/* All of it in one pixel: the blocks of 48 and 64 bytes cover more of it than
 * the one of 32, half of it is free, and no other colour comes of it. */
static void a_pixel_of_several_blocks_has_the_colour_of_most(void **state)
{
    (void)state;
    static storage events;
    const char *why;
    trace from = small_trace(&events);
    const heap_options options = {0};
    heap_history *heap = heap_open(&from, &options, &why);
    assert_non_null(heap);
    colour_scheme scheme;
    plane p;
    scheme_by_size(&scheme, false);
    assert_true(plane_open(&p, 1, 1, &scheme));
    plane_add_heap(&p, heap, &scheme, CLOCK_EVENTS);
    plane_finish(&p);
    assert_int_equal(plane_colour(&p, &scheme, 0, 0),
                     colour_mix(theme_of(false)->free, scheme.colours[1], 0.5));
    plane_close(&p);
    heap_close(heap);
}

/* By age: a block changes its colour as it grows older. */
static void ages_and_sites_have_their_classes(void **state)
{
    (void)state;
    static storage events;
    const char *why;
    trace from = random_trace(&events);
    const heap_options options = {0};
    heap_history *heap = heap_open(&from, &options, &why);
    assert_non_null(heap);
    colour_scheme scheme;
    assert_true(scheme_open(&scheme, BY_AGE, heap, CLOCK_TIME, true));
    const heap_stay *stay = &heap->stays[0];
    assert_int_equal(scheme_class_of_stay(&scheme, heap, stay, 0), 0);
    assert_int_equal(
        scheme_class_of_stay(&scheme, heap, stay, scheme.limits[0]), 1);
    assert_int_equal(scheme_class_of_stay(&scheme, heap, stay, UINT64_MAX), 4);
    scheme_close(&scheme);
    assert_true(scheme_open(&scheme, BY_SITE, heap, CLOCK_EVENTS, true));
    assert_int_equal(scheme.count, 3);
    bool named = false;
    for (unsigned i = 0; i < scheme.count; i++)
        named |= strcmp(scheme.names[i], "get < work") == 0;
    assert_true(named);
    scheme_close(&scheme);
    heap_close(heap);
}

static void rows_hold_the_pool_and_are_round(void **state)
{
    (void)state;
    for (uint64_t capacity = 1; capacity < 100000;
         capacity = capacity * 3 + 7) {
        for (uint64_t rows = 1; rows < 60; rows += 7) {
            uint64_t row = round_row(capacity, rows, 16);
            uint64_t odd = row;
            assert_true(row * rows >= capacity);
            assert_true(row == 16 || row == 24 ||
                        row / 3 * 2 * rows < capacity + rows * 3);
            while (odd % 2 == 0)
                odd /= 2;
            assert_true(odd == 1 || odd == 3);
        }
    }
}

static void texts_are_as_people_read_them(void **state)
{
    (void)state;
    char text[48];
    assert_string_equal(count_text(text, 0), "0");
    assert_string_equal(count_text(text, 999), "999");
    assert_string_equal(count_text(text, 1234567), "1,234,567");
    assert_string_equal(things_text(text, 1, "block"), "1 block");
    assert_string_equal(things_text(text, 1000, "block"), "1,000 blocks");
    assert_string_equal(text_of_size(text, 1023), "1023 bytes");
    assert_string_equal(text_of_size(text, 1024), "1.0 KiB");
    assert_string_equal(text_of_size(text, 1048524), "1023.9 KiB");
    assert_string_equal(text_of_size(text, 1048575), "1.0 MiB");
    assert_string_equal(address_text(text, 0), "0");
    assert_string_equal(address_text(text, 1280 << 10), "1.25 MiB");
    assert_string_equal(span_text(text, CLOCK_EVENTS, 1), "1 event");
    assert_string_equal(span_text(text, CLOCK_TIME, 1500000), "1.5 ms");
    assert_string_equal(span_text(text, CLOCK_TIME, 5000000000000), "5000 s");
    assert_string_equal(site_text(text, 64, "a;b;c", 2), "c < b");
    assert_string_equal(site_text(text, 64, "a;(x)::f(int);g(y)", 2),
                        "g < (x)::f");
    assert_string_equal(site_text(text, 64, "a", 2), "a");
    assert_string_equal(site_text(text, 64, "", 2), "unknown");
    assert_string_equal(site_text(text, 6, "a;long_name", 2), "long_");
}

/* ------------------------------------------------------------------- images */

static _Alignas(max_align_t) unsigned char memory[1 << 16];

/* A pool with something in it, as an image in memory. */
static char *image_of_pool(const char *version, size_t *size)
{
    const void *start;
    size_t bytes;
    char line[64];
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
    void *first = bitfit_alloc(pool, 1000);
    assert_non_null(bitfit_alloc(pool, 3000));
    bitfit_free(pool, first);
    bitfit_bookkeeping(pool, &start, &bytes);
    int length = snprintf(line, sizeof line, "bitfit image %s\n", version);
    *size = (size_t)length + bytes;
    char *image = malloc(*size);
    assert_non_null(image);
    memcpy(image, line, (size_t)length);
    memcpy(image + length, start, bytes);
    return image;
}

static void an_image_shows_its_pool(void **state)
{
    (void)state;
    size_t size;
    heap_moment moment;
    char *image = image_of_pool(bitfit_version(), &size);
    assert_null(outside_parse_image(image, size, &moment));
    assert_int_equal(moment.stats.live, 3008);
    assert_int_equal(moment.count, 3);
    assert_false(moment.torn);
    moment_close(&moment);
    free(image);
}

static void a_bad_image_is_refused(void **state)
{
    (void)state;
    size_t size;
    heap_moment moment;
    char *image = image_of_pool("0.0.0", &size);
    assert_non_null(
        strstr(outside_parse_image(image, size, &moment), "another version"));
    free(image);
    for (size_t cut = 1; cut < 200; cut += 11) {
        image = image_of_pool(bitfit_version(), &size);
        assert_non_null(outside_parse_image(image, size - cut, &moment));
        free(image);
    }
    char other[] = "some other file, longer than an image's first line is";
    assert_non_null(outside_parse_image(other, sizeof other, &moment));
    char empty[1];
    assert_non_null(outside_parse_image(empty, 0, &moment));
}

/* ---------------------------------------------------------------- processes */

/* A child with a pool that it publishes; it ends when the pipe does. */
static pid_t start_child(bool publishes, int *pipe_to)
{
    int ends[2];
    int ready[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        const void *start;
        size_t size;
        close(ends[1]);
        bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
        if (bitfit_alloc(pool, 5000) == NULL)
            _exit(1);
        bitfit_bookkeeping(pool, &start, &size);
        int file = memfd_create(BITFIT_PUBLISHED_NAME, 0);
        if (publishes && ftruncate(file, 4096) == 0) {
            bitfit_published *page =
                mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
            strcpy(page->version, bitfit_version());
            page->bookkeeping = (uint64_t)(uintptr_t)start;
            page->bookkeeping_size = size;
            page->magic = BITFIT_PUBLISHED_MAGIC;
        }
        if (write(ready[1], "r", 1) == 1 && read(ends[0], &byte, 1) == 0)
            _exit(0);
        _exit(1);
    }
    close(ends[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    *pipe_to = ends[1];
    return child;
}

static void end_child(pid_t child, int pipe_to)
{
    int status;
    close(pipe_to);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_process_is_read_while_it_lives(void **state)
{
    (void)state;
    int pipe_to;
    outside from;
    heap_moment moment;
    pid_t child = start_child(true, &pipe_to);
    assert_null(outside_open(&from, child));
    assert_null(outside_look(&from, &moment));
    assert_int_equal(moment.stats.live, 5008);
    assert_false(moment.torn);
    moment_close(&moment);
    end_child(child, pipe_to);
    assert_non_null(strstr(outside_look(&from, &moment), "no such process"));
    outside_close(&from);
}

static void a_process_without_a_pool_is_refused(void **state)
{
    (void)state;
    int pipe_to;
    outside from;
    pid_t child = start_child(false, &pipe_to);
    assert_non_null(strstr(outside_open(&from, child), "no pool"));
    end_child(child, pipe_to);
    assert_non_null(strstr(outside_open(&from, child), "no such process"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_moment_is_what_the_pool_shows),
        cmocka_unit_test(a_small_pool_fails_some_requests),
        cmocka_unit_test(crowds_cover_what_their_stays_did),
        cmocka_unit_test(an_empty_trace_has_an_empty_heap),
        cmocka_unit_test(holes_come_largest_first),
        cmocka_unit_test(a_pixel_has_the_colour_of_its_block),
        cmocka_unit_test(a_pixel_of_several_blocks_has_the_colour_of_most),
        cmocka_unit_test(ages_and_sites_have_their_classes),
        cmocka_unit_test(rows_hold_the_pool_and_are_round),
        cmocka_unit_test(texts_are_as_people_read_them),
        cmocka_unit_test(an_image_shows_its_pool),
        cmocka_unit_test(a_bad_image_is_refused),
        cmocka_unit_test(a_process_is_read_while_it_lives),
        cmocka_unit_test(a_process_without_a_pool_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
