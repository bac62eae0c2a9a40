#include "series.h"

#include <stdlib.h>

typedef struct course {
    series *into;
    playback *it;
    uint64_t *sizes; /* requested, by slot; of those that were served */
    uint64_t requested;
} course;

static void count_requested(course *on, const trace_event *event, bool lived,
                            bool failed)
{
    uint64_t *size = &on->sizes[event->slot];
    if (failed || (event->op != TRACE_ALLOC && !lived))
        return;
    on->requested -= event->op == TRACE_ALLOC ? 0 : *size;
    *size = event->op == TRACE_FREE ? 0 : event->size;
    on->requested += *size;
}

static series_point look(const course *on)
{
    bitfit_stats *stats = &on->into->end;
    size_t done = on->it->next;
    bitfit_get_stats(on->it->pool, stats);
    return (series_point){
        .event = done,
        .time_ns = done == 0 ? 0 : trace_time(on->it->plan.from, done - 1),
        .requested = on->requested,
        .live = stats->live,
        .high_water = stats->high_water,
        .largest_free = stats->largest_free,
        .failures = on->it->failures};
}

static series_point step(course *on)
{
    playback *it = on->it;
    const trace_event event = trace_at(it->plan.from, it->next);
    bool lived = it->places[event.slot] != NULL;
    uint64_t failures = it->failures;
    playback_run(it, it->next + 1);
    count_requested(on, &event, lived, it->failures > failures);
    return look(on);
}

static void note_extremes(series *into, const series_point *point)
{
    if (point->live > into->peak.live)
        into->peak = *point;
    if (point->largest_free < into->least_largest) {
        into->least_largest = point->largest_free;
        into->least_largest_at = point->event;
    }
}

static void run(course *on, size_t every,
                void (*advance)(size_t done, size_t total))
{
    enum { ADVANCE = 1 << 14 };
    series *into = on->into;
    size_t total = on->it->plan.from->count;
    series_point point = look(on);
    note_extremes(into, &point);
    while (on->it->next < total) {
        point = step(on);
        note_extremes(into, &point);
        if (on->it->next % every == 0 && on->it->next < total)
            into->points[into->count++] = point;
        if (advance != NULL && on->it->next % ADVANCE == 0)
            advance(on->it->next, total);
    }
    into->points[into->count++] = point;
    if (advance != NULL)
        advance(total, total);
}

bool series_run(series *result, playback *it, size_t points,
                void (*advance)(size_t done, size_t total))
{
    const trace *from = it->plan.from;
    size_t every = points == 0 ? 1 : from->count / points + 1;
    course on = {.into = result, .it = it};
    *result = (series){.least_largest = UINT64_MAX};
    on.sizes = calloc((size_t)from->slots + 1, sizeof *on.sizes);
    result->points = calloc(from->count / every + 2, sizeof *result->points);
    bool room = on.sizes != NULL && result->points != NULL;
    playback_rewind(it);
    if (room) {
        run(&on, every, advance);
    } else {
        series_free(result);
    }
    free(on.sizes);
    return room;
}

void series_free(series *of)
{
    free(of->points);
    of->points = NULL;
}
