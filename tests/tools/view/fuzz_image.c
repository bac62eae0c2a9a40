/* For libFuzzer: bytes as the saved image of a pool, most of them begun well,
 * some of them good but for a few bytes. */
#include "view/outside.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char first_line[] = "bitfit image " BITFIT_VERSION "\n";

/* A failed condition ends the program: libFuzzer keeps the input. */
static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The first line, and behind it room for so many bytes. */
static char *begun_image(size_t line, size_t bytes)
{
    char *image = malloc(line + bytes + (line + bytes == 0));
    must(image != NULL);
    memcpy(image, first_line, line);
    return image;
}

static void make_pool(bitfit_pool **pool)
{
    static _Alignas(max_align_t) unsigned char memory[65536];
    *pool = bitfit_init(memory, sizeof memory, NULL);
    for (size_t i = 0; i < 40; i++)
        bitfit_free(*pool, i % 3 == 0 ? bitfit_alloc(*pool, 20 * i + 1)
                                      : (bitfit_alloc(*pool, 7 * i), NULL));
}

/* A good image, and what the input changes of it. */
static char *spoilt_image(const uint8_t *data, size_t size, size_t *image_size)
{
    static bitfit_pool *pool;
    const void *start;
    size_t bytes;
    size_t line = sizeof first_line - 1;
    if (pool == NULL)
        make_pool(&pool);
    bitfit_bookkeeping(pool, &start, &bytes);
    *image_size = line + bytes;
    char *image = begun_image(line, bytes);
    memcpy(image + line, start, bytes);
    for (size_t i = 0; i + 3 <= size; i += 3)
        image[((size_t)data[i] << 8 | data[i + 1]) % *image_size] =
            (char)data[i + 2];
    return image;
}

static char *raw_image(const uint8_t *data, size_t size, size_t *image_size)
{
    size_t line = size > 0 && data[0] % 4 != 0 ? sizeof first_line - 1 : 0;
    *image_size = line + size;
    char *image = begun_image(line, size);
    if (size > 0)
        memcpy(image + line, data, size);
    return image;
}

/* The runs cover the payload. What lies between two of them is the guard behind
 * a block, and all guards are of one size. */
static void check_cover(const heap_moment *moment)
{
    uint64_t end = 0;
    uint64_t guard = 0;
    for (size_t i = 0; i <= moment->count; i++) {
        bool last = i == moment->count;
        uint64_t start = last ? moment->stats.capacity : moment->runs[i].offset;
        must(start >= end);
        if (start != end) {
            must(i > 0 && moment->runs[i - 1].live);
            must(guard == 0 || guard == start - end);
            guard = start - end;
        }
        end = last ? start : start + moment->runs[i].size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    heap_moment moment;
    const moment_run *holes[4];
    size_t image_size;
    char *image = size > 0 && data[0] < 128
                      ? spoilt_image(data + 1, size - 1, &image_size)
                      : raw_image(data, size, &image_size);
    if (outside_parse_image(image, image_size, &moment) == NULL) {
        check_cover(&moment);
        moment_holes(&moment, holes, 4);
        moment_close(&moment);
    }
    free(image);
    return 0;
}
