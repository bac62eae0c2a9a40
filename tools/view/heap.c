#include "heap.h"

#include "../trace/playback.h"
#include "../trace/table.h"
#include "screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRANULE_DEFAULT = 16,
    PROGRESS_EVERY = 1 << 16,
    FIRST_ROOM = 1 << 12,
    ROWS = 512 /* of a picture, and of crowds */
};

#define NO_STAY UINT32_MAX

static const char no_memory[] = "there is not enough memory for the replay";

/* --------------------------------------------------------------- watching */

/* What is in a slot. */
typedef struct tenant {
    uint32_t stay; /* NO_STAY: it is unused, or found no place */
    uint32_t block;
} tenant;

/* A playback, watched event by event. */
typedef struct watch {
    heap_history *heap;
    playback playback;
    tenant *current;    /* of each slot */
    uint32_t blocks;    /* that were allocated so far */
    size_t live;        /* bytes */
    uint64_t requested; /* bytes */
    size_t last_part;   /* of the samples */
    uint64_t mark;      /* granules: the high-water mark */
    size_t stay_room;
    size_t stays_wanted; /* not more, if it can be; 0: as many as there are */
    size_t gone;         /* stays that are in crowds */
    size_t crowd_room;
    table crowds;  /* the last one of each key */
    uint32_t row;  /* granules of a picture's row */
    uint32_t peak; /* the event with most live, where none fails */
} watch;

/* Doubles an array that is full. False if memory is short. */
static bool grow(void *array, size_t *room, size_t count, size_t each)
{
    void **at = array;
    if (count < *room)
        return true;
    size_t more = *room == 0 ? FIRST_ROOM : 2 * *room;
    void *moved = realloc(*at, more * each);
    if (moved == NULL)
        return false;
    *at = moved;
    *room = more;
    return true;
}

/* Takes out the stays that are in crowds. */
static void compact(watch *w)
{
    heap_history *heap = w->heap;
    size_t kept = 0;
    for (uint32_t i = 0; i < heap->stay_count; i++) {
        const heap_stay *stay = &heap->stays[i];
        if (stay->died == stay->born)
            continue;
        uint32_t *current = &w->current[heap_asked(heap, stay).slot].stay;
        if (*current == i)
            *current = (uint32_t)kept;
        heap->stays[kept++] = *stay;
    }
    heap->stay_count = kept;
    w->gone = 0;
}

static bool is_in_crowd(const watch *w, const heap_stay *stay)
{
    bool at_peak = stay->born <= w->peak && w->peak < stay->died;
    return stay->died - stay->born < w->heap->blur && !at_peak &&
           (uint64_t)stay->start + stay->count < w->mark;
}

/* The crowd of this key that the stay may join, or a new one; NULL if memory is
 * short. */
static heap_crowd *crowd_of(watch *w, uint64_t key, const heap_stay *stay)
{
    heap_history *heap = w->heap;
    uint64_t at;
    if (table_find(&w->crowds, key, &at) &&
        stay->died - heap->crowds[at].born < 2 * heap->blur)
        return &heap->crowds[at];
    if (!grow(&heap->crowds, &w->crowd_room, heap->crowd_count,
              sizeof *heap->crowds) ||
        !table_put(&w->crowds, key, heap->crowd_count))
        return NULL;
    heap_crowd *made = &heap->crowds[heap->crowd_count++];
    *made = (heap_crowd){.born = stay->born, .site = (uint32_t)(key >> 32)};
    return made;
}

/* Rows as the picture's, and classes as its colours. Without memory the stay
 * remains as it is. */
static void join_crowd(watch *w, heap_stay *stay)
{
    uint32_t first = stay->start / w->row;
    uint32_t last = (stay->start + stay->count - 1) / w->row;
    unsigned class = heap_size_class((uint64_t)stay->count * w->heap->granule);
    uint64_t site = heap_asked(w->heap, stay).site;
    uint64_t key = site << 32 | first << 18 | last << 4 | class;
    heap_crowd *crowd = crowd_of(w, key, stay);
    if (crowd == NULL)
        return;
    uint64_t life = stay->died - stay->born;
    crowd->start = first * w->row;
    crowd->count = (last + 1 - first) * w->row;
    crowd->born = stay->born < crowd->born ? stay->born : crowd->born;
    crowd->died = stay->died > crowd->died ? stay->died : crowd->died;
    crowd->times++;
    crowd->counts += stay->count;
    crowd->area += stay->count * life;
    crowd->waste += heap_waste(w->heap, stay) * life;
    stay->died = stay->born;
    w->gone++;
}

static void end_stay(watch *w, tenant *of, uint32_t event)
{
    heap_stay *stay = &w->heap->stays[of->stay];
    size_t size = stay->count * w->heap->granule;
    stay->died = event;
    w->live -= size;
    w->requested -= size - heap_waste(w->heap, stay);
    of->stay = NO_STAY;
    if (is_in_crowd(w, stay))
        join_crowd(w, stay);
}

/* Lets twice as long stays into crowds, by birth: crowds then grow forwards. */
static void blur_twice(watch *w)
{
    heap_history *heap = w->heap;
    heap->blur *= 2;
    table_free(&w->crowds);
    for (size_t i = 0; i < heap->stay_count; i++) {
        heap_stay *stay = &heap->stays[i];
        if (stay->born < stay->died && stay->died < heap->trace->count &&
            is_in_crowd(w, stay))
            join_crowd(w, stay);
    }
    compact(w);
}

/* Makes stays fewer than are wanted, as long as the picture bears it. */
static void blur_more(watch *w)
{
    enum { COARSEST = 32 }; /* of all of the time */
    heap_history *heap = w->heap;
    size_t few = w->stays_wanted / 4 * 3;
    size_t most = heap->trace->count / COARSEST;
    compact(w);
    while (heap->stay_count > few && heap->blur * 2 <= most)
        blur_twice(w);
    if (heap->stay_count > few)
        w->stays_wanted *= 2;
}

/* Room for a stay. False if memory is short. */
static bool make_room(watch *w)
{
    heap_history *heap = w->heap;
    if (heap->stay_count == w->stay_room && w->gone > heap->stay_count / 2)
        compact(w);
    if (w->stays_wanted != 0 && heap->stay_count - w->gone >= w->stays_wanted)
        blur_more(w);
    return grow(&heap->stays, &w->stay_room, heap->stay_count,
                sizeof *heap->stays);
}

static bool begin_stay(watch *w, const trace_event *event, uint32_t time)
{
    heap_history *heap = w->heap;
    tenant *of = &w->current[event->slot];
    void *place = w->playback.places[event->slot];
    size_t size = bitfit_usable_size(w->playback.pool, place);
    if (!make_room(w))
        return false;
    of->stay = (uint32_t)heap->stay_count;
    w->live += size;
    w->requested += event->size;
    heap_stay *stay = &heap->stays[heap->stay_count++];
    *stay = (heap_stay){
        .start = (uint32_t)(playback_offset(&w->playback, event->slot) /
                            heap->granule),
        .count = (uint32_t)(size / heap->granule),
        .born = time,
        .died = (uint32_t)heap->trace->count,
        .block = of->block,
    };
    uint64_t end = (uint64_t)stay->start + stay->count;
    w->mark = end > w->mark ? end : w->mark;
    if (w->live > heap->peak_live) {
        heap->peak_live = w->live;
        heap->peak_requested = w->requested;
        heap->peak_event = time;
    }
    return true;
}

/* False if memory is short. */
static bool watch_event(watch *w, uint32_t time)
{
    const trace_event event = trace_at(w->heap->trace, time);
    tenant *of = &w->current[event.slot];
    uint64_t failures = w->playback.failures;
    if (event.op == TRACE_ALLOC)
        of->block = w->blocks++;
    playback_run(&w->playback, (size_t)time + 1);
    bool failed = w->playback.failures != failures;
    if (!failed && of->stay != NO_STAY)
        end_stay(w, of, time);
    return failed || w->playback.places[event.slot] == NULL ||
           begin_stay(w, &event, time);
}

/* Adds what is now to the sample of the part that the event is in. */
static void sample(watch *w, size_t samples, uint32_t time)
{
    heap_history *heap = w->heap;
    size_t part = (size_t)((uint64_t)time * samples / heap->trace->count);
    bitfit_stats stats;
    bitfit_get_stats(w->playback.pool, &stats);
    if (heap->sample_count == 0 || part != w->last_part) {
        heap->samples[heap->sample_count++] =
            (heap_sample){.event = time, .largest = UINT64_MAX};
    }
    w->last_part = part;
    heap_sample *sample = &heap->samples[heap->sample_count - 1];
    if (stats.live >= sample->live) {
        sample->live = stats.live;
        sample->requested = w->requested;
    }
    sample->high_water = stats.high_water;
    if (stats.largest_free < sample->largest) {
        sample->largest = stats.largest_free;
        sample->free = stats.free;
    }
}

static int earlier_first(const void *a, const void *b)
{
    const heap_crowd *left = a;
    const heap_crowd *right = b;
    return (left->born > right->born) - (left->born < right->born);
}

static void finish_crowds(watch *w)
{
    heap_history *heap = w->heap;
    compact(w);
    table_free(&w->crowds);
    if (heap->crowd_count > 0) {
        qsort(heap->crowds, heap->crowd_count, sizeof *heap->crowds,
              earlier_first);
    }
}

/* False if and only if memory is short. */
static bool watch_all(watch *w, const heap_options *options)
{
    size_t count = w->heap->trace->count;
    size_t size = ((size_t)w->heap->trace->slots + 1) * sizeof *w->current;
    w->current = malloc(size);
    bool ok = w->current != NULL;
    if (ok)
        memset(w->current, 0xff, size); /* NO_STAY */
    for (size_t i = 0; ok && i < count; i++) {
        ok = watch_event(w, (uint32_t)i);
        if (options->samples != 0)
            sample(w, options->samples, (uint32_t)i);
        if (i % PROGRESS_EVERY == 0)
            screen_progress("replaying", i, count);
    }
    screen_progress("replaying", count, count);
    finish_crowds(w);
    free(w->current);
    return ok;
}

/* ----------------------------------------------------------------- opening */

static bool prepare(watch *w, const heap_options *options)
{
    heap_history *heap = w->heap;
    trace_granules counts;
    heap->samples = calloc(options->samples + 1, sizeof *heap->samples);
    if (options->columns != 0)
        heap->blur = (uint32_t)(heap->trace->count / options->columns / 2);
    w->row = (uint32_t)(heap->capacity / heap->granule / ROWS) + 1;
    w->stays_wanted = heap->blur != 0 ? options->stays : 0;
    if (heap->blur != 0) {
        if (!trace_count_granules(heap->trace, heap->granule, &counts))
            return false;
        w->peak = (uint32_t)counts.peak_event;
    }
    return heap->samples != NULL;
}

/* The pool that was asked for, or one of exactly the high-water mark. */
static const char *plan_for(const heap_history *heap,
                            const heap_options *options, playback_plan *plan)
{
    bitfit_stats stats;
    if (heap->trace->count >= NO_STAY)
        return "the trace has 2^32 events or more";
    *plan = (playback_plan){
        .from = heap->trace,
        .granule = heap->granule,
        .alignment = playback_alignment(trace_align_log2(heap->trace)),
        .pool = options->pool};
    if (options->pool != 0)
        return NULL;
    const char *why = playback_measure(plan, &stats);
    plan->payload = stats.high_water != 0 ? stats.high_water : heap->granule;
    return why;
}

static const char *build(heap_history *heap, const heap_options *options)
{
    playback_plan plan;
    watch w = {.heap = heap};
    const char *why = plan_for(heap, options, &plan);
    if (why == NULL)
        why = playback_open(&w.playback, &plan);
    if (why != NULL)
        return why;
    bitfit_stats stats;
    bitfit_get_stats(w.playback.pool, &stats);
    heap->capacity = stats.capacity;
    if (stats.capacity / heap->granule > UINT32_MAX) {
        why = "the heap is larger than 2^32 granules: try a larger --granule";
    } else if (!prepare(&w, options) || !watch_all(&w, options)) {
        why = no_memory;
    }
    bitfit_get_stats(w.playback.pool, &stats);
    heap->high_water = stats.high_water;
    heap->failures = (uint32_t)w.playback.failures;
    playback_close(&w.playback);
    return why;
}

size_t heap_columns(const trace *from, size_t columns)
{
    enum { KEPT_WHOLE = 1 << 20 };
    return from->count > KEPT_WHOLE ? columns : 0;
}

heap_history *heap_open(const trace *from, const heap_options *options,
                        const char **why)
{
    heap_history *heap = calloc(1, sizeof *heap);
    *why = no_memory;
    if (heap == NULL)
        return NULL;
    heap->trace = from;
    heap->granule = options->granule != 0 ? options->granule : GRANULE_DEFAULT;
    *why = build(heap, options);
    if (*why != NULL) {
        heap_close(heap);
        return NULL;
    }
    return heap;
}

void heap_close(heap_history *heap)
{
    if (heap == NULL)
        return;
    free(heap->stays);
    free(heap->crowds);
    free(heap->samples);
    free(heap);
}

uint64_t heap_position(const heap_history *heap, heap_clock clock,
                       uint32_t event)
{
    size_t count = heap->trace->count;
    if (clock == CLOCK_EVENTS)
        return event < count ? event : count;
    if (count == 0)
        return 0;
    return trace_time(heap->trace, event < count ? event : count - 1);
}

unsigned heap_size_class(uint64_t bytes)
{
    static const uint64_t limits[HEAP_SIZE_CLASSES - 1] = {32,   64,   256,
                                                           1024, 4096, 65536};
    unsigned class = 0;
    while (class + 1 < HEAP_SIZE_CLASSES && bytes > limits[class])
        class ++;
    return class;
}
