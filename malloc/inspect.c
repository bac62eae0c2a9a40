/*
 * What programs ask about their heap: the truth about the pool. A block in a
 * cache is free here, as it is for the program.
 */
#include "inspect.h"

#include "empties.h"
#include "entry.h"
#include "guarded.h"
#include "pages.h"
#include "slow.h"
#include "threads.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

static void add_guards(inspection *to)
{
    size_t blocks;
    size_t size;
    guarded_waiting(&blocks, &size);
    to->cached_blocks += blocks;
    to->cached += size;
    to->guards = guarded_closed();
}

bool inspect_heap(inspection *to)
{
    *to = (inspection){.budget = 0};
    if (!entry_enter("malloc_info")) {
        return false;
    }
    bitfit_get_stats(SETTINGS->pool, &to->pool);
    slow_sizes(&to->cached_blocks, &to->cached);
    to->empties = empties_live();
    add_guards(to);
    size_t marks = heap.caching ? SETTINGS->deposit_size : 0;
    to->pool.capacity -= marks;
    to->pool.live -= marks;
    to->pool.peak_live -=
        to->pool.peak_live < marks ? to->pool.peak_live : marks;
    to->pool.blocks -= heap.caching;
    to->budget = SETTINGS->options.budget;
    to->own = SETTINGS->own_size + marks;
    to->failures = heap.failures;
    to->first_failure = heap.first_failure;
    threads_leave();
    return true;
}

/* There is nothing to tune that a program could know better: every parameter is
 * accepted, none changes anything. */
EXPORT int mallopt(int parameter, int value)
{
    (void)parameter;
    (void)value;
    return 1;
}

EXPORT int malloc_trim(size_t keep)
{
    if (!entry_enter("malloc_trim")) {
        return 0;
    }
    slow_give_all();
    bool given = guarded_trim();
    given = pages_trim(keep) != 0 || given;
    threads_leave();
    return given;
}

static void add_line(text *to, const char *front, const char *name,
                     uint64_t number)
{
    text_add(to, front);
    text_add(to, name);
    text_add(to, ": ");
    text_size(to, number);
    text_add(to, "\n");
}

void inspect_report(text *to, const inspection *now, const char *front)
{
    const bitfit_stats *pool = &now->pool;
    add_line(to, front, "budget", now->budget);
    add_line(to, front, "payload", pool->capacity);
    add_line(to, front, "own", now->own);
    add_line(to, front, "live", pool->live - now->cached);
    add_line(to, front, "cached", now->cached);
    add_line(to, front, "peak", pool->peak_live);
    add_line(to, front, "high-water", pool->high_water);
    add_line(to, front, "largest-free", pool->largest_free);
    text_add(to, front);
    text_add(to, "failures: ");
    text_number(to, now->failures);
    text_add(to, "\n");
}

EXPORT void malloc_stats(void)
{
    inspection now;
    char memory[INSPECTION_SIZE];
    text lines = TEXT_IN(memory);
    if (inspect_heap(&now)) {
        inspect_report(&lines, &now, "bitfit: ");
        text_write(&lines, 2);
    }
}

static void add_element(text *to, const char *name, uint64_t number)
{
    text_add(to, "<");
    text_add(to, name);
    text_add(to, " size=\"");
    text_number(to, number);
    text_add(to, "\"/>\n");
}

EXPORT int malloc_info(int options, FILE *stream)
{
    inspection now;
    char memory[INSPECTION_SIZE];
    text lines = TEXT_IN(memory);
    if (options != 0) {
        errno = EINVAL;
        return -1;
    }
    if (!inspect_heap(&now)) {
        errno = ENOMEM;
        return -1;
    }
    text_add(&lines, "<malloc version=\"bitfit-1\">\n");
    add_element(&lines, "budget", now.budget);
    add_element(&lines, "payload", now.pool.capacity);
    add_element(&lines, "own", now.own);
    add_element(&lines, "live", now.pool.live - now.cached);
    add_element(&lines, "cached", now.cached);
    add_element(&lines, "peak", now.pool.peak_live);
    add_element(&lines, "high-water", now.pool.high_water);
    add_element(&lines, "largest-free", now.pool.largest_free);
    text_add(&lines, "</malloc>\n");
    size_t written = fwrite(lines.bytes, 1, lines.length, stream);
    return written == lines.length ? 0 : -1;
}
