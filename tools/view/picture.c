/* Address x time. */
#include "picture.h"

#include "../trace/text.h"
#include "canvas.h"
#include "plane.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FOOTER = 58 /* pixels, for the time below the plot */ };

/* -------------------------------------------------------------------- axes */

/* A round step that makes at most `most` of the range: a power of two for
 * bytes, else 1, 2 or 5 times a power of ten. */
static double round_step(double range, int most, bool bytes)
{
    double step = bytes ? 16 : 1;
    static const double tens[] = {2, 2.5, 2};
    for (int i = 0; step * most < range; i++)
        step *= bytes ? 2 : tens[i % 3];
    return step;
}

static void draw_address_axis(const canvas *c, const heap_history *heap)
{
    char text[24];
    double capacity = (double)heap->capacity;
    double step = round_step(capacity, c->height / 48 + 1, true);
    canvas_font(c, 12, false);
    for (double at = 0; at <= capacity; at += step) {
        double y = c->top + c->height * (1 - at / capacity);
        canvas_line(c, c->theme->ink, 0.35, c->left - 5, round(y) + 0.5,
                    c->left, round(y) + 0.5);
        canvas_text(c, c->left - 9, y + 4, 1, c->theme->ink,
                    address_text(text, (uint64_t)at));
    }
    canvas_text(c, c->left, c->top - 6, 0, c->theme->faint,
                "address in the pool");
}

static void draw_time_axis(const canvas *c, const heap_history *heap,
                           heap_clock clock)
{
    char text[48];
    double last = (double)heap_position(heap, clock, UINT32_MAX);
    double step = round_step(last, c->width / 120 + 1, false);
    double y = c->top + c->height;
    canvas_font(c, 12, false);
    for (double at = 0; last > 0 && at <= last; at += step) {
        double x = round(c->left + c->width * at / last) + 0.5;
        canvas_line(c, c->theme->ink, 0.35, x, y, x, y + 5);
        if (clock == CLOCK_TIME && at > 0) {
            span_text(text, clock, (uint64_t)at);
        } else {
            count_text(text, (uint64_t)at);
        }
        canvas_text(c, x, y + 19, x + 40 > c->left + c->width ? 1 : 0.5,
                    c->theme->ink, text);
    }
    canvas_text(c, c->left + c->width, y + 38, 1, c->theme->faint,
                clock == CLOCK_TIME
                    ? "time \u2192"
                    : "events: allocations, resizes, frees \u2192");
}

/* The highest address ever in use, which only rises. */
static void draw_mark(const canvas *c, const heap_history *heap,
                      heap_clock clock)
{
    double last = (double)heap_position(heap, clock, UINT32_MAX);
    uint64_t mark = 0;
    canvas_colour(c, c->theme->mark, 0.85);
    cairo_set_line_width(c->to, 1);
    cairo_move_to(c->to, c->left, c->top + c->height);
    for (size_t i = 0; last > 0 && i < heap->stay_count; i++) {
        const heap_stay *stay = &heap->stays[i];
        uint64_t end = (uint64_t)stay->start + stay->count;
        if (end <= mark)
            continue;
        double x = c->left + c->width / last *
                                 (double)heap_position(heap, clock, stay->born);
        double scale =
            c->height * (double)heap->granule / (double)heap->capacity;
        double y = c->top + c->height;
        cairo_line_to(c->to, x, y - (double)mark * scale);
        cairo_line_to(c->to, x, y - (double)end * scale);
        mark = end;
    }
    cairo_line_to(c->to, c->left + c->width,
                  c->top + c->height * (1 - (double)heap->high_water /
                                                (double)heap->capacity));
    cairo_stroke(c->to);
}

/* When most was live: a line, and its name on the side where there is room. */
static void draw_peak(const canvas *c, const heap_history *heap,
                      heap_clock clock)
{
    static const double dashes[] = {4, 4};
    static const char name[] = "peak";
    double last = (double)heap_position(heap, clock, UINT32_MAX);
    double at = (double)heap_position(heap, clock, heap->peak_event);
    double x = c->left + floor(last > 0 ? c->width / last * at : 0) + 0.5;
    bool right = x > c->left + c->width / 2.0;
    cairo_set_dash(c->to, dashes, 2, 0);
    canvas_line(c, c->theme->mark, 1, x, c->top, x, c->top + c->height);
    cairo_set_dash(c->to, NULL, 0, 0);
    canvas_font(c, 12, false);
    double start = x + (right ? -6 - canvas_text_width(c, name) : 6);
    canvas_colour(c, c->theme->paper, 1);
    cairo_set_line_width(c->to, 3);
    cairo_move_to(c->to, round(start), c->top + 14);
    cairo_text_path(c->to, name);
    cairo_stroke(c->to);
    canvas_text(c, start, c->top + 14, 0, c->theme->mark, name);
}

/* ------------------------------------------------------- address over time */

static bool draw_heap(const canvas *c, const heap_history *heap,
                      heap_clock clock)
{
    plane p;
    unsigned width = (unsigned)c->width;
    unsigned height = (unsigned)c->height;
    uint32_t *pixels = malloc((size_t)width * height * sizeof *pixels);
    bool ok = plane_open(&p, width, height, c->scheme) && pixels != NULL;
    if (ok) {
        plane_add_heap(&p, heap, c->scheme, clock);
        plane_finish(&p);
        for (unsigned y = 0; y < height; y++) {
            for (unsigned x = 0; x < width; x++) {
                pixels[(size_t)y * width + x] =
                    plane_colour(&p, c->scheme, x, y);
            }
        }
        ok = canvas_pixels(c, pixels, c->width, c->height, c->left, c->top, 1);
    }
    plane_close(&p);
    free(pixels);
    return ok;
}

static void heap_header(const canvas *c, const heap_history *heap)
{
    char line[256];
    char rest[512];
    char peak[24];
    char mark[24];
    char events[48];
    const char *about = heap->trace->about;
    uint64_t over = heap->high_water - heap->peak_live;
    if (heap->failures != 0) {
        snprintf(line, sizeof line, "%s found no place in a payload of %s",
                 things_text(events, heap->failures, "request"),
                 text_of_size(mark, heap->capacity));
    } else {
        snprintf(line, sizeof line,
                 "%s live at the peak; a payload of %s serves it all, %.1f %% "
                 "more",
                 text_of_size(peak, heap->peak_live),
                 text_of_size(mark, heap->high_water),
                 percent_of(over, heap->peak_live));
    }
    snprintf(
        rest, sizeof rest,
        "%s, granules of %zu bytes; %.1f %% of the live bytes at "
        "the peak are lost to rounding%s%s%s",
        things_text(events, heap->trace->count, "event"), heap->granule,
        percent_of(heap->peak_live - heap->peak_requested, heap->peak_live),
        heap->trace->cut ? "; the recording ended early" : "",
        *about == '\0' ? "" : "; ", about);
    canvas_header(c, line, rest);
}

const char *picture_of_heap(const heap_history *heap,
                            const colour_scheme *scheme, heap_clock clock,
                            const picture_options *options)
{
    canvas c;
    const char *why = canvas_open(&c, scheme, options);
    if (why == NULL) {
        c.has_waste = c.has_mark = true;
        c.mark_name = "high-water mark";
        c.mark = c.theme->mark;
        canvas_lay_out(&c, FOOTER);
        heap_header(&c, heap);
        if (!draw_heap(&c, heap, clock))
            why = "there is not enough memory for the picture";
        draw_mark(&c, heap, clock);
        draw_peak(&c, heap, clock);
        draw_address_axis(&c, heap);
        draw_time_axis(&c, heap, clock);
    }
    return canvas_close(&c, why);
}
