/* Pictures with a title, axes and a legend, as PNG or SVG. */
#ifndef PICTURE_H
#define PICTURE_H

#include "moment.h"
#include "picture_options.h"
#include "scheme.h"

/* Address x time. NULL, or why there is no picture. */
const char *picture_of_heap(const heap_history *heap,
                            const colour_scheme *scheme, heap_clock clock,
                            const picture_options *options);

/* The addresses of one moment, row below row. `heap` and `event` as for
 * plane_add_moment(). NULL, or why there is no picture. */
const char *picture_of_moment(const heap_moment *moment,
                              const colour_scheme *scheme,
                              const heap_history *heap, uint32_t event,
                              const picture_options *options);

/* Bytes a row such that `rows` rows hold the capacity and the rows' addresses
 * are round: granules times a power of two, or half as much again. */
uint64_t round_row(uint64_t capacity, uint64_t rows, uint64_t granule);

#endif
