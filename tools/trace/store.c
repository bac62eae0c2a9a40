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

bool store_packed(const char *path, const void *content, size_t size,
                  trace_error *error)
{
    size_t bound = ZSTD_compressBound(size);
    void *packed = malloc(bound);
    size_t packed_size =
        packed == NULL ? 0
                       : ZSTD_compress(packed, bound, content, size,
                                       size < SMALL ? LEVEL_SMALL : LEVEL);
    bool written =
        packed != NULL && !ZSTD_isError(packed_size)
            ? store(path, packed, packed_size, error)
            : fail(error, path, "there is not enough memory to write it");
    free(packed);
    return written;
}
