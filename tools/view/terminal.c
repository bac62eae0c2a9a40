#include "terminal.h"

#include "../trace/text.h"
#include "picture.h"
#include "plane.h"
#include "screen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LABEL = 11, COLUMNS_DEFAULT = 80, ROWS_DEFAULT = 16, MAP_MIN = 8 };

static unsigned columns_of(FILE *to)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    size_t asked;
    if (ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col != 0)
        return size.ws_col;
    if (columns != NULL && text_to_size(columns, &asked) && asked < 10000)
        return (unsigned)asked;
    return COLUMNS_DEFAULT;
}

terminal terminal_of(FILE *to)
{
    const char *depth = getenv("COLORTERM");
    return (terminal){
        .to = to,
        .columns = columns_of(to),
        .rows = ROWS_DEFAULT,
        .colours = screen_colours(to),
        .unicode = screen_unicode(),
        .true_colours = depth != NULL && (strcmp(depth, "truecolor") == 0 ||
                                          strcmp(depth, "24bit") == 0),
    };
}

/* ------------------------------------------------------------------ colours */

/* The nearest of the six in xterm's cube. */
static unsigned cube_level(uint32_t colour, unsigned shift)
{
    unsigned level = colour >> shift & 0xff;
    return level < 48 ? 0 : level < 115 ? 1 : (level - 35) / 40;
}

/* `ground` is 38 for the character, 48 for what is behind it. */
static void set_ground(const terminal *t, int ground, uint32_t colour)
{
    if (t->true_colours) {
        fprintf(t->to, "\033[%d;2;%u;%u;%um", ground, colour >> 16 & 0xff,
                colour >> 8 & 0xff, colour & 0xff);
    } else {
        fprintf(t->to, "\033[%d;5;%um", ground,
                16 + 36 * cube_level(colour, 16) + 6 * cube_level(colour, 8) +
                    cube_level(colour, 0));
    }
}

/* The colour as the terminal has it. */
static uint32_t shown(const terminal *t, uint32_t colour)
{
    static const uint32_t levels[] = {0, 95, 135, 175, 215, 255};
    return t->true_colours ? colour
                           : levels[cube_level(colour, 16)] << 16 |
                                 levels[cube_level(colour, 8)] << 8 |
                                 levels[cube_level(colour, 0)];
}

/* Black or white, which is read best on this colour. */
static uint32_t ink_on(uint32_t colour)
{
    static const double weights[] = {0.2126, 0.7152, 0.0722};
    static const double as_far_from_both = 0.179;
    double luminance = 0;
    for (unsigned i = 0; i < 3; i++) {
        double part = (colour >> (16 - 8 * i) & 0xff) / 255.0;
        luminance += weights[i] * pow(part, 2.2);
    }
    return luminance > as_far_from_both ? 0x000000 : 0xffffff;
}

static void reset(const terminal *t)
{
    if (t->colours)
        fputs("\033[0m", t->to);
}

/* ---------------------------------------------------------------------- map */

/* A moment as cells: each has `down` x `across` pixels, row by row. */
typedef struct cells {
    plane plane;
    unsigned across, down;
    unsigned width; /* pixels */
    unsigned lines;
    unsigned pixels;
    uint64_t row; /* bytes in a row of pixels */
} cells;

static bool lay_cells(cells *c, const terminal *t, const heap_moment *moment,
                      const colour_scheme *scheme, const heap_history *heap,
                      uint32_t event)
{
    unsigned columns =
        t->columns > LABEL + MAP_MIN ? t->columns - LABEL - 1 : MAP_MIN;
    *c = !t->unicode  ? (cells){.across = 1, .down = 1}
         : t->colours ? (cells){.across = 1, .down = 2}
                      : (cells){.across = 2, .down = 4};
    uint64_t capacity = moment->stats.capacity;
    c->width = columns * c->across;
    c->row =
        round_row(capacity, (uint64_t)t->rows * c->down, moment->stats.granule);
    double bytes = (double)c->row / c->width;
    unsigned rows = (unsigned)((capacity + c->row - 1) / c->row);
    c->lines = (rows + c->down - 1) / c->down;
    c->pixels = (unsigned)((double)capacity / bytes + 0.999);
    if (!plane_open(&c->plane, c->lines * c->down * c->width, 1, scheme))
        return false;
    plane_add_moment(&c->plane, moment, bytes, scheme, heap, event);
    plane_finish(&c->plane);
    return true;
}

static void print_half_blocks(const terminal *t, const cells *c,
                              const colour_scheme *scheme, unsigned line)
{
    uint32_t before[2] = {UINT32_MAX, UINT32_MAX};
    for (unsigned x = 0; x < c->width; x++) {
        unsigned upper = 2 * line * c->width + x;
        unsigned lower = upper + c->width;
        if (upper >= c->pixels)
            break;
        uint32_t colours[2] = {
            plane_colour(&c->plane, scheme, upper, 0),
            plane_colour(&c->plane, scheme, lower, 0),
        };
        bool ends = lower >= c->pixels; /* nothing below: the terminal's own */
        if (ends && before[1] != UINT32_MAX)
            reset(t);
        if (colours[0] != before[0] || ends)
            set_ground(t, 38, colours[0]);
        if (!ends && colours[1] != before[1])
            set_ground(t, 48, colours[1]);
        fputs("\u2580", t->to);
        before[0] = colours[0];
        before[1] = ends ? UINT32_MAX : colours[1];
    }
    reset(t);
}

/* U+2800 and a bit for each dot, in this order. */
static void print_braille(const terminal *t, const cells *c, unsigned line)
{
    static const uint8_t dots[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    for (unsigned x = 0; x < c->width; x += 2) {
        unsigned set = 0;
        for (unsigned y = 0; y < 4; y++) {
            for (unsigned i = 0; i < 2; i++) {
                unsigned pixel = (4 * line + y) * c->width + x + i;
                if (plane_cover(&c->plane, pixel, 0) >= 0.5)
                    set |= dots[y][i];
            }
        }
        if (4 * line * c->width + x < c->pixels) {
            fprintf(t->to, "\xe2%c%c", (int)(0xa0 + (set >> 6)),
                    (int)(0x80 + (set & 0x3f)));
        }
    }
}

/* As in pictures of pools: '.' is free; ':' is in use in part. With colours
 * they say the rest. */
static void print_characters(const terminal *t, const cells *c,
                             const colour_scheme *scheme, unsigned line)
{
    unsigned first = line * c->width;
    for (unsigned i = first; i < first + c->width && i < c->pixels; i++) {
        double cover = plane_cover(&c->plane, i, 0);
        if (t->colours)
            set_ground(t, 38, plane_colour(&c->plane, scheme, i, 0));
        fputc(cover >= 0.5 ? '#' : cover > 0.004 ? ':' : '.', t->to);
    }
    reset(t);
}

/* An entry of the legend: its name on its colour, on a new line if this one is
 * full. */
static void print_entry(const terminal *t, unsigned *column, uint32_t colour,
                        const char *name)
{
    unsigned width = (unsigned)strlen(name) + 3;
    if (*column + width > t->columns && *column > LABEL) {
        fprintf(t->to, "\n%*s", LABEL, "");
        *column = LABEL;
    }
    set_ground(t, 48, colour);
    set_ground(t, 38, ink_on(shown(t, colour)));
    fprintf(t->to, " %s ", name);
    reset(t);
    fputc(' ', t->to);
    *column += width;
}

static void print_legend(const terminal *t, const colour_scheme *scheme,
                         bool has_waste)
{
    const colour_theme *theme = theme_of(scheme->dark);
    unsigned column = LABEL;
    if (!t->colours) {
        fprintf(t->to, "%*s %s\n", LABEL - 1, "",
                t->unicode ? "a dot is in use, a gap is free"
                           : "# is in use, : less than half of it, . is free");
        return;
    }
    fprintf(t->to, "%*s", LABEL, "");
    for (unsigned i = 0; i < scheme->count; i++)
        print_entry(t, &column, scheme->colours[i], scheme->names[i]);
    print_entry(t, &column, theme->free, "free");
    if (has_waste)
        print_entry(t, &column, theme->waste, "lost to rounding");
    fputc('\n', t->to);
}

/* The largest holes, as many as fit into the line. */
static void print_holes(const terminal *t, const heap_moment *moment)
{
    enum { SHOWN = 5 };
    const moment_run *holes[SHOWN];
    char size[24];
    char offset[24];
    size_t count = moment_holes(moment, holes, SHOWN);
    unsigned used = LABEL;
    fprintf(t->to, "%*s ", LABEL - 1, "holes");
    for (size_t i = 0; i < count; i++) {
        char text[64];
        int length =
            snprintf(text, sizeof text, "%s%s at %s", i == 0 ? "" : ", ",
                     text_of_size(size, holes[i]->size),
                     address_text(offset, holes[i]->offset));
        used += (unsigned)length;
        if (used >= t->columns && i > 0)
            break;
        fputs(text, t->to);
    }
    fputs(count == 0 ? "none\n" : "\n", t->to);
}

void terminal_figures(const terminal *t, const heap_moment *moment)
{
    const bitfit_stats *stats = &moment->stats;
    char text[4][24];
    char blocks[48];
    if (t->colours)
        fputs("\033[1m", t->to);
    fprintf(t->to, "the largest request that would succeed now: %s\n",
            text_of_size(text[0], stats->largest_free));
    reset(t);
    fprintf(t->to, "%s of %s live in %s, %s free%s\n",
            text_of_size(text[1], stats->live),
            text_of_size(text[2], stats->capacity),
            things_text(blocks, stats->blocks, "block"),
            text_of_size(text[3], stats->free),
            moment->torn ? " (changing: parts may be wrong)" : "");
}

bool terminal_map(const terminal *t, const heap_moment *moment,
                  const colour_scheme *scheme, const heap_history *heap,
                  uint32_t event)
{
    cells c;
    char label[24];
    if (!lay_cells(&c, t, moment, scheme, heap, event))
        return false;
    for (unsigned line = 0; line < c.lines; line++) {
        address_text(label, line * c.down * c.row);
        fprintf(t->to, "%*s ", LABEL - 1, label);
        if (!t->unicode)
            print_characters(t, &c, scheme, line);
        else if (t->colours)
            print_half_blocks(t, &c, scheme, line);
        else
            print_braille(t, &c, line);
        fputc('\n', t->to);
    }
    plane_close(&c.plane);
    print_holes(t, moment);
    print_legend(t, scheme, moment->requested != 0);
    return true;
}

void terminal_sparkline(const terminal *t, const uint64_t *values, size_t count,
                        uint64_t highest, unsigned width)
{
    size_t first = count > width ? count - width : 0;
    for (size_t i = first; i < count; i++) {
        uint64_t level = highest == 0 ? 0 : values[i] * 7 / highest;
        level = level < 7 ? level : 7;
        if (t->unicode) /* U+2581 and up */
            fprintf(t->to, "\xe2\x96%c", (int)(0x81 + level));
        else
            fputc("_.,-~+*#"[level], t -> to);
    }
}
