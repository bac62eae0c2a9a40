#include "picture.h"

#include "../trace/text.h"
#include "plane.h"
#include "png_file.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* All in pixels. */
enum {
    MARGIN = 24,
    AXIS = 88, /* for the addresses left of the plot */
    HEADER = 112,
    FOOTER = 58, /* for the time below the plot */
    LEGEND_ROW = 22,
    SWATCH = 12,
    RIBBON_MIN = 10, /* from row to row */
    RIBBON_MAX = 22,
    RIBBON_GAP = 2,
    BLOCK_MIN = 4 /* blocks this wide are parted from those before them */
};

/* A hole of a larger part of the pool needs no line under it to be seen. */
enum { HOLE_PART = 16 };

typedef struct canvas {
    cairo_surface_t *surface;
    cairo_t *to;
    const colour_scheme *scheme;
    const colour_theme *theme;
    const picture_options *options;
    bool svg;
    bool has_waste;
    bool has_mark;
    const char *mark_name;
    uint32_t mark;
    /* The plot. */
    int left, top, width, height;
} canvas;

/* ----------------------------------------------------------------- drawing */

static void set_colour(const canvas *c, uint32_t colour, double alpha)
{
    cairo_set_source_rgba(c->to, (colour >> 16 & 0xff) / 255.0,
                          (colour >> 8 & 0xff) / 255.0, (colour & 0xff) / 255.0,
                          alpha);
}

static void fill(const canvas *c, uint32_t colour, double x, double y,
                 double width, double height)
{
    set_colour(c, colour, 1);
    cairo_rectangle(c->to, x, y, width, height);
    cairo_fill(c->to);
}

/* So that a swatch is seen whose colour is near the paper's. */
static void outline(const canvas *c, double x, double y, double width,
                    double height)
{
    set_colour(c, c->theme->faint, 1);
    cairo_set_line_width(c->to, 1);
    cairo_rectangle(c->to, x + 0.5, y + 0.5, width - 1, height - 1);
    cairo_stroke(c->to);
}

static void set_font(const canvas *c, double size, bool bold)
{
    cairo_select_font_face(c->to, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD
                                : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c->to, size);
}

static double text_width(const canvas *c, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(c->to, text, &extents);
    return extents.x_advance;
}

/* `align` is the part of its width that stands left of x. */
static void draw_text(const canvas *c, double x, double y, double align,
                      uint32_t colour, const char *text)
{
    set_colour(c, colour, 1);
    cairo_move_to(c->to, round(x - align * text_width(c, text)), y);
    cairo_show_text(c->to, text);
}

static void draw_line(const canvas *c, uint32_t colour, double alpha, double x0,
                      double y0, double x1, double y1)
{
    set_colour(c, colour, alpha);
    cairo_set_line_width(c->to, 1);
    cairo_move_to(c->to, x0, y0);
    cairo_line_to(c->to, x1, y1);
    cairo_stroke(c->to);
}

/* Colours, a pixel each, at a place. */
static bool draw_pixels(const canvas *c, uint32_t *pixels, int width,
                        int height, double x, double y, double row_height)
{
    cairo_surface_t *image = cairo_image_surface_create_for_data(
        (unsigned char *)pixels, CAIRO_FORMAT_RGB24, width, height,
        cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, width));
    bool ok = cairo_surface_status(image) == CAIRO_STATUS_SUCCESS;
    cairo_save(c->to);
    cairo_translate(c->to, x, y);
    cairo_scale(c->to, 1, row_height);
    cairo_set_source_surface(c->to, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(c->to), CAIRO_FILTER_NEAREST);
    cairo_paint(c->to);
    cairo_restore(c->to);
    cairo_surface_destroy(image);
    return ok;
}

/* ------------------------------------------------------------------ legend */

typedef struct legend {
    const canvas *canvas;
    double x, y; /* where the next entry goes */
    bool visible;
} legend;

static void legend_entry(legend *l, uint32_t colour, bool line,
                         const char *name)
{
    const canvas *c = l->canvas;
    double width = SWATCH + 6 + text_width(c, name) + 20;
    if (l->x + width > c->options->width - MARGIN && l->x > c->left) {
        l->x = c->left;
        l->y += LEGEND_ROW;
    }
    if (l->visible) {
        double height = line ? 2 : SWATCH;
        fill(c, colour, l->x, l->y - 5 - height / 2, SWATCH, height);
        if (!line)
            outline(c, l->x, l->y - 5 - height / 2, SWATCH, height);
        draw_text(c, l->x + SWATCH + 6, l->y, 0, c->theme->ink, name);
    }
    l->x += width;
}

/* The legend from this line on. Returns its height. */
static double draw_legend(const canvas *c, double y, bool visible)
{
    static const char *const titles[] = {"block size", "age", "call site"};
    const colour_scheme *scheme = c->scheme;
    legend l = {c, c->left, y, visible};
    set_font(c, 12, false);
    if (visible)
        draw_text(c, l.x, y, 0, c->theme->faint, titles[scheme->by]);
    l.x += text_width(c, titles[scheme->by]) + 14;
    for (unsigned i = 0; i < scheme->count; i++)
        legend_entry(&l, scheme->colours[i], false, scheme->names[i]);
    if (c->has_waste)
        legend_entry(&l, c->theme->waste, false, "lost to rounding");
    legend_entry(&l, c->theme->free, false, "free");
    if (c->has_mark)
        legend_entry(&l, c->mark, true, c->mark_name);
    return l.y - y + LEGEND_ROW;
}

/* ------------------------------------------------------------------ canvas */

static bool ends_in_svg(const char *path)
{
    size_t length = strlen(path);
    return length >= 4 && strcasecmp(path + length - 4, ".svg") == 0;
}

static const char *open_canvas(canvas *c, const colour_scheme *scheme,
                               const picture_options *options)
{
    int width = (int)options->width;
    int height = (int)options->height;
    *c = (canvas){.scheme = scheme,
                  .theme = theme_of(scheme->dark),
                  .options = options,
                  .svg = ends_in_svg(options->path)};
    c->surface =
        c->svg ? cairo_svg_surface_create(options->path, width, height)
               : cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    c->to = cairo_create(c->surface);
    cairo_status_t status = cairo_status(c->to);
    if (status != CAIRO_STATUS_SUCCESS) {
        return status == CAIRO_STATUS_WRITE_ERROR
                   ? strerror(errno)
                   : cairo_status_to_string(status);
    }
    fill(c, c->theme->paper, 0, 0, width, height);
    return NULL;
}

static const char *write_png(const canvas *c)
{
    FILE *file = fopen(c->options->path, "wbe");
    if (file == NULL)
        return strerror(errno);
    const unsigned char *data = cairo_image_surface_get_data(c->surface);
    size_t count = (size_t)c->options->width * c->options->height;
    uint32_t *pixels = malloc(count * sizeof *pixels);
    bool written = pixels != NULL;
    if (written) {
        memcpy(pixels, data, count * sizeof *pixels);
        for (size_t i = 0; i < count; i++)
            pixels[i] &= 0xffffff;
        written =
            png_file_write(file, pixels, c->options->width, c->options->height);
    }
    free(pixels);
    const char *why = written ? NULL : strerror(errno);
    return fclose(file) != 0 && why == NULL ? strerror(errno) : why;
}

static const char *close_canvas(canvas *c, const char *why)
{
    cairo_status_t drawn = cairo_status(c->to);
    if (why == NULL && drawn != CAIRO_STATUS_SUCCESS)
        why = cairo_status_to_string(drawn);
    cairo_destroy(c->to);
    cairo_surface_flush(c->surface);
    if (why == NULL && !c->svg)
        why = write_png(c);
    cairo_surface_finish(c->surface);
    cairo_status_t status = cairo_surface_status(c->surface);
    if (why == NULL && status != CAIRO_STATUS_SUCCESS)
        why = cairo_status_to_string(status);
    cairo_surface_destroy(c->surface);
    return why;
}

/* Ends in dots what is too long for the picture. */
static void draw_shortened(const canvas *c, double x, double y, uint32_t colour,
                           const char *text)
{
    char shorter[512];
    size_t length = strlen(text);
    length = length < sizeof shorter - 4 ? length : sizeof shorter - 4;
    snprintf(shorter, sizeof shorter, "%s", text);
    text_make_visible(shorter); /* its end, too, may be cut */
    while (length > 0 &&
           text_width(c, shorter) > c->options->width - x - MARGIN) {
        while (--length > 0 && (shorter[length] & 0xc0) == 0x80) {
        }
        strcpy(shorter + length, "\u2026");
    }
    draw_text(c, x, y, 0, colour, shorter);
}

/* Title, a line that says the most important, and a fainter one. */
static void draw_header(const canvas *c, const char *line, const char *rest)
{
    set_font(c, 20, true);
    draw_shortened(c, MARGIN, 36, c->theme->ink, c->options->title);
    set_font(c, 14, false);
    draw_shortened(c, MARGIN, 60, c->theme->ink, line);
    set_font(c, 12, false);
    draw_shortened(c, MARGIN, 80, c->theme->faint, rest);
}

/* The plot gets what header, footer and legend leave. */
static void lay_out(canvas *c, int footer)
{
    c->left = AXIS;
    c->top = HEADER;
    c->width = (int)c->options->width - AXIS - MARGIN;
    double legend_height = draw_legend(c, 0, false);
    c->height =
        (int)c->options->height - HEADER - footer - (int)legend_height - 6;
    draw_legend(c, c->options->height - legend_height + LEGEND_ROW - 16, true);
}

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
    set_font(c, 12, false);
    for (double at = 0; at <= capacity; at += step) {
        double y = c->top + c->height * (1 - at / capacity);
        draw_line(c, c->theme->ink, 0.35, c->left - 5, round(y) + 0.5, c->left,
                  round(y) + 0.5);
        draw_text(c, c->left - 9, y + 4, 1, c->theme->ink,
                  address_text(text, (uint64_t)at));
    }
    draw_text(c, c->left, c->top - 6, 0, c->theme->faint,
              "address in the pool");
}

static void draw_time_axis(const canvas *c, const heap_history *heap,
                           heap_clock clock)
{
    char text[48];
    double last = (double)heap_position(heap, clock, UINT32_MAX);
    double step = round_step(last, c->width / 120 + 1, false);
    double y = c->top + c->height;
    set_font(c, 12, false);
    for (double at = 0; last > 0 && at <= last; at += step) {
        double x = round(c->left + c->width * at / last) + 0.5;
        draw_line(c, c->theme->ink, 0.35, x, y, x, y + 5);
        if (clock == CLOCK_TIME && at > 0) {
            span_text(text, clock, (uint64_t)at);
        } else {
            count_text(text, (uint64_t)at);
        }
        draw_text(c, x, y + 19, x + 40 > c->left + c->width ? 1 : 0.5,
                  c->theme->ink, text);
    }
    draw_text(c, c->left + c->width, y + 38, 1, c->theme->faint,
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
    set_colour(c, c->theme->mark, 0.85);
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
    draw_line(c, c->theme->mark, 1, x, c->top, x, c->top + c->height);
    cairo_set_dash(c->to, NULL, 0, 0);
    set_font(c, 12, false);
    double start = x + (right ? -6 - text_width(c, name) : 6);
    set_colour(c, c->theme->paper, 1);
    cairo_set_line_width(c->to, 3);
    cairo_move_to(c->to, round(start), c->top + 14);
    cairo_text_path(c->to, name);
    cairo_stroke(c->to);
    draw_text(c, start, c->top + 14, 0, c->theme->mark, name);
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
        ok = draw_pixels(c, pixels, c->width, c->height, c->left, c->top, 1);
    }
    plane_close(&p);
    free(pixels);
    return ok;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
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
                 percent(over, heap->peak_live));
    }
    snprintf(rest, sizeof rest,
             "%s, granules of %zu bytes; %.1f %% of the live bytes at "
             "the peak are lost to rounding%s%s%s",
             things_text(events, heap->trace->count, "event"), heap->granule,
             percent(heap->peak_live - heap->peak_requested, heap->peak_live),
             heap->trace->cut ? "; the recording ended early" : "",
             *about == '\0' ? "" : "; ", about);
    draw_header(c, line, rest);
}

const char *picture_of_heap(const heap_history *heap,
                            const colour_scheme *scheme, heap_clock clock,
                            const picture_options *options)
{
    canvas c;
    const char *why = open_canvas(&c, scheme, options);
    if (why == NULL) {
        c.has_waste = c.has_mark = true;
        c.mark_name = "high-water mark";
        c.mark = c.theme->mark;
        lay_out(&c, FOOTER);
        heap_header(&c, heap);
        if (!draw_heap(&c, heap, clock))
            why = "there is not enough memory for the picture";
        draw_mark(&c, heap, clock);
        draw_peak(&c, heap, clock);
        draw_address_axis(&c, heap);
        draw_time_axis(&c, heap, clock);
    }
    return close_canvas(&c, why);
}

/* -------------------------------------------------------------- one moment */

uint64_t round_row(uint64_t capacity, uint64_t rows, uint64_t granule)
{
    uint64_t row = granule;
    while (row * rows < capacity && row / 2 * 3 * rows < capacity)
        row *= 2;
    return row * rows < capacity ? row / 2 * 3 : row;
}

/* The rows of one moment. */
typedef struct ribbon {
    uint64_t row; /* bytes */
    unsigned rows;
    unsigned width; /* pixels */
    double pitch;   /* pixels from row to row */
} ribbon;

static bool draw_ribbon(const canvas *c, const ribbon *r,
                        const heap_moment *moment, const heap_history *heap,
                        uint32_t event)
{
    plane p;
    uint32_t *pixels = malloc(r->width * sizeof *pixels);
    double bytes = (double)r->row / r->width;
    bool ok =
        plane_open(&p, r->width * r->rows, 1, c->scheme) && pixels != NULL;
    if (ok) {
        plane_add_moment(&p, moment, bytes, c->scheme, heap, event);
        plane_finish(&p);
    }
    for (unsigned i = 0; ok && i < r->rows; i++) {
        uint64_t left = moment->stats.capacity - i * r->row;
        int used =
            left >= r->row ? (int)r->width : (int)ceil((double)left / bytes);
        for (unsigned x = 0; x < r->width; x++)
            pixels[x] = plane_colour(&p, c->scheme, i * r->width + x, 0);
        ok = draw_pixels(c, pixels, used, 1, c->left, c->top + i * r->pitch,
                         r->pitch - RIBBON_GAP);
    }
    plane_close(&p);
    free(pixels);
    return ok;
}

/* A line under every row of a run. */
static void underline(const canvas *c, const ribbon *r, const moment_run *run)
{
    for (uint64_t at = run->offset; at < run->offset + run->size;) {
        uint64_t row = at / r->row;
        uint64_t end = (row + 1) * r->row;
        if (end > run->offset + run->size)
            end = run->offset + run->size;
        double scale = (double)r->width / (double)r->row;
        double from = c->left + (double)(at - row * r->row) * scale;
        double to = c->left + (double)(end - row * r->row) * scale;
        double y = c->top + (double)(row + 1) * r->pitch - RIBBON_GAP;
        fill(c, c->theme->faint, from, y - 2, to - from, 2);
        at = end;
    }
}

/* A hair's breadth in front of each block that is wide enough for it. */
static void part_blocks(const canvas *c, const ribbon *r,
                        const heap_moment *moment)
{
    double scale = (double)r->width / (double)r->row;
    for (size_t i = 1; i < moment->count; i++) {
        const moment_run *run = &moment->runs[i];
        uint64_t row = run->offset / r->row;
        double x = c->left + (double)(run->offset - row * r->row) * scale;
        double y = c->top + (double)row * r->pitch;
        if (run->live && moment->runs[i - 1].live &&
            (double)run->size * scale >= BLOCK_MIN) {
            draw_line(c, c->theme->paper, 0.6, round(x) + 0.5, y,
                      round(x) + 0.5, y + r->pitch - RIBBON_GAP);
        }
    }
}

static void draw_row_labels(const canvas *c, const ribbon *r)
{
    char text[24];
    set_font(c, 11, false);
    for (unsigned i = 0; i < r->rows; i += 4) {
        address_text(text, i * r->row);
        draw_text(c, c->left - 9, c->top + (i + 0.5) * r->pitch + 3, 1,
                  c->theme->ink, text);
    }
    set_font(c, 12, false);
    char pitch[64];
    text_of_size(text, r->row);
    snprintf(pitch, sizeof pitch, "address in the pool; a row is %s", text);
    draw_text(c, c->left, c->top - 6, 0, c->theme->faint, pitch);
}

static void moment_header(const canvas *c, const heap_moment *moment)
{
    char line[256];
    char rest[256];
    char text[4][24];
    char blocks[48];
    const bitfit_stats *stats = &moment->stats;
    snprintf(line, sizeof line,
             "the largest request that would succeed now: %s",
             text_of_size(text[0], stats->largest_free));
    int used = snprintf(
        rest, sizeof rest, "%s of %s live in %s, %s free%s",
        text_of_size(text[1], stats->live),
        text_of_size(text[2], stats->capacity),
        things_text(blocks, stats->blocks, "block"),
        text_of_size(text[3], stats->free),
        moment->torn ? "; the pool was changing: parts may be wrong" : "");
    if (moment->requested != 0) {
        snprintf(rest + used, sizeof rest - (size_t)used,
                 "; %.1f %% of the live bytes are lost to rounding",
                 percent(stats->live - moment->requested, stats->live));
    }
    draw_header(c, line, rest);
}

const char *picture_of_moment(const heap_moment *moment,
                              const colour_scheme *scheme,
                              const heap_history *heap, uint32_t event,
                              const picture_options *options)
{
    canvas c;
    const moment_run *hole;
    const char *why = open_canvas(&c, scheme, options);
    if (why == NULL) {
        c.has_waste = moment->requested != 0;
        c.has_mark = moment_holes(moment, &hole, 1) == 1 &&
                     hole->size <= moment->stats.capacity / HOLE_PART;
        c.mark_name = "largest hole";
        c.mark = c.theme->faint;
        lay_out(&c, 0);
        moment_header(&c, moment);
        uint64_t capacity = moment->stats.capacity;
        ribbon r = {.width = (unsigned)c.width};
        r.row = round_row(capacity, (uint64_t)(c.height / RIBBON_MIN),
                          moment->stats.granule);
        r.rows = (unsigned)((capacity + r.row - 1) / r.row);
        r.pitch = floor(fmin(c.height / (double)r.rows, RIBBON_MAX));
        if (!draw_ribbon(&c, &r, moment, heap, event))
            why = "there is not enough memory for the picture";
        part_blocks(&c, &r, moment);
        if (c.has_mark)
            underline(&c, &r, hole);
        draw_row_labels(&c, &r);
    }
    return close_canvas(&c, why);
}
