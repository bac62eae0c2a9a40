/*
 * The repair makes the map what the last owner's intent says, and derives the
 * rest from the map.
 */
#include "platform.h"

#ifndef BITFIT_SMALL /* small.c stands in its place */

#include "recover.h"

#include "check.h"

/* Says where map and tree lie, from `memory` on, which holds them already: for
 * a pool that has come to another address. */
static void place_fit(bf_fit *fit, void *memory, size_t granules)
{
    unsigned char *pairs = memory;
    pairs += bf_fit_pairs_offset(granules);
    fit->map.pairs = (bf_pair *)(void *)pairs;
    fit->map.granules = granules;
    if (bf_fit_has_tree(fit)) {
        bf_tree_place(bf_fit_tree(fit), rows_of(fit), bf_words_for(granules));
    }
}

/* Makes the pool's pointers those of this process. */
void bf_recover_place(bitfit_pool *pool)
{
    bf_shared *shared = bf_shared_of(pool);
    place_fit(&pool->fit, bf_at_distance(pool, bf_shared_header()),
              (size_t)shared->granules);
    pool->payload = bf_at_distance(pool, shared->payload);
    BF_ORDER();
    shared->home = (uintptr_t)pool;
}

/* Forgets that runs start in [left, right), whatever stands there. */
static void forget_starts(bf_map *map, size_t left, size_t right)
{
    size_t first = bf_word_of(left);
    size_t last = bf_word_of(right);
    for (size_t word = first; word <= last; word++) {
        bf_word inside =
            (word == first ? bf_mask_from(bf_bit_of(left)) : BF_ALL) &
            (word == last ? bf_mask_below(bf_bit_of(right)) : BF_ALL);
        if (inside != 0) { /* there may be no last word */
            bf_pair_of(map, word)->start &= ~inside;
        }
    }
}

/* Writes [left, right) as hole, block, hole, from whatever state it is in. */
static void write_target(bf_map *map, const bf_target *target)
{
    size_t left = (size_t)target->left;
    size_t start = (size_t)target->start;
    size_t end = (size_t)target->end;
    size_t right = (size_t)target->right;
    if (left == right) {
        return;
    }
    forget_starts(map, left, right);
    if (left < start) {
        bf_map_write_hole(map, left, start);
    }
    if (start < end) {
        bf_map_write_block(map, start, end);
    }
    if (end < right) {
        bf_map_write_hole(map, end, right);
    }
}

void bf_recover_slots(const bitfit_pool *pool)
{
    const bf_intent *intent = &bf_shared_of(pool)->intent;
    for (unsigned i = 0; i < 2; i++) {
        if (intent->slots[i] != 0) {
            volatile uint64_t *slot = bf_at_distance(pool, intent->slots[i]);
            *slot = intent->values[i];
        }
    }
}

void bf_recover_empty(bitfit_pool *pool)
{
    memset(bf_shared_of(pool)->roots, 0, sizeof bf_shared_of(pool)->roots);
    bf_plan_reset(pool);
}

/* Makes map, slots and counters what the intent says. */
void bf_recover_carry_out(bitfit_pool *pool)
{
    const bf_intent *intent = &bf_shared_of(pool)->intent;
    if (intent->op == BF_RESET) {
        bf_recover_empty(pool);
    } else if (intent->op == BF_CHANGE) {
        write_target(&pool->fit.map, &intent->targets[0]);
        write_target(&pool->fit.map, &intent->targets[1]);
        bf_recover_slots(pool);
        pool->allocations = intent->allocations;
        pool->frees = intent->frees;
    }
}

/* Counts from the map what it knows: live granules, and the marks. */
static void count_anew(bitfit_pool *pool)
{
    const bf_map *map = &pool->fit.map;
    size_t live = 0;
    for (size_t start = 0; start < map->granules;) {
        size_t end = bf_map_next_start(map, start);
        if (!bf_map_free_at(map, start)) {
            live += end - start;
            bf_raise_to(&pool->high_water, end);
            bf_raise_to(&pool->largest_block, end - start);
        }
        start = end;
    }
    bf_raise_to(&pool->peak_live, live);
    pool->room = pool->peak_live - live;
}

/* Makes all but the map anew, from the map's start bits and their free bits. */
static void derive_tree(bf_fit *fit)
{
    const bf_map *map = &fit->map;
    fit->last_count = 0;
    if (!bf_fit_has_tree(fit)) {
        return;
    }
    bf_tree *tree = bf_fit_tree(fit);
    bf_tree_clear(tree, rows_of(fit), bf_words_for(map->granules));
    for (size_t start = 0; start < map->granules;) {
        size_t end = bf_map_next_start(map, start);
        if (bf_map_free_at(map, start)) {
            bf_tree_raise(tree, bf_word_of(start), end - start);
        }
        start = end;
    }
}

/* The tree is derived even if nothing was intended: a search may have been
 * broken off while it changed what it knew. */
void bf_recover_derive(bitfit_pool *pool)
{
    bf_shared *shared = bf_shared_of(pool);
    derive_tree(&pool->fit);
    count_anew(pool);
    BF_ORDER();
    if (shared->intent.op != BF_NO_OP) {
        shared->repairs++;
        BF_ORDER();
        shared->intent.op = BF_NO_OP;
    }
}

/* May itself be broken off at any store, and made again. */
static void repair(bitfit_pool *pool)
{
    bf_recover_place(pool);
    bf_recover_carry_out(pool);
    BF_ORDER();
    bf_recover_derive(pool);
}

/* -------------------------------------------------------------------- lock */

bf_taking bf_shared_lock(bitfit_pool *pool)
{
    bf_shared *shared = bf_shared_of(pool);
    bf_taking taking = bf_shared_mutex_acquire(&shared->lock);
    if (taking == BF_ORPHANED) {
        repair(pool);
        bf_shared_mutex_adopt(&shared->lock);
        taking = BF_TAKEN;
    }
    if (taking == BF_TAKEN) {
        if (BF_UNLIKELY(shared->home != (uintptr_t)pool)) {
            bf_recover_place(pool);
        }
        pool->state = BF_LOCKED;
    }
    return taking;
}

void bf_shared_unlock(const bitfit_pool *pool)
{
    bf_shared_mutex_release(&bf_shared_of(pool)->lock);
}

#endif
