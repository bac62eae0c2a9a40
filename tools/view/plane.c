#include "plane.h"

#include <math.h>
#include <stdlib.h>

/* So many shades keep a picture's colours few and its file small. */
enum { SHADES = 6 };

/* What rounding leaves behind where nothing covers. */
#define NOTHING 0.004

bool plane_open(plane *into, unsigned width, unsigned height,
                const colour_scheme *scheme)
{
    *into = (plane){width, height, scheme->count + 1, NULL};
    size_t cells = ((size_t)width + 2) * height * into->layers;
    into->cover = calloc(cells, sizeof *into->cover);
    return into->cover != NULL;
}

void plane_close(plane *closed)
{
    free(closed->cover);
    closed->cover = NULL;
}

static float *layer_of(const plane *p, unsigned y, unsigned layer)
{
    size_t row = (size_t)y * p->layers + layer;
    return p->cover + row * ((size_t)p->width + 2);
}

/* From x on the row is covered by `weight` more. */
static void step_at(float *row, double x, double weight)
{
    size_t pixel = (size_t)x;
    double past = x - (double)pixel;
    row[pixel] += (float)(weight * (1 - past));
    row[pixel + 1] += (float)(weight * past);
}

/* Covers a share of [left, right) x [top, bottom), in pixels. */
static void cover(const plane *p, unsigned layer, double share, double left,
                  double right, double top, double bottom)
{
    top = top < 0 ? 0 : top;
    right = right > p->width ? p->width : right;
    if (left >= right)
        return;
    for (unsigned y = (unsigned)top; y < p->height && y < bottom; y++) {
        double from = top > y ? top : y;
        double to = bottom < y + 1.0 ? bottom : y + 1.0;
        float *row = layer_of(p, y, layer);
        step_at(row, left, share * (to - from));
        step_at(row, right, share * (from - to));
    }
}

/* ------------------------------------------------------------ from a heap */

typedef struct axes {
    const plane *plane;
    double height; /* as a double */
    double per_position;
    double per_byte;
} axes;

static void cover_span(const axes *to, unsigned layer, double share,
                       uint64_t from, uint64_t until, uint64_t start,
                       uint64_t end)
{
    cover(to->plane, layer, share, (double)from * to->per_position,
          (double)until * to->per_position,
          to->height - (double)end * to->per_byte,
          to->height - (double)start * to->per_byte);
}

static void add_stay(const axes *to, const heap_history *heap,
                     const colour_scheme *scheme, heap_clock clock,
                     const heap_stay *stay)
{
    uint64_t start = (uint64_t)stay->start * heap->granule;
    uint64_t end = start + (uint64_t)stay->count * heap->granule;
    uint64_t born = heap_position(heap, clock, stay->born);
    uint64_t died = heap_position(heap, clock, stay->died);
    uint64_t from = born;
    while (from < died) {
        unsigned class = scheme_class_of_stay(scheme, heap, stay, from - born);
        uint64_t until = died;
        if (scheme->by == BY_AGE && class + 1 < scheme->count &&
            scheme->limits[class] < died - born)
            until = born + scheme->limits[class];
        cover_span(to, class, 1, from, until, start, end);
        from = until;
    }
    cover_span(to, scheme->count, 1, born, died, end - heap_waste(heap, stay),
               end);
}

static void add_crowd(const axes *to, const heap_history *heap,
                      const colour_scheme *scheme, heap_clock clock,
                      const heap_crowd *crowd)
{
    uint64_t usual = crowd->counts / crowd->times * heap->granule;
    uint64_t start = (uint64_t)crowd->start * heap->granule;
    uint64_t size = (uint64_t)crowd->count * heap->granule;
    uint64_t born = heap_position(heap, clock, crowd->born);
    uint64_t died = heap_position(heap, clock, crowd->died);
    double whole = (double)size * (crowd->died - crowd->born);
    cover_span(to, scheme_class(scheme, usual, crowd->site, 0),
               (double)(crowd->area * heap->granule) / whole, born, died, start,
               start + size);
    cover_span(to, scheme->count, (double)crowd->waste / whole, born, died,
               start, start + size);
}

void plane_add_heap(plane *into, const heap_history *heap,
                    const colour_scheme *scheme, heap_clock clock)
{
    uint64_t last = heap_position(heap, clock, UINT32_MAX);
    axes to = {into, into->height, into->width / (double)(last ? last : 1),
               into->height / (double)heap->capacity};
    for (size_t i = 0; i < heap->stay_count; i++)
        add_stay(&to, heap, scheme, clock, &heap->stays[i]);
    for (size_t i = 0; i < heap->crowd_count; i++)
        add_crowd(&to, heap, scheme, clock, &heap->crowds[i]);
}

/* ---------------------------------------------------------- from a moment */

void plane_add_moment(plane *into, const heap_moment *moment, double bytes,
                      const colour_scheme *scheme, const heap_history *heap,
                      uint32_t event)
{
    for (size_t i = 0; i < moment->count; i++) {
        const moment_run *run = &moment->runs[i];
        if (!run->live)
            continue;
        unsigned class = heap_size_class(run->size);
        if (run->stay != NULL) {
            heap_clock clock = scheme->clock;
            uint64_t age = heap_position(heap, clock, event) -
                           heap_position(heap, clock, run->stay->born);
            class = scheme_class_of_stay(scheme, heap, run->stay, age);
        }
        double left = (double)run->offset / bytes;
        double right = (double)(run->offset + run->size) / bytes;
        cover(into, class, 1, left, right, 0, 1);
        cover(into, scheme->count, 1, right - run->waste / bytes, right, 0, 1);
    }
}

/* ----------------------------------------------------------------- colours */

void plane_finish(plane *done)
{
    for (unsigned y = 0; y < done->height; y++) {
        for (unsigned layer = 0; layer < done->layers; layer++) {
            float *row = layer_of(done, y, layer);
            for (unsigned x = 1; x < done->width; x++)
                row[x] += row[x - 1];
        }
    }
}

double plane_cover(const plane *done, unsigned x, unsigned y)
{
    double covered = 0;
    for (unsigned layer = 0; layer + 1 < done->layers; layer++)
        covered += (double)layer_of(done, y, layer)[x];
    return covered < NOTHING ? 0 : covered;
}

/* Cover goes up to the next shade, so that the smallest block is seen; waste
 * goes down, so that a little of it all over changes no class's colour. */
static double shade_up(double share)
{
    double level = ceil(fmin(share, 1) * SHADES - SHADES * NOTHING);
    return fmax(level, 0) / SHADES;
}

static double shade_down(double share)
{
    return floor(fmin(share, 1) * SHADES + SHADES * NOTHING) / SHADES;
}

uint32_t plane_colour(const plane *done, const colour_scheme *scheme,
                      unsigned x, unsigned y)
{
    const colour_theme *theme = theme_of(scheme->dark);
    double covered = plane_cover(done, x, y);
    if (covered <= 0)
        return theme->free;
    unsigned most = 0;
    for (unsigned layer = 1; layer + 1 < done->layers; layer++) {
        if (layer_of(done, y, layer)[x] > layer_of(done, y, most)[x])
            most = layer;
    }
    double waste = (double)layer_of(done, y, done->layers - 1)[x];
    uint32_t colour =
        colour_mix(theme->free, scheme->colours[most], shade_up(covered));
    return colour_mix(colour, theme->waste, shade_down(waste));
}
