/*
 * Zstandard with worker threads in a pool: each context gets a ZSTD_customMem
 * when it is created.
 *
 * - The worker threads allocate and free, too. The pool needs a lock, as it has
 *   by default.
 * - ZSTD marks this interface as experimental and for static linking only.
 *   Debian's shared library exports it all the same.
 * - Memory grows with workers, level and window: several MiB for each worker.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "in_pool.h"

enum { TEXT_SIZE = 4 << 20, WORKERS = 3 };

static unsigned char text[TEXT_SIZE];
static unsigned char packed[ZSTD_COMPRESSBOUND(TEXT_SIZE)];
static unsigned char unpacked[TEXT_SIZE];

static void *allocate(void *pool, size_t size)
{
    return bitfit_alloc(pool, size);
}

static void release(void *pool, void *ptr)
{
    bitfit_free(pool, ptr);
}

static void write_text(void)
{
    unsigned random = 1;
    for (size_t i = 0; i < TEXT_SIZE; i++) {
        random = random * 1103515245U + 12345U;
        text[i] = (unsigned char)("etaoin shrdlu"[(random >> 16) % 13]);
    }
}

static size_t compress(ZSTD_customMem memory)
{
    ZSTD_CCtx *context = ZSTD_createCCtx_advanced(memory);
    if (context == NULL) {
        return (size_t)-ZSTD_error_memory_allocation;
    }
    ZSTD_CCtx_setParameter(context, ZSTD_c_jobSize, 1 << 20);
    size_t size = ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, WORKERS);
    if (!ZSTD_isError(size)) {
        size = ZSTD_compress2(context, packed, sizeof packed, text, TEXT_SIZE);
    }
    ZSTD_freeCCtx(context);
    return size;
}

static size_t decompress(ZSTD_customMem memory, size_t packed_size)
{
    ZSTD_DCtx *context = ZSTD_createDCtx_advanced(memory);
    if (context == NULL) {
        return (size_t)-ZSTD_error_memory_allocation;
    }
    size_t size = ZSTD_decompressDCtx(context, unpacked, sizeof unpacked,
                                      packed, packed_size);
    ZSTD_freeDCtx(context);
    return size;
}

static const char *work(bitfit_pool *pool)
{
    const ZSTD_customMem memory = {allocate, release, pool};
    write_text();
    size_t size = compress(memory);
    if (!ZSTD_isError(size)) {
        size = decompress(memory, size);
    }
    if (ZSTD_isError(size)) {
        return ZSTD_getErrorName(size);
    }
    return memcmp(text, unpacked, TEXT_SIZE) == 0 ? NULL : "another text";
}

int main(void)
{
    const in_pool_example example = {
        .name = "zstd " ZSTD_VERSION_STRING,
        .work = work,
        .enough = 48 << 20,
        .too_small = 10 << 20,
        .complaint = "Allocation error : not enough memory",
    };
    return in_pool_run(&example);
}
