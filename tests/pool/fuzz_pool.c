/*
 * For libFuzzer: bytes become options and calls on a small pool, good ones and
 * bad ones, each compared with the model. All options of where things lie, of
 * locks and of moves are among them, and the calls of the parts create, use and
 * see. The model is included, so that one file
 * and the core make the whole program.
 */
#include "bitfit.h"

#include "model.c"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef FUZZ_MEMORY
#define FUZZ_MEMORY (1 << 16)
#endif

enum {
    MEMORY = FUZZ_MEMORY,
    BOOKKEEPING = 1 << 13,
    DRAWN = 512,
    MOST_GRANULES = MEMORY / 8
};

static _Alignas(4096) unsigned char memory[MEMORY];
static _Alignas(max_align_t) unsigned char bookkeeping[BOOKKEEPING];
static _Alignas(max_align_t) unsigned char copied[BOOKKEEPING];
static unsigned char stamps[MOST_GRANULES];
static size_t misuses;
static bitfit_misuse_kind last_kind;
static int lock_depth;

/* A failed condition ends the program: libFuzzer keeps the input. */
static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void count_misuse(const bitfit_misuse *misuse, void *context)
{
    must(context == &misuses);
    must(misuse->kind >= BITFIT_DOUBLE_FREE && misuse->kind <= BITFIT_REENTRY);
    last_kind = misuse->kind;
    misuses++;
}

static void take_lock(void *context)
{
    must(context == &lock_depth);
    lock_depth++;
}

static void give_lock(void *context)
{
    must(context == &lock_depth && lock_depth > 0);
    lock_depth--;
}

/* --------------------------------------------------------------- the input */

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

/* Bytes of a request: a few granules mostly, now and then more, a byte more or
 * less, or a size at the end of the numbers. */
static size_t size_from(input *in, size_t granule)
{
    size_t first = byte(in);
    if (first < 200) {
        return (first % 24 + 1) * granule;
    }
    if (first < 250) {
        return byte(in) * granule + byte(in) - 128;
    }
    return first < 253 ? byte(in) : SIZE_MAX - byte(in) * granule / 2;
}

/* -------------------------------------------------------------- the pool */

typedef struct game {
    bitfit_pool *pool;
    model model;
    unsigned char *payload;
    size_t granule;
} game;

static bool first_run(const bitfit_run *run, void *context)
{
    *(unsigned char **)context = run->start;
    return false;
}

static void choose_place(bitfit_options *options, input *in)
{
    size_t kind = byte(in);
    options->resize_moves = (kind & 1) != 0;
    options->zeroed = (kind & 2) != 0;
    if ((kind & 4) != 0) {
        options->bookkeeping = bookkeeping;
        options->bookkeeping_size = sizeof bookkeeping;
    }
    options->granule = (size_t)8 << (kind >> 3) % 10;
    options->payload_alignment = (size_t)1 << byte(in) % 14;
}

static void choose_lock(bitfit_options *options, input *in)
{
    static const bitfit_lock_kind kinds[] = {
        BITFIT_LOCK_NONE, BITFIT_LOCK_MUTEX, BITFIT_LOCK_CALLER};
    options->lock_kind = kinds[byte(in) % 3];
    options->lock = take_lock;
    options->unlock = give_lock;
    options->lock_context = &lock_depth;
}

/* False where there can be no such pool: then status and call agree. Memory
 * that is not promised to be zero holds what the input before left there. */
static bool open_game(game *g, input *in)
{
    bitfit_options options = {.on_misuse = count_misuse,
                              .misuse_context = &misuses};
    choose_place(&options, in);
    choose_lock(&options, in);
    size_t skip = byte(in) * 16;
    size_t size = (byte(in) * 256 + byte(in)) % (MEMORY - skip);
    if (options.zeroed) {
        memset(memory + skip, 0, size);
        memset(bookkeeping, 0, sizeof bookkeeping);
    }
    bitfit_status status = bitfit_init_status(memory + skip, size, &options);
    g->pool = bitfit_init(memory + skip, size, &options);
    must((g->pool != NULL) == (status == BITFIT_OK));
    if (g->pool == NULL) {
        return false;
    }
    g->granule = options.granule;
    must(!bitfit_walk(g->pool, first_run, &g->payload));
    must((uintptr_t)g->payload % options.payload_alignment == 0);
    size_t granules = bitfit_draw(g->pool, NULL, 0);
    must(g->payload >= memory + skip &&
         g->payload + granules * g->granule <= memory + skip + size);
    return model_open(&g->model, granules, options.resize_moves);
}

static void *pointer_to(const game *g, size_t index)
{
    return index == MODEL_NONE ? NULL : g->payload + index * g->granule;
}

/* The granules of a request; 0 if there are more than the pool has. */
static size_t count_of(const game *g, size_t size)
{
    size_t count = size == 0 ? 1 : (size - 1) / g->granule + 1;
    return count > g->model.count ? 0 : count;
}

/* A place in the pool or near it, in a block or not, on a granule or off. */
static unsigned char *any_place(const game *g, input *in)
{
    size_t index = (byte(in) * 256 + byte(in)) % (g->model.count + 2);
    size_t off = byte(in);
    return g->payload + index * g->granule + (off < 240 ? 0 : off % 16);
}

/* The granules of the block that starts there, or 0. */
static size_t block_at(const game *g, const unsigned char *place)
{
    size_t offset = (size_t)(place - g->payload);
    return offset % g->granule == 0
               ? model_block(&g->model, offset / g->granule)
               : 0;
}

static size_t index_at(const game *g, const unsigned char *place)
{
    return (size_t)(place - g->payload) / g->granule;
}

/* What a pointer is called that starts no block. */
static bitfit_misuse_kind kind_at(const game *g, const unsigned char *place)
{
    size_t offset = (size_t)(place - g->payload);
    if (offset >= g->model.count * g->granule) {
        return BITFIT_FOREIGN;
    }
    if (offset % g->granule != 0) {
        return BITFIT_MISALIGNED;
    }
    return g->model.state[offset / g->granule] == MODEL_FREE
               ? BITFIT_DOUBLE_FREE
               : BITFIT_INTERIOR;
}

/* Since then one misuse was reported, of this pointer; or none. */
static void must_report(const game *g, const unsigned char *place, bool bad,
                        size_t since)
{
    must(misuses - since == (bad ? 1 : 0));
    must(!bad || last_kind == kind_at(g, place));
}

/* ------------------------------------------------------------- the content */

/* Each granule of a block begins with a byte of its own. */
static void stamp(const game *g, size_t index, size_t from, size_t count)
{
    static unsigned char next;
    for (size_t i = from; i < count; i++) {
        next = (unsigned char)(next % 255 + 1);
        stamps[index + i] = next;
        g->payload[(index + i) * g->granule] = next;
    }
}

static void must_have_stamps(const game *g, size_t index, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        must(g->payload[(index + i) * g->granule] == stamps[index + i]);
    }
}

static void must_be_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        must(bytes[i] == 0);
    }
}

/* ------------------------------------------------------------------ calls */

static void play_alloc(game *g, input *in)
{
    size_t size = size_from(in, g->granule);
    size_t count = count_of(g, size);
    size_t expect = model_alloc(&g->model, count, MODEL_ANYWHERE);
    must(bitfit_alloc(g->pool, size) == pointer_to(g, expect));
    must(bitfit_good_size(g->pool, size) ==
         (size > g->model.count * g->granule ? 0 : count * g->granule));
    if (expect != MODEL_NONE) {
        stamp(g, expect, 0, count);
    }
}

static void play_calloc(game *g, input *in)
{
    size_t members = byte(in) % 5;
    size_t size = size_from(in, g->granule);
    bool overflows = size != 0 && members > SIZE_MAX / size;
    size_t count = overflows ? 0 : count_of(g, members * size);
    size_t expect = model_alloc(&g->model, count, MODEL_ANYWHERE);
    unsigned char *block = bitfit_calloc(g->pool, members, size);
    must(block == pointer_to(g, expect));
    if (block != NULL) {
        must_be_zero(block, count * g->granule);
        stamp(g, expect, 0, count);
    }
}

/* Where a block with this alignment may start, by the addresses; `none` where
 * no granule has it. */
static model_places places_for(const game *g, size_t alignment, bool *none)
{
    uintptr_t address = (uintptr_t)g->payload;
    size_t finer = alignment < g->granule ? alignment : g->granule;
    *none = alignment == 0 || (alignment & (alignment - 1)) != 0 ||
            address % finer != 0;
    if (*none || alignment <= g->granule) {
        return MODEL_ANYWHERE;
    }
    size_t skip = (alignment - address % alignment) % alignment;
    return (model_places){alignment / g->granule, skip / g->granule};
}

static void play_aligned(game *g, input *in)
{
    size_t log = byte(in);
    size_t alignment = (size_t)1 << log % 18;
    alignment = log < 250 ? alignment : alignment - log % 2;
    size_t size = size_from(in, g->granule);
    bool none;
    model_places places = places_for(g, alignment, &none);
    size_t count = none ? 0 : count_of(g, size);
    size_t expect = model_alloc(&g->model, count, places);
    must(bitfit_aligned_alloc(g->pool, alignment, size) ==
         pointer_to(g, expect));
    if (expect != MODEL_NONE) {
        stamp(g, expect, 0, count);
    }
}

static void resize(game *g, unsigned char *place, size_t size)
{
    size_t before = block_at(g, place);
    size_t seen = misuses;
    unsigned char *block = bitfit_realloc(g->pool, place, size);
    must_report(g, place, before == 0, seen);
    if (before == 0) {
        must(block == NULL);
        return;
    }
    size_t index = index_at(g, place);
    size_t expect = model_resize(&g->model, index, count_of(g, size));
    must(block == pointer_to(g, expect));
    if (expect == MODEL_NONE) {
        must_have_stamps(g, index, before);
        return;
    }
    size_t count = model_block(&g->model, expect);
    size_t kept = count < before ? count : before;
    memmove(stamps + expect, stamps + index, kept);
    must_have_stamps(g, expect, kept);
    stamp(g, expect, kept, count);
}

static void play_free(game *g, unsigned char *place)
{
    size_t count = block_at(g, place);
    size_t seen = misuses;
    if (count != 0) {
        must_have_stamps(g, index_at(g, place), count);
    }
    bitfit_free(g->pool, place);
    must_report(g, place, count == 0, seen);
    if (count != 0) {
        model_release(&g->model, index_at(g, place));
    }
}

static void play_free_sized(game *g, unsigned char *place, input *in)
{
    size_t count = block_at(g, place);
    size_t size = size_from(in, g->granule);
    if (byte(in) < 128) {
        size = count * g->granule;
    }
    bool good = count != 0 && count_of(g, size) == count;
    size_t seen = misuses;
    bitfit_free_sized(g->pool, place, size);
    if (count == 0) {
        must_report(g, place, true, seen);
    } else {
        must(misuses - seen == (good ? 0 : 1));
        must(good || last_kind == BITFIT_WRONG_SIZE);
    }
    if (good) {
        model_release(&g->model, index_at(g, place));
    }
}

static void play_size(game *g, input *in)
{
    unsigned char *place = any_place(g, in);
    size_t count = block_at(g, place);
    size_t seen = misuses;
    must(bitfit_usable_size(g->pool, place) == count * g->granule);
    must_report(g, place, count == 0, seen);
    must(bitfit_owns(g->pool, place) ==
         ((size_t)(place - g->payload) < g->model.count * g->granule));
}

/* The next block from a place on, since guesses seldom hit one; or NULL. */
static unsigned char *next_block(const game *g, input *in)
{
    size_t from = (byte(in) * 256 + byte(in)) % g->model.count;
    for (size_t i = 0; i < g->model.count; i++) {
        size_t index = (from + i) % g->model.count;
        if (model_block(&g->model, index) != 0) {
            return pointer_to(g, index);
        }
    }
    return NULL;
}

/* ----------------------------------------------------------------- seeing */

static bool compare_run(const bitfit_run *run, void *context)
{
    const game *g = context;
    size_t start = index_at(g, run->start);
    must(run->size == model_run(&g->model, start) * g->granule);
    must(run->live == (model_block(&g->model, start) != 0));
    return true;
}

static void compare_stats(const game *g, const bitfit_stats *stats)
{
    const model_stats *model = &g->model.stats;
    must(stats->granule == g->granule);
    must(stats->capacity == g->model.count * g->granule);
    must(stats->live == model->live * g->granule);
    must(stats->free == stats->capacity - stats->live);
    must(stats->blocks == model->blocks);
    must(stats->largest_free == model_largest_hole(&g->model) * g->granule);
    must(stats->high_water == model->high_water * g->granule);
    must(stats->peak_live == model->peak_live * g->granule);
    must(stats->largest_block == model->largest_block * g->granule);
    must(stats->allocations == model->allocations);
    must(stats->frees == model->frees);
    must(stats->reallocations == model->reallocations);
    must(stats->failures == model->failures);
}

static void compare(game *g)
{
    bitfit_stats stats;
    must(bitfit_check(g->pool) == 0);
    must(bitfit_walk(g->pool, compare_run, g));
    bitfit_get_stats(g->pool, &stats);
    compare_stats(g, &stats);
}

static void play_draw(game *g, input *in)
{
    static char whole[MOST_GRANULES + 1];
    char picture[DRAWN];
    size_t room = byte(in) * 2;
    memset(picture, '#', sizeof picture);
    must(bitfit_draw(g->pool, picture, room) == g->model.count);
    model_draw(&g->model, whole);
    size_t drawn = room == 0 ? 0 : room - 1;
    drawn = drawn < g->model.count ? drawn : g->model.count;
    must(memcmp(picture, whole, drawn) == 0);
    must(picture[drawn] == (room == 0 ? '#' : '\0'));
    must(picture[drawn + 1] == '#');
}

static void play_copy(game *g)
{
    const void *start;
    size_t size;
    bitfit_stats stats;
    bitfit_bookkeeping(g->pool, &start, &size);
    must(size <= sizeof copied);
    memcpy(copied, start, size);
    must(bitfit_copy_check(copied, size) == BITFIT_COPY_WHOLE);
    must(bitfit_copy_check(copied, size - 1) == BITFIT_COPY_NO_POOL);
    must(bitfit_copy_get_stats(copied, size, &stats));
    compare_stats(g, &stats);
    must(bitfit_copy_walk(copied, size, compare_run, g));
}

static bool call_from_inside(const bitfit_run *run, void *context)
{
    const game *g = context;
    size_t seen = misuses;
    must(bitfit_alloc(g->pool, run->size) == NULL);
    must(misuses == seen + 1 && last_kind == BITFIT_REENTRY);
    return false;
}

static void play_lock(game *g)
{
    bitfit_lock(g->pool);
    size_t seen = misuses;
    bitfit_free(g->pool, g->payload);
    must(misuses == seen + 1 && last_kind == BITFIT_REENTRY);
    bitfit_unlock(g->pool);
    must(!bitfit_walk(g->pool, call_from_inside, g));
}

static void play_rare(game *g, input *in)
{
    switch (byte(in) % 8) {
    case 0:
        bitfit_reset(g->pool);
        model_reset(&g->model);
        break;
    case 1:
        bitfit_reset_peak(g->pool);
        g->model.stats.peak_live = g->model.stats.live;
        break;
    case 2:
        play_lock(g);
        break;
    case 3:
    case 4:
        play_draw(g, in);
        break;
    default:
        play_copy(g);
        break;
    }
}

/* A call with a good pointer, where there is a live block. */
static void play_live(game *g, input *in, size_t verb)
{
    unsigned char *block = next_block(g, in);
    if (block == NULL) {
        return;
    }
    if (verb == 7) {
        resize(g, block, size_from(in, g->granule));
    } else if (verb == 8) {
        play_free_sized(g, block, in);
    } else {
        play_free(g, block);
    }
}

static void play(game *g, input *in)
{
    size_t verb = byte(in);
    unsigned char *block;
    switch (verb % 16) {
    case 0:
        play_free(g, any_place(g, in));
        break;
    case 1:
        play_free_sized(g, any_place(g, in), in);
        break;
    case 2:
        block = any_place(g, in);
        resize(g, block, size_from(in, g->granule));
        break;
    case 3:
        play_aligned(g, in);
        break;
    case 4:
        play_calloc(g, in);
        break;
    case 5:
        play_size(g, in);
        break;
    case 6:
        play_rare(g, in);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
        play_live(g, in, verb % 16);
        break;
    default:
        play_alloc(g, in);
        break;
    }
    must(lock_depth == 0);
    /* Not after every call: a comparison makes the pool's knowledge exact. */
    if (verb >= 224) {
        compare(g);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    game g;
    if (!open_game(&g, &in)) {
        return 0;
    }
    while (in.left > 0) {
        play(&g, &in);
    }
    compare(&g);
    must(bitfit_destroy(g.pool) == g.model.stats.blocks);
    must(lock_depth == 0);
    model_close(&g.model);
    return 0;
}
