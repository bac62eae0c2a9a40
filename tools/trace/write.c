/* Writes a trace in the own format, which format.h describes. */
#include "format.h"
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* The slow level for what is small. */
enum { SMALL = 1 << 20, LEVEL_SMALL = 19, LEVEL = 9 };

/* Room for an event and all that may have to be said before it. */
enum { EVENT_MAX = 4 * TRACE_RECORD_MAX };

typedef struct writing {
    const trace *from;
    unsigned char *at; /* the file's content */
    unsigned char *next;
    uint64_t time_us;
    uint32_t thread;
    uint32_t site;
    uint32_t blocks;
} writing;

static size_t room_for(const trace *from)
{
    size_t room = TRACE_HEADER_SIZE + 2 * TRACE_VARINT_MAX +
                  strlen(from->about) + from->count * EVENT_MAX + 1;
    for (size_t i = 1; i < from->site_count; i++)
        room += TRACE_RECORD_MAX + strlen(from->sites[i]);
    return room;
}

static void put_text(writing *to, const char *text, size_t length)
{
    memcpy(to->next, text, length);
    to->next += length;
}

static void put_stacks(writing *to)
{
    for (size_t i = 1; i < to->from->site_count; i++) {
        size_t length = strlen(to->from->sites[i]);
        to->next = trace_put(to->next, RECORD_STACK, length);
        put_text(to, to->from->sites[i], length);
    }
}

/* Says what has changed since the last event: time, thread, call stack. */
static void put_circumstances(writing *to, const trace_event *event,
                              uint64_t time_us)
{
    if (to->from->timed && time_us > to->time_us) {
        to->next = trace_put(to->next, RECORD_TIME, time_us - to->time_us);
        to->time_us = time_us;
    }
    if (event->thread != to->thread) {
        to->next = trace_put(to->next, RECORD_THREAD, event->thread);
        to->thread = event->thread;
    }
    if (event->op != TRACE_FREE && event->site != to->site) {
        to->next = trace_put(to->next, RECORD_SITE, event->site);
        to->site = event->site;
    }
}

static void put_event(writing *to, const trace_event *event)
{
    uint64_t age = to->blocks - 1 - event->block;
    if (event->op == TRACE_ALLOC) {
        to->next = trace_put_alloc(to->next, event->align_log2, event->size);
        to->blocks++;
    } else if (event->op == TRACE_RESIZE) {
        to->next = trace_put_resize(to->next, age, event->size);
    } else {
        to->next = trace_put(to->next, RECORD_FREE, age);
    }
}

static void put_all(writing *to)
{
    size_t about_size = strlen(to->from->about);
    to->next = trace_put_header(to->at, to->from->timed, about_size);
    put_text(to, to->from->about, about_size);
    put_stacks(to);
    for (size_t i = 0; i < to->from->count; i++) {
        const trace_event event = trace_at(to->from, i);
        put_circumstances(to, &event, trace_time(to->from, i) / 1000);
        put_event(to, &event);
    }
    if (!to->from->cut)
        *to->next++ = RECORD_END;
    trace_put_written(to->at, (uint64_t)(to->next - to->at));
}

static bool fail(trace_error *error, const char *path, const char *why)
{
    snprintf(error->text, sizeof error->text, "%s: %s", path, why);
    return false;
}

static bool store(const char *path, const void *content, size_t size,
                  trace_error *error)
{
    FILE *file = fopen(path, "wbe");
    if (file == NULL)
        return fail(error, path, strerror(errno));
    bool whole = fwrite(content, 1, size, file) == size;
    whole = fclose(file) == 0 && whole;
    return whole || fail(error, path, strerror(errno));
}

bool trace_write(const trace *from, const char *path, trace_error *error)
{
    writing to = {.from = from, .at = malloc(room_for(from))};
    if (to.at == NULL)
        return fail(error, path, "there is not enough memory to write it");
    put_all(&to);
    size_t size = (size_t)(to.next - to.at);
    size_t bound = ZSTD_compressBound(size);
    void *packed = malloc(bound);
    size_t packed_size =
        packed == NULL ? 0
                       : ZSTD_compress(packed, bound, to.at, size,
                                       size < SMALL ? LEVEL_SMALL : LEVEL);
    free(to.at);
    bool written =
        packed != NULL && !ZSTD_isError(packed_size)
            ? store(path, packed, packed_size, error)
            : fail(error, path, "there is not enough memory to write it");
    free(packed);
    return written;
}
