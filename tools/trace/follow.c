#include "follow.h"

#include "format.h"
#include "read_bitfit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

struct trace_follower {
    int file;
    uint64_t next; /* the file's offset that was not yet read */
    bool begun;    /* the header was read */
    bool ended;
    trace into; /* its events are of one chunk only */
    builder to;
    char chunk[CHUNK];
};

/* --------------------------------------------------------- opening, closing */

trace_follower *follow_open(const char *path)
{
    trace_follower *of = calloc(1, sizeof *of);
    if (of == NULL)
        return NULL;
    of->to.into = &of->into;
    of->file = open(path, O_RDONLY | O_CLOEXEC);
    bool is =
        of->file >= 0 && build_begin(&of->to, SIZE_MAX) &&
        pread(of->file, of->chunk, TRACE_HEADER_SIZE, 0) == TRACE_HEADER_SIZE &&
        memcmp(of->chunk, TRACE_MAGIC, TRACE_MAGIC_SIZE) == 0 &&
        of->chunk[TRACE_MAGIC_SIZE] == TRACE_VERSION;
    if (is)
        return of;
    follow_close(of);
    return NULL;
}

void follow_close(trace_follower *closed)
{
    if (closed == NULL)
        return;
    if (closed->file >= 0)
        close(closed->file);
    build_end(&closed->to);
    for (size_t i = 0; i < closed->into.site_count; i++)
        free(closed->into.sites[i]);
    free(closed->into.sites);
    free(closed->into.events);
    free(closed->into.kinds);
    free(closed->into.ticks);
    free(closed);
}

/* ------------------------------------------------------------------ looking */

/* How far the file is sound; 0 if it cannot be read. */
static uint64_t written(const trace_follower *of)
{
    uint64_t count;
    if (pread(of->file, &count, sizeof count, TRACE_WRITTEN_AT) != sizeof count)
        return 0;
    return le64toh(count);
}

/* Reads the whole records, up to `from->next`. False if one is wrong. */
static bool take_records(trace_follower *of, reading *from)
{
    of->into.count = of->into.tick_count = 0;
    while (from->next < from->end && !of->ended) {
        size_t start = from->next;
        of->ended = from->at[start] == RECORD_END;
        if (!of->ended && !reading_record(from)) {
            from->next = start;
            return from->short_of;
        }
    }
    return true;
}

/* Moves on by the whole records in the next part of what is written. False if
 * one is wrong. */
static bool take_chunk(trace_follower *of, size_t size)
{
    ssize_t got = pread(of->file, of->chunk, size, (off_t)of->next);
    reading from = {
        .at = of->chunk, .to = &of->to, .end = got < 0 ? 0 : (size_t)got};
    of->begun = of->begun || reading_skip_header(&from);
    if (!of->begun)
        return true;
    bool sound = take_records(of, &from);
    of->next += from.next;
    return sound;
}

bool follow_look(trace_follower *of)
{
    uint64_t end = written(of);
    while (of->next < end && !of->ended) {
        uint64_t start = of->next;
        size_t size = end - start < CHUNK ? (size_t)(end - start) : CHUNK;
        if (!take_chunk(of, size))
            return false;
        if (of->next == start && !of->ended)
            return size < CHUNK; /* the rest is still to come */
    }
    return end > 0 && !of->ended;
}

/* ----------------------------------------------------------------- holdings */

/* By the sites' numbers; NULL if memory is short. */
static site_holding *holdings(const trace_follower *of)
{
    site_holding *all = calloc(of->into.site_count, sizeof *all);
    if (all == NULL)
        return NULL;
    for (uint32_t i = 0; i < of->into.slots; i++) {
        const trace_event *last = build_last(&of->to, i);
        bool lives = last->op != TRACE_FREE;
        all[last->site].requested += lives ? last->size : 0;
        all[last->site].blocks += lives;
    }
    for (size_t i = 0; i < of->into.site_count; i++)
        all[i].stack = of->into.sites[i];
    return all;
}

static int most_first(const void *left, const void *right)
{
    const site_holding *a = left;
    const site_holding *b = right;
    return (a->requested < b->requested) - (a->requested > b->requested);
}

size_t follow_largest(const trace_follower *of, site_holding *largest,
                      size_t wanted)
{
    site_holding *all = holdings(of);
    size_t found = 0;
    if (all == NULL)
        return 0;
    size_t known = of->into.site_count - 1; /* the first is "unknown" */
    qsort(all + 1, known, sizeof *all, most_first);
    while (found < wanted && found < known && all[found + 1].requested > 0) {
        largest[found] = all[found + 1];
        found++;
    }
    free(all);
    return found;
}
