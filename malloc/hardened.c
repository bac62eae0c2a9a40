#include "hardened.h"

#include "depot.h"
#include "guarded.h"
#include "pages.h"
#include "slow.h"
#include "text.h"
#include "threads.h"

#include <string.h>

enum {
    TAIL = 8,
    KIND_SHIFT = 56, /* in a tail, above the length */
    GROWTH_SHARE = 2 /* of a block that grows is room to grow on */
};

static bool is_large(size_t size)
{
    return size >> SETTINGS->page_shift != 0;
}

static size_t size_of_block(const void *ptr)
{
    return heap_size_of(heap_count_of(ptr));
}

/* -------------------------------------------------------------------- tails */

/* What stands in the padding and, but for length and kind, in the tail. Text
 * and zeros, most of what runs over an end, have no byte like one of these. */
static uint64_t secret_of(const void *ptr)
{
    uint64_t mixed =
        ((uintptr_t)ptr ^ SETTINGS->secret) * UINT64_C(0x9e3779b97f4a7c15);
    return (mixed ^ mixed >> 32) | UINT64_C(0x8080808080808080);
}

/* Every byte of the padding. */
static uint64_t padding_of(uint64_t secret)
{
    return (secret & 0xff) * UINT64_C(0x0101010101010101);
}

/* Of the word that ends where `left` bytes of padding, at most a word, do: what
 * is padding. */
static uint64_t mask_of(size_t left)
{
    static const unsigned char edge[16] = {[8] = 0xff, 0xff, 0xff, 0xff,
                                           0xff,       0xff, 0xff, 0xff};
    uint64_t mask;
    memcpy(&mask, edge + left, sizeof mask);
    return mask;
}

/* The padding, of `size` bytes up to `end`, word by word from there down: all
 * words are the block's, even where its own bytes share the last one. */
static inline void write_padding(unsigned char *end, size_t size,
                                 uint64_t padding)
{
    uint64_t word;
    for (; size >= sizeof word; size -= sizeof word) {
        end -= sizeof word;
        memcpy(end, &padding, sizeof word);
    }
    if (size != 0) {
        uint64_t mask = mask_of(size);
        memcpy(&word, end - sizeof word, sizeof word);
        word = (word & ~mask) | (padding & mask);
        memcpy(end - sizeof word, &word, sizeof word);
    }
}

static inline bool has_padding(const unsigned char *end, size_t size,
                               uint64_t padding)
{
    uint64_t differs = 0;
    uint64_t word;
    for (; size >= sizeof word; size -= sizeof word) {
        end -= sizeof word;
        memcpy(&word, end, sizeof word);
        differs |= word ^ padding;
    }
    if (size != 0) {
        memcpy(&word, end - sizeof word, sizeof word);
        differs |= (word ^ padding) & mask_of(size);
    }
    return differs == 0;
}

static inline void write_tail(unsigned char *block, size_t whole, size_t size,
                              unsigned kind)
{
    uint64_t secret = secret_of(block);
    uint64_t tail = secret ^ (whole - size) ^ (uint64_t)kind << KIND_SHIFT;
    unsigned char *end = block + whole - TAIL;
    write_padding(end, whole - TAIL - size, padding_of(secret));
    memcpy(end, &tail, TAIL);
}

/* The bytes asked for; dies if something was written behind them. */
static inline size_t read_tail(const unsigned char *block, size_t whole,
                               const char *call, unsigned *kind)
{
    uint64_t secret = secret_of(block);
    uint64_t tail;
    const unsigned char *end = block + whole - TAIL;
    memcpy(&tail, end, TAIL);
    uint64_t slack = tail ^ secret;
    *kind = (unsigned)(slack >> KIND_SHIFT);
    slack &= (UINT64_C(1) << KIND_SHIFT) - 1;
    bool whole_tail = slack >= TAIL && slack <= TAIL + SETTINGS->granule_mask &&
                      slack <= whole && *kind <= KIND_MAX;
    if (!whole_tail || !has_padding(end, slack - TAIL, padding_of(secret))) {
        die("write past the end", call, block);
    }
    return whole - slack;
}

/* What is new of the bytes asked for is zero. */
static void resize_tail(unsigned char *block, size_t whole, size_t asked,
                        size_t size, unsigned kind)
{
    if (size > asked) {
        memset(block + asked, 0, size - asked);
    }
    write_tail(block, whole, size, kind);
}

/* Two words, which a processor may load at once; every block is some of them.
 */
typedef uint64_t lanes __attribute__((vector_size(FAST_GRANULE),
                                      aligned(FAST_GRANULE), may_alias));

/* Whether a block is two lanes at its front and two at its end, which may be
 * the same: most are, and then no branch asks how many it has. */
static inline bool is_two_pairs(size_t whole)
{
    return whole - 2 * sizeof(lanes) <= 2 * sizeof(lanes);
}

/* Dies unless the block, which is to be handed out, is as it was left. */
static inline void verify_zero(const char *call, const void *block,
                               size_t whole)
{
    const lanes *at = block;
    size_t number = whole / sizeof(lanes);
    lanes any = at[0];
    if (LIKELY(is_two_pairs(whole))) {
        any |= at[1] | at[number - 2] | at[number - 1];
    } else {
        for (size_t i = 1; i < number; i++) {
            any |= at[i];
        }
    }
    if (UNLIKELY((any[0] | any[1]) != 0)) {
        die("write after free", call, block);
    }
}

static inline void clear(void *block, size_t whole)
{
    lanes *at = block;
    size_t number = whole / sizeof(lanes);
    if (LIKELY(is_two_pairs(whole))) {
        at[0] = at[1] = at[number - 2] = at[number - 1] = (lanes){0, 0};
    } else {
        memset(block, 0, whole);
    }
}

/* Dies unless what the caller says of a live block is right. */
static inline void verify_claim(const char *call, const void *ptr, size_t asked,
                                unsigned kind, size_t size)
{
    if (size != SIZE_MAX && size != asked) {
        die(bitfit_misuse_name(BITFIT_WRONG_SIZE), call, ptr);
    }
    unsigned freed = guarded_kind(call);
    if (freed != kind && freed != KIND_C && kind != KIND_C) {
        die("new and delete differ", call, ptr);
    }
}

/* Looks at the tail of a live block, and makes the block zero. */
static inline void clear_block(const char *call, void *ptr, size_t whole,
                               size_t size)
{
    unsigned kind;
    size_t asked = read_tail(ptr, whole, call, &kind);
    verify_claim(call, ptr, asked, kind, size);
    clear(ptr, whole);
}

/* ------------------------------------------------------------------- cached */

/* The granules of the live block at `ptr`; 0 if there may be none. */
static inline size_t live_count(const void *ptr)
{
    size_t count = 0;
    size_t granule = bf_rotate(heap_offset_of(ptr), FAST_GRANULE_SHIFT);
    if (LIKELY(granule < SETTINGS->hardened_granules)) {
        count = bf_view_count_small(heap_fast_pair(ptr), heap_fast_bit(ptr),
                                    marks_load(heap_fast_marks(ptr)));
    }
    if (UNLIKELY(count == 0)) { /* or it is long, or starts in the last word */
        count = heap_count_of(ptr);
        count = count != 0 && cache_marked(ptr) ? 0 : count;
    }
    return count;
}

static inline void *take_small(size_t count)
{
    cache *c = cache_mine;
    if (UNLIKELY(!cache_enter_any(c))) {
        return NULL;
    }
    void *block = bin_take(c, count);
    __builtin_prefetch(c->top[count][-1], 1); /* most likely the next one */
    cache_leave(c);
    return block;
}

void *hardened_take_cached(const char *call, size_t size)
{
    if (is_large(size)) {
        return NULL;
    }
    size_t count = heap_count_for(size + TAIL);
    bool small = count <= SMALL_MAX && SETTINGS->hardened_granules != 0;
    void *block = LIKELY(small) ? take_small(count) : cache_take_any(count);
    if (block != NULL) {
        verify_zero(call, block, heap_size_of(count));
        write_tail(block, heap_size_of(count), size, guarded_kind(call));
    }
    return block;
}

/* Inside a slow path: a block that waited, and is marked. */
static void leave(const waiting_block *one)
{
    if (!slow_keep(one->ptr, one->count)) {
        blocks_give(&one->ptr, 1, one->count);
    }
}

bool hardened_give_cached(const char *call, void *ptr, size_t size)
{
    cache *c = cache_mine;
    size_t count = SETTINGS->marks == NULL ? 0 : live_count(ptr);
    size_t whole = heap_size_of(count);
    if (count == 0 || is_large(whole) || !cache_enter_any(c)) {
        return false;
    }
    clear_block(call, ptr, whole, size);
    cache_mark(ptr);
    waiting_block one = {ptr, count};
    bool kept = !cache_delay(c, &one) || bin_give_any(c, one.ptr, one.count);
    cache_leave(c);
    if (UNLIKELY(!kept)) {
        threads_enter(call);
        leave(&one);
        threads_leave();
    }
    return true;
}

/* Takes what was just copied from. */
static void give(const char *call, void *ptr)
{
    if (!hardened_give_cached(call, ptr, SIZE_MAX)) {
        threads_enter(call);
        hardened_give(ptr, SIZE_MAX);
        threads_leave();
    }
}

void *hardened_resize_cached(const char *call, void *ptr, size_t count,
                             size_t size)
{
    unsigned kind;
    size_t whole = heap_size_of(count);
    if (is_large(size) || is_large(whole) || SETTINGS->marks == NULL ||
        cache_marked(ptr)) {
        return NULL;
    }
    size_t asked = read_tail(ptr, whole, call, &kind);
    if (heap_count_for(size + TAIL) == count) {
        resize_tail(ptr, whole, asked, size, kind);
        return ptr;
    }
    void *block = hardened_take_cached(call, size);
    if (block != NULL) {
        memcpy(block, ptr, asked < size ? asked : size);
        give(call, ptr);
    }
    return block;
}

/* ------------------------------------------------------------ inside: blocks
 */

static void *take_with_tail(size_t alignment, size_t size)
{
    void *block = slow_take(alignment, size + TAIL);
    if (block == NULL && guarded_end()) {
        block = slow_take(alignment, size + TAIL);
    }
    if (block != NULL) {
        size_t whole = size_of_block(block);
        if (!pages_are_zero(block, whole)) {
            die("write after free", heap.call, block);
        }
        pages_use(block, whole);
        guarded_forget(block);
        write_tail(block, whole, size, guarded_kind(heap.call));
    }
    return block;
}

void *hardened_take(size_t alignment, size_t size)
{
    if (size > PTRDIFF_MAX - TAIL) {
        return NULL;
    }
    void *block = is_large(size) ? guarded_take(alignment, size, 0) : NULL;
    return block != NULL ? block : take_with_tail(alignment, size);
}

void hardened_give(void *ptr, size_t size)
{
    guarded_block found;
    if (guarded_find(ptr, &found)) {
        verify_claim(heap.call, ptr, found.size, found.kind, size);
        guarded_give(&found);
        return;
    }
    waiting_block one = {ptr, slow_verify(ptr)};
    size_t whole = heap_size_of(one.count);
    clear_block(heap.call, ptr, whole, size);
    if (is_large(whole) || SETTINGS->marks == NULL) {
        slow_give(ptr, SIZE_MAX);
        return;
    }
    cache_mark(ptr);
    if (cache_delay(cache_mine, &one)) {
        leave(&one);
    }
}

size_t hardened_size(void *ptr)
{
    unsigned kind;
    guarded_block found;
    if (guarded_find(ptr, &found)) {
        return found.size;
    }
    return read_tail(ptr, heap_size_of(slow_verify(ptr)), heap.call, &kind);
}

/* ---------------------------------------------------------- inside: resizing
 */

/* Whether the block could be resized where it is. */
static bool resize_here(void *ptr, size_t size)
{
    unsigned kind;
    guarded_block found;
    if (guarded_find(ptr, &found)) {
        return guarded_resize(&found, size);
    }
    size_t whole = heap_size_of(slow_verify(ptr));
    size_t asked = read_tail(ptr, whole, heap.call, &kind);
    if (size > PTRDIFF_MAX - TAIL ||
        heap_size_of(heap_count_for(size + TAIL)) != whole) {
        return false;
    }
    resize_tail(ptr, whole, asked, size, kind);
    return true;
}

void *hardened_resize(void *ptr, size_t size)
{
    if (resize_here(ptr, size)) {
        return ptr;
    }
    size_t asked = hardened_size(ptr);
    void *block = NULL;
    if (size > asked && is_large(size) && size < PTRDIFF_MAX / 2) {
        block = guarded_take(1, size, size / GROWTH_SHARE);
    }
    if (block == NULL) {
        block = hardened_take(1, size);
    }
    if (block == NULL) {
        return size <= asked ? ptr : NULL; /* a shrink keeps the block */
    }
    memcpy(block, ptr, asked < size ? asked : size);
    hardened_give(ptr, SIZE_MAX);
    return block;
}

/* ------------------------------------------------------------------- the end
 */

/* Of a run's bytes, those that may ever have been used. */
static size_t used_of(const bitfit_run *run)
{
    size_t offset = heap_offset_of(run->start);
    size_t used = heap_used();
    size_t below = used > offset ? used - offset : 0;
    return below < run->size ? below : run->size;
}

/* What is free must be zero, what lives have its tail: without the lock, only
 * the block's own thread may say when. */
static bool look_at(const bitfit_run *run, void *alone)
{
    unsigned kind;
    if (run->start == SETTINGS->deposit ||
        (run->live && guarded_has(run->start)) || !*(bool *)alone) {
        return true;
    }
    if (run->live && !cache_marked(run->start)) {
        read_tail(run->start, run->size, "exit", &kind);
    } else if (used_of(run) != 0 && !pages_are_zero(run->start, used_of(run))) {
        die("write after free", "exit", run->start);
    }
    return true;
}

void hardened_end(void)
{
    if (heap_started() && SETTINGS->options.hardened && heap.caching) {
        threads_enter("exit");
        bool alone = cache_sharers == 1; /* others may be about to write */
        guarded_end();
        bitfit_walk(SETTINGS->pool, look_at, &alone);
        threads_leave();
    }
}
