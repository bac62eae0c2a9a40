/*
 * The small build (BITFIT_SMALL): the same places in the least code, for pools
 * of a few KiB. It stands in place of all other rooms but bits.h, misuse.c and
 * the seam; bitfit.h says what it leaves out.
 *
 *     granules   A A B B . . C C . . . . |
 *     start      1 . 1 . . . 1 . . . . . 1   a block starts here, or the pool
 * ends free       . . . . 1 1 . . 1 1 1 1 .   the granule is free
 *
 * A hole has no start bit: where two meet, they are one without more ado. A
 * block ends where the next bit of either row is set. There is no index and no
 * tag: a search looks at every word up to the place that it finds.
 */
#include "bits.h"

#ifdef BITFIT_SMALL

#define NONE SIZE_MAX

enum {
    GRANULE_SHIFT_DEFAULT = 4,
    GRANULE_SHIFT_MIN = 3,
    GRANULE_SHIFT_MAX = 30,
    ALIGNMENT_DEFAULT = 16
};

typedef struct word_pair {
    bf_word free;
    bf_word start;
} word_pair;

/* The whole bookkeeping; all counts are granules. */
struct bitfit_pool {
    unsigned char *payload;
    size_t granules;
    size_t live;
    size_t peak_live;
    size_t high_water;
    bitfit_misuse_handler *on_misuse;
    void *misuse_context;
    uint8_t granule_shift;
    bool resize_moves;
    bool has_mutex;
    /* Behind them lies the mutex if there is one: aligned like a size_t, too,
     * where words are shorter than that. */
    _Alignas(size_t) _Alignas(bf_word) word_pair pairs[];
};

/* ----------------------------------------------------------------- numbers */

BF_INLINE size_t word_of(size_t granule)
{
    return granule >> BF_WORD_SHIFT;
}

BF_INLINE unsigned bit_of(size_t granule)
{
    return (unsigned)(granule & (BF_WORD_BITS - 1));
}

/* The pool's end has a bit, too. */
BF_INLINE size_t words_for(size_t granules)
{
    return word_of(granules) + 1;
}

BF_INLINE size_t bookkeeping_for(size_t granules, bool has_mutex)
{
    size_t mutex = BF_HAS_MUTEX && has_mutex ? sizeof(bf_mutex) : 0;
    return sizeof(bitfit_pool) + words_for(granules) * sizeof(word_pair) +
           mutex;
}

BF_INLINE bf_mutex *mutex_of(bitfit_pool *pool)
{
    return (bf_mutex *)(void *)&pool->pairs[words_for(pool->granules)];
}

BF_INLINE size_t bytes_of(const bitfit_pool *pool, size_t granules)
{
    return granules << pool->granule_shift;
}

BF_INLINE size_t capacity_of(const bitfit_pool *pool)
{
    return bytes_of(pool, pool->granules);
}

/* Granules for `size` bytes, at least one; nothing can overflow. */
BF_INLINE size_t count_for(const bitfit_pool *pool, size_t size)
{
    return ((size - (size != 0)) >> pool->granule_shift) + 1;
}

BF_INLINE void *pointer_to(const bitfit_pool *pool, size_t granule)
{
    return pool->payload + bytes_of(pool, granule);
}

BF_INLINE size_t offset_of(const bitfit_pool *pool, const void *ptr)
{
    return (size_t)((uintptr_t)ptr - (uintptr_t)pool->payload);
}

/* The granule at `ptr`; beyond the last one if none starts there: what lies off
 * the granule is rotated to the top. */
BF_INLINE size_t granule_of(const bitfit_pool *pool, const void *ptr)
{
    return bf_rotate(offset_of(pool, ptr), pool->granule_shift);
}

/* Whether a block starts at this granule, which may lie outside. */
BF_INLINE bool is_block(const bitfit_pool *pool, size_t granule)
{
    return granule < pool->granules &&
           (pool->pairs[word_of(granule)].start >> bit_of(granule) & 1) != 0;
}

/* --------------------------------------------------------------------- map */

/* Changes the free bits of [start, end), which are all alike. */
static void toggle(bitfit_pool *pool, size_t start, size_t end)
{
    word_pair *at = &pool->pairs[word_of(start)];
    const word_pair *last = &pool->pairs[word_of(end)];
    bf_word mask = bf_mask_from(bit_of(start));
    for (; at != last; at++) {
        at->free ^= mask;
        mask = BF_ALL;
    }
    at->free ^= mask & ~bf_mask_from(bit_of(end));
}

/* The end of the block or hole that has the granule `start`. */
static size_t end_of(const bitfit_pool *pool, size_t start)
{
    const word_pair *at = &pool->pairs[word_of(start)];
    bf_word hole = 0 - (at->free >> bit_of(start) & 1);
    bf_word ends = (at->free ^ hole) | at->start;
    ends &= bf_mask_from(bit_of(start)) << 1;
    while (ends == 0) {
        at++;
        ends = (at->free ^ hole) | at->start;
    }
    return ((size_t)(at - pool->pairs) << BF_WORD_SHIFT) + bf_lowest_bit(ends);
}

/* The bits at which `count` set bits begin; at least one. */
BF_INLINE bf_word runs_of(bf_word word, unsigned count)
{
    while (count > 1 && word != 0) {
        unsigned half = count >> 1;
        word &= word >> half;
        count -= half;
    }
    return word;
}

/* Makes the first `count` granules of the first hole that has so many a block.
 * Returns its start, or NONE.
 *
 *     alloc 3   "A..B....C"  ->  "A..BDDD.C"
 *
 * A hole that reaches into a word comes before those that start there. These
 * are shorter than a word, for a word that is all free is passed over. */
BF_INLINE size_t take(bitfit_pool *pool, size_t count)
{
    unsigned reach = count < BF_WORD_BITS ? (unsigned)count : BF_WORD_BITS;
    size_t start = 0; /* of the hole that reaches into this word */
    word_pair *at = pool->pairs;
    for (size_t base = 0; base <= pool->granules; base += BF_WORD_BITS, at++) {
        bf_word used = ~at->free;
        if (used == 0) {
            continue;
        }
        if (start != base && base + bf_lowest_bit(used) - start >= count) {
            pool->pairs[word_of(start)].start |= BF_ONE << bit_of(start);
            toggle(pool, start, start + count);
            return start;
        }
        bf_word fits = runs_of(~used, reach);
        if (fits != 0) {
            bf_word first = fits & (0 - fits);
            at->start |= first;
            at->free ^= (first << count) - first;
            return base + bf_lowest_bit(fits);
        }
        start = base + bf_highest_bit(used) + 1;
    }
    return NONE;
}

/* Makes the block at `start` free, and returns how many granules it had; 0 if
 * no block starts there.
 *
 *     free B    "A..BB..C"   ->  "A......C"
 *
 * As end_of() and toggle() would, in one pass. */
BF_INLINE size_t give(bitfit_pool *pool, size_t start)
{
    if (start >= pool->granules) {
        return 0;
    }
    word_pair *at = &pool->pairs[word_of(start)];
    bf_word first = BF_ONE << bit_of(start);
    if ((at->start & first) == 0) {
        return 0;
    }
    at->start ^= first;
    bf_word mask = 0 - first;
    size_t base = start - bit_of(start);
    bf_word ends = (at->free | at->start) & mask;
    while (ends == 0) {
        at->free |= mask;
        mask = BF_ALL;
        at++;
        base += BF_WORD_BITS;
        ends = at->free | at->start;
    }
    at->free |= mask & ((ends & (0 - ends)) - 1);
    size_t count = base + bf_lowest_bit(ends) - start;
    pool->live -= count;
    return count;
}

/* ------------------------------------------------------------------ create */

/* The bytes in front of that many granules. */
BF_INLINE size_t front_size(const bitfit_pool *made, uintptr_t memory,
                            size_t granules, size_t alignment)
{
    size_t front = bookkeeping_for(granules, made->has_mutex);
    return front + ((size_t)(0 - (memory + front)) & (alignment - 1));
}

/* Reads the granule; false if it is none. */
static bool read_granule(bitfit_pool *made, size_t granule)
{
    made->granule_shift = GRANULE_SHIFT_MIN;
    while ((size_t)1 << made->granule_shift != granule) {
        if (made->granule_shift++ == GRANULE_SHIFT_MAX) {
            return false;
        }
    }
    return true;
}

/* Fills in what the options say of a pool, and its alignment. */
static bitfit_status read_options(bitfit_pool *made, size_t *alignment,
                                  const bitfit_options *options)
{
    const bitfit_lock_kind last_lock =
        BF_HAS_MUTEX ? BITFIT_LOCK_MUTEX : BITFIT_LOCK_NONE;
    *made = (bitfit_pool){.granule_shift = GRANULE_SHIFT_DEFAULT,
                          .has_mutex = BF_HAS_MUTEX};
    *alignment = ALIGNMENT_DEFAULT;
    if (options == NULL) {
        return BITFIT_OK;
    }
    if ((options->struct_size != 0 &&
         options->struct_size != sizeof *options) ||
        options->guard) {
        return BITFIT_BAD_OPTIONS;
    }
    if (options->granule != 0 && !read_granule(made, options->granule)) {
        return BITFIT_BAD_GRANULE;
    }
    if (options->payload_alignment != 0) {
        *alignment = options->payload_alignment;
    }
    if (!bf_is_power_of_two(*alignment)) {
        return BITFIT_BAD_ALIGNMENT;
    }
    if (options->bookkeeping != NULL) {
        return BITFIT_BAD_BOOKKEEPING;
    }
    if (options->lock_kind > BITFIT_LOCK_CALLER) {
        return BITFIT_BAD_OPTIONS;
    }
    made->has_mutex = BF_HAS_MUTEX && options->lock_kind != BITFIT_LOCK_NONE;
    made->resize_moves = options->resize_moves;
    made->on_misuse = options->on_misuse;
    made->misuse_context = options->misuse_context;
    return options->lock_kind <= last_lock ? BITFIT_OK : BITFIT_BAD_LOCK;
}

/* Fills in all of a pool but its map. */
static bitfit_status make(bitfit_pool *made, uintptr_t memory, size_t size,
                          const bitfit_options *options)
{
    size_t alignment;
    bitfit_status status = read_options(made, &alignment, options);
    if (status != BITFIT_OK) {
        return status;
    }
    if (memory == 0 || memory % _Alignof(max_align_t) != 0 ||
        bf_wraps_around(memory, size)) {
        return BITFIT_BAD_MEMORY;
    }
    size_t step = (SIZE_MAX >> GRANULE_SHIFT_MIN) / 2 + 1;
    for (; step != 0; step >>= 1) {
        size_t more = made->granules + step;
        size_t front = front_size(made, memory, more, alignment);
        if (front <= size && (size - front) >> made->granule_shift >= more) {
            made->granules = more;
            made->payload = (unsigned char *)(memory + front);
        }
    }
    return made->granules != 0 ? BITFIT_OK : BITFIT_TOO_SMALL;
}

/* All granules become free. */
static void clear(bitfit_pool *pool)
{
    pool->live = 0;
    pool->peak_live = 0;
    pool->high_water = 0;
    word_pair *last = &pool->pairs[word_of(pool->granules)];
    for (word_pair *at = pool->pairs; at != last; at++) {
        *at = (word_pair){BF_ALL, 0};
    }
    bf_word end = BF_ONE << bit_of(pool->granules);
    *last = (word_pair){end - 1, end};
}

bitfit_pool *bitfit_init(void *memory, size_t size,
                         const bitfit_options *options)
{
    bitfit_pool made;
    if (make(&made, (uintptr_t)memory, size, options) != BITFIT_OK) {
        return NULL;
    }
    bitfit_pool *pool = memory;
    *pool = made;
    if (BF_HAS_MUTEX && pool->has_mutex) {
        bf_mutex_init(mutex_of(pool));
    }
    clear(pool);
    return pool;
}

bitfit_status bitfit_init_status(const void *memory, size_t size,
                                 const bitfit_options *options)
{
    bitfit_pool made;
    return make(&made, (uintptr_t)memory, size, options);
}

size_t bitfit_bookkeeping_size(size_t size, const bitfit_options *options)
{
    bitfit_pool made;
    size_t alignment;
    if (read_options(&made, &alignment, options) != BITFIT_OK) {
        return 0;
    }
    size_t granules = size >> made.granule_shift;
    return granules != 0 ? bookkeeping_for(granules, made.has_mutex) : 0;
}

const char *bitfit_version(void)
{
    return BITFIT_VERSION;
}

/* ---------------------------------------------------------------- the door */

/* What is no block, or, without a pointer, a call from inside another. */
BF_NOINLINE static void accuse(bitfit_pool *pool, const char *call,
                               const void *pointer, size_t size)
{
    bitfit_misuse misuse = {0};
    misuse.kind =
        BF_HAS_MUTEX && pointer == NULL ? BITFIT_REENTRY : BITFIT_NO_BLOCK;
    misuse.call = call;
    misuse.pool = pool;
    misuse.pointer = pointer;
    misuse.size = size;
    if (pool->on_misuse != NULL) {
        pool->on_misuse(&misuse, pool->misuse_context);
    } else {
        bf_die(&misuse);
    }
}

/* Takes the mutex, if there is one. False if this thread has it already, which
 * was reported. */
BF_INLINE bool enter(bitfit_pool *pool, const char *call)
{
    if (BF_HAS_MUTEX && pool->has_mutex && !bf_mutex_acquire(mutex_of(pool))) {
        accuse(pool, call, NULL, 0);
        return false;
    }
    return true;
}

BF_INLINE void leave(bitfit_pool *pool)
{
    if (BF_HAS_MUTEX && pool->has_mutex) {
        bf_mutex_release(mutex_of(pool));
    }
}

void bitfit_lock(bitfit_pool *pool)
{
    (void)enter(pool, __func__);
}

void bitfit_unlock(bitfit_pool *pool)
{
    leave(pool);
}

/* --------------------------------------------------------------------- use */

BF_INLINE void raise_to(size_t *mark, size_t value)
{
    if (*mark < value) {
        *mark = value;
    }
}

BF_INLINE void note_live(bitfit_pool *pool, size_t end, size_t more)
{
    pool->live += more;
    raise_to(&pool->peak_live, pool->live);
    raise_to(&pool->high_water, end);
}

/* A block of `count` granules; NULL if it fits nowhere. */
BF_INLINE void *take_block(bitfit_pool *pool, size_t count)
{
    size_t start = take(pool, count);
    if (start == NONE) {
        return NULL;
    }
    note_live(pool, start + count, count);
    return pointer_to(pool, start);
}

void *bitfit_alloc(bitfit_pool *pool, size_t size)
{
    if (!enter(pool, __func__)) {
        return NULL;
    }
    void *block = take_block(pool, count_for(pool, size));
    leave(pool);
    return block;
}

void *bitfit_calloc(bitfit_pool *pool, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *block = bitfit_alloc(pool, count * size);
    if (block != NULL) {
        memset(block, 0, count * size);
    }
    return block;
}

void bitfit_free(bitfit_pool *pool, void *ptr)
{
    if (ptr == NULL || !enter(pool, __func__)) {
        return;
    }
    size_t count = give(pool, granule_of(pool, ptr));
    leave(pool);
    if (count == 0) {
        accuse(pool, __func__, ptr, 0);
    }
}

/* The granules of the block at `start`; 0 if no block starts there. */
BF_INLINE size_t count_at(const bitfit_pool *pool, size_t start)
{
    return is_block(pool, start) ? end_of(pool, start) - start : 0;
}

void bitfit_free_sized(bitfit_pool *pool, void *ptr, size_t size)
{
    if (ptr == NULL || !enter(pool, __func__)) {
        return;
    }
    size_t start = granule_of(pool, ptr);
    bool ok = count_at(pool, start) == count_for(pool, size);
    if (ok) {
        (void)give(pool, start);
    }
    leave(pool);
    if (!ok) {
        accuse(pool, __func__, ptr, size);
    }
}

size_t bitfit_usable_size(bitfit_pool *pool, const void *ptr)
{
    if (ptr == NULL || !enter(pool, __func__)) {
        return 0;
    }
    size_t count = count_at(pool, granule_of(pool, ptr));
    leave(pool);
    if (count == 0) {
        accuse(pool, __func__, ptr, 0);
    }
    return bytes_of(pool, count);
}

/* Whether the block now has `count` granules, where it is. */
static bool resize_in_place(bitfit_pool *pool, size_t start, size_t end,
                            size_t count)
{
    size_t before = end - start;
    if (count < before) {
        toggle(pool, start + count, end);
    } else {
        bool hole = (pool->pairs[word_of(end)].free >> bit_of(end) & 1) != 0;
        if (!hole || end_of(pool, end) - start < count) {
            return false;
        }
        toggle(pool, end, start + count);
    }
    note_live(pool, start + count, count - before);
    return true;
}

/* Where the block that starts here is then; NULL if it fits nowhere. */
static void *resize(bitfit_pool *pool, size_t start, size_t count)
{
    void *here = pointer_to(pool, start);
    size_t end = end_of(pool, start);
    size_t before = end - start;
    if (count == before ||
        (!pool->resize_moves && resize_in_place(pool, start, end, count))) {
        return here;
    }
    void *there = take_block(pool, count);
    if (there == NULL) {
        return count < before ? here : NULL;
    }
    memcpy(there, here, bytes_of(pool, count < before ? count : before));
    (void)give(pool, start);
    return there;
}

void *bitfit_realloc(bitfit_pool *pool, void *ptr, size_t size)
{
    if (ptr == NULL) {
        return bitfit_alloc(pool, size);
    }
    if (!enter(pool, __func__)) {
        return NULL;
    }
    size_t start = granule_of(pool, ptr);
    bool ok = is_block(pool, start);
    void *block = ok ? resize(pool, start, count_for(pool, size)) : NULL;
    leave(pool);
    if (!ok) {
        accuse(pool, __func__, ptr, size);
    }
    return block;
}

/* These two read only what no call changes. */

size_t bitfit_good_size(const bitfit_pool *pool, size_t size)
{
    return size <= capacity_of(pool) ? bytes_of(pool, count_for(pool, size))
                                     : 0;
}

bool bitfit_owns(const bitfit_pool *pool, const void *ptr)
{
    return offset_of(pool, ptr) < capacity_of(pool);
}

void bitfit_reset(bitfit_pool *pool)
{
    if (enter(pool, __func__)) {
        clear(pool);
        leave(pool);
    }
}

/* --------------------------------------------------------------------- see */

/* Called for each block and each hole in address order; returns whether to go
 * on. */
typedef bool visitor(bitfit_pool *pool, size_t start, size_t end, bool live,
                     void *context);

static bool each_run(bitfit_pool *pool, visitor *visit, void *context)
{
    size_t end;
    for (size_t start = 0; start < pool->granules; start = end) {
        const word_pair *at = &pool->pairs[word_of(start)];
        end = end_of(pool, start);
        bool live = (at->free >> bit_of(start) & 1) == 0;
        if (!visit(pool, start, end, live, context)) {
            return false;
        }
    }
    return true;
}

static bool count_run(bitfit_pool *pool, size_t start, size_t end, bool live,
                      void *context)
{
    bitfit_stats *stats = context;
    stats->blocks += live;
    if (!live) {
        raise_to(&stats->largest_free, bytes_of(pool, end - start));
    }
    return true;
}

void bitfit_get_stats(bitfit_pool *pool, bitfit_stats *stats)
{
    *stats = (bitfit_stats){0};
    if (!enter(pool, __func__)) {
        return;
    }
    stats->granule = bytes_of(pool, 1);
    stats->capacity = capacity_of(pool);
    stats->bookkeeping = bookkeeping_for(pool->granules, pool->has_mutex);
    stats->live = bytes_of(pool, pool->live);
    stats->free = stats->capacity - stats->live;
    stats->high_water = bytes_of(pool, pool->high_water);
    stats->peak_live = bytes_of(pool, pool->peak_live);
    (void)each_run(pool, count_run, stats);
    leave(pool);
}

void bitfit_reset_peak(bitfit_pool *pool)
{
    if (enter(pool, __func__)) {
        pool->peak_live = pool->live;
        leave(pool);
    }
}

size_t bitfit_destroy(bitfit_pool *pool)
{
    bitfit_stats stats = {0};
    if (pool != NULL) {
        bitfit_get_stats(pool, &stats);
    }
    return stats.blocks;
}

typedef struct walk {
    bitfit_visitor *visit;
    void *context;
} walk;

static bool show_run(bitfit_pool *pool, size_t start, size_t end, bool live,
                     void *context)
{
    const walk *under_way = context;
    const bitfit_run run = {pointer_to(pool, start),
                            bytes_of(pool, end - start), live};
    return under_way->visit(&run, under_way->context);
}

bool bitfit_walk(bitfit_pool *pool, bitfit_visitor *visit, void *context)
{
    if (!enter(pool, __func__)) {
        return false;
    }
    walk under_way = {visit, context};
    bool all = each_run(pool, show_run, &under_way);
    leave(pool);
    return all;
}

typedef struct drawing {
    char *at;
    size_t room;
    unsigned letter;
} drawing;

static bool draw_run(bitfit_pool *pool, size_t start, size_t end, bool live,
                     void *context)
{
    (void)pool;
    drawing *picture = context;
    for (; start < end && picture->room != 0; start++, picture->room--) {
        *picture->at++ = live ? (char)('A' + picture->letter) : '.';
    }
    picture->letter = (picture->letter + live) % 26;
    return picture->room != 0;
}

size_t bitfit_draw(bitfit_pool *pool, char *buffer, size_t size)
{
    if (!enter(pool, __func__)) {
        return 0;
    }
    if (size != 0) {
        drawing picture = {buffer, size - 1, 0};
        (void)each_run(pool, draw_run, &picture);
        *picture.at = '\0';
    }
    leave(pool);
    return pool->granules;
}

/* ------------------------------------------------------------------- check */

/* The first of the invariants 1, 2, 4 and 6 that is broken, or 0, numbered as
 * in the full build; a map without tags and tree has no others. */
static int broken_invariant(const bitfit_pool *pool)
{
    size_t words = words_for(pool->granules);
    bf_word end = BF_ONE << bit_of(pool->granules);
    const word_pair *last = &pool->pairs[words - 1];
    if ((last->start & (0 - end)) != end || (last->free & (0 - end)) != 0) {
        return 1;
    }
    size_t live = 0;
    bf_word before = 1; /* whether the granule below the word is free */
    for (const word_pair *at = pool->pairs; at <= last; at++) {
        bf_word after_hole = at->free << 1 | before;
        bf_word starts = ~at->free & after_hole;
        if ((starts & ~at->start) != 0) {
            return 2;
        }
        if ((at->start & at->free) != 0) {
            return 4;
        }
        for (bf_word used = ~at->free; used != 0; used &= used - 1) {
            live++;
        }
        before = at->free >> (BF_WORD_BITS - 1);
    }
    live -= BF_WORD_BITS - bit_of(pool->granules);
    return live == pool->live ? 0 : 6;
}

int bitfit_check(bitfit_pool *pool)
{
    if (!enter(pool, __func__)) {
        return 0;
    }
    int broken = broken_invariant(pool);
    leave(pool);
    return broken;
}

#endif
