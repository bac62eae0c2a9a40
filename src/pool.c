#include "pool.h"

int bf_crime_of(bitfit_pool *pool, const void *ptr)
{
    size_t offset = bf_offset_of(pool, ptr);
    if (offset >= bf_capacity_of(pool)) {
        return BITFIT_FOREIGN;
    }
    if ((offset & (bf_bytes_of(pool, 1) - 1)) != 0) {
        return BITFIT_MISALIGNED;
    }
    bf_index_flush(&pool->index);
    bool free = bf_index_is_free(&pool->index, offset >> pool->granule_shift);
    return free ? BITFIT_DOUBLE_FREE : BITFIT_INTERIOR;
}

/* ---------------------------------------------------------------- requests */

void *bf_pool_calloc(bitfit_pool *pool, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return bf_count_request(pool, NULL);
    }
    size_t fresh =
        pool->zeroed ? bf_bytes_of(pool, pool->high_water) : SIZE_MAX;
    size_t granules = bf_count_for(pool, count * size);
    void *block = bf_pool_alloc(pool, count * size);
    if (block != NULL && bf_offset_of(pool, block) < fresh) {
        size_t used = fresh - bf_offset_of(pool, block);
        size_t bytes = bf_bytes_of(pool, granules);
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
    bf_count_live(pool, start, count, count);
    return bf_pointer_to(pool, start);
}

void *bf_pool_aligned_alloc(bitfit_pool *pool, size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return bf_count_request(pool, NULL);
    }
    uintptr_t off_granule =
        (uintptr_t)pool->payload & (bf_bytes_of(pool, 1) - 1);
    uintptr_t block_alignment = off_granule | bf_bytes_of(pool, 1);
    block_alignment &= 0 - block_alignment;
    if (alignment <= block_alignment) {
        return bf_pool_alloc(pool, size);
    }
    if (off_granule != 0) { /* every block is misaligned alike */
        return bf_count_request(pool, NULL);
    }
    return bf_count_request(
        pool, take_aligned(pool, alignment, bf_count_for(pool, size)));
}

int bf_pool_free_sized(bitfit_pool *pool, void *ptr, size_t size)
{
    size_t granule = bf_block_at(pool, ptr);
    if (granule == BF_NONE) {
        return bf_crime_of(pool, ptr);
    }
    if (bf_count_for(pool, size) != bf_index_count(&pool->index, granule)) {
        return BITFIT_WRONG_SIZE;
    }
    bf_release(pool, granule);
    pool->frees++;
    return 0;
}

static bool resize_in_place(bitfit_pool *pool, size_t granule, size_t before,
                            size_t count)
{
    if (!bf_index_resize(&pool->index, granule, count)) {
        return false;
    }
    bf_count_live(pool, granule, count, count - before);
    return true;
}

/* The first fit, found with the old block in place; NULL leaves it be. */
static void *move(bitfit_pool *pool, size_t granule, size_t before,
                  size_t count)
{
    void *to = bf_take(pool, count);
    if (to != NULL) {
        size_t kept = before < count ? before : count;
        memcpy(to, bf_pointer_to(pool, granule), bf_bytes_of(pool, kept));
        bf_release(pool, granule);
    }
    return to;
}

static void *resize(bitfit_pool *pool, size_t granule, size_t count)
{
    void *here = bf_pointer_to(pool, granule);
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
    size_t granule = bf_block_at(pool, ptr);
    if (granule == BF_NONE) {
        return bf_crime_of(pool, ptr);
    }
    *result = resize(pool, granule, bf_count_for(pool, size));
    if (*result != NULL) {
        pool->reallocations++;
    } else {
        pool->failures++;
    }
    return 0;
}

int bf_pool_usable_size(bitfit_pool *pool, const void *ptr, size_t *size)
{
    size_t granule = bf_block_at(pool, ptr);
    if (granule == BF_NONE) {
        return bf_crime_of(pool, ptr);
    }
    *size = bf_bytes_of(pool, bf_index_count(&pool->index, granule));
    return 0;
}

size_t bf_pool_good_size(const bitfit_pool *pool, size_t size)
{
    return size > bf_capacity_of(pool)
               ? 0
               : bf_bytes_of(pool, bf_count_for(pool, size));
}

bool bf_pool_owns(const bitfit_pool *pool, const void *ptr)
{
    return bf_offset_of(pool, ptr) < bf_capacity_of(pool);
}

/* ------------------------------------------------------------------ seeing */

size_t bf_pool_blocks(const bitfit_pool *pool)
{
    return (size_t)(pool->allocations - pool->frees);
}

void bf_pool_reset(bitfit_pool *pool)
{
    bf_index_empty(&pool->index);
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

void bf_pool_figures(const bitfit_pool *pool, const bf_census *census,
                     bitfit_stats *stats)
{
    size_t granules = pool->index.runs.granules;
    *stats = (bitfit_stats){
        .granule = bf_bytes_of(pool, 1),
        .capacity = bf_capacity_of(pool),
        .live = bf_bytes_of(pool, census->live),
        .free = bf_bytes_of(pool, granules - census->live),
        .blocks = census->blocks,
        .largest_free = bf_bytes_of(pool, census->longest_hole),
        .high_water = bf_bytes_of(pool, pool->high_water),
        .peak_live = bf_bytes_of(pool, pool->peak_live),
        .largest_block = bf_bytes_of(pool, pool->largest_block),
        .allocations = pool->allocations,
        .frees = pool->frees,
        .reallocations = pool->reallocations,
        .failures = pool->failures,
    };
}

void bf_pool_stats(bitfit_pool *pool, bitfit_stats *stats)
{
    bf_index_flush(&pool->index);
    const bf_census census = {
        .live = pool->live,
        .blocks = bf_pool_blocks(pool),
        .longest_hole = bf_index_longest(&pool->index),
    };
    bf_pool_figures(pool, &census, stats);
}

bool bf_pool_walk(bitfit_pool *pool, bitfit_visitor *visit, void *context)
{
    bf_index_flush(&pool->index);
    const bf_runs *runs = &pool->index.runs;
    for (size_t start = 0; start < runs->granules;) {
        size_t end = bf_runs_end(runs, start);
        const bitfit_run run = {
            .start = bf_pointer_to(pool, start),
            .size = bf_bytes_of(pool, end - start),
            .live = !bf_runs_free_at(runs, start),
        };
        if (!visit(&run, context)) {
            return false;
        }
        start = end;
    }
    return true;
}

int bf_pool_check(bitfit_pool *pool)
{
    bf_index_flush(&pool->index);
    size_t live;
    size_t blocks;
    int broken = bf_index_check(&pool->index, &live, &blocks);
    if (broken == 0 && (live != pool->live || blocks != bf_pool_blocks(pool))) {
        broken = 6;
    }
    return broken;
}

size_t bf_pool_draw(bitfit_pool *pool, char *buffer, size_t size)
{
    bf_index_flush(&pool->index);
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
