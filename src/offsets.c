/*
 * Offsets: a second shell over fit.h, in 64 bits of bytes whatever a size_t is.
 * This is the one place where these become granules. fit.h knows no memory, so
 * a pool without any is one whose payload nobody reads.
 */
#include "platform.h"

#ifndef BITFIT_SMALL /* small.c stands in its place */

#include "bitfit_offsets.h"

#include "aligned.h"
#include "door.h"
#include "line.h"
#include "see.h"

/* ------------------------------------------------------------- conversions */

/* Granules for `size` bytes, at least one; more than the pool has if it cannot
 * hold them. */
BF_INLINE size_t count_for_offset(const bitfit_pool *pool, uint64_t size)
{
    uint64_t last = (size - (size != 0)) >> pool->granule_shift;
    size_t granules = pool->fit.map.granules;
    return last < granules ? (size_t)last + 1 : granules + 1;
}

/* The offset of a granule, or the bytes in as many. */
BF_INLINE uint64_t offset_at(const bitfit_pool *pool, size_t granule)
{
    return (uint64_t)granule << pool->granule_shift;
}

BF_INLINE uint64_t offset_or_none(const bitfit_pool *pool, size_t granule)
{
    return BF_LIKELY(granule != BF_NONE) ? offset_at(pool, granule)
                                         : BITFIT_NO_OFFSET;
}

/* The granule at `offset`; beyond the last one if none starts there. Rotated,
 * so that what lies off the granule makes the number too large. */
BF_INLINE uint64_t granule_at_offset(const bitfit_pool *pool, uint64_t offset)
{
    unsigned shift = pool->granule_shift;
    return offset >> shift | offset << (64 - shift);
}

/* The granule at which the block at `offset` starts; BF_NONE if none does. */
BF_INLINE size_t block_at_offset(const bitfit_pool *pool, uint64_t offset)
{
    uint64_t granule = granule_at_offset(pool, offset);
    bool ok = granule < pool->fit.map.granules &&
              bf_fit_is_block(&pool->fit, (size_t)granule);
    return BF_LIKELY(ok) ? (size_t)granule : BF_NONE;
}

/* ------------------------------------------------------------------ misuse */

/* What an offset that is no block's start is instead. */
static int kind_at_offset(bitfit_pool *pool, uint64_t offset)
{
    uint64_t granule = offset >> pool->granule_shift;
    if (granule >= pool->fit.map.granules) {
        return BITFIT_FOREIGN;
    }
    if (offset_at(pool, (size_t)granule) != offset) {
        return BITFIT_MISALIGNED;
    }
    bf_fit_settle(&pool->fit);
    return bf_fit_is_free(&pool->fit, (size_t)granule) ? BITFIT_DOUBLE_FREE
                                                       : BITFIT_INTERIOR;
}

/* Leaves after a call with a bad offset, and reports it. */
BF_NOINLINE static void leave_accused(bitfit_pool *pool, const char *call,
                                      uint64_t offset)
{
    int kind = kind_at_offset(pool, offset);
    leave(pool);
    report(&(bitfit_misuse){.kind = (bitfit_misuse_kind)kind,
                            .call = call,
                            .pool = pool,
                            .offset = offset});
}

/* ---------------------------------------------------------------- creating */

/* The plan of a pool without memory, but for its bookkeeping. */
static bitfit_status plan_offsets(bf_plan *plan, uint64_t size,
                                  const bitfit_options *options)
{
    bitfit_status status = bf_plan_options(options, &plan->options);
    if (status != BITFIT_OK) {
        return status;
    }
    if (plan->options.guard) {
        return BITFIT_BAD_OPTIONS; /* it would be a granule of memory */
    }
    uint64_t granules = size >> bf_plan_shift_of(plan->options.granule);
    if (granules == 0) {
        return BITFIT_TOO_SMALL;
    }
    if (sizeof(size_t) < sizeof granules &&
        granules > SIZE_MAX >> BF_GRANULE_SHIFT_MIN) {
        return BITFIT_TOO_LARGE; /* more than any pool with memory can have */
    }
    plan->granules = (size_t)granules;
    plan->payload = NULL;
    plan->bookkeeping = plan->options.bookkeeping;
    return BITFIT_OK;
}

static bitfit_status make_offsets_plan(bf_plan *plan, uint64_t size,
                                       const bitfit_options *options)
{
    bitfit_status status = plan_offsets(plan, size, options);
    if (status == BITFIT_OK &&
        (plan->bookkeeping == NULL || !bf_plan_bookkeeping_fits(plan, 0, 0))) {
        status = BITFIT_BAD_BOOKKEEPING;
    }
    return status;
}

bitfit_pool *bitfit_init_offsets(uint64_t size, const bitfit_options *options)
{
    bf_plan plan;
    return make_offsets_plan(&plan, size, options) == BITFIT_OK
               ? bf_plan_carry_out(&plan)
               : NULL;
}

bitfit_status bitfit_init_offsets_status(uint64_t size,
                                         const bitfit_options *options)
{
    bf_plan plan;
    return make_offsets_plan(&plan, size, options);
}

size_t bitfit_offsets_bookkeeping_size(uint64_t size,
                                       const bitfit_options *options)
{
    bf_plan plan;
    if (plan_offsets(&plan, size, options) != BITFIT_OK) {
        return 0;
    }
    return bf_plan_bookkeeping(bf_parts_wanted(&plan.options), plan.granules);
}

/* ------------------------------------------------------------------- using */

/* Counts a request that got [start, start + count), or BF_NONE. */
BF_INLINE void note_request(bitfit_pool *pool, size_t start, size_t count)
{
    if (BF_LIKELY(start != BF_NONE)) {
        bf_note_block(pool, start, count, count);
        pool->allocations++;
    } else {
        pool->failures++;
    }
}

uint64_t bitfit_alloc_offset(bitfit_pool *pool, uint64_t size)
{
    if (BF_UNLIKELY(!enter_offsets(pool, __func__))) {
        return BITFIT_NO_OFFSET;
    }
    size_t count = count_for_offset(pool, size);
    size_t start = bf_fit_alloc(&pool->fit, count);
    note_request(pool, start, count);
    leave(pool);
    return offset_or_none(pool, start);
}

/* The place for a request at a multiple of `alignment`; BF_NONE for none, and
 * for an alignment that is no power of two. */
static size_t alloc_aligned_offset(bitfit_pool *pool, uint64_t alignment,
                                   size_t count)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return BF_NONE;
    }
    uint64_t step = alignment >> pool->granule_shift;
    if (step <= 1) {
        return bf_fit_alloc(&pool->fit, count);
    }
    /* No granule but the first is at a multiple of the largest size_t power. */
    size_t most = SIZE_MAX / 2 + 1;
    return bf_fit_alloc_aligned(&pool->fit, count,
                                step < most ? (size_t)step : most, 0);
}

uint64_t bitfit_aligned_alloc_offset(bitfit_pool *pool, uint64_t alignment,
                                     uint64_t size)
{
    if (!enter_offsets(pool, __func__)) {
        return BITFIT_NO_OFFSET;
    }
    size_t count = count_for_offset(pool, size);
    size_t start = alloc_aligned_offset(pool, alignment, count);
    note_request(pool, start, count);
    leave(pool);
    return offset_or_none(pool, start);
}

/* Makes the granules [start, start + count) a block, if all are free. */
static bool reserve(bitfit_pool *pool, size_t start, size_t count)
{
    bf_fit *fit = &pool->fit;
    bf_fit_settle(fit);
    size_t left = bf_fit_run_at(fit, start);
    if (!bf_map_free_at(&fit->map, left) ||
        count > bf_map_end(&fit->map, left) - start) {
        return false;
    }
    bf_fit_take(fit, left, start, count);
    return true;
}

bool bitfit_alloc_at_offset(bitfit_pool *pool, uint64_t offset, uint64_t size)
{
    if (!enter_offsets(pool, __func__)) {
        return false;
    }
    uint64_t first = offset >> pool->granule_shift;
    uint64_t inside = offset - (first << pool->granule_shift);
    size_t start = BF_NONE;
    size_t count = 0;
    if (first < pool->fit.map.granules && size <= UINT64_MAX - inside) {
        count = count_for_offset(pool, inside + size);
        start = reserve(pool, (size_t)first, count) ? (size_t)first : BF_NONE;
    }
    note_request(pool, start, count);
    leave(pool);
    return start != BF_NONE;
}

static bool resize_at(bitfit_pool *pool, size_t start, size_t count)
{
    size_t before = bf_fit_count(&pool->fit, start);
    if (count != before && !bf_fit_resize(&pool->fit, start, count)) {
        pool->failures++;
        return false;
    }
    bf_note_block(pool, start, count, count - before);
    pool->reallocations++;
    return true;
}

bool bitfit_resize_offset(bitfit_pool *pool, uint64_t offset, uint64_t size)
{
    if (!enter_offsets(pool, __func__)) {
        return false;
    }
    size_t start = block_at_offset(pool, offset);
    if (start == BF_NONE) {
        leave_accused(pool, __func__, offset);
        return false;
    }
    bool done = resize_at(pool, start, count_for_offset(pool, size));
    leave(pool);
    return done;
}

void bitfit_free_offset(bitfit_pool *pool, uint64_t offset)
{
    if (offset == BITFIT_NO_OFFSET) {
        return;
    }
    if (BF_UNLIKELY(!enter_offsets(pool, __func__))) {
        return;
    }
    uint64_t granule = granule_at_offset(pool, offset);
    bool ok = granule < pool->fit.map.granules &&
              bf_map_is_block(&pool->fit.map, (size_t)granule);
    size_t count = BF_LIKELY(ok) ? bf_fit_free(&pool->fit, (size_t)granule) : 0;
    if (BF_UNLIKELY(count == 0)) {
        leave_accused(pool, __func__, offset);
        return;
    }
    pool->room += count;
    pool->frees++;
    leave(pool);
}

uint64_t bitfit_offset_size(bitfit_pool *pool, uint64_t offset)
{
    if (offset == BITFIT_NO_OFFSET) {
        return 0;
    }
    if (!enter_offsets(pool, __func__)) {
        return 0;
    }
    size_t start = block_at_offset(pool, offset);
    if (start == BF_NONE) {
        leave_accused(pool, __func__, offset);
        return 0;
    }
    uint64_t size = offset_at(pool, bf_fit_count(&pool->fit, start));
    leave(pool);
    return size;
}

/* -------------------------------------------------------------- compacting */

/* The first fit for this block lower than itself, found beside it:
 *
 *     given   "AA...BB..CC"
 *     block   C
 *     lower   granule 2
 */
static size_t lower_place(bf_fit *fit, size_t start, size_t end)
{
    size_t place;
    bf_hole hole = bf_fit_find(fit, end - start, 1, 0, &place);
    return hole.end != 0 && place < start ? place : BF_NONE;
}

/* Runs are passed downwards from the one that starts last below `below`. */
static bool find_move(bitfit_pool *pool, size_t below, bitfit_move *move)
{
    const bf_map *map = &pool->fit.map;
    size_t start = bf_fit_run_at(&pool->fit, below - 1);
    for (;;) {
        size_t end = bf_map_end(map, start);
        size_t to = bf_map_free_at(map, start)
                        ? BF_NONE
                        : lower_place(&pool->fit, start, end);
        if (to != BF_NONE) {
            *move = (bitfit_move){offset_at(pool, start), offset_at(pool, to),
                                  offset_at(pool, end - start)};
            return true;
        }
        if (start == 0) {
            return false;
        }
        start = bf_map_start_before(map, start);
    }
}

bool bitfit_next_move(bitfit_pool *pool, uint64_t below, bitfit_move *move)
{
    if (!enter_offsets(pool, __func__)) {
        return false;
    }
    bf_fit_settle(&pool->fit);
    /* Granules that start below `below`. */
    size_t granules = below == 0 ? 0 : count_for_offset(pool, below);
    size_t most = pool->fit.map.granules;
    granules = granules < most ? granules : most;
    bool found = granules != 0 && find_move(pool, granules, move);
    leave(pool);
    return found;
}

/* ------------------------------------------------------------------ seeing */

static void fill_stats(bitfit_pool *pool, bitfit_offset_stats *stats)
{
    size_t granules = pool->fit.map.granules;
    const void *place;
    size_t bookkeeping;
    bitfit_bookkeeping(pool, &place, &bookkeeping);
    bf_fit_settle(&pool->fit);
    stats->granule = offset_at(pool, 1);
    stats->capacity = offset_at(pool, granules);
    stats->bookkeeping = bookkeeping;
    stats->live = offset_at(pool, bf_pool_live(pool));
    stats->free = offset_at(pool, granules - bf_pool_live(pool));
    stats->blocks = pool->allocations - pool->frees;
    stats->largest_free = offset_at(pool, bf_fit_longest(&pool->fit));
    stats->high_water = offset_at(pool, pool->high_water);
    stats->peak_live = offset_at(pool, pool->peak_live);
    stats->largest_block = offset_at(pool, pool->largest_block);
    stats->allocations = pool->allocations;
    stats->frees = pool->frees;
    stats->reallocations = pool->reallocations;
    stats->failures = pool->failures;
}

bool bitfit_get_offset_stats(bitfit_pool *pool, bitfit_offset_stats *stats)
{
    size_t given = stats->struct_size;
    size_t size = given != 0 ? given : sizeof *stats;
    if (size > BF_STRUCT_MAX) {
        return false;
    }
    if (size > sizeof given) {
        memset((unsigned char *)stats + sizeof given, 0, size - sizeof given);
    }
    if (size < sizeof *stats || !enter_offsets(pool, __func__)) {
        return false; /* no earlier version exists */
    }
    fill_stats(pool, stats);
    leave(pool);
    return true;
}

uint64_t bitfit_largest_free(bitfit_pool *pool)
{
    if (!enter_offsets(pool, __func__)) {
        return 0;
    }
    bf_fit_settle(&pool->fit);
    size_t longest = bf_fit_longest(&pool->fit);
    leave(pool);
    return offset_at(pool, longest);
}

static bool walk_ranges(bitfit_pool *pool, bitfit_range_visitor *visit,
                        void *context)
{
    const bf_map *map = &pool->fit.map;
    for (size_t start = 0; start < map->granules;) {
        size_t end = bf_map_end(map, start);
        const bitfit_range range = {
            .offset = offset_at(pool, start),
            .size = offset_at(pool, end - start),
            .live = !bf_map_free_at(map, start),
        };
        if (!visit(&range, context)) {
            return false;
        }
        start = end;
    }
    return true;
}

bool bitfit_walk_offsets(bitfit_pool *pool, bitfit_range_visitor *visit,
                         void *context)
{
    if (!enter_offsets_locked(pool, __func__)) {
        return false;
    }
    bf_fit_settle(&pool->fit);
    bool all = walk_ranges(pool, visit, context);
    leave(pool);
    return all;
}

/* ----------------------------------------------------------------- printing */

typedef struct dump {
    bitfit_writer *write;
    void *context;
    uint64_t holes;
} dump;

/* A number of up to 64 bits, behind some text, or just this. */
static void put(const dump *d, const char *before, const uint64_t *number)
{
    char digits[21];
    size_t first = sizeof digits - 1;
    char text[64];
    bf_line line = {.text = text, .size = sizeof text};
    say(&line, before);
    if (number != NULL) {
        uint64_t left = *number;
        digits[first] = '\0';
        do {
            digits[--first] = "0123456789"[left % 10];
            left /= 10;
        } while (left != 0);
        say(&line, digits + first);
    }
    d->write(line.text, line.length, d->context);
}

static bool count_hole(const bitfit_range *range, void *context)
{
    ((dump *)context)->holes += !range->live;
    return true;
}

static bool put_range(const bitfit_range *range, void *context)
{
    put(context, range->offset == 0 ? "\n{\"Offset\":" : "},\n{\"Offset\":",
        &range->offset);
    put(context, range->live ? ",\"Size\":" : ",\"Type\":\"FREE\",\"Size\":",
        &range->size);
    return true;
}

static void put_all(bitfit_pool *pool, dump *d)
{
    bitfit_offset_stats stats;
    fill_stats(pool, &stats);
    walk_ranges(pool, count_hole, d);
    put(d, "{\"Stats\":{\"BlockCount\":1,\"BlockBytes\":", &stats.capacity);
    put(d, ",\"AllocationCount\":", &stats.blocks);
    put(d, ",\"AllocationBytes\":", &stats.live);
    put(d, ",\"UnusedRangeCount\":", &d->holes);
    put(d, "},\n\"Details\":{\"TotalBytes\":", &stats.capacity);
    put(d, ",\"UnusedBytes\":", &stats.free);
    put(d, ",\"Allocations\":", &stats.blocks);
    put(d, ",\"UnusedRanges\":", &d->holes);
    put(d, ",\"Suballocations\":[", NULL);
    walk_ranges(pool, put_range, d);
    put(d, "}]}}\n", NULL);
}

void bitfit_print_offsets(bitfit_pool *pool, bitfit_writer *write,
                          void *context)
{
    dump d = {.write = write, .context = context};
    if (enter_offsets_locked(pool, __func__)) {
        put_all(pool, &d);
        leave(pool);
    }
}

#endif
