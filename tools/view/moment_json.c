#include "moment_json.h"

enum { HOLES = 16 };

static json_t *figures(const heap_moment *moment)
{
    const bitfit_stats *s = &moment->stats;
    json_t *object = json_pack(
        "{sIsIsIsIsIsIsIsIsIsIsb}", "largest_request",
        (json_int_t)s->largest_free, "capacity", (json_int_t)s->capacity,
        "granule", (json_int_t)s->granule, "live", (json_int_t)s->live, "free",
        (json_int_t)s->free, "blocks", (json_int_t)s->blocks, "high_water",
        (json_int_t)s->high_water, "peak_live", (json_int_t)s->peak_live,
        "failures", (json_int_t)s->failures, "top", (json_int_t)moment->top,
        "torn", (int)moment->torn);
    if (moment->payload != 0)
        json_object_set_new(object, "payload",
                            json_integer((json_int_t)moment->payload));
    if (moment->requested != 0) {
        json_object_set_new(object, "requested",
                            json_integer((json_int_t)moment->requested));
    }
    return object;
}

static json_t *holes_of(const heap_moment *moment)
{
    const moment_run *holes[HOLES];
    json_t *array = json_array();
    size_t count = moment_holes(moment, holes, HOLES);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(
            array, json_pack("{sIsI}", "offset", (json_int_t)holes[i]->offset,
                             "size", (json_int_t)holes[i]->size));
    }
    return array;
}

static json_t *runs_of(const heap_moment *moment)
{
    json_t *array = json_array();
    for (size_t i = 0; i < moment->count; i++) {
        const moment_run *run = &moment->runs[i];
        json_array_append_new(array,
                              json_pack("[IIb]", (json_int_t)run->offset,
                                        (json_int_t)run->size, (int)run->live));
    }
    return array;
}

json_t *moment_json(const heap_moment *moment, bool runs)
{
    json_t *object = figures(moment);
    json_object_set_new(object, "holes", holes_of(moment));
    if (runs)
        json_object_set_new(object, "runs", runs_of(moment));
    return object;
}

void pool_file_json(const pool_file *from, json_t *object)
{
    json_t *roots = json_array();
    for (unsigned i = 0; i < BITFIT_ROOTS; i++) {
        json_array_append_new(
            roots, json_integer((json_int_t)*bitfit_root(from->copy, i)));
    }
    json_object_set_new(object, "state",
                        json_string(pool_file_state_name(from->state)));
    json_object_set_new(object, "repairs",
                        json_integer((json_int_t)from->repairs));
    json_object_set_new(object, "roots", roots);
}
