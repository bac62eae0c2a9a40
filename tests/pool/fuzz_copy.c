/*
 * For libFuzzer: bytes as the copy of a pool's bookkeeping, either all of it or
 * written over a good one. Reading stays inside, and the runs cover the payload
 * without gaps, but for the guards behind blocks if the pool says it has them.
 */
#include "bitfit_offsets.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct cover {
    uintptr_t end; /* of the last run; a number, for a copy may say anything */
    bool live;     /* the last run was a block */
    size_t guard;  /* bytes; 0 until one was left out */
    size_t size;
} cover;

/* A failed condition ends the program: libFuzzer keeps the input. */
static void must(bool holds)
{
    if (!holds)
        abort();
}

static void skip_guard(cover *seen, size_t size)
{
    if (size != 0) {
        must(seen->live);
        must(seen->guard == 0 || seen->guard == size);
        seen->guard = size;
        seen->size += size;
    }
}

static bool extend(const bitfit_run *run, void *context)
{
    cover *seen = context;
    uintptr_t start = (uintptr_t)run->start;
    skip_guard(seen, seen->size == 0 ? 0 : (size_t)(start - seen->end));
    must(run->size > 0);
    seen->end = start + run->size;
    seen->live = run->live;
    seen->size += run->size;
    return true;
}

static void read_copy(const void *copy, size_t size)
{
    bitfit_stats stats;
    cover seen = {0};
    bitfit_copy_state state = bitfit_copy_check(copy, size);
    bool walked = bitfit_copy_walk(copy, size, extend, &seen);
    must(walked == (state != BITFIT_COPY_NO_POOL));
    must(walked == bitfit_copy_get_stats(copy, size, &stats));
    if (walked)
        skip_guard(&seen, stats.capacity - seen.size);
}

enum { KINDS = 3 };

/* With blocks and holes: an ordinary pool, one with guards, one of offsets. */
static bitfit_pool *a_pool(unsigned kind)
{
    static _Alignas(max_align_t) unsigned char memory[65536];
    const bitfit_options options = {.guard = kind == 1,
                                    .bookkeeping = kind == 2 ? memory : NULL,
                                    .bookkeeping_size = sizeof memory};
    bitfit_pool *pool = kind == 2
                            ? bitfit_init_offsets(sizeof memory, &options)
                            : bitfit_init(memory, sizeof memory, &options);
    uint64_t second = BITFIT_NO_OFFSET;
    void *block = NULL;
    for (size_t bytes = 8; bytes < 6000; bytes *= 2) {
        if (kind == 2) {
            must(bitfit_alloc_offset(pool, bytes) != BITFIT_NO_OFFSET);
            bitfit_free_offset(pool, second);
            second = bitfit_alloc_offset(pool, 3 * bytes);
        } else {
            must(bitfit_alloc(pool, bytes) != NULL);
            bitfit_free(pool, block);
            block = bitfit_alloc(pool, 3 * bytes);
        }
    }
    return pool;
}

/* The good copy of each kind, made when it is first asked for. */
static const unsigned char *good_copy(unsigned kind, size_t *size)
{
    static unsigned char *copies[KINDS];
    static size_t sizes[KINDS];
    if (copies[kind] == NULL) {
        const void *start;
        bitfit_bookkeeping(a_pool(kind), &start, &sizes[kind]);
        copies[kind] = malloc(sizes[kind]);
        must(copies[kind] != NULL);
        memcpy(copies[kind], start, sizes[kind]);
    }
    *size = sizes[kind];
    return copies[kind];
}

/* Each four bytes are a place and what to write there. */
static void write_over(unsigned char *copy, size_t copy_size,
                       const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 4 <= size; i += 4) {
        size_t place = (size_t)data[i] << 8 | data[i + 1];
        copy[place % copy_size] = data[i + 2];
        copy[(place + 1) % copy_size] = data[i + 3];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned char *from = data;
    size_t copy_size = size;
    bool whole = size > 0 && data[0] < 128;
    if (whole)
        from = good_copy(data[0] % KINDS, &copy_size);
    /* In memory of just this size: a sanitizer sees what is read behind it. */
    unsigned char *copy = malloc(copy_size + (copy_size == 0));
    must(copy != NULL);
    if (copy_size != 0)
        memcpy(copy, from, copy_size);
    if (whole)
        write_over(copy, copy_size, data + 1, size - 1);
    read_copy(copy, copy_size);
    free(copy);
    return 0;
}
