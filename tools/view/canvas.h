/*
 * What pictures are drawn on: a surface, PNG or SVG, with a title, a plot and a
 * legend. All measures are pixels.
 */
#ifndef CANVAS_H
#define CANVAS_H

#include "picture_options.h"
#include "scheme.h"

#include <cairo.h>

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

/* NULL, or why there is none. */
const char *canvas_open(canvas *c, const colour_scheme *scheme,
                        const picture_options *options);

/* Writes the picture, if nothing was wrong before. NULL, or what was. */
const char *canvas_close(canvas *c, const char *why);

/* Where the plot is: it gets what header, `footer` pixels and the legend leave;
 * the legend is drawn. */
void canvas_lay_out(canvas *c, int footer);

/* Title, a line that says the most important, and a fainter one. */
void canvas_header(const canvas *c, const char *line, const char *rest);

void canvas_colour(const canvas *c, uint32_t colour, double alpha);
void canvas_fill(const canvas *c, uint32_t colour, double x, double y,
                 double width, double height);
void canvas_line(const canvas *c, uint32_t colour, double alpha, double x0,
                 double y0, double x1, double y1);
void canvas_font(const canvas *c, double size, bool bold);
double canvas_text_width(const canvas *c, const char *text);

/* `align` is the part of its width that stands left of x. */
void canvas_text(const canvas *c, double x, double y, double align,
                 uint32_t colour, const char *text);

/* Colours, a pixel each, at a place. False if memory is short. */
bool canvas_pixels(const canvas *c, uint32_t *pixels, int width, int height,
                   double x, double y, double row_height);

/* 0 of nothing. */
double percent_of(uint64_t part, uint64_t whole);

#endif
