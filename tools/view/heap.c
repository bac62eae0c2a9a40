#include "heap.h"

#include "../trace/playback.h"
#include "screen.h"

#include <stdlib.h>
#include <string.h>

enum { GRANULE_DEFAULT = 16, PROGRESS_EVERY = 1 << 16 };

#define NO_STAY UINT32_MAX

static const char no_memory[] = "there is not enough memory for the replay";

/* --------------------------------------------------------------- watching */

/* A playback, watched event by event. */
typedef struct watch {
    heap_history *heap;
    playback playback;
    uint32_t *current;  /* each block's stay */
    size_t live;        /* bytes */
    uint64_t requested; /* bytes */
    size_t last_part;   /* of the samples */
} watch;

static void end_stay(watch *w, uint32_t block, uint32_t event)
{
    heap_stay *stay = &w->heap->stays[w->current[block]];
    size_t size = stay->count * w->heap->granule;
    stay->died = event;
    w->live -= size;
    w->requested -= size - stay->waste;
    w->current[block] = NO_STAY;
}

static void begin_stay(watch *w, const trace_event *event, uint32_t time)
{
    heap_history *heap = w->heap;
    void *place = w->playback.places[event->block];
    size_t size = bitfit_usable_size(w->playback.pool, place);
    w->current[event->block] = (uint32_t)heap->stay_count;
    w->live += size;
    w->requested += event->size;
    heap->stays[heap->stay_count++] = (heap_stay){
        .start = (uint32_t)(playback_offset(&w->playback, event->block) /
                            heap->granule),
        .count = (uint32_t)(size / heap->granule),
        .waste = (uint32_t)(size - event->size),
        .born = time,
        .died = (uint32_t)heap->trace->count,
        .block = event->block,
        .site = event->site,
    };
    if (w->live > heap->peak_live) {
        heap->peak_live = w->live;
        heap->peak_requested = w->requested;
        heap->peak_event = time;
    }
}

static void watch_event(watch *w, uint32_t time)
{
    const trace_event *event = &w->heap->trace->events[time];
    uint64_t failures = w->playback.failures;
    playback_run(&w->playback, (size_t)time + 1);
    bool failed = w->playback.failures != failures;
    if (!failed && w->current[event->block] != NO_STAY)
        end_stay(w, event->block, time);
    if (!failed && w->playback.places[event->block] != NULL)
        begin_stay(w, event, time);
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

/* False if and only if memory is short. */
static bool watch_all(watch *w, const heap_options *options)
{
    size_t count = w->heap->trace->count;
    size_t size = ((size_t)w->heap->trace->blocks + 1) * sizeof *w->current;
    w->current = malloc(size);
    if (w->current == NULL)
        return false;
    memset(w->current, 0xff, size); /* NO_STAY */
    for (size_t i = 0; i < count; i++) {
        watch_event(w, (uint32_t)i);
        if (options->samples != 0)
            sample(w, options->samples, (uint32_t)i);
        if (i % PROGRESS_EVERY == 0)
            screen_progress("replaying", i, count);
    }
    screen_progress("replaying", count, count);
    free(w->current);
    return true;
}

/* ----------------------------------------------------------------- opening */

static bool allocate(heap_history *heap, size_t samples)
{
    heap->stays = malloc((heap->trace->count + 1) * sizeof *heap->stays);
    heap->samples = calloc(samples + 1, sizeof *heap->samples);
    return heap->stays != NULL && heap->samples != NULL;
}

/* The pool that was asked for, or one of exactly the high-water mark. */
static const char *plan_for(const heap_history *heap,
                            const heap_options *options, playback_plan *plan)
{
    trace_summary summary;
    bitfit_stats stats;
    if (heap->trace->count >= NO_STAY)
        return "the trace has 2^32 events or more";
    if (!trace_summarize(heap->trace, &summary))
        return no_memory;
    *plan = (playback_plan){.from = heap->trace,
                            .granule = heap->granule,
                            .alignment = playback_alignment(&summary),
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
    } else if (!allocate(heap, options->samples) || !watch_all(&w, options)) {
        why = no_memory;
    }
    bitfit_get_stats(w.playback.pool, &stats);
    heap->high_water = stats.high_water;
    heap->failures = (uint32_t)w.playback.failures;
    playback_close(&w.playback);
    return why;
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
    return heap->trace->events[event < count ? event : count - 1].time_ns;
}
