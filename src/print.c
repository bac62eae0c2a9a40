/*
 * A pool's statistics and map as lines of text, for a console of any kind.
 */
#include "platform.h"

#ifndef BITFIT_SMALL /* it has no such call */

#include "door.h"
#include "guard.h"
#include "line.h"

enum { CELLS = 64, ROWS = 32, TEXT_MAX = 128 };

/* What a cell's character stands for, and what is known of the cell so far. */
typedef struct printer {
    const bitfit_pool *pool;
    bitfit_writer *write;
    void *context;
    size_t cell; /* granules */
    size_t seen;
    size_t live;
    size_t at; /* granules before the line */
    unsigned blocks;
    bf_line line;
    char text[TEXT_MAX];
} printer;

/* ------------------------------------------------------------------ figures */

static void begin_line(printer *p)
{
    p->line = (bf_line){.text = p->text, .size = sizeof p->text - 1};
}

static void end_line(printer *p)
{
    p->text[p->line.length++] = '\n';
    p->write(p->text, p->line.length, p->context);
    begin_line(p);
}

static void say_figure(printer *p, const char *before, uint64_t number)
{
    say(&p->line, before);
    say_decimal(&p->line, number < SIZE_MAX ? (size_t)number : SIZE_MAX);
}

static void print_figures(printer *p, const bitfit_stats *s)
{
    say(&p->line, "pool ");
    say_hex(&p->line, (uintptr_t)p->pool);
    say_figure(p, ": capacity ", s->capacity);
    say_figure(p, ", granule ", s->granule);
    end_line(p);
    say_figure(p, "live ", s->live);
    say_figure(p, " in blocks ", s->blocks);
    say_figure(p, ", free ", s->free);
    say_figure(p, ", largest hole ", s->largest_free);
    end_line(p);
    say_figure(p, "peak ", s->peak_live);
    say_figure(p, ", high water ", s->high_water);
    say_figure(p, ", largest block ", s->largest_block);
    end_line(p);
    say_figure(p, "allocations ", s->allocations);
    say_figure(p, ", frees ", s->frees);
    say_figure(p, ", reallocations ", s->reallocations);
    say_figure(p, ", failures ", s->failures);
    end_line(p);
}

/* ---------------------------------------------------------------------- map */

static void print_cell(printer *p, char glyph)
{
    const char text[2] = {glyph, '\0'};
    if (p->line.length == 0) {
        say_hex(&p->line, (uintptr_t)bf_pointer_to(p->pool, p->at));
        say(&p->line, " ");
    }
    say(&p->line, text);
    p->at += p->cell;
    if (p->at / p->cell % CELLS == 0) {
        end_line(p);
    }
}

/* The character of a cell of many granules, or of one. */
static char glyph_of(const printer *p, bool guard)
{
    if (p->live == 0) {
        return '.';
    }
    if (p->cell > 1) {
        return p->live == p->seen ? '#' : '+';
    }
    return (char)(guard ? '#' : 'A' + (int)((p->blocks - 1) % 26));
}

static bool print_run(const bitfit_run *run, void *context)
{
    printer *p = context;
    size_t left = run->size >> p->pool->granule_shift;
    p->blocks += run->live;
    while (left > 0) {
        size_t part = left < p->cell - p->seen ? left : p->cell - p->seen;
        left -= part;
        p->seen += part;
        p->live += run->live ? part : 0;
        if (p->seen == p->cell) {
            print_cell(p, glyph_of(p, bf_is_guarded(p->pool) && left == 0));
            p->seen = 0;
            p->live = 0;
        }
    }
    return true;
}

static void print_map(printer *p, bitfit_pool *pool)
{
    while (pool->fit.map.granules / p->cell > (size_t)CELLS * ROWS) {
        p->cell *= 2;
    }
    say_figure(p, "map, bytes a character: ", bf_bytes_of(pool, p->cell));
    end_line(p);
    bf_pool_walk(pool, print_run, p);
    if (p->seen > 0) {
        print_cell(p, glyph_of(p, false));
    }
    if (p->line.length > 0) {
        end_line(p);
    }
}

void bitfit_print(bitfit_pool *pool, bitfit_writer *write, void *context)
{
    if (!enter_memory_locked(pool, __func__)) {
        return;
    }
    printer p = {.pool = pool, .write = write, .context = context, .cell = 1};
    bitfit_stats stats;
    bf_pool_stats(pool, &stats);
    if (bf_is_guarded(pool)) {
        bf_guard_stats(pool, bf_plan_guard_of(pool), &stats);
    }
    begin_line(&p);
    print_figures(&p, &stats);
    print_map(&p, pool);
    leave(pool);
}

#endif
