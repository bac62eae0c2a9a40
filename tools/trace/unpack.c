/* What is compressed by Zstandard or gzip: all of it, as zstdcat and zcat give
 * it, or as far as it goes. */
#include "input.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* A few bytes can be compressed from very many. What unpacks to more than both
 * of these is refused before it takes the memory. */
enum { BELIEVED_SIZE = 64 << 20, BELIEVED_RATIO = 1000 };

typedef enum unpacked {
    UNPACKED_MORE,  /* the output is full, or the input has more */
    UNPACKED_FRAME, /* a frame or a member has come to its end */
    UNPACKED_CUT,   /* the input ends within a frame */
    UNPACKED_DAMAGED,
    UNPACKED_NO_MEMORY
} unpacked;

/* What the two libraries keep. */
typedef struct unpacking {
    ZSTD_DCtx *zstd;
    z_stream gzip;
} unpacking;

/* A way to unpack: at `from` to `to`, both of which move on. */
typedef struct unpacker {
    const char *name; /* of the compression */
    const char *cut;
    const char *behind; /* what is cut: something else stands behind it */
    unpacked (*step)(unpacking *state, ZSTD_inBuffer *from, ZSTD_outBuffer *to);
} unpacker;

/* --------------------------------------------------------------- Zstandard */

static uint32_t magic_of(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* A frame, or one that is to be skipped. */
static bool begins_zstd(const unsigned char *at, size_t size)
{
    return size >= 4 && (magic_of(at) == ZSTD_MAGICNUMBER ||
                         (magic_of(at) & ZSTD_MAGIC_SKIPPABLE_MASK) ==
                             ZSTD_MAGIC_SKIPPABLE_START);
}

static unpacked step_zstd(unpacking *state, ZSTD_inBuffer *from,
                          ZSTD_outBuffer *to)
{
    size_t left = ZSTD_decompressStream(state->zstd, to, from);
    if (ZSTD_isError(left))
        return UNPACKED_DAMAGED;
    if (left == 0)
        return UNPACKED_FRAME;
    return from->pos < from->size || to->pos == to->size ? UNPACKED_MORE
                                                         : UNPACKED_CUT;
}

/* -------------------------------------------------------------------- gzip */

static bool begins_gzip(const unsigned char *at, size_t size)
{
    return size >= 2 && at[0] == 0x1F && at[1] == 0x8B;
}

static unpacked step_gzip(unpacking *state, ZSTD_inBuffer *from,
                          ZSTD_outBuffer *to)
{
    z_stream *stream = &state->gzip;
    size_t left = from->size - from->pos;
    uInt given = left > UINT32_MAX ? UINT32_MAX : (uInt)left;
    uInt room = (uInt)(to->size - to->pos);
    stream->next_in = (unsigned char *)(uintptr_t)from->src + from->pos;
    stream->avail_in = given;
    stream->next_out = (unsigned char *)to->dst + to->pos;
    stream->avail_out = room;
    int status = inflate(stream, Z_NO_FLUSH);
    from->pos += given - stream->avail_in;
    to->pos += room - stream->avail_out;
    if (status == Z_STREAM_END)
        return inflateReset(stream) == Z_OK ? UNPACKED_FRAME : UNPACKED_DAMAGED;
    if (status == Z_MEM_ERROR)
        return UNPACKED_NO_MEMORY;
    if (status != Z_OK && status != Z_BUF_ERROR)
        return UNPACKED_DAMAGED;
    return from->pos < from->size || to->pos == to->size ? UNPACKED_MORE
                                                         : UNPACKED_CUT;
}

/* -------------------------------------------------------------------- both */

static const unpacker zstd = {"Zstandard", "the Zstandard data is cut off",
                              "other bytes follow the Zstandard data",
                              step_zstd};
static const unpacker gzip = {"gzip", "the gzip data is cut off",
                              "other bytes follow the gzip data", step_gzip};

/* By which the bytes here are packed; NULL if by neither. */
static const unpacker *unpacker_for(const unsigned char *at, size_t size)
{
    return begins_zstd(at, size) ? &zstd : begins_gzip(at, size) ? &gzip : NULL;
}

/* Whether nothing but zeros follows: padding, as tapes and archives have it. */
static bool is_padding(const ZSTD_inBuffer *from)
{
    const unsigned char *at = from->src;
    size_t i = from->pos;
    while (i < from->size && at[i] == 0)
        i++;
    return i == from->size;
}

/* One chunk. */
static unpacked step(const unpacker *with, unpacking *state,
                     ZSTD_inBuffer *from, gathering *bytes, trace_input *input)
{
    if (!gathering_make_room(bytes, input))
        return UNPACKED_NO_MEMORY;
    ZSTD_outBuffer to = {bytes->at + bytes->size, INPUT_CHUNK, 0};
    unpacked result = with->step(state, from, &to);
    bytes->size += to.pos;
    return result;
}

static bool is_believed(const trace_input *input, const gathering *bytes)
{
    return bytes->size <= BELIEVED_SIZE ||
           bytes->size / BELIEVED_RATIO <= input->size;
}

/* Frame by frame, each packed in its own way: *with is the last one's. Returns
 * how that ended; `cut` may say more. */
static unpacked unpack_frames(const unpacker **with, unpacking *state,
                              gathering *bytes, trace_input *input)
{
    ZSTD_inBuffer from = {input->at, input->size, 0};
    unpacked result = UNPACKED_MORE;
    while (result == UNPACKED_MORE || result == UNPACKED_FRAME) {
        const unsigned char *next = (const unsigned char *)input->at + from.pos;
        if (!is_believed(input, bytes))
            break;
        if (result == UNPACKED_FRAME && is_padding(&from))
            break;
        const unpacker *behind = unpacker_for(next, from.size - from.pos);
        if (result == UNPACKED_FRAME && behind == NULL) {
            input->cut = (*with)->behind;
            break;
        }
        *with = result == UNPACKED_FRAME ? behind : *with;
        result = step(*with, state, &from, bytes, input);
    }
    return result;
}

static bool unpack(const unpacker *with, unpacking *state, trace_input *input)
{
    gathering bytes = {NULL, 0, 0};
    unpacked result = unpack_frames(&with, state, &bytes, input);
    if (result == UNPACKED_CUT)
        input->cut = with->cut;
    if (result == UNPACKED_CUT ||
        (result == UNPACKED_FRAME && is_believed(input, &bytes))) {
        gathering_keep(&bytes, input);
        return true;
    }
    free(bytes.at);
    if (result == UNPACKED_NO_MEMORY)
        return input_no_memory(input);
    if (result == UNPACKED_DAMAGED)
        return input_wrong(input, "the %s data is damaged", with->name);
    return input_wrong(input,
                       "%zu bytes of %s data unpack to more than %d MiB, which "
                       "no recording does; if it is one, unpack it first",
                       input->size, with->name, BELIEVED_SIZE >> 20);
}

bool input_decompress(trace_input *input)
{
    enum { GZIP_WINDOW = 15 + 16 };
    const unpacker *with =
        unpacker_for((const unsigned char *)input->at, input->size);
    if (with == NULL)
        return true;
    unpacking state = {.zstd = ZSTD_createDCtx()};
    if (state.zstd == NULL || inflateInit2(&state.gzip, GZIP_WINDOW) != Z_OK) {
        ZSTD_freeDCtx(state.zstd);
        return input_no_memory(input);
    }
    bool done = unpack(with, &state, input);
    inflateEnd(&state.gzip);
    ZSTD_freeDCtx(state.zstd);
    return done;
}
