#include "packed.h"

#include "screen.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Fast enough for millions of events; beyond 3 the file hardly shrinks. */
enum { LEVEL = 3, BUFFER = 3 << 14 };

/* ------------------------------------------------------------------ base64 */

static void encode_three(const unsigned char *from, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    for (int i = 0; i < 4; i++)
        to[i] = digits[bits >> (18 - 6 * i) & 63];
}

/* Only the last piece may have a size that is no multiple of three. */
static void write_base64(FILE *to, const unsigned char *bytes, size_t size)
{
    char text[4];
    for (size_t i = 0; i < size; i += 3) {
        unsigned char three[3] = {0};
        size_t left = size - i < 3 ? size - i : 3;
        memcpy(three, bytes + i, left);
        encode_three(three, text);
        memset(text + left + 1, '=', 3 - left);
        fwrite(text, 1, sizeof text, to);
    }
}

/* ----------------------------------------------------------------- deflate */

typedef struct packer {
    FILE *to;
    z_stream stream;
    unsigned char out[BUFFER]; /* a multiple of three */
} packer;

/* Compresses and writes; a piece goes out when it is full or the last. */
static void pack(packer *p, unsigned char *bytes, size_t size, int flush)
{
    p->stream.next_in = bytes;
    p->stream.avail_in = (uInt)size;
    int status = Z_OK;
    while (p->stream.avail_in > 0 ||
           (flush == Z_FINISH && status != Z_STREAM_END)) {
        status = deflate(&p->stream, flush);
        if (p->stream.avail_out == 0 || status == Z_STREAM_END) {
            write_base64(p->to, p->out, BUFFER - p->stream.avail_out);
            p->stream.next_out = p->out;
            p->stream.avail_out = BUFFER;
        }
    }
}

/* ----------------------------------------------------------------- columns */

static uint32_t stay_value(const heap_history *heap, size_t i, unsigned column)
{
    const heap_stay *stay = &heap->stays[i];
    const uint32_t values[] = {stay->start,
                               stay->count,
                               heap_waste(heap, stay),
                               stay->born - (i == 0 ? 0 : stay[-1].born),
                               stay->died - stay->born,
                               stay->block - (i == 0 ? 0 : stay[-1].block),
                               heap_asked(heap, stay).site};
    return values[column];
}

/* A part of the whole, of 65,535; what is there is never nothing. */
static uint32_t share_of(uint64_t part, double whole)
{
    double share = part == 0 ? 0 : fmax(1, (double)part / whole * 65535);
    return (uint32_t)fmin(share, 65535);
}

static uint32_t crowd_value(const heap_history *heap, size_t i, unsigned column)
{
    const heap_crowd *crowd = &heap->crowds[i];
    uint32_t life = crowd->died - crowd->born;
    double whole = (double)crowd->count * life;
    const uint32_t values[] = {
        crowd->start,
        crowd->count,
        share_of(crowd->waste, whole * (double)heap->granule),
        crowd->born - (i == 0 ? 0 : crowd[-1].born),
        life,
        crowd->times,
        crowd->site,
        share_of(crowd->area, whole),
        (uint32_t)(crowd->counts / crowd->times)};
    return values[column];
}

/* The last event has a time, too. */
static uint32_t time_value(const heap_history *heap, size_t i, unsigned column)
{
    size_t last = heap->trace->count - 1;
    uint64_t step = packed_time_step(heap);
    uint64_t now = i * step < last ? i * step : last;
    (void)column;
    return (uint32_t)(trace_time(heap->trace, now) / 1000 -
                      (i == 0
                           ? 0
                           : trace_time(heap->trace, (i - 1) * step) / 1000));
}

size_t packed_time_step(const heap_history *heap)
{
    enum { TIMES = 200000 };
    return heap->trace->count / TIMES + 1;
}

static size_t time_count(const heap_history *heap)
{
    size_t step = packed_time_step(heap);
    return heap->trace->timed && heap->trace->count > 0
               ? (heap->trace->count - 1 + step - 1) / step + 1
               : 0;
}

static void pack_column(packer *p, const uint32_t *values, size_t size,
                        unsigned char *plane)
{
    for (unsigned shift = 0; shift < 32; shift += 8) {
        for (size_t i = 0; i < size; i++)
            plane[i] = (unsigned char)(values[i] >> shift);
        pack(p, plane, size, Z_NO_FLUSH);
    }
}

static void pack_sites(packer *p, const trace *from)
{
    unsigned char end = '\n';
    for (size_t i = 0; i < from->site_count; i++) {
        size_t length = strcspn(from->sites[i], "\n");
        pack(p, (unsigned char *)from->sites[i], length, Z_NO_FLUSH);
        pack(p, &end, 1, Z_NO_FLUSH);
    }
}

typedef struct column_set {
    size_t size;
    unsigned columns;
    uint32_t (*value)(const heap_history *heap, size_t i, unsigned column);
} column_set;

static void pack_columns(packer *p, const heap_history *heap,
                         const column_set *set, uint32_t *values,
                         unsigned char *plane)
{
    for (unsigned column = 0; column < set->columns; column++) {
        for (size_t i = 0; i < set->size; i++)
            values[i] = set->value(heap, i, column);
        pack_column(p, values, set->size, plane);
    }
}

const char *packed_write(FILE *to, const heap_history *heap)
{
    enum { SETS = 3 };
    const column_set sets[SETS] = {
        {heap->stay_count, PACKED_STAY_COLUMNS, stay_value},
        {heap->crowd_count, PACKED_CROWD_COLUMNS, crowd_value},
        {time_count(heap), 1, time_value}};
    size_t most = 1;
    for (unsigned i = 0; i < SETS; i++)
        most = sets[i].size > most ? sets[i].size : most;
    uint32_t *values = malloc(most * sizeof *values);
    unsigned char *plane = malloc(most);
    packer *p = calloc(1, sizeof *p);
    bool ok = values != NULL && plane != NULL && p != NULL &&
              deflateInit(&p->stream, LEVEL) == Z_OK;
    if (ok) {
        p->to = to;
        p->stream.next_out = p->out;
        p->stream.avail_out = BUFFER;
        for (unsigned i = 0; i < SETS; i++) {
            pack_columns(p, heap, &sets[i], values, plane);
            screen_progress("packing", i + 1, SETS);
        }
        pack_sites(p, heap->trace);
        pack(p, plane, 0, Z_FINISH);
        deflateEnd(&p->stream);
    }
    free(values);
    free(plane);
    free(p);
    return ok ? NULL : "there is not enough memory";
}
