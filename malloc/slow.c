#include "slow.h"

#include "depot.h"
#include "pages.h"
#include "text.h"
#include "threads.h"

enum {
    HOLES_MAX = 4,          /* that a refill takes its blocks from */
    LAST_SHARE = 64,        /* of the room that a cache's last block may be, */
    LAST_SIZE_MAX = 1 << 20 /* and its bytes at the most */
};

static bool is_cached_size(size_t count)
{
    return count - 1 < CACHE_COUNT_MAX && heap.caching &&
           cache_is_real(cache_mine);
}

/* Makes the pages of a row of blocks ones that can be touched and are there; if
 * any was not, some of the hole behind the row's end, too: each page by itself
 * costs more. False if the system does not give them. */
static bool make_ready(unsigned char *row, size_t size)
{
    if (pages_are_ready(row, size)) {
        return true;
    }
    size_t most = heap.open - heap_offset_of(row) - size;
    size_t behind = heap_size_of(
        bf_carve_hole_behind(SETTINGS->pool, heap_granule_of(row + size)));
    return pages_make_ready(row, size, behind < most ? behind : most);
}

/* Whether each of these blocks of that many granules can be touched now; the
 * last of them is the highest. */
static bool can_touch(void *const *blocks, size_t number, size_t count)
{
    size_t size = heap_size_of(count);
    bool can = heap_open(heap_offset_of(blocks[number - 1]) + size);
    for (size_t i = 0; SETTINGS->options.hardened && can && i < number;) {
        size_t row = blocks_row(blocks + i, number - i, size);
        can = make_ready(blocks[i], row * size);
        i += row;
    }
    return can;
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
            if (blocks != 0 && !can_touch(floor, blocks, count)) {
                bf_carve_back(SETTINGS->pool, count, floor, blocks);
                blocks = 0;
            }
            blocks_mark(floor, blocks, count);
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
        cache_add_sizes(c, &blocks, &size);
    }
    return blocks == 0;
}

void slow_give_all(void)
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

void slow_sizes(size_t *blocks, size_t *size)
{
    *size = depot_size();
    *blocks = depot_blocks();
    threads_stop();
    for (cache *c = threads_first(); c != NULL; c = c->next) {
        if (threads_is_still(c)) {
            cache_add_sizes(c, blocks, size);
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
    bool waits = false;
    for (size_t k = 0; k < c->waits; k++) {
        waits = waits || c->waiting[k].ptr == block;
    }
    return waits || at != c->top[i] || (c->last_count != 0 && c->last == block);
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
    for (size_t k = 0; k < moving->waits; k++) {
        if (((const volatile waiting_block *)c->waiting)[k].ptr == block) {
            return true;
        }
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

/* Gives the marks' deposit to the program, if that helps for a request of so
 * many granules; there are no caches from then on. */
static bool give_up_marks(size_t count)
{
    void *deposit = SETTINGS->deposit;
    size_t granule = heap_granule_of(deposit);
    size_t size = heap_count_for(SETTINGS->deposit_size);
    if (!heap.caching || SETTINGS->options.hardened ||
        count > size + bf_carve_hole_before(SETTINGS->pool, granule)) {
        return false;
    }
    heap.caching = false; /* whoever is stopped now stays so */
    slow_give_all();
    if (!all_are_empty()) {
        heap.caching = true;
        threads_go();
        return false;
    }
    bf_carve_back(SETTINGS->pool, size, &deposit, 1);
    pages_drop_marks();
    if (SETTINGS->published != NULL) {
        SETTINGS->published->marks_size = 0;
    }
    return true;
}

/* Room for a request that failed: by all caches, then by the marks. */
static bool make_room(size_t count, int attempt)
{
    if (attempt == 0 && heap.caching) {
        slow_give_all();
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
    if (block != NULL && SETTINGS->options.hardened &&
        !pages_open(block, size)) {
        heap_give(block, SIZE_MAX);
        return NULL;
    }
    if (block != NULL && heap.caching) {
        cache_unmark(block);
    }
    return block;
}

void *slow_take(size_t alignment, size_t size)
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

void *slow_resize(void *ptr, size_t size)
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

size_t slow_verify(const void *ptr)
{
    size_t count = heap_count_of(ptr);
    if (count == 0) {
        heap_accuse(ptr);
    }
    if (!heap.caching || !cache_marked(ptr)) {
        return count;
    }
    if (bitfit_usable_size(SETTINGS->pool, ptr) != 0 && is_cached(ptr, count)) {
        die(bitfit_misuse_name(BITFIT_DOUBLE_FREE), heap.call, ptr);
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
    if (!heap.caching || !cache_is_real(cache_mine) || count <= SMALL_MAX) {
        return false;
    }
    size_t most = heap_room() / LAST_SHARE / cache_sharers;
    most = most < LAST_SIZE_MAX ? most : LAST_SIZE_MAX;
    cache_mine->last_most = most >> SETTINGS->view.granule_shift;
    if (count > cache_mine->last_most) {
        return false;
    }
    cache_empty_last(cache_mine);
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
        bin_shed(c, i, bin_blocks(c, i) / 2);
    }
    if (c->top[i] == c->ceiling[i]) {
        return false;
    }
    *c->top[i]++ = ptr;
    cache_mark(ptr);
    return true;
}

bool slow_keep(void *block, size_t count)
{
    return keep_in_bin(block, count);
}

void slow_give(void *ptr, size_t size)
{
    size_t count = slow_verify(ptr);
    bool wrong = size != SIZE_MAX &&
                 (size > PTRDIFF_MAX || heap_count_for(size) != count);
    if (wrong || (!keep_in_bin(ptr, count) && !keep_as_last(ptr, count))) {
        give_to_pool(ptr, size);
    }
    pages_tick(heap_size_of(count));
}
