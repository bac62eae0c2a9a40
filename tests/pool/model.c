#include "model.h"

#include <stdlib.h>
#include <string.h>

/* Writes one run: its states and its count at both ends. */
static void set_run(model *m, size_t start, size_t count, bool live)
{
    memset(m->state + start, live ? MODEL_INNER : MODEL_FREE, count);
    if (live) {
        m->state[start] = MODEL_START;
    }
    m->run[start] = count;
    m->run[start + count - 1] = count;
}

bool model_open(model *m, size_t count, bool resize_moves)
{
    *m = (model){.count = count, .resize_moves = resize_moves};
    m->state = malloc(count);
    m->run = malloc(count * sizeof *m->run);
    if (m->state == NULL || m->run == NULL) {
        model_close(m);
        return false;
    }
    set_run(m, 0, count, false);
    return true;
}

void model_close(model *m)
{
    free(m->state);
    free(m->run);
    m->state = NULL;
    m->run = NULL;
}

void model_reset(model *m)
{
    m->stats = (model_stats){0};
    set_run(m, 0, m->count, false);
}

static bool is_free(const model *m, size_t index)
{
    return m->state[index] == MODEL_FREE;
}

/* Frees [start, start + count) and joins it with the holes beside it. */
static void clear(model *m, size_t start, size_t count)
{
    size_t end = start + count;
    if (end < m->count && is_free(m, end)) {
        end += m->run[end];
    }
    if (start > 0 && is_free(m, start - 1)) {
        start -= m->run[start - 1];
    }
    set_run(m, start, end - start, false);
}

/* Takes [start, start + count) out of the hole that starts at `hole`. */
static void take(model *m, size_t hole, size_t start, size_t count)
{
    size_t hole_end = hole + m->run[hole];
    size_t end = start + count;
    if (start > hole) {
        set_run(m, hole, start - hole, false);
    }
    if (end < hole_end) {
        set_run(m, end, hole_end - end, false);
    }
    set_run(m, start, count, true);
}

static void raise_to(size_t *mark, size_t value)
{
    if (*mark < value) {
        *mark = value;
    }
}

/* Counts a block that grew or came into being at `start`. */
static void count_in(model *m, size_t start, size_t count, size_t added)
{
    m->stats.live += added;
    raise_to(&m->stats.peak_live, m->stats.live);
    raise_to(&m->stats.high_water, start + count);
    raise_to(&m->stats.largest_block, count);
}

/* The first place at or after `index` where a block may start. */
static size_t next_place(size_t index, model_places places)
{
    size_t phase = index % places.step;
    size_t skip = (places.first + places.step - phase) % places.step;
    return skip > SIZE_MAX - index ? MODEL_NONE : index + skip;
}

static size_t place(model *m, size_t count, model_places places)
{
    for (size_t hole = 0; hole < m->count; hole += m->run[hole]) {
        size_t end = hole + m->run[hole];
        size_t start = next_place(hole, places);
        if (is_free(m, hole) && start < end && end - start >= count) {
            take(m, hole, start, count);
            return start;
        }
    }
    return MODEL_NONE;
}

size_t model_alloc(model *m, size_t count, model_places places)
{
    size_t start = count == 0 ? MODEL_NONE : place(m, count, places);
    if (start == MODEL_NONE) {
        m->stats.failures++;
        return MODEL_NONE;
    }
    m->stats.blocks++;
    m->stats.allocations++;
    count_in(m, start, count, count);
    return start;
}

static bool resize_in_place(model *m, size_t index, size_t count)
{
    size_t old = m->run[index];
    size_t end = index + old;
    if (count <= old) {
        m->stats.live -= old - count;
        set_run(m, index, count, true);
        if (count < old) {
            clear(m, index + count, old - count);
        }
        return true;
    }
    if (end == m->count || !is_free(m, end) || m->run[end] < count - old) {
        return false;
    }
    take(m, end, end, count - old);
    set_run(m, index, count, true);
    count_in(m, index, count, count - old);
    return true;
}

static size_t resize_by_move(model *m, size_t index, size_t count)
{
    size_t old = m->run[index];
    size_t start = place(m, count, MODEL_ANYWHERE);
    if (start == MODEL_NONE) {
        return count < old ? index : MODEL_NONE;
    }
    count_in(m, start, count, count);
    clear(m, index, old);
    m->stats.live -= old;
    return start;
}

size_t model_resize(model *m, size_t index, size_t count)
{
    size_t start = MODEL_NONE;
    if (count == model_block(m, index)) {
        start = index;
    } else if (count != 0) {
        bool stays = !m->resize_moves && resize_in_place(m, index, count);
        start = stays ? index : resize_by_move(m, index, count);
    }
    if (start == MODEL_NONE) {
        m->stats.failures++;
    } else {
        m->stats.reallocations++;
    }
    return start;
}

void model_release(model *m, size_t index)
{
    size_t count = m->run[index];
    clear(m, index, count);
    m->stats.live -= count;
    m->stats.blocks--;
    m->stats.frees++;
}

size_t model_block(const model *m, size_t index)
{
    bool starts = index < m->count && m->state[index] == MODEL_START;
    return starts ? m->run[index] : 0;
}

size_t model_run(const model *m, size_t index)
{
    return m->run[index];
}

size_t model_largest_hole(const model *m)
{
    size_t largest = 0;
    for (size_t at = 0; at < m->count; at += m->run[at]) {
        if (is_free(m, at)) {
            raise_to(&largest, m->run[at]);
        }
    }
    return largest;
}

void model_draw(const model *m, char *picture)
{
    size_t blocks = 0;
    for (size_t at = 0; at < m->count; at += m->run[at]) {
        bool live = !is_free(m, at);
        char glyph = live ? (char)('A' + blocks++ % 26) : '.';
        memset(picture + at, glyph, m->run[at]);
    }
    picture[m->count] = '\0';
}
