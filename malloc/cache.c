#include "cache.h"

#include "depot.h"

#include <string.h>

enum {
    CAPACITY_FIRST = 8,   /* of a bin at its first use */
    CAPACITY_MAX = 256,   /* blocks in a bin, */
    BIN_SIZE_MAX = 32768, /* bytes in a bin, but for one block or two, */
    BIN_SIZE_MIN = 1024,  /* at least so much, and */
    LIVE_SHARE = 16,      /* this share of what is live, but not more than */
    ROOM_SHARE = 4096,    /* and this share of the room left, over threads */
    OTHERS_A_TICK = 64,   /* one in so many takes the slow path */
};

cache cache_none_yet = {.gate = GATE_CLOSED};
cache cache_no_more = {.gate = GATE_CLOSED};

__thread cache *cache_mine = &cache_none_yet;

size_t cache_sharers = 1;

/* The bytes of the blocks in caches that were told to those outside. */
static size_t published;

/* How many blocks of that many granules a bin may hold now. */
static size_t allowed(size_t count)
{
    size_t bytes = BIN_SIZE_MIN + heap_live() / LIVE_SHARE;
    size_t share = heap_room() / ROOM_SHARE / cache_sharers;
    bytes = bytes < share ? bytes : share;
    bytes = bytes < BIN_SIZE_MAX ? bytes : BIN_SIZE_MAX;
    size_t blocks = bytes / heap_size_of(count);
    return blocks < CAPACITY_MAX ? blocks : CAPACITY_MAX;
}

/* -------------------------------------------------------------------- bins */

static void bin_begin(cache *c, size_t i)
{
    static void *nowhere[] = {NULL};
    c->top[i] = c->ceiling[i] = c->floor[i] = nowhere + 1;
}

static void bin_empty(cache *c, size_t i)
{
    blocks_give(c->floor[i], bin_blocks(c, i), c->count[i]);
    c->top[i] = c->floor[i];
}

static void bin_end(cache *c, size_t i)
{
    bin_empty(c, i);
    if (bin_capacity(c, i) != 0) {
        bitfit_free(SETTINGS->caches, c->floor[i] - 1);
        bin_begin(c, i);
    }
}

void bin_shed(cache *c, size_t i, size_t blocks)
{
    void **floor = c->floor[i];
    blocks = blocks < BATCH_MAX ? blocks : BATCH_MAX;
    if (!depot_give(c->count[i], floor, blocks)) {
        blocks_give(floor, blocks, c->count[i]);
    }
    c->top[i] -= blocks;
    memmove(floor, floor + blocks, bin_blocks(c, i) * sizeof *floor);
}

/* Sets how many blocks the bin can hold; it may be left as it was for want of
 * memory. */
static void bin_set_capacity(cache *c, size_t i, size_t capacity)
{
    while (bin_blocks(c, i) > capacity) {
        bin_shed(c, i, bin_blocks(c, i) - capacity);
    }
    if (capacity == 0) {
        bin_end(c, i);
        return;
    }
    size_t blocks = bin_blocks(c, i);
    void **place = bin_capacity(c, i) != 0 ? c->floor[i] - 1 : NULL;
    place =
        bitfit_realloc(SETTINGS->caches, place, (1 + capacity) * sizeof *place);
    if (place == NULL) {
        return;
    }
    place[0] = NULL;
    c->floor[i] = place + 1;
    c->top[i] = c->floor[i] + blocks;
    c->ceiling[i] = c->floor[i] + capacity;
}

size_t bin_prepare(cache *c, size_t count)
{
    size_t i = cache_bin(count);
    if (c->count[i] != count) {
        bin_empty(c, i);
        c->count[i] = count;
    }
    size_t most = allowed(count);
    size_t capacity = bin_capacity(c, i);
    size_t wanted = capacity == 0 ? CAPACITY_FIRST : 2 * capacity;
    wanted = wanted < most ? wanted : most;
    if (wanted != capacity) {
        bin_set_capacity(c, i, wanted);
    }
    return i;
}

/* --------------------------------------------------------- caches as a whole
 */

void cache_add_sizes(const cache *c, size_t *blocks, size_t *size)
{
    *blocks += c->waits + (c->last_count != 0);
    for (size_t i = 0; i < c->waits; i++) {
        *size += heap_size_of(c->waiting[i].count);
    }
    *size += heap_size_of(c->last_count);
    for (size_t i = 0; i < CACHE_BINS; i++) {
        *blocks += bin_blocks(c, i);
        *size += bin_blocks(c, i) * heap_size_of(c->count[i]);
    }
}

void cache_publish(cache *c)
{
    size_t blocks = 0;
    size_t size = 0;
    cache_add_sizes(c, &blocks, &size);
    published += size - c->published;
    c->published = size;
    if (SETTINGS->published != NULL) {
        SETTINGS->published->cached = published + depot_size();
    }
}

void cache_empty_last(cache *c)
{
    if (c->last_count != 0) {
        blocks_give(&c->last, 1, c->last_count);
        c->last_count = 0;
    }
}

void cache_begin(cache *c)
{
    for (size_t i = 0; i < CACHE_BINS; i++) {
        bin_begin(c, i);
    }
}

void cache_empty(cache *c)
{
    cache_empty_last(c);
    while (c->waits > 0) {
        const waiting_block *last = &c->waiting[--c->waits];
        blocks_give(&last->ptr, 1, last->count);
    }
    for (size_t i = 0; i < CACHE_BINS; i++) {
        bin_end(c, i);
    }
}

/* ---------------------------------------------------------------- requests */

void *cache_take_any(size_t count)
{
    cache *c = cache_mine;
    if (!cache_enter_any(c)) {
        return NULL;
    }
    size_t i = cache_bin(count);
    void *block = NULL;
    if (c->last_count == count) {
        block = c->last;
        c->last_count = 0;
    } else if (c->top[i] != c->floor[i] && c->count[i] == count) {
        block = *--c->top[i];
    }
    if (block != NULL) {
        cache_unmark(block);
    }
    cache_leave(c);
    return block;
}

bool cache_give_any(void *ptr, size_t count)
{
    cache *c = cache_mine;
    if (!cache_enter_any(c)) {
        return false;
    }
    bool given = !cache_marked(ptr) && ++c->others % OTHERS_A_TICK != 0;
    if (given && bin_give_any(c, ptr, count)) {
        cache_mark(ptr);
    } else if (given && c->last_count == 0 && count > SMALL_MAX &&
               count <= c->last_most) {
        c->last = ptr;
        c->last_count = count;
        cache_mark(ptr);
    } else {
        given = false;
    }
    cache_leave(c);
    return given;
}
