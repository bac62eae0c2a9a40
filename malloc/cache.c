#include "cache.h"

#include "depot.h"
#include "pages.h"
#include "text.h"
#include "threads.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    CAPACITY_FIRST = 8,      /* of a bin at its first use */
    CAPACITY_MAX = 256,      /* blocks in a bin, */
    BIN_SIZE_MAX = 32768,    /* bytes in a bin, but for one block or two, */
    BIN_SIZE_MIN = 1024,     /* at least so much, and */
    LIVE_SHARE = 16,         /* this share of what is live, but not more than */
    ROOM_SHARE = 4096,       /* and this share of the room left, over threads */
    HOLES_MAX = 4,           /* that a refill takes its blocks from */
    LAST_SHARE = 64,         /* of the room that a cache's last block may be, */
    LAST_SIZE_MAX = 1 << 20, /* and its bytes at the most */
    OTHERS_A_TICK = 64,      /* one in so many takes the slow path */
};

/* The bytes of the blocks in caches that were told to those outside. */
static size_t published;

/* How many blocks of that many granules a bin may hold now. */
static size_t allowed(size_t count)
{
    size_t bytes = BIN_SIZE_MIN + heap_live() / LIVE_SHARE;
    size_t share = heap_room() / ROOM_SHARE / threads_count();
    bytes = bytes < share ? bytes : share;
    bytes = bytes < BIN_SIZE_MAX ? bytes : BIN_SIZE_MAX;
    size_t blocks = bytes / heap_size_of(count);
    return blocks < CAPACITY_MAX ? blocks : CAPACITY_MAX;
}

/* -------------------------------------------------------------------- bins */

static void bin_empty(bin *b)
{
    blocks_return(b->floor, bin_blocks(b), b->count);
    b->top = b->floor;
}

static void bin_end(bin *b)
{
    bin_empty(b);
    bitfit_free(SETTINGS->caches, b->floor);
    *b = (bin){.count = b->count};
}

/* Takes the oldest blocks out, into the depot or the pool. */
static void bin_give(bin *b, size_t blocks)
{
    blocks = blocks < BATCH_MAX ? blocks : BATCH_MAX;
    if (!depot_give(b->count, b->floor, blocks)) {
        blocks_return(b->floor, blocks, b->count);
    }
    b->top -= blocks;
    memmove(b->floor, b->floor + blocks, bin_blocks(b) * sizeof *b->floor);
}

/* Sets how many blocks the bin can hold; it may be left as it was for want of
 * memory. */
static void bin_set_capacity(bin *b, size_t capacity)
{
    while (bin_blocks(b) > capacity) {
        bin_give(b, bin_blocks(b) - capacity);
    }
    if (capacity == 0) {
        bin_end(b);
        return;
    }
    size_t blocks = bin_blocks(b);
    uint32_t *floor =
        bitfit_realloc(SETTINGS->caches, b->floor, capacity * sizeof *floor);
    if (floor == NULL) {
        return;
    }
    b->floor = floor;
    b->top = floor + blocks;
    b->ceiling = floor + capacity;
}

/* The bin for blocks of that many granules, twice as large as it was if there
 * is room. One that others share changes hands. */
static bin *bin_prepare(cache *c, size_t count)
{
    bin *b = cache_bin(c, count);
    if (b->count != count) {
        bin_empty(b);
        b->count = count;
    }
    size_t most = allowed(count);
    size_t capacity = bin_capacity(b);
    size_t wanted = capacity == 0 ? CAPACITY_FIRST : 2 * capacity;
    wanted = wanted < most ? wanted : most;
    if (wanted != capacity) {
        bin_set_capacity(b, wanted);
    }
    return b;
}

static bool is_cached_size(size_t count)
{
    return count - 1 < CACHE_COUNT_MAX && heap.caching && threads_has_cache();
}

/* A block for an empty bin, which gets some more. NULL if the bin may hold
 * nothing, or there is no block. */
static void *refill(size_t count)
{
    bin *b = bin_prepare(cache_mine, count);
    size_t capacity = bin_capacity(b);
    if (b->top == b->floor && capacity != 0) {
        size_t blocks = depot_take(count, b->floor, capacity);
        if (blocks == 0) {
            size_t want = capacity / 2 < BATCH_MAX ? capacity / 2 : BATCH_MAX;
            blocks = bf_carve(SETTINGS->pool, count, want > 0 ? want : 1,
                              HOLES_MAX, b->floor);
            blocks_adopt(b->floor, blocks, count);
        }
        b->top += blocks;
    }
    if (b->top == b->floor) {
        return NULL;
    }
    uint32_t granule = *--b->top;
    cache_unmark(granule);
    return heap_pointer_to(granule);
}

/* --------------------------------------------------------- caches as a whole
 */

static void add_bins(const cache *c, size_t *blocks, size_t *size)
{
    *blocks += c->last_count != 0;
    *size += heap_size_of(c->last_count);
    for (size_t i = 0; i < CACHE_BINS; i++) {
        *blocks += bin_blocks(&c->bins[i]);
        *size += bin_blocks(&c->bins[i]) * heap_size_of(c->bins[i].count);
    }
}

void cache_publish(cache *c)
{
    size_t blocks = 0;
    size_t size = 0;
    add_bins(c, &blocks, &size);
    published += size - c->published;
    c->published = size;
    if (SETTINGS->published != NULL) {
        SETTINGS->published->cached = published + depot_size();
    }
}

/* False if a thread is inside too long to say; others being stopped. */
static bool all_are_empty(void)
{
    size_t blocks = 0;
    size_t size = 0;
    for (const cache *c = threads_first(); c != NULL && blocks == 0;
         c = c->next) {
        if (!threads_is_still(c)) {
            return false;
        }
        add_bins(c, &blocks, &size);
    }
    return blocks == 0;
}

static void empty_last(cache *c)
{
    if (c->last_count != 0) {
        blocks_return(&c->last, 1, c->last_count);
        c->last_count = 0;
    }
}

void cache_empty(cache *c)
{
    empty_last(c);
    for (size_t i = 0; i < CACHE_BINS; i++) {
        bin_end(&c->bins[i]);
    }
}

void cache_give_back_all(void)
{
    threads_stop();
    for (cache *c = threads_first(); c != NULL; c = c->next) {
        if (threads_is_still(c)) {
            cache_empty(c);
        }
    }
    threads_go();
    depot_empty();
}

void cache_sizes(size_t *blocks, size_t *size)
{
    *size = depot_size();
    *blocks = depot_blocks();
    threads_stop();
    for (cache *c = threads_first(); c != NULL; c = c->next) {
        if (threads_is_still(c)) {
            add_bins(c, blocks, size);
        }
    }
    threads_go();
}

static bool bin_has(const bin *b, size_t granule)
{
    for (const uint32_t *start = b->floor; start != b->top; start++) {
        if (*start == granule) {
            return true;
        }
    }
    return false;
}

static bool cache_has(cache *c, size_t granule, size_t count)
{
    return (c->last_count != 0 && c->last == granule) ||
           bin_has(cache_bin(c, count), granule);
}

/* As cache_has(), while the cache's thread goes on: it may seem to have a block
 * that it had before. The array stays, since it changes under the lock only. */
BF_RACES bool seems_to_have(cache *c, size_t granule, size_t count)
{
    const volatile cache *moving = c;
    const volatile bin *b = cache_bin(c, count);
    const volatile uint32_t *top = b->top;
    if (moving->last_count != 0 && moving->last == granule) {
        return true;
    }
    for (const volatile uint32_t *start = b->floor; start != top; start++) {
        if (*start == granule) {
            return true;
        }
    }
    return false;
}

/* Whether the block is in some cache, whatever its mark says. Threads are
 * stopped only where one seems to have it. */
static bool is_cached(size_t granule, size_t count)
{
    bool found = depot_has(granule, count);
    bool seems = false;
    for (cache *c = threads_first(); c != NULL && !found && !seems;
         c = c->next) {
        seems = seems_to_have(c, granule, count);
    }
    if (!seems) {
        return found;
    }
    threads_stop();
    for (cache *c = threads_first(); c != NULL && !found; c = c->next) {
        found = threads_is_still(c) && cache_has(c, granule, count);
    }
    threads_go();
    return found;
}

/* ---------------------------------------------------------------- requests */

/* Gives the marks' memory to the program, if that helps for a request of so
 * many granules; there are no caches from then on. */
static bool give_up_marks(size_t count)
{
    uint32_t marks = (uint32_t)heap_granule_of(SETTINGS->marks);
    size_t size = heap_count_for(SETTINGS->marks_size);
    if (!heap.caching || count > size + bf_carve_below(SETTINGS->pool, marks)) {
        return false;
    }
    heap.caching = false; /* whoever is stopped now stays so */
    cache_give_back_all();
    if (!all_are_empty()) {
        heap.caching = true;
        threads_go();
        return false;
    }
    bf_carve_back(SETTINGS->pool, &marks, 1);
    if (SETTINGS->published != NULL) {
        SETTINGS->published->marks_size = 0;
    }
    return true;
}

/* Room for a request that failed: by all caches, then by the marks. */
static bool make_room(size_t count, int attempt)
{
    if (attempt == 0 && heap.caching) {
        cache_give_back_all();
        return true;
    }
    return attempt == 1 && give_up_marks(count);
}

static void *take_from_pool(size_t alignment, size_t size)
{
    void *block = heap_take(alignment, size);
    for (int i = 0; block == NULL && make_room(heap_count_for(size), i); i++) {
        block = heap_take(alignment, size);
    }
    if (block != NULL && heap.caching) {
        cache_unmark(heap_granule_of(block));
    }
    return block;
}

void *cache_take(size_t alignment, size_t size)
{
    if (alignment <= SETTINGS->options.granule &&
        is_cached_size(heap_count_for(size))) {
        void *block = refill(heap_count_for(size));
        if (block != NULL) {
            return block;
        }
    }
    return take_from_pool(alignment, size);
}

void *cache_resize(void *ptr, size_t size)
{
    void *block = heap_resize(ptr, size);
    for (int i = 0; block == NULL && make_room(heap_count_for(size), i); i++) {
        block = heap_resize(ptr, size);
    }
    if (block != NULL && heap.caching) {
        cache_unmark(heap_granule_of(block));
    }
    return block;
}

size_t cache_verify(const void *ptr)
{
    size_t granule = heap_granule_of(ptr);
    size_t count = heap_count_at(granule);
    if (count == 0) {
        heap_accuse(ptr);
    }
    if (!heap.caching || !cache_marked(granule)) {
        return count;
    }
    if (bitfit_usable_size(SETTINGS->pool, ptr) != 0 &&
        is_cached(granule, count)) {
        const char *call = heap.call;
        cache_abandon();
        heap_unlock();
        die(bitfit_crime_name(BITFIT_DOUBLE_FREE), call, ptr);
    }
    cache_unmark(granule); /* a clearing was lost */
    return count;
}

/* The pool may let the block wait, with the bits of a live one: the mark keeps
 * free() from taking it for one without the lock. */
static void give_to_pool(void *ptr, size_t granule, size_t size)
{
    if (heap.caching) {
        cache_mark(granule);
    }
    heap_give(ptr, size);
}

/* Keeps the block as the cache's last, instead of another; false if it is too
 * large for that, or too small. */
static bool keep_as_last(size_t granule, size_t count)
{
    if (!heap.caching || !threads_has_cache() || count <= CACHE_SMALL_MAX) {
        return false;
    }
    size_t most = heap_room() / LAST_SHARE / threads_count();
    most = most < LAST_SIZE_MAX ? most : LAST_SIZE_MAX;
    cache_mine->last_most = most >> SETTINGS->view.granule_shift;
    if (count > cache_mine->last_most) {
        return false;
    }
    empty_last(cache_mine);
    cache_mine->last = (uint32_t)granule;
    cache_mine->last_count = count;
    cache_mark(granule);
    return true;
}

/* Whether the block is in the bin for its size now. */
static bool keep_in_bin(size_t granule, size_t count)
{
    if (!is_cached_size(count)) {
        return false;
    }
    bin *b = bin_prepare(cache_mine, count);
    if (b->top == b->ceiling && bin_blocks(b) > 1) {
        bin_give(b, bin_blocks(b) / 2);
    }
    if (b->top == b->ceiling) {
        return false;
    }
    *b->top++ = (uint32_t)granule;
    cache_mark(granule);
    return true;
}

void cache_give(void *ptr, size_t size)
{
    size_t granule = heap_granule_of(ptr);
    size_t count = cache_verify(ptr);
    bool wrong = size != SIZE_MAX &&
                 (size > PTRDIFF_MAX || heap_count_for(size) != count);
    if (wrong ||
        (!keep_in_bin(granule, count) && !keep_as_last(granule, count))) {
        give_to_pool(ptr, granule, size);
    }
    pages_tick(heap_size_of(count));
}

void *cache_pop_any(size_t count)
{
    cache *c = cache_mine;
    if (!cache_enter(c)) {
        return NULL;
    }
    bin *b = cache_bin(c, count);
    size_t granule = BF_NONE;
    if (c->last_count == count) {
        granule = c->last;
        c->last_count = 0;
    } else if (b->top != b->floor && b->count == count) {
        granule = *--b->top;
    }
    if (granule != BF_NONE) {
        cache_unmark(granule);
    }
    cache_leave(c);
    return granule == BF_NONE ? NULL : heap_pointer_to(granule);
}

bool cache_push_any(size_t granule, size_t count)
{
    cache *c = cache_mine;
    if (!cache_enter(c)) {
        return false;
    }
    bin *b = cache_bin(c, count);
    bool pushed = !cache_marked(granule) && ++c->others % OTHERS_A_TICK != 0;
    if (pushed && b->top != b->ceiling && b->count == count) {
        *b->top++ = (uint32_t)granule;
    } else if (pushed && c->last_count == 0 && count > CACHE_SMALL_MAX &&
               count <= c->last_most) {
        c->last = (uint32_t)granule;
        c->last_count = count;
    } else {
        pushed = false;
    }
    if (pushed) {
        cache_mark(granule);
    }
    cache_leave(c);
    return pushed;
}
