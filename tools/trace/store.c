#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* The slow level for what is small; a large recording is soon done. */
enum { SMALL = 1 << 20, LEVEL_SMALL = 19, LEVEL = 1 };

static bool fail(trace_error *error, const char *path, const char *why)
{
    snprintf(error->text, sizeof error->text, "%s: %s", path, why);
    return false;
}

/* A frame that is being written. */
typedef struct packer {
    ZSTD_CCtx *state;
    FILE *file;
    void *out;
    size_t out_size;
    bool no_memory;
} packer;

/* False if it cannot be compressed or written; `no_memory` or errno says
 * which. */
static bool put(packer *to, const store_piece *piece, ZSTD_EndDirective end)
{
    ZSTD_inBuffer in = {piece->at, piece->size, 0};
    for (size_t left = 1; left != 0;) {
        ZSTD_outBuffer out = {to->out, to->out_size, 0};
        left = ZSTD_compressStream2(to->state, &out, &in, end);
        to->no_memory = ZSTD_isError(left);
        if (to->no_memory || fwrite(out.dst, 1, out.pos, to->file) != out.pos)
            return false;
        if (end == ZSTD_e_continue && in.pos == in.size)
            return true;
    }
    return true;
}

static bool put_all(packer *to, const store_piece *pieces, size_t count)
{
    static const store_piece nothing = {NULL, 0};
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    ZSTD_CCtx_setPledgedSrcSize(to->state, size);
    ZSTD_CCtx_setParameter(to->state, ZSTD_c_compressionLevel,
                           size < SMALL ? LEVEL_SMALL : LEVEL);
    for (size_t i = 0; i < count; i++) {
        if (!put(to, &pieces[i], ZSTD_e_continue))
            return false;
    }
    return put(to, &nothing, ZSTD_e_end);
}

static bool store(packer *to, const char *path, const store_piece *pieces,
                  size_t count, trace_error *error)
{
    static const char no_memory[] = "there is not enough memory to write it";
    if (to->state == NULL || to->out == NULL)
        return fail(error, path, no_memory);
    to->file = fopen(path, "wbe");
    if (to->file == NULL)
        return fail(error, path, strerror(errno));
    bool whole = put_all(to, pieces, count);
    int why = errno;
    if (fclose(to->file) != 0 && whole) {
        whole = false;
        why = errno;
    }
    return whole ||
           fail(error, path, to->no_memory ? no_memory : strerror(why));
}

bool store_packed(const char *path, const store_piece *pieces, size_t count,
                  trace_error *error)
{
    packer to = {.state = ZSTD_createCCtx(),
                 .out = malloc(ZSTD_CStreamOutSize()),
                 .out_size = ZSTD_CStreamOutSize()};
    bool stored = store(&to, path, pieces, count, error);
    ZSTD_freeCCtx(to.state);
    free(to.out);
    return stored;
}
