/* The addresses of one moment, row below row. */
#include "picture.h"

#include "../trace/text.h"
#include "canvas.h"
#include "plane.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* All in pixels. */
enum {
    RIBBON_MIN = 10, /* from row to row */
    RIBBON_MAX = 22,
    RIBBON_GAP = 2,
    BLOCK_MIN = 4 /* blocks this wide are parted from those before them */
};

/* A hole of a larger part of the pool needs no line under it to be seen. */
enum { HOLE_PART = 16 };

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
        ok = canvas_pixels(c, pixels, used, 1, c->left, c->top + i * r->pitch,
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
        canvas_fill(c, c->theme->faint, from, y - 2, to - from, 2);
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
            canvas_line(c, c->theme->paper, 0.6, round(x) + 0.5, y,
                        round(x) + 0.5, y + r->pitch - RIBBON_GAP);
        }
    }
}

static void draw_row_labels(const canvas *c, const ribbon *r)
{
    char text[24];
    canvas_font(c, 11, false);
    for (unsigned i = 0; i < r->rows; i += 4) {
        address_text(text, i * r->row);
        canvas_text(c, c->left - 9, c->top + (i + 0.5) * r->pitch + 3, 1,
                    c->theme->ink, text);
    }
    canvas_font(c, 12, false);
    char pitch[64];
    text_of_size(text, r->row);
    snprintf(pitch, sizeof pitch, "address in the pool; a row is %s", text);
    canvas_text(c, c->left, c->top - 6, 0, c->theme->faint, pitch);
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
                 percent_of(stats->live - moment->requested, stats->live));
    }
    canvas_header(c, line, rest);
}

const char *picture_of_moment(const heap_moment *moment,
                              const colour_scheme *scheme,
                              const heap_history *heap, uint32_t event,
                              const picture_options *options)
{
    canvas c;
    const moment_run *hole;
    const char *why = canvas_open(&c, scheme, options);
    if (why == NULL) {
        c.has_waste = moment->requested != 0;
        c.has_mark = moment_holes(moment, &hole, 1) == 1 &&
                     hole->size <= moment->stats.capacity / HOLE_PART;
        c.mark_name = "largest hole";
        c.mark = c.theme->faint;
        canvas_lay_out(&c, 0);
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
    return canvas_close(&c, why);
}
