/*
 * What colours mean: every block belongs to one of a few classes, by its size,
 * its age or its call site, and each class has a colour. Red is never a class:
 * it is what rounding wastes.
 *
 * Sizes and ages are in order, so their colours are one ramp from bright to
 * dark (on a dark background, to deep); sites are not, and take the colours of
 * Okabe and Ito, with violet for vermilion and a greener green. In each set all
 * colours stay apart for colour-blind eyes, from the waste and from free
 * memory, too; on a dark background, as terminals have it, each is bright
 * enough to be told from free memory. The test `colours` computes both.
 */
#ifndef SCHEME_H
#define SCHEME_H

#include "heap.h"

enum { SCHEME_MAX = 8, SCHEME_NAME_MAX = 64 };

typedef enum scheme_by { BY_SIZE, BY_AGE, BY_SITE } scheme_by;

typedef struct colour_scheme {
    scheme_by by;
    bool dark;      /* for a dark background */
    unsigned count; /* classes */
    char names[SCHEME_MAX][SCHEME_NAME_MAX];
    uint32_t colours[SCHEME_MAX]; /* 0xRRGGBB */
    heap_clock clock;             /* of the ages */
    uint64_t limits[SCHEME_MAX];  /* a class ends below this age */
    uint8_t *site_classes;        /* of each site */
} colour_scheme;

/* By size, which needs no heap. */
void scheme_by_size(colour_scheme *scheme, bool dark);

/* By any. False if and only if memory is short. */
bool scheme_open(colour_scheme *scheme, scheme_by by, const heap_history *heap,
                 heap_clock clock, bool dark);
void scheme_close(colour_scheme *scheme);

/* The class of a block of so many bytes, of this age on the scheme's clock. */
unsigned scheme_class(const colour_scheme *scheme, uint64_t size, uint32_t site,
                      uint64_t age);
unsigned scheme_class_of_stay(const colour_scheme *scheme,
                              const heap_history *heap, const heap_stay *stay,
                              uint64_t age);

/* The other colours of a theme. */
typedef struct colour_theme {
    uint32_t paper, ink, faint, free, waste, mark;
} colour_theme;

const colour_theme *theme_of(bool dark);

/* `weight` in [0, 1] of b over a. */
uint32_t colour_mix(uint32_t a, uint32_t b, double weight);

/* The last `frames` of a call stack, innermost first, as "strdup < parse". */
const char *site_text(char *text, size_t size, const char *stack,
                      unsigned frames);

/* The same of as many frames as fit, with their lines: "strdup < parse
 * (app.c:7)", with dots for those that do not; `size` is at least 32. */
const char *stack_text(char *text, size_t size, const char *stack);

/* Writes a span of the clock, such as "1,200 events" or "3.5 ms". */
const char *span_text(char text[static 48], heap_clock clock, uint64_t span);

/* Writes an address's distance from the pool's start, such as "1.25 MiB". */
const char *address_text(char text[static 24], uint64_t bytes);

/* Writes a number with its thousands parted by commas. */
const char *count_text(char text[static 32], uint64_t number);

/* Writes how many there are of what has a short name, such as "1 block" or
 * "1,234 blocks". */
const char *things_text(char text[static 48], uint64_t number,
                        const char *name);

#endif
