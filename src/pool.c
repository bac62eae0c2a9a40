#include "pool.h"

#include "plan.h"

/* ------------------------------------------------------------- conversions */

BF_INLINE size_t bytes_of(const bitfit_pool *pool, size_t granules)
{
    return granules << pool->granule_shift;
}

BF_INLINE size_t capacity_of(const bitfit_pool *pool)
{
    return bytes_of(pool, pool->index.runs.granules);
}

/* Granules for `size` bytes, at least one; nothing can overflow. */
BF_INLINE size_t count_for(const bitfit_pool *pool, size_t size)
{
    size_t rest = size & (((size_t)1 << pool->granule_shift) - 1);
    size_t count = (size >> pool->granule_shift) + (rest != 0);
    return count + (size == 0);
}

BF_INLINE void *pointer_to(const bitfit_pool *pool, size_t granule)
{
    return pool->payload + bytes_of(pool, granule);
}

/* The offset of a pointer from the payload; beyond the capacity if outside. */
BF_INLINE size_t offset_of(const bitfit_pool *pool, const void *ptr)
{
    return (size_t)((uintptr_t)ptr - (uintptr_t)pool->payload);
}

/* What a pointer that is no block's start is instead. */
BF_NOINLINE static int crime_of(const bitfit_pool *pool, const void *ptr)
{
    size_t offset = offset_of(pool, ptr);
    if (offset >= capacity_of(pool)) {
        return BITFIT_FOREIGN;
    }
    if ((offset & (bytes_of(pool, 1) - 1)) != 0) {
        return BITFIT_MISALIGNED;
    }
    bool free = bf_index_is_free(&pool->index, offset >> pool->granule_shift);
    return free ? BITFIT_DOUBLE_FREE : BITFIT_INTERIOR;
}

/* The granule at which the block at `ptr` starts; BF_NONE if none does. */
BF_INLINE size_t block_at(const bitfit_pool *pool, const void *ptr)
{
    size_t offset = offset_of(pool, ptr);
    size_t granule = offset >> pool->granule_shift;
    bool on_granule = bytes_of(pool, granule) == offset;
    bool ok = on_granule && granule < pool->index.runs.granules &&
              bf_index_is_block(&pool->index, granule);
    return BF_LIKELY(ok) ? granule : BF_NONE;
}

/* ---------------------------------------------------------------- counting */

BF_INLINE void raise_to(size_t *mark, size_t value)
{
    *mark = value > *mark ? value : *mark;
}

/* [start, start + count) is a block now, `more` granules of it newly so. */
BF_INLINE void count_live(bitfit_pool *pool, size_t start, size_t count,
                          size_t more)
{
    pool->live += more;
    raise_to(&pool->peak_live, pool->live);
    raise_to(&pool->high_water, start + count);
    raise_to(&pool->largest_block, count);
}

/* ---------------------------------------------------------------- requests */

/* A block of `count` granules; NULL if there is no place for it. */
BF_INLINE void *take(bitfit_pool *pool, size_t count)
{
    size_t start = bf_index_alloc(&pool->index, count);
    if (BF_UNLIKELY(start == BF_NONE)) {
        return NULL;
    }
    count_live(pool, start, count, count);
    return pointer_to(pool, start);
}

BF_INLINE void *count_request(bitfit_pool *pool, void *block)
{
    if (BF_LIKELY(block != NULL)) {
        pool->allocations++;
    } else {
        pool->failures++;
    }
    return block;
}

void *bf_pool_alloc(bitfit_pool *pool, size_t size)
{
    return count_request(pool, take(pool, count_for(pool, size)));
}

void *bf_pool_calloc(bitfit_pool *pool, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return count_request(pool, NULL);
    }
    size_t fresh = pool->zeroed ? bytes_of(pool, pool->high_water) : SIZE_MAX;
    size_t granules = count_for(pool, count * size);
    void *block = bf_pool_alloc(pool, count * size);
    if (block != NULL && offset_of(pool, block) < fresh) {
        size_t used = fresh - offset_of(pool, block);
        size_t bytes = bytes_of(pool, granules);
        memset(block, 0, bytes < used ? bytes : used);
    }
    return block;
}

/* An alignment in granules, counted from the address 0 of which the payload
 * lies `phase` granules away. */
static void *take_aligned(bitfit_pool *pool, size_t alignment, size_t count)
{
    size_t start = bf_index_alloc_aligned(
        &pool->index, count, alignment >> pool->granule_shift,
        (size_t)((uintptr_t)pool->payload >> pool->granule_shift));
    if (start == BF_NONE) {
        return NULL;
    }
    count_live(pool, start, count, count);
    return pointer_to(pool, start);
}

void *bf_pool_aligned_alloc(bitfit_pool *pool, size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return count_request(pool, NULL);
    }
    uintptr_t off_granule =
        (uintptr_t)pool->payload & (bytes_of(pool, 1) - 1);
    uintptr_t block_alignment = off_granule | bytes_of(pool, 1);
    block_alignment &= 0 - block_alignment;
    if (alignment <= block_alignment) {
        return bf_pool_alloc(pool, size);
    }
    if (off_granule != 0) { /* every block is misaligned alike */
        return count_request(pool, NULL);
    }
    return count_request(pool,
                         take_aligned(pool, alignment, count_for(pool, size)));
}

static void release(bitfit_pool *pool, size_t granule)
{
    pool->live -= bf_index_free(&pool->index, granule);
}

int bf_pool_free(bitfit_pool *pool, void *ptr)
{
    size_t granule = block_at(pool, ptr);
    if (BF_UNLIKELY(granule == BF_NONE)) {
        return crime_of(pool, ptr);
    }
    release(pool, granule);
    pool->frees++;
    return 0;
}

int bf_pool_free_sized(bitfit_pool *pool, void *ptr, size_t size)
{
    size_t granule = block_at(pool, ptr);
    if (granule == BF_NONE) {
        return crime_of(pool, ptr);
    }
    if (count_for(pool, size) != bf_index_count(&pool->index, granule)) {
        return BITFIT_WRONG_SIZE;
    }
    release(pool, granule);
    pool->frees++;
    return 0;
}

static bool resize_in_place(bitfit_pool *pool, size_t granule, size_t before,
                            size_t count)
{
    if (!bf_index_resize(&pool->index, granule, count)) {
        return false;
    }
    count_live(pool, granule, count, count - before);
    return true;
}

/* The first fit, found with the old block in place; NULL leaves it be. */
static void *move(bitfit_pool *pool, size_t granule, size_t before,
                  size_t count)
{
    void *to = take(pool, count);
    if (to != NULL) {
        size_t kept = before < count ? before : count;
        memcpy(to, pointer_to(pool, granule), bytes_of(pool, kept));
        release(pool, granule);
    }
    return to;
}

static void *resize(bitfit_pool *pool, size_t granule, size_t count)
{
    void *here = pointer_to(pool, granule);
    size_t before = bf_index_count(&pool->index, granule);
    if (count == before) {
        return here;
    }
    if (!pool->resize_moves && resize_in_place(pool, granule, before, count)) {
        return here;
    }
    void *there = move(pool, granule, before, count);
    return there == NULL && count < before ? here : there;
}

int bf_pool_realloc(bitfit_pool *pool, void *ptr, size_t size, void **result)
{
    size_t granule = block_at(pool, ptr);
    if (granule == BF_NONE) {
        return crime_of(pool, ptr);
    }
    *result = resize(pool, granule, count_for(pool, size));
    if (*result != NULL) {
        pool->reallocations++;
    } else {
        pool->failures++;
    }
    return 0;
}

int bf_pool_usable_size(const bitfit_pool *pool, const void *ptr, size_t *size)
{
    size_t granule = block_at(pool, ptr);
    if (granule == BF_NONE) {
        return crime_of(pool, ptr);
    }
    *size = bytes_of(pool, bf_index_count(&pool->index, granule));
    return 0;
}

size_t bf_pool_good_size(const bitfit_pool *pool, size_t size)
{
    return size > capacity_of(pool) ? 0 : bytes_of(pool, count_for(pool, size));
}

bool bf_pool_owns(const bitfit_pool *pool, const void *ptr)
{
    return offset_of(pool, ptr) < capacity_of(pool);
}

/* ------------------------------------------------------------------ seeing */

size_t bf_pool_blocks(const bitfit_pool *pool)
{
    return (size_t)(pool->allocations - pool->frees);
}

void bf_pool_reset(bitfit_pool *pool)
{
    bf_index *index = &pool->index;
    bf_index_init(index, index->runs.pairs, index->runs.granules, false);
    pool->live = 0;
    pool->high_water = 0;
    pool->peak_live = 0;
    pool->largest_block = 0;
    pool->allocations = 0;
    pool->frees = 0;
    pool->reallocations = 0;
    pool->failures = 0;
    pool->zeroed = false;
}

void bf_pool_stats(const bitfit_pool *pool, bitfit_stats *stats)
{
    size_t granules = pool->index.runs.granules;
    *stats = (bitfit_stats){
        .granule = bytes_of(pool, 1),
        .capacity = capacity_of(pool),
        .bookkeeping = bf_plan_bookkeeping(
            (bitfit_lock_kind)pool->lock_kind, pool->has_handler, granules),
        .live = bytes_of(pool, pool->live),
        .free = bytes_of(pool, granules - pool->live),
        .blocks = bf_pool_blocks(pool),
        .largest_free = bytes_of(pool, bf_index_longest(&pool->index)),
        .high_water = bytes_of(pool, pool->high_water),
        .peak_live = bytes_of(pool, pool->peak_live),
        .largest_block = bytes_of(pool, pool->largest_block),
        .allocations = pool->allocations,
        .frees = pool->frees,
        .reallocations = pool->reallocations,
        .failures = pool->failures,
    };
}

bool bf_pool_walk(const bitfit_pool *pool, bitfit_visitor *visit, void *context)
{
    const bf_runs *runs = &pool->index.runs;
    for (size_t start = 0; start < runs->granules;) {
        size_t end = bf_runs_end(runs, start);
        const bitfit_run run = {
            .start = pointer_to(pool, start),
            .size = bytes_of(pool, end - start),
            .live = !bf_runs_free_at(runs, start),
        };
        if (!visit(&run, context)) {
            return false;
        }
        start = end;
    }
    return true;
}

int bf_pool_check(const bitfit_pool *pool)
{
    size_t live;
    size_t blocks;
    int broken = bf_index_check(&pool->index, &live, &blocks);
    if (broken == 0 && (live != pool->live || blocks != bf_pool_blocks(pool))) {
        broken = 6;
    }
    return broken;
}

size_t bf_pool_draw(const bitfit_pool *pool, char *buffer, size_t size)
{
    const bf_runs *runs = &pool->index.runs;
    size_t room = size == 0 ? 0 : size - 1;
    size_t drawn = runs->granules < room ? runs->granules : room;
    unsigned letter = 0;
    for (size_t start = 0; start < drawn;) {
        bool free = bf_runs_free_at(runs, start);
        size_t end = bf_runs_end(runs, start);
        end = end < drawn ? end : drawn;
        memset(buffer + start, free ? '.' : 'A' + (int)letter, end - start);
        letter = free ? letter : (letter + 1) % 26;
        start = end;
    }
    if (size != 0) {
        buffer[drawn] = '\0';
    }
    return runs->granules;
}
