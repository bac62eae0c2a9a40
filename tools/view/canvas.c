#include "canvas.h"

#include "../trace/text.h"
#include "png_file.h"

#include <cairo-svg.h>
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
    LEGEND_ROW = 22,
    SWATCH = 12
};

/* ----------------------------------------------------------------- drawing */

void canvas_colour(const canvas *c, uint32_t colour, double alpha)
{
    cairo_set_source_rgba(c->to, (colour >> 16 & 0xff) / 255.0,
                          (colour >> 8 & 0xff) / 255.0, (colour & 0xff) / 255.0,
                          alpha);
}

void canvas_fill(const canvas *c, uint32_t colour, double x, double y,
                 double width, double height)
{
    canvas_colour(c, colour, 1);
    cairo_rectangle(c->to, x, y, width, height);
    cairo_fill(c->to);
}

/* So that a swatch is seen whose colour is near the paper's. */
static void outline(const canvas *c, double x, double y, double width,
                    double height)
{
    canvas_colour(c, c->theme->faint, 1);
    cairo_set_line_width(c->to, 1);
    cairo_rectangle(c->to, x + 0.5, y + 0.5, width - 1, height - 1);
    cairo_stroke(c->to);
}

void canvas_font(const canvas *c, double size, bool bold)
{
    cairo_select_font_face(c->to, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD
                                : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c->to, size);
}

double canvas_text_width(const canvas *c, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(c->to, text, &extents);
    return extents.x_advance;
}

void canvas_text(const canvas *c, double x, double y, double align,
                 uint32_t colour, const char *text)
{
    canvas_colour(c, colour, 1);
    cairo_move_to(c->to, round(x - align * canvas_text_width(c, text)), y);
    cairo_show_text(c->to, text);
}

void canvas_line(const canvas *c, uint32_t colour, double alpha, double x0,
                 double y0, double x1, double y1)
{
    canvas_colour(c, colour, alpha);
    cairo_set_line_width(c->to, 1);
    cairo_move_to(c->to, x0, y0);
    cairo_line_to(c->to, x1, y1);
    cairo_stroke(c->to);
}

bool canvas_pixels(const canvas *c, uint32_t *pixels, int width, int height,
                   double x, double y, double row_height)
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
    double width = SWATCH + 6 + canvas_text_width(c, name) + 20;
    if (l->x + width > c->options->width - MARGIN && l->x > c->left) {
        l->x = c->left;
        l->y += LEGEND_ROW;
    }
    if (l->visible) {
        double height = line ? 2 : SWATCH;
        canvas_fill(c, colour, l->x, l->y - 5 - height / 2, SWATCH, height);
        if (!line)
            outline(c, l->x, l->y - 5 - height / 2, SWATCH, height);
        canvas_text(c, l->x + SWATCH + 6, l->y, 0, c->theme->ink, name);
    }
    l->x += width;
}

/* The legend from this line on. Returns its height. */
static double draw_legend(const canvas *c, double y, bool visible)
{
    static const char *const titles[] = {"block size", "age", "call site"};
    const colour_scheme *scheme = c->scheme;
    legend l = {c, c->left, y, visible};
    canvas_font(c, 12, false);
    if (visible)
        canvas_text(c, l.x, y, 0, c->theme->faint, titles[scheme->by]);
    l.x += canvas_text_width(c, titles[scheme->by]) + 14;
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

const char *canvas_open(canvas *c, const colour_scheme *scheme,
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
    canvas_fill(c, c->theme->paper, 0, 0, width, height);
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

const char *canvas_close(canvas *c, const char *why)
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
           canvas_text_width(c, shorter) > c->options->width - x - MARGIN) {
        while (--length > 0 && (shorter[length] & 0xc0) == 0x80) {
        }
        strcpy(shorter + length, "\u2026");
    }
    canvas_text(c, x, y, 0, colour, shorter);
}

void canvas_header(const canvas *c, const char *line, const char *rest)
{
    canvas_font(c, 20, true);
    draw_shortened(c, MARGIN, 36, c->theme->ink, c->options->title);
    canvas_font(c, 14, false);
    draw_shortened(c, MARGIN, 60, c->theme->ink, line);
    canvas_font(c, 12, false);
    draw_shortened(c, MARGIN, 80, c->theme->faint, rest);
}

void canvas_lay_out(canvas *c, int footer)
{
    c->left = AXIS;
    c->top = HEADER;
    c->width = (int)c->options->width - AXIS - MARGIN;
    double legend_height = draw_legend(c, 0, false);
    c->height =
        (int)c->options->height - HEADER - footer - (int)legend_height - 6;
    draw_legend(c, c->options->height - legend_height + LEGEND_ROW - 16, true);
}

double percent_of(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}
