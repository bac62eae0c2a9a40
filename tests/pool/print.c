/*
 * bitfit_print(): the figures are those of the statistics, and the map's
 * characters those of the pool.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct page {
    char text[8192];
    size_t length;
    size_t lines;
    bitfit_pool *reenter;
} page;

static void keep(const char *text, size_t length, void *context)
{
    page *p = context;
    assert_true(length > 0 && length < 128 && text[length - 1] == '\n');
    assert_null(memchr(text, '\n', length - 1));
    assert_true(p->length + length < sizeof p->text);
    memcpy(p->text + p->length, text, length);
    p->length += length;
    p->lines++;
    if (p->reenter != NULL) {
        assert_null(bitfit_alloc(p->reenter, 1));
    }
}

/* The characters of the map, without addresses and ends of lines. */
static void map_of(const page *p, char *map)
{
    const char *line = strstr(p->text, "map, ");
    assert_non_null(line);
    for (line = strchr(line, '\n') + 1; *line != '\0';) {
        const char *cells = strchr(line, ' ') + 1;
        size_t count = strcspn(cells, "\n");
        memcpy(map, cells, count);
        map += count;
        line = cells + count + 1;
    }
    *map = '\0';
}

static void each_granule_has_a_character(void **state)
{
    (void)state;
    for (int guard = 0; guard < 2; guard++) {
        rig r;
        page p = {.length = 0};
        char drawn[201];
        char map[256];
        bitfit_options options = {.guard = guard != 0};
        rig_open(&r, 200, &options);
        void *hole = bitfit_alloc(r.pool, 100);
        bitfit_alloc(r.pool, 1500);
        bitfit_alloc(r.pool, 17);
        bitfit_free(r.pool, hole);
        bitfit_print(r.pool, keep, &p);
        bitfit_draw(r.pool, drawn, sizeof drawn);
        map_of(&p, map);
        assert_string_equal(map, drawn);
        rig_close(&r);
    }
}

static void the_figures_are_those_of_the_statistics(void **state)
{
    (void)state;
    rig r;
    page p = {.length = 0};
    char wanted[512];
    rig_open(&r, 100, NULL);
    void *block = bitfit_alloc(r.pool, 320);
    bitfit_alloc(r.pool, 48);
    block = bitfit_realloc(r.pool, block, 400);
    bitfit_free(r.pool, block);
    bitfit_alloc(r.pool, 5000);
    bitfit_print(r.pool, keep, &p);
    bitfit_stats s = rig_stats(&r);
    snprintf(wanted, sizeof wanted,
             "pool %p: capacity %zu, granule %zu\n"
             "live %zu in blocks %zu, free %zu, largest hole %zu\n"
             "peak %zu, high water %zu, largest block %zu\n"
             "allocations %d, frees %d, reallocations %d, failures %d\n"
             "map, bytes a character: 16\n",
             (void *)r.pool, s.capacity, s.granule, s.live, s.blocks, s.free,
             s.largest_free, s.peak_live, s.high_water, s.largest_block, 2, 1,
             1, 1);
    p.text[strlen(wanted)] = '\0';
    assert_string_equal(p.text, wanted);
    rig_close(&r);
}

/* However many granules: a page of lines, each cell judged by all it has. */
static void large_pools_fit_on_a_page(void **state)
{
    (void)state;
    for (size_t granules = 2048; granules < 200000; granules += 17174) {
        rig r;
        page p = {.length = 0};
        char map[4096];
        size_t cell = 1;
        rig_open(&r, granules, NULL);
        while (granules / cell > 2048) {
            cell *= 2;
        }
        bitfit_alloc(r.pool, 16 * (3 * cell + cell / 2 + (cell == 1)));
        bitfit_print(r.pool, keep, &p);
        map_of(&p, map);
        assert_true(p.lines <= 40);
        assert_int_equal(strlen(map), (granules + cell - 1) / cell);
        assert_memory_equal(map, cell == 1 ? "AAAA." : "###+.", 5);
        rig_close(&r);
    }
}

static void it_holds_the_pool(void **state)
{
    (void)state;
    rig r;
    recorder seen;
    bitfit_options options = recording(&seen);
    rig_open(&r, 10, &options);
    page p = {.reenter = r.pool};
    bitfit_print(r.pool, keep, &p);
    assert_int_equal(seen.calls, p.lines);
    assert_int_equal(seen.last.kind, BITFIT_REENTRY);
    bitfit_lock(r.pool);
    p = (page){.length = 0};
    bitfit_print(r.pool, keep, &p);
    bitfit_unlock(r.pool);
    assert_int_equal(p.lines, 0);
    assert_string_equal(seen.last.call, "bitfit_print");
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_granule_has_a_character),
        cmocka_unit_test(the_figures_are_those_of_the_statistics),
        cmocka_unit_test(large_pools_fit_on_a_page),
        cmocka_unit_test(it_holds_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
