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

static size_t bin_blocks(const cache *c, size_t i)
{
    return (size_t)(c->top[i] - c->floor[i]);
}

static size_t bin_capacity(const cache *c, size_t i)
{
    return (size_t)(c->ceiling[i] - c->floor[i]);
}

static void bin_begin(cache *c, size_t i)
{
    static void *nowhere[] = {NULL};
    c->top[i] = c->ceiling[i] = c->floor[i] = nowhere + 1;
}

static void bin_empty(cache *c, size_t i)
{
    blocks_return(c->floor[i], bin_blocks(c, i), c->count[i]);
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

/* Takes the oldest blocks out, into the depot or the pool. */
static void bin_give(cache *c, size_t i, size_t blocks)
{
    void **floor = c->floor[i];
    blocks = blocks < BATCH_MAX ? blocks : BATCH_MAX;
    if (!depot_give(c->count[i], floor, blocks)) {
        blocks_return(floor, blocks, c->count[i]);
    }
    c->top[i] -= blocks;
    memmove(floor, floor + blocks, bin_blocks(c, i) * sizeof *floor);
}

/* Sets how many blocks the bin can hold; it may be left as it was for want of
 * memory. */
static void bin_set_capacity(cache *c, size_t i, size_t capacity)
{
    while (bin_blocks(c, i) > capacity) {
        bin_give(c, i, bin_blocks(c, i) - capacity);
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

/* The bin for blocks of that many granules, twice as large as it was if there
 * is room. One that others share changes hands. */
static size_t bin_prepare(cache *c, size_t count)
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

static bool is_cached_size(size_t count)
{
    return count - 1 < CACHE_COUNT_MAX && heap.caching && threads_has_cache();
}

/* A block for an empty bin, which gets some more. NULL if the bin may hold
 * nothing, or there is no block. */
static void *refill(size_t count)
{
    cache *c = cache_mine;
    size_t i = bin_prepare(c, count);
    size_t capacity = bin_capacity(c, i);
    void **floor = c->floor[i];
    if (c->top[i] == floor && capacity != 0) {
        size_t blocks = depot_take(count, floor, capacity);
        if (blocks == 0) {
            size_t want = capacity / 2 < BATCH_MAX ? capacity / 2 : BATCH_MAX;
            blocks = bf_carve(SETTINGS->pool, count, want > 0 ? want : 1,
                              HOLES_MAX, floor);
            blocks_adopt(floor, blocks, count);
        }
        c->top[i] += blocks;
    }
    if (c->top[i] == floor) {
        return NULL;
    }
    void *block = *--c->top[i];
    cache_unmark(block);
    return block;
}

/* --------------------------------------------------------- caches as a whole
 */

static void add_bins(const cache *c, size_t *blocks, size_t *size)
{
    *blocks += c->last_count != 0;
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

void cache_begin(cache *c)
{
    for (size_t i = 0; i < CACHE_BINS; i++) {
        bin_begin(c, i);
    }
}

void cache_empty(cache *c)
{
    empty_last(c);
    for (size_t i = 0; i < CACHE_BINS; i++) {
        bin_end(c, i);
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

static bool cache_has(const cache *c, const void *block, size_t count)
{
    size_t i = cache_bin(count);
    void *const *at = c->floor[i];
    while (at != c->top[i] && *at != block) {
        at++;
    }
    return at != c->top[i] || (c->last_count != 0 && c->last == block);
}

/* As cache_has(), while the cache's thread goes on: it may seem to have a block
 * that it had before. The array stays, since it changes under the lock only. */
BF_RACES bool seems_to_have(const cache *c, const void *block, size_t count)
{
    const volatile cache *moving = c;
    size_t i = cache_bin(count);
    void *const volatile *top = moving->top[i];
    if (moving->last_count != 0 && moving->last == block) {
        return true;
    }
    for (void *const volatile *at = c->floor[i]; at != top; at++) {
        if (*at == block) {
            return true;
        }
    }
    return false;
}

/* Whether the block is in some cache, whatever its mark says. Threads are
 * stopped only where one seems to have it. */
static bool is_cached(const void *block, size_t count)
{
    bool found = depot_has(block, count);
    bool seems = false;
    for (cache *c = threads_first(); c != NULL && !found && !seems;
         c = c->next) {
        seems = seems_to_have(c, block, count);
    }
    if (!seems) {
        return found;
    }
    threads_stop();
    for (cache *c = threads_first(); c != NULL && !found; c = c->next) {
        found = threads_is_still(c) && cache_has(c, block, count);
    }
    threads_go();
    return found;
}

/* ---------------------------------------------------------------- requests */

/* Gives the marks' memory to the program, if that helps for a request of so
 * many granules; there are no caches from then on. */
static bool give_up_marks(size_t count)
{
    size_t granule = heap_granule_of(SETTINGS->marks);
    void *marks = heap_pointer_to(granule);
    size_t size = heap_count_for(SETTINGS->marks_size);
    if (!heap.caching ||
        count > size + bf_carve_below(SETTINGS->pool, granule)) {
        return false;
    }
    heap.caching = false; /* whoever is stopped now stays so */
    cache_give_back_all();
    if (!all_are_empty()) {
        heap.caching = true;
        threads_go();
        return false;
    }
    bf_carve_back(SETTINGS->pool, size, &marks, 1);
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
        cache_unmark(block);
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
        cache_unmark(block);
    }
    return block;
}

size_t cache_verify(const void *ptr)
{
    size_t count = heap_count_of(ptr);
    if (count == 0) {
        heap_accuse(ptr);
    }
    if (!heap.caching || !cache_marked(ptr)) {
        return count;
    }
    if (bitfit_usable_size(SETTINGS->pool, ptr) != 0 && is_cached(ptr, count)) {
        const char *call = heap.call;
        cache_abandon();
        heap_unlock();
        die(bitfit_crime_name(BITFIT_DOUBLE_FREE), call, ptr);
    }
    cache_unmark(ptr); /* a clearing was lost */
    return count;
}

/* The pool may let the block wait, with the bits of a live one: the mark keeps
 * free() from taking it for one without the lock. */
static void give_to_pool(void *ptr, size_t size)
{
    if (heap.caching) {
        cache_mark(ptr);
    }
    heap_give(ptr, size);
}

/* Keeps the block as the cache's last, instead of another; false if it is too
 * large for that, or too small. */
static bool keep_as_last(void *ptr, size_t count)
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
    cache_mine->last = ptr;
    cache_mine->last_count = count;
    cache_mark(ptr);
    return true;
}

/* Whether the block is in the bin for its size now. */
static bool keep_in_bin(void *ptr, size_t count)
{
    if (!is_cached_size(count)) {
        return false;
    }
    cache *c = cache_mine;
    size_t i = bin_prepare(c, count);
    if (c->top[i] == c->ceiling[i] && bin_blocks(c, i) > 1) {
        bin_give(c, i, bin_blocks(c, i) / 2);
    }
    if (c->top[i] == c->ceiling[i]) {
        return false;
    }
    *c->top[i]++ = ptr;
    cache_mark(ptr);
    return true;
}

void cache_give(void *ptr, size_t size)
{
    size_t count = cache_verify(ptr);
    bool wrong = size != SIZE_MAX &&
                 (size > PTRDIFF_MAX || heap_count_for(size) != count);
    if (wrong || (!keep_in_bin(ptr, count) && !keep_as_last(ptr, count))) {
        give_to_pool(ptr, size);
    }
    pages_tick(heap_size_of(count));
}

/* As cache_enter(), but false, too, if another thread is in the cache. */
FAST bool cache_enter_any(cache *c)
{
    if (!cache_enter(c)) {
        return false;
    }
    bool stopped = atomic_load_explicit(&c->stopped, memory_order_acquire);
    if (stopped) {
        cache_leave(c);
    }
    return !stopped;
}

void *cache_pop_any(size_t count)
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

bool cache_push_any(void *ptr, size_t count)
{
    cache *c = cache_mine;
    if (!cache_enter_any(c)) {
        return false;
    }
    size_t i = cache_bin(count);
    bool pushed = !cache_marked(ptr) && ++c->others % OTHERS_A_TICK != 0;
    if (pushed && c->top[i] != c->ceiling[i] && c->count[i] == count) {
        *c->top[i]++ = ptr;
    } else if (pushed && c->last_count == 0 && count > CACHE_SMALL_MAX &&
               count <= c->last_most) {
        c->last = ptr;
        c->last_count = count;
    } else {
        pushed = false;
    }
    if (pushed) {
        cache_mark(ptr);
    }
    cache_leave(c);
    return pushed;
}
