#include "scheme.h"

#include "../trace/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From small or young, which shall be seen, to large or old. */
static const uint32_t ramp_light[] = {0xf2d300, 0xa7c23d, 0x6dae86, 0x2f93a0,
                                      0x2c6fb3, 0x3c5482, 0x372f79};
static const uint32_t ramp_dark[] = {0xfff08a, 0xc7e04a, 0x7fc99c, 0x41b8af,
                                     0x3a92af, 0x4e71e0, 0x585cb0};
static const uint32_t colours_of_sites[] = {0x0072b2, 0xe69f00, 0x009b55,
                                            0xcc79a7, 0x56b4e9, 0xf0e442,
                                            0x8428f4, 0x646468};

enum {
    RAMP = sizeof ramp_light / sizeof ramp_light[0],
    SITES = sizeof colours_of_sites / sizeof colours_of_sites[0]
};

static const colour_theme themes[] = {
    {.paper = 0xffffff,
     .ink = 0x1f2430,
     .faint = 0x5f6775,
     .free = 0xf1f2f5,
     .waste = 0xe0203a,
     .mark = 0x111827},
    {.paper = 0x1b1f26,
     .ink = 0xe6e8ec,
     .faint = 0x9aa3b2,
     .free = 0x14171c,
     .waste = 0xff4d5e,
     .mark = 0xffffff},
};

const colour_theme *theme_of(bool dark)
{
    return &themes[dark];
}

static unsigned mix_channel(uint32_t a, uint32_t b, unsigned shift,
                            double weight)
{
    double from = a >> shift & 0xff;
    double to = b >> shift & 0xff;
    return (unsigned)(from + (to - from) * weight + 0.5) << shift;
}

uint32_t colour_mix(uint32_t a, uint32_t b, double weight)
{
    return mix_channel(a, b, 16, weight) | mix_channel(a, b, 8, weight) |
           mix_channel(a, b, 0, weight);
}

/* -------------------------------------------------------------------- text */

const char *count_text(char text[static 32], uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, number);
    char *to = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

const char *things_text(char text[static 48], uint64_t number, const char *name)
{
    char digits[32];
    snprintf(text, 48, "%s %s%s", count_text(digits, number), name,
             number == 1 ? "" : "s");
    return text;
}

const char *address_text(char text[static 24], uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    unsigned unit = 0;
    for (; value >= 1024 && unit < 4; unit++)
        value /= 1024;
    snprintf(text, 24, "%.4g %s", value, units[unit]);
    if (bytes == 0)
        strcpy(text, "0");
    return text;
}

const char *span_text(char text[static 48], heap_clock clock, uint64_t span)
{
    static const char *const units[] = {"ns", "\u00b5s", "ms", "s"};
    if (clock == CLOCK_EVENTS)
        return things_text(text, span, "event");
    double value = (double)span;
    unsigned unit = 0;
    while (value >= 1000 && unit < 3) {
        value /= 1000;
        unit++;
    }
    snprintf(text, 48, "%.3g %s", value, units[unit]);
    if (value >= 1000)
        snprintf(text, 48, "%.0f s", value);
    return text;
}

/* A function's parameters are left out. */
static int name_length(const char *from, const char *end)
{
    const char *at = from;
    while (at < end && (*at != '(' || at == from))
        at++;
    return (int)(at - from);
}

static void join_frames(char *text, size_t size, const char *stack,
                        unsigned frames)
{
    size_t used = 0;
    const char *end = stack + strlen(stack);
    text[0] = '\0';
    for (unsigned i = 0; i < frames && end > stack; i++) {
        const char *from = end;
        while (from > stack && from[-1] != ';')
            from--;
        int length =
            snprintf(text + used, size - used, "%s%.*s", i == 0 ? "" : " < ",
                     name_length(from, end), from);
        used += (size_t)length;
        if (used >= size)
            return;
        end = from > stack ? from - 1 : stack;
    }
    if (used == 0)
        snprintf(text, size, "unknown");
}

const char *site_text(char *text, size_t size, const char *stack,
                      unsigned frames)
{
    join_frames(text, size, stack, frames);
    text_make_visible(text); /* its end may be cut in a character's middle */
    return text;
}

const char *stack_text(char *text, size_t size, const char *stack)
{
    static const char dots[] = " < ...";
    size_t room = size - sizeof dots;
    size_t used = 0;
    snprintf(text, size, "unknown");
    for (const char *end = stack + strlen(stack); end > stack;) {
        const char *from = end;
        while (from > stack && from[-1] != ';')
            from--;
        size_t line = text_line_length(from, end);
        int length = snprintf(
            text + used, room - used, "%s%.*s%.*s", used == 0 ? "" : " < ",
            name_length(from, end - line), from, (int)line, end - line);
        if (used + (size_t)length >= room) {
            strcpy(text + (used == 0 ? room - 1 : used), dots);
            break;
        }
        used += (size_t)length;
        end = from > stack ? from - 1 : stack;
    }
    text_make_visible(text); /* a character may be cut in its middle */
    return text;
}

/* ----------------------------------------------------------------- classes */

static void add_class(colour_scheme *scheme, uint32_t colour, const char *name)
{
    scheme->colours[scheme->count] = colour;
    snprintf(scheme->names[scheme->count], SCHEME_NAME_MAX, "%s", name);
    scheme->count++;
}

void scheme_by_size(colour_scheme *scheme, bool dark)
{
    static const char *const names[] = {
        "up to 32 bytes", "64", "256", "1 KiB", "4 KiB", "64 KiB", "larger"};
    const uint32_t *ramp = dark ? ramp_dark : ramp_light;
    *scheme = (struct colour_scheme){.by = BY_SIZE, .dark = dark};
    for (unsigned i = 0; i < RAMP; i++)
        add_class(scheme, ramp[i], names[i]);
}

/* Ages in parts of the whole time, since traces are of any length. */
static void by_age(colour_scheme *scheme, const heap_history *heap)
{
    static const unsigned parts[] = {1000, 100, 10, 2};
    const uint32_t *ramp = scheme->dark ? ramp_dark : ramp_light;
    uint64_t whole = heap_position(heap, scheme->clock, UINT32_MAX);
    char name[SCHEME_NAME_MAX];
    char span[48];
    for (unsigned i = 0; i < 4; i++) {
        uint64_t limit = whole / parts[i];
        scheme->limits[i] = limit != 0 ? limit : 1;
        span_text(span, scheme->clock, scheme->limits[i]);
        snprintf(name, sizeof name, "%s%s", i == 0 ? "younger than " : "",
                 span);
        add_class(scheme, ramp[i + (i > 1)], name);
    }
    add_class(scheme, ramp[RAMP - 1], "older");
}

/* Call stacks that end in the same two calls are one site to a reader. */
enum { FRAMES = 2 };

typedef struct site_entry {
    char name[SCHEME_NAME_MAX];
    double weight; /* bytes x events: of all that have the name, in the first */
    uint32_t site;
    uint32_t first; /* the first entry of this name */
    uint8_t class;
} site_entry;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const site_entry *)a)->name, ((const site_entry *)b)->name);
}

static int heavier_first(const void *a, const void *b)
{
    double left = (*(const site_entry *const *)a)->weight;
    double right = (*(const site_entry *const *)b)->weight;
    return (left < right) - (left > right);
}

static void weigh_sites(site_entry *entries, const heap_history *heap)
{
    size_t sites = heap->trace->site_count;
    for (uint32_t i = 0; i < sites; i++) {
        site_text(entries[i].name, SCHEME_NAME_MAX, heap->trace->sites[i],
                  FRAMES);
        entries[i].site = i;
    }
    for (size_t i = 0; i < heap->stay_count; i++) {
        const heap_stay *stay = &heap->stays[i];
        entries[heap_asked(heap, stay).site].weight +=
            (double)stay->count * (stay->died - stay->born);
    }
    for (size_t i = 0; i < heap->crowd_count; i++)
        entries[heap->crowds[i].site].weight += (double)heap->crowds[i].area;
}

/* Puts what has one name together; returns how many names there are. */
static size_t join_names(site_entry *entries, size_t sites, site_entry **firsts)
{
    size_t names = 0;
    qsort(entries, sites, sizeof *entries, by_name);
    for (uint32_t i = 0; i < sites; i++) {
        bool same = i > 0 && by_name(&entries[i], &entries[i - 1]) == 0;
        entries[i].first = same ? entries[i - 1].first : i;
        if (same) {
            entries[entries[i].first].weight += entries[i].weight;
        } else {
            firsts[names++] = &entries[i];
        }
    }
    qsort(firsts, names, sizeof *firsts, heavier_first);
    return names;
}

/* The heaviest names get a class each, the others one together. */
static void name_sites(colour_scheme *scheme, const heap_history *heap,
                       site_entry *entries, site_entry **firsts)
{
    size_t sites = heap->trace->site_count;
    weigh_sites(entries, heap);
    size_t names = join_names(entries, sites, firsts);
    for (size_t i = 0; i < names; i++) {
        bool named = i < SITES - 1 && firsts[i]->weight > 0;
        if (named)
            add_class(scheme, colours_of_sites[i], firsts[i]->name);
        firsts[i]->class = (uint8_t)(named ? i : scheme->count);
    }
    for (size_t i = 0; i < sites; i++)
        scheme->site_classes[entries[i].site] = entries[entries[i].first].class;
    if (scheme->count == SITES - 1 && names > scheme->count)
        add_class(scheme, colours_of_sites[SITES - 1], "elsewhere");
}

static bool by_site(colour_scheme *scheme, const heap_history *heap)
{
    size_t sites = heap->trace->site_count;
    site_entry *entries = calloc(sites + 1, sizeof *entries);
    site_entry **firsts = calloc(sites + 1, sizeof(site_entry *));
    scheme->site_classes = calloc(sites + 1, 1);
    bool ok = entries != NULL && firsts != NULL && scheme->site_classes != NULL;
    if (ok)
        name_sites(scheme, heap, entries, firsts);
    free(entries);
    free(firsts);
    return ok;
}

bool scheme_open(colour_scheme *scheme, scheme_by by, const heap_history *heap,
                 heap_clock clock, bool dark)
{
    scheme_by_size(scheme, dark);
    if (by == BY_SIZE)
        return true;
    *scheme = (struct colour_scheme){.by = by, .dark = dark, .clock = clock};
    if (by == BY_AGE) {
        by_age(scheme, heap);
        return true;
    }
    return by_site(scheme, heap);
}

void scheme_close(colour_scheme *scheme)
{
    free(scheme->site_classes);
    scheme->site_classes = NULL;
}

unsigned scheme_class(const colour_scheme *scheme, uint64_t size, uint32_t site,
                      uint64_t age)
{
    if (scheme->by == BY_SITE)
        return scheme->site_classes[site];
    if (scheme->by == BY_SIZE)
        return heap_size_class(size);
    unsigned class = 0;
    while (class + 1 < scheme->count && age >= scheme->limits[class])
        class ++;
    return class;
}

unsigned scheme_class_of_stay(const colour_scheme *scheme,
                              const heap_history *heap, const heap_stay *stay,
                              uint64_t age)
{
    return scheme_class(scheme, (uint64_t)stay->count * heap->granule,
                        heap_asked(heap, stay).site, age);
}
