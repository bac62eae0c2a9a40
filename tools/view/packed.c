#include "packed.h"

#include "screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Fast enough for millions of events; beyond 3 the file hardly shrinks. */
enum { LEVEL = 3, BUFFER = 3 << 14, COLUMNS = 8 };

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

static uint32_t stay_value(const heap_stay *stay, const heap_stay *before,
                           unsigned column)
{
    switch (column) {
    case 0:
        return stay->start;
    case 1:
        return stay->count;
    case 2:
        return stay->waste;
    case 3:
        return stay->born - before->born;
    case 4:
        return stay->died - stay->born;
    case 5:
        return stay->block - before->block;
    default:
        return stay->site;
    }
}

static size_t column_size(const heap_history *heap, unsigned column)
{
    if (column + 1 < COLUMNS)
        return heap->stay_count;
    return heap->trace->timed ? heap->trace->count : 0;
}

static void fill_column(const heap_history *heap, unsigned column,
                        uint32_t *values)
{
    static const heap_stay none;
    size_t size = column_size(heap, column);
    uint64_t before = 0;
    for (size_t i = 0; i < size; i++) {
        if (column + 1 < COLUMNS) {
            const heap_stay *stay = &heap->stays[i];
            values[i] = stay_value(stay, i == 0 ? &none : stay - 1, column);
        } else {
            uint64_t now = heap->trace->events[i].time_ns / 1000;
            values[i] = (uint32_t)(now - before);
            before = now;
        }
    }
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

const char *packed_write(FILE *to, const heap_history *heap)
{
    size_t most = heap->trace->count + 1;
    uint32_t *values = malloc(most * sizeof *values);
    unsigned char *plane = malloc(most);
    packer *p = calloc(1, sizeof *p);
    bool ok = values != NULL && plane != NULL && p != NULL &&
              deflateInit(&p->stream, LEVEL) == Z_OK;
    if (ok) {
        p->to = to;
        p->stream.next_out = p->out;
        p->stream.avail_out = BUFFER;
        for (unsigned column = 0; column < COLUMNS; column++) {
            fill_column(heap, column, values);
            pack_column(p, values, column_size(heap, column), plane);
            screen_progress("packing", column + 1, COLUMNS);
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
