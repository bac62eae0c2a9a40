#include "hardened.h"

#include "depot.h"
#include "guarded.h"
#include "pages.h"
#include "slow.h"
#include "text.h"
#include "threads.h"

#include <string.h>

enum {
    TAIL = 1,        /* bytes, at least */
    WINDOW = 16,     /* bytes of the block's end that a tail may be; where it */
    LENGTH_BITS = 4, /* is more, it is a long one, and */
    KIND_LONG = 4,   /* this is added to its kind */
    CODES = 256,
    GROWTH_SHARE = 2, /* of a block that grows is room to grow on */
    LAST_BYTE_SHIFT = /* of a word in memory */
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 56 : 0
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

/* The word that tails at this address are made of. Text and zeros, most of what
 * runs over an end, have no byte like one of these. */
static uint64_t secret_of(const void *ptr)
{
    uint64_t mixed =
        ((uintptr_t)ptr ^ SETTINGS->secret) * UINT64_C(0x9e3779b97f4a7c15);
    return (mixed ^ mixed >> 32) | UINT64_C(0x8080808080808080);
}

/* A tail's code is its length and kind. It is mixed into each byte: none can be
 * changed by itself. */
static inline uint64_t tail_word(uint64_t secret, unsigned code)
{
    return secret ^ code * UINT64_C(0x0101010101010101);
}

static inline size_t length_of(unsigned code)
{
    return (code & (WINDOW - 1)) + 1;
}

/* The last bytes of a block. */
typedef struct window {
    uint64_t front;
    uint64_t back; /* the block's last byte is in it */
} window;

static inline window window_at(const unsigned char *end)
{
    window bytes;
    memcpy(&bytes, end - WINDOW, sizeof bytes);
    return bytes;
}

/* Those of them that are a tail of `length` bytes. */
static inline window window_mask(size_t length)
{
    static const uint64_t edge[] = {0, 0, UINT64_MAX, UINT64_MAX};
    window mask;
    memcpy(&mask, (const unsigned char *)edge + length, sizeof mask);
    return mask;
}

/* Where granules are large: in front of the window stand more secret bytes, and
 * in it the length. */
static void write_long_tail(unsigned char *block, size_t whole, size_t size,
                            unsigned kind)
{
    uint64_t secret = secret_of(block);
    unsigned code = (kind + KIND_LONG) << LENGTH_BITS;
    window bytes = {secret ^ (whole - size), tail_word(secret, code)};
    memset(block + size, (unsigned char)secret, whole - WINDOW - size);
    memcpy(block + whole - WINDOW, &bytes, sizeof bytes);
}

/* Where the tail is no longer than the window. */
static inline void write_short_tail(unsigned char *block, size_t whole,
                                    size_t size, unsigned kind)
{
    size_t length = whole - size;
    unsigned code = (unsigned)(length - 1) | kind << LENGTH_BITS;
    uint64_t word = tail_word(secret_of(block), code);
    window mask = window_mask(length);
    window bytes = window_at(block + whole);
    bytes.front ^= (bytes.front ^ word) & mask.front;
    bytes.back ^= (bytes.back ^ word) & mask.back;
    memcpy(block + whole - WINDOW, &bytes, sizeof bytes);
}

static void write_tail(unsigned char *block, size_t whole, size_t size,
                       unsigned kind)
{
    if (whole - size > WINDOW) {
        write_long_tail(block, whole, size, kind);
    } else {
        write_short_tail(block, whole, size, kind);
    }
}

/* Its length; 0 if something was written over it. */
static size_t long_tail(const unsigned char *block, size_t whole)
{
    uint64_t secret = secret_of(block);
    size_t length = (size_t)(window_at(block + whole).front ^ secret);
    if (length <= WINDOW || length > whole ||
        length > TAIL + SETTINGS->granule_mask) {
        return 0;
    }
    for (size_t i = whole - length; i < whole - WINDOW; i++) {
        if (block[i] != (unsigned char)secret) {
            return 0;
        }
    }
    return length;
}

/* The code; CODES if something was written over the window. */
static inline unsigned read_code(const unsigned char *block, size_t whole)
{
    uint64_t secret = secret_of(block);
    window bytes = window_at(block + whole);
    unsigned code = (unsigned)((bytes.back ^ secret) >> LAST_BYTE_SHIFT & 0xff);
    uint64_t word = tail_word(secret, code);
    window mask = window_mask(length_of(code));
    uint64_t differs =
        ((bytes.front ^ word) & mask.front) | ((bytes.back ^ word) & mask.back);
    return differs == 0 ? code : CODES;
}

/* The bytes asked for; dies if something was written behind them. */
static size_t read_tail(const unsigned char *block, size_t whole,
                        const char *call, unsigned *kind)
{
    unsigned code = read_code(block, whole);
    bool is_long = code >= KIND_LONG << LENGTH_BITS;
    size_t length = is_long ? long_tail(block, whole) : length_of(code);
    *kind = (code >> LENGTH_BITS) - (is_long ? KIND_LONG : 0);
    if (length == 0 || *kind > KIND_MAX) {
        die("write past the end", call, block);
    }
    return whole - length;
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

enum { LANES_AT_ONCE = 4 };

/* Dies unless the block, which is to be handed out, is as it was left. Most are
 * at most four lanes: no branch asks how many. */
static inline void verify_zero(const char *call, const void *block,
                               size_t whole)
{
    const lanes *at = block;
    const lanes *last = at + whole / sizeof(lanes) - 1;
    lanes any = {0, 0};
    for (; UNLIKELY(last - at >= LANES_AT_ONCE); at += LANES_AT_ONCE) {
        any |= (at[0] | at[1]) | (at[2] | at[3]);
    }
    size_t left = (size_t)(last - at);
    any |= (at[0] | at[left / 2]) | (*(last - left / 2) | last[0]);
    if (UNLIKELY((any[0] | any[1]) != 0)) {
        die("write after free", call, block);
    }
}

static inline void clear(void *block, size_t whole)
{
    const lanes zero = {0, 0};
    lanes *at = block;
    lanes *last = at + whole / sizeof(lanes) - 1;
    for (; UNLIKELY(last - at >= LANES_AT_ONCE); at += LANES_AT_ONCE) {
        at[0] = at[1] = at[2] = at[3] = zero;
    }
    size_t left = (size_t)(last - at);
    at[0] = at[left / 2] = *(last - left / 2) = last[0] = zero;
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
static void clear_block(const char *call, void *ptr, size_t whole, size_t size)
{
    unsigned kind;
    size_t asked = read_tail(ptr, whole, call, &kind);
    verify_claim(call, ptr, asked, kind, size);
    clear(ptr, whole);
}

/* ------------------------------------------------------------------- cached */

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

/* A block that is not small, or of another granule. */
__attribute__((noinline)) static void *take_other(const char *call, size_t size)
{
    if (is_large(size)) {
        return NULL;
    }
    size_t count = heap_count_for(size + TAIL);
    void *block = cache_take_any(count);
    if (block != NULL) {
        verify_zero(call, block, heap_size_of(count));
        write_tail(block, heap_size_of(count), size, guarded_kind(call));
    }
    return block;
}

void *hardened_take_cached(const char *call, size_t size)
{
    if (UNLIKELY(size >= FAST_GRANULE * SMALL_MAX ||
                 SETTINGS->hardened_granules == 0)) {
        return take_other(call, size);
    }
    size_t count = (size + TAIL - 1) / FAST_GRANULE + 1;
    size_t whole = count * FAST_GRANULE;
    void *block = take_small(count);
    if (LIKELY(block != NULL)) {
        verify_zero(call, block, whole);
        write_short_tail(block, whole, size, guarded_kind(call));
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

__attribute__((noinline)) static bool leave_slowly(const char *call,
                                                   waiting_block one)
{
    threads_enter(call);
    leave(&one);
    threads_leave();
    return true;
}

/* The gate being shut: opens it, and takes the block, which is zero, and marked
 * by these marks. True. */
static inline bool delay(const char *call, cache *c, waiting_block one,
                         _Atomic bf_word *marks, bf_word marked)
{
    marks_store(marks, marked);
    bool kept = !cache_delay(c, &one) || bin_give_any(c, one.ptr, one.count);
    cache_leave(c);
    return LIKELY(kept) || leave_slowly(call, one);
}

/* A block that is not small, or of another granule, or none at all. */
__attribute__((noinline)) static bool give_other(const char *call, void *ptr,
                                                 size_t size)
{
    cache *c = cache_mine;
    size_t granule = heap_granule_of(ptr);
    size_t count = SETTINGS->marks == NULL ? 0 : heap_count_at(granule);
    size_t whole = heap_size_of(count);
    if (count == 0 || cache_marked(ptr) || is_large(whole) ||
        !cache_enter_any(c)) {
        return false;
    }
    clear_block(call, ptr, whole, size);
    _Atomic bf_word *marks = &SETTINGS->marks[bf_word_of(granule)];
    return delay(call, c, (waiting_block){ptr, count}, marks,
                 marks_load(marks) | BF_ONE << bf_bit_of(granule));
}

bool hardened_give_cached(const char *call, void *ptr, size_t size)
{
    cache *c = cache_mine;
    size_t granule = bf_rotate(heap_offset_of(ptr), FAST_GRANULE_SHIFT);
    if (UNLIKELY(granule >= SETTINGS->hardened_granules)) {
        return give_other(call, ptr, size);
    }
    size_t bit = heap_fast_bit(ptr);
    _Atomic bf_word *marks = heap_fast_marks(ptr);
    bf_word before = marks_load(marks);
    size_t count = bf_view_count_small(heap_fast_pair(ptr), bit, before);
    if (UNLIKELY(count == 0 || !cache_enter_any(c))) {
        return give_other(call, ptr, size);
    }
    size_t whole = count * FAST_GRANULE;
    unsigned code = read_code(ptr, whole);
    if (UNLIKELY(code > (KIND_MAX << LENGTH_BITS | (WINDOW - 1)))) {
        die("write past the end", call, ptr);
    }
    verify_claim(call, ptr, whole - length_of(code), code >> LENGTH_BITS, size);
    clear(ptr, whole);
    return delay(call, c, (waiting_block){ptr, count}, marks,
                 before | BF_ONE << bf_bit_of(bit));
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
