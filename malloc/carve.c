/*
 * The core is static, in one source. A bridge through its public calls would
 * enter and leave the pool for each block; so this source includes the rooms
 * themselves and has a copy of what it uses of them. The pool's state is all in
 * the pool: two copies of the code are as good as one.
 */
#include "carve.h"

#include "../src/pool.h"

/* Makes the block [start, end) blocks of `count` granules each. What is no
 * longer than a word has bits covers none: a start bit says all, and a tag that
 * it finds goes. */
static void split(bitfit_pool *pool, size_t start, size_t end, size_t count,
                  void **blocks)
{
    bf_map *map = &pool->fit.map;
    for (; start < end; start += count) {
        bf_pair *pair = bf_pair_of(map, bf_word_of(start));
        if (count > BF_WORD_BITS) {
            bf_map_write_block(map, start, start + count);
        } else if (pair->start == 0) {
            *pair = (bf_pair){.start = BF_ONE << bf_bit_of(start)};
        } else {
            pair->start |= BF_ONE << bf_bit_of(start);
        }
        *blocks++ = bf_pointer_to(pool, start);
    }
}

/* Makes a row of blocks of `count` granules the block [start, end). */
static void join(bf_map *map, size_t start, size_t end, size_t count)
{
    for (size_t inner = start + count; inner < end; inner += count) {
        bf_map_join(map, inner);
    }
    bf_map_write_block(map, start, end);
}

/* From the first hole that fits: as many blocks as it holds. */
static size_t carve_hole(bitfit_pool *pool, size_t count, size_t most,
                         void **blocks)
{
    bf_fit *fit = &pool->fit;
    size_t start = bf_fit_alloc(fit, count);
    if (start == BF_NONE) {
        return 0;
    }
    size_t end = start + count;
    size_t more = 0;
    if (most > 1 && bf_map_free_at(&fit->map, end)) {
        more = (bf_map_end(&fit->map, end) - end) / count;
        more = more < most ? more : most - 1;
    }
    if (more != 0) {
        end += more * count;
        bf_fit_resize(fit, start, end - start);
        split(pool, start, end, count, blocks);
    } else {
        blocks[0] = bf_pointer_to(pool, start);
    }
    bf_note_block(pool, end - count, count, end - start);
    return more + 1;
}

size_t bf_carve(bitfit_pool *pool, size_t count, size_t most, size_t holes,
                void **blocks)
{
    size_t number = 0;
    while (number < most && holes-- > 0) {
        size_t taken = carve_hole(pool, count, most - number, blocks + number);
        if (taken == 0) {
            break;
        }
        number += taken;
    }
    pool->allocations += number;
    return number;
}

static size_t start_of(const bitfit_pool *pool, const void *block)
{
    return bf_offset_of(pool, block) >> pool->granule_shift;
}

/* How many of the blocks, from the first on, are a row; and which. */
static size_t row(const bitfit_pool *pool, size_t count, void *const *blocks,
                  size_t number, size_t *start, size_t *end)
{
    size_t i = 1;
    *start = start_of(pool, blocks[0]);
    *end = *start + count;
    for (; i < number; i++) {
        size_t next = start_of(pool, blocks[i]);
        if (next == *end) {
            *end += count;
        } else if (next + count == *start) {
            *start = next;
        } else {
            break;
        }
    }
    return i;
}

void bf_carve_back(bitfit_pool *pool, size_t count, void *const *blocks,
                   size_t number)
{
    bf_fit_settle(&pool->fit); /* forgets the last block, too: none waits */
    for (size_t i = 0; i < number;) {
        size_t start;
        size_t end;
        i += row(pool, count, blocks + i, number - i, &start, &end);
        if (end - start != count) {
            join(&pool->fit.map, start, end, count);
        }
        bf_release(pool, start);
    }
    pool->frees += number;
}

size_t bf_carve_reserve_top(bitfit_pool *pool, size_t count)
{
    bf_fit *fit = &pool->fit;
    size_t below = bf_fit_alloc(fit, fit->map.granules - count);
    size_t top = bf_fit_alloc(fit, count);
    bf_fit_free(fit, below);
    bf_fit_settle(fit);
    pool->room -= count;
    pool->allocations++;
    return top;
}

size_t bf_carve_hole_before(bitfit_pool *pool, size_t start)
{
    const bf_map *map = &pool->fit.map;
    bf_fit_settle(&pool->fit);
    return bf_map_free_before(map, start)
               ? start - bf_map_start_before(map, start)
               : 0;
}

size_t bf_carve_hole_behind(bitfit_pool *pool, size_t start)
{
    const bf_map *map = &pool->fit.map;
    bf_fit_settle(&pool->fit);
    return start < map->granules && bf_map_free_at(map, start)
               ? bf_map_end(map, start) - start
               : 0;
}

size_t bf_carve_room(const bitfit_pool *pool)
{
    return pool->fit.map.granules - pool->high_water;
}

size_t bf_carve_live(const bitfit_pool *pool)
{
    return bf_pool_live(pool);
}

bf_view bf_view_of(const bitfit_pool *pool)
{
    size_t granules = pool->fit.map.granules;
    return (bf_view){
        .payload = pool->payload,
        .pairs = pool->fit.map.pairs,
        .granules = granules,
        .last_word = bf_granule_at(bf_words_for(granules) - 1, 0),
        .granule_shift = pool->granule_shift,
    };
}

bf_hole bf_carve_next_hole(bitfit_pool *pool, size_t after, size_t count)
{
    const bf_map *map = &pool->fit.map;
    size_t word = after == BF_NONE ? BF_NONE : bf_word_of(after);
    size_t length;
    bf_fit_settle(&pool->fit);
    do {
        word = next_word(&pool->fit, word, count);
        if (word == BF_NONE) {
            return (bf_hole){0, 0};
        }
        length = bf_map_tail(map, word);
    } while (length < count);
    size_t start = bf_granule_at(word, bf_highest_bit(map->pairs[word].start));
    return (bf_hole){start, start + length};
}

/* The end of a block that begins in an earlier word than this one and reaches
 * it. What is in motion may make no sense: it is never followed past the pool.
 */
BF_RACES size_t end_from(const bf_view *view, size_t word)
{
    size_t words = bf_words_for(view->granules);
    bf_word starts = BF_LOAD_RACING(view->pairs[word].start);
    if (starts == 0) {
        size_t covered = (size_t)(BF_LOAD_RACING(view->pairs[word].free) >> 1);
        word = covered < words - word ? word + covered : words;
        starts = word < words ? BF_LOAD_RACING(view->pairs[word].start) : 0;
    }
    return starts == 0 ? view->granules
                       : bf_granule_at(word, bf_lowest_bit(starts));
}

BF_RACES size_t count_at(const bf_view *view, size_t granule)
{
    const bf_pair *pair = &view->pairs[bf_word_of(granule)];
    bf_word start = BF_LOAD_RACING(pair->start);
    bf_word block = start & ~BF_LOAD_RACING(pair->free);
    if ((block >> bf_bit_of(granule) & 1) == 0) {
        return 0;
    }
    bf_word ends = start >> bf_bit_of(granule) >> 1;
    if (ends != 0) {
        return bf_lowest_bit(ends) + 1;
    }
    return granule < view->last_word
               ? end_from(view, bf_word_of(granule) + 1) - granule
               : view->granules - granule;
}

size_t bf_view_count(const bf_view *view, size_t granule)
{
    return count_at(view, granule);
}
