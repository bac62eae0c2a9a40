/*
 * For libFuzzer: bytes become calls on a small pool, good ones and bad ones,
 * each compared with the model. The model is included, so that one file and the
 * core make the whole program.
 */
#include "bitfit.h"

#include "model.c"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY = 1 << 18, BOOKKEEPING = 1 << 13, GRANULE = 16 };

static _Alignas(4096) unsigned char memory[MEMORY];
static _Alignas(max_align_t) unsigned char bookkeeping[BOOKKEEPING];
static size_t misuses;

/* A failed condition ends the program: libFuzzer keeps the input. */
static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void count_misuse(const bitfit_misuse *misuse, void *context)
{
    (void)context;
    must(misuse->kind >= BITFIT_DOUBLE_FREE && misuse->kind <= BITFIT_REENTRY);
    misuses++;
}

/* ---------------------------------------------------------------- the input */

typedef struct input {
    const uint8_t *at;
    size_t left;
} input;

static size_t byte(input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

/* Small mostly, now and then anything. */
static size_t count_from(input *in)
{
    size_t first = byte(in);
    if (first < 200) {
        return first % 24;
    }
    return first < 250 ? byte(in) : byte(in) * 16 + byte(in);
}

/* ----------------------------------------------------------------- the pool */

typedef struct game {
    bitfit_pool *pool;
    model model;
    unsigned char *payload;
} game;

static void open_game(game *g, input *in)
{
    size_t kind = byte(in);
    size_t granules = 1 + (byte(in) * 256 + byte(in)) % (MEMORY / GRANULE);
    bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE,
                              .on_misuse = count_misuse,
                              .resize_moves = (kind & 1) != 0,
                              .zeroed = (kind & 2) != 0};
    memset(bookkeeping, options.zeroed ? 0 : 0xA5, sizeof bookkeeping);
    memset(memory, 0, options.zeroed ? sizeof memory : 0);
    options.bookkeeping = bookkeeping;
    options.bookkeeping_size = sizeof bookkeeping;
    g->payload = memory;
    g->pool = bitfit_init(memory, granules * GRANULE, &options);
    must(g->pool != NULL);
    must(model_open(&g->model, granules, options.resize_moves));
}

static void *pointer_to(const game *g, size_t index)
{
    return index == MODEL_NONE ? NULL : g->payload + index * GRANULE;
}

/* The granules of a request; 0 if there are too many of them. */
static size_t fitting(const game *g, size_t count)
{
    return count > g->model.count ? 0 : count;
}

/* A place in the pool, in a block or not, on a granule or not quite. */
static unsigned char *any_place(const game *g, input *in)
{
    size_t index = (byte(in) * 256 + byte(in)) % (g->model.count + 2);
    size_t off = byte(in);
    return g->payload + index * GRANULE + (off < 240 ? 0 : off % GRANULE);
}

static size_t block_at(const game *g, const unsigned char *place)
{
    size_t offset = (size_t)(place - g->payload);
    return offset % GRANULE == 0 ? model_block(&g->model, offset / GRANULE) : 0;
}

static void assert_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        must(bytes[i] == 0);
    }
}

static void play_alloc(game *g, input *in)
{
    size_t count = count_from(in) + 1;
    void *block = bitfit_alloc(g->pool, count * GRANULE);
    size_t expect = model_alloc(&g->model, fitting(g, count), MODEL_ANYWHERE);
    must(block == pointer_to(g, expect));
    if (block != NULL) {
        memset(block, 0xFF, count * GRANULE);
    }
}

static void play_calloc(game *g, input *in)
{
    size_t count = count_from(in) + 1;
    void *block = bitfit_calloc(g->pool, count, GRANULE);
    size_t expect = model_alloc(&g->model, fitting(g, count), MODEL_ANYWHERE);
    must(block == pointer_to(g, expect));
    if (block != NULL) {
        assert_zero(block, count * GRANULE);
        memset(block, 0xFF, count * GRANULE);
    }
}

static void play_aligned(game *g, input *in)
{
    size_t shift = byte(in) % 9; /* up to 4096 bytes, as the memory is */
    size_t count = count_from(in) + 1;
    model_places places = {(size_t)1 << shift, 0};
    void *block = bitfit_aligned_alloc(g->pool, (size_t)GRANULE << shift,
                                       count * GRANULE);
    must(block ==
         pointer_to(g, model_alloc(&g->model, fitting(g, count), places)));
}

static void play_realloc(game *g, input *in)
{
    unsigned char *place = any_place(g, in);
    size_t count = count_from(in) + 1;
    bool good = block_at(g, place) != 0;
    size_t before = misuses;
    void *block = bitfit_realloc(g->pool, place, count * GRANULE);
    must(misuses - before == (good ? 0 : 1));
    size_t index = (size_t)(place - g->payload) / GRANULE;
    size_t expect =
        good ? model_resize(&g->model, index, fitting(g, count)) : MODEL_NONE;
    must(block == pointer_to(g, expect));
}

static void play_free(game *g, input *in, bool sized)
{
    unsigned char *place = any_place(g, in);
    size_t size = sized ? count_from(in) : 0;
    size_t count = block_at(g, place);
    size_t rounded = size == 0 ? 1 : (size + GRANULE - 1) / GRANULE;
    bool good = count != 0 && (!sized || rounded == count);
    size_t before = misuses;
    if (sized) {
        bitfit_free_sized(g->pool, place, size);
    } else {
        bitfit_free(g->pool, place);
    }
    must(misuses - before == (good ? 0 : 1));
    if (good) {
        model_release(&g->model, (size_t)(place - g->payload) / GRANULE);
    }
}

static void play_size(game *g, input *in)
{
    unsigned char *place = any_place(g, in);
    size_t count = block_at(g, place);
    size_t before = misuses;
    must(bitfit_usable_size(g->pool, place) == count * GRANULE);
    must(misuses - before == (count != 0 ? 0 : 1));
}

/* A free of what the model knows to be a block, since guesses seldom are. */
static void play_free_next(game *g, input *in)
{
    size_t from = (byte(in) * 256 + byte(in)) % g->model.count;
    for (size_t i = 0; i < g->model.count; i++) {
        size_t index = (from + i) % g->model.count;
        if (model_block(&g->model, index) != 0) {
            bitfit_free(g->pool, pointer_to(g, index));
            model_release(&g->model, index);
            return;
        }
    }
}

static bool compare_run(const bitfit_run *run, void *context)
{
    const game *g = context;
    size_t start = (size_t)((unsigned char *)run->start - g->payload) / GRANULE;
    must(run->size == model_run(&g->model, start) * GRANULE);
    must(run->live == (model_block(&g->model, start) != 0));
    return true;
}

static void compare(game *g)
{
    bitfit_stats stats;
    must(bitfit_check(g->pool) == 0);
    must(bitfit_walk(g->pool, compare_run, g));
    bitfit_get_stats(g->pool, &stats);
    must(stats.live == g->model.stats.live * GRANULE);
    must(stats.blocks == g->model.stats.blocks);
    must(stats.largest_free == model_largest_hole(&g->model) * GRANULE);
    must(stats.failures == g->model.stats.failures);
    must(stats.high_water == g->model.stats.high_water * GRANULE);
}

static void play(game *g, input *in)
{
    size_t verb = byte(in);
    switch (verb % 8) {
    case 0:
        play_free(g, in, (verb & 64) != 0);
        break;
    case 1:
        play_realloc(g, in);
        break;
    case 2:
        play_aligned(g, in);
        break;
    case 3:
        play_calloc(g, in);
        break;
    case 4:
    case 5:
        play_free_next(g, in);
        break;
    case 6:
        play_size(g, in);
        break;
    default:
        play_alloc(g, in);
        break;
    }
    /* Not after every call: a comparison makes the pool's knowledge exact. */
    if (verb >= 128) {
        compare(g);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    game g;
    open_game(&g, &in);
    while (in.left > 0) {
        play(&g, &in);
    }
    compare(&g);
    must(bitfit_destroy(g.pool) == g.model.stats.blocks);
    model_close(&g.model);
    return 0;
}
