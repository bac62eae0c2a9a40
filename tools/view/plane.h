/*
 * How much of each pixel each class of blocks covers, and the colour that makes
 * of it. A pixel that is wholly in blocks of one class, none of it waste, has
 * exactly the class's colour.
 */
#ifndef PLANE_H
#define PLANE_H

#include "moment.h"
#include "scheme.h"

/* Coverage is kept as differences along a row until plane_finish(). */
typedef struct plane {
    unsigned width;
    unsigned height;
    unsigned layers; /* classes, and the waste as the last */
    float *cover;
} plane;

/* Empty. False if and only if memory is short. */
bool plane_open(plane *into, unsigned width, unsigned height,
                const colour_scheme *scheme);
void plane_close(plane *closed);

/* Time from left to right, addresses from the bottom up to the capacity. */
void plane_add_heap(plane *into, const heap_history *heap,
                    const colour_scheme *scheme, heap_clock clock);

/* One row, `bytes` of addresses a pixel. `heap` may be NULL if no run has a
 * stay; ages are those after the event. */
void plane_add_moment(plane *into, const heap_moment *moment, double bytes,
                      const colour_scheme *scheme, const heap_history *heap,
                      uint32_t event);

/* After the last addition, before the first colour. */
void plane_finish(plane *done);

/* The share of a pixel that blocks cover. */
double plane_cover(const plane *done, unsigned x, unsigned y);

/* 0xRRGGBB; row 0 is the top. */
uint32_t plane_colour(const plane *done, const colour_scheme *scheme,
                      unsigned x, unsigned y);

#endif
