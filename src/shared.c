/*
 * Shared pools: the calls, and the intents that they write down.
 * intent.h draws the protocol; docs/DESIGN.md argues for it.
 */
#include "platform.h"

#ifndef BITFIT_SMALL /* small.c stands in its place */

#include "bitfit_shared.h"

#include "shared.h"

#include "aligned.h"
#include "check.h"
#include "door.h"

/* Changes with the layout, and with what a word, a pointer and a lock are. */
#define MAGIC                                                                  \
    (UINT64_C(0x62697466697400) << 8 ^ (uint64_t)sizeof(bf_shared) << 32 ^     \
     (uint64_t)sizeof(bitfit_pool) << 16 ^ (uint64_t)sizeof(bf_tree) << 8 ^    \
     BF_WORD_BITS)

static uint64_t distance_of(const bitfit_pool *pool, const void *place)
{
    return (uint64_t)((uintptr_t)place - (uintptr_t)pool);
}

static bitfit_link link_at(const bitfit_pool *pool, size_t granule)
{
    return bf_shared_of(pool)->payload + bf_bytes_of(pool, granule);
}

/* ------------------------------------------------------------------ intents */

/* An intent that changes nothing yet. */
static bf_intent *draft(const bitfit_pool *pool)
{
    bf_intent *intent = &bf_shared_of(pool)->intent;
    *intent = (bf_intent){
        .op = BF_NO_OP, .allocations = pool->allocations, .frees = pool->frees};
    return intent;
}

static void begin(bf_intent *intent, bf_op op)
{
    BF_ORDER();
    intent->op = op;
    BF_ORDER();
}

static void finish(const bitfit_pool *pool)
{
    bf_recover_slots(pool);
    BF_ORDER();
    bf_shared_of(pool)->intent.op = BF_NO_OP;
    BF_ORDER();
}

/* The block that starts at `start` will be a hole with those that touch it. */
static bf_hole hole_around(const bf_fit *fit, size_t start)
{
    const bf_map *map = &fit->map;
    size_t end = bf_map_end(map, start);
    return (bf_hole){
        bf_map_free_before(map, start) ? bf_map_start_before(map, start)
                                       : start,
        bf_map_free_at(map, end) ? bf_map_end(map, end) : end,
    };
}

static bf_target hole_only(bf_hole hole)
{
    return (bf_target){hole.start, hole.start, hole.start, hole.end};
}

static bf_target block_in(bf_hole hole, size_t start, size_t end)
{
    return (bf_target){hole.start, start, end, hole.end};
}

/* ---------------------------------------------------------------- requests */

typedef struct bf_wish {
    size_t count;      /* 0: what nothing serves */
    size_t alignment;  /* granules */
    bitfit_link *slot; /* NULL: the caller gets the address */
    bool zero;
} bf_wish;

static bf_hole find_place(bitfit_pool *pool, const bf_wish *wish, size_t *start)
{
    if (wish->count == 0) {
        return (bf_hole){0};
    }
    size_t phase = (size_t)(bf_shared_of(pool)->payload >> pool->granule_shift);
    return bf_fit_find(&pool->fit, wish->count, wish->alignment, phase, start);
}

/* The new block's start; BF_NONE if there is no place. What is zeroed is a hole
 * still, at which nobody looks. */
static size_t make_block(bitfit_pool *pool, const bf_wish *wish)
{
    size_t start;
    bf_hole hole = find_place(pool, wish, &start);
    if (hole.end == 0) {
        pool->failures++;
        return BF_NONE;
    }
    size_t end = start + wish->count;
    if (wish->zero) {
        memset(bf_pointer_to(pool, start), 0, bf_bytes_of(pool, wish->count));
    }
    bf_intent *intent = draft(pool);
    intent->targets[0] = hole_only(hole);
    if (wish->slot != NULL) {
        intent->targets[0] = block_in(hole, start, end);
        intent->slots[0] = distance_of(pool, wish->slot);
        intent->values[0] = link_at(pool, start);
        intent->allocations++;
    }
    begin(intent, BF_CHANGE);
    bf_fit_take(&pool->fit, hole.start, start, wish->count);
    bf_note_block(pool, start, wish->count, wish->count);
    pool->allocations++;
    finish(pool);
    return start;
}

/* Frees the block; returns the end of the hole that it is in now. */
static size_t unmake_block(bitfit_pool *pool, size_t start, bitfit_link *slot)
{
    bf_hole around = hole_around(&pool->fit, start);
    bf_intent *intent = draft(pool);
    intent->targets[0] = hole_only(around);
    intent->slots[0] = slot == NULL ? 0 : distance_of(pool, slot);
    intent->frees++;
    begin(intent, BF_CHANGE);
    pool->room += free_in_map(&pool->fit, start);
    pool->frees++;
    finish(pool);
    return around.end;
}

/* ---------------------------------------------------------------- resizing */

/* Resizes the block where it stands; false if it would have to grow and cannot.
 * Without a slot a resize that is broken off has not happened. */
static bool resize_block(bitfit_pool *pool, size_t start, const bf_wish *wish)
{
    bf_fit *fit = &pool->fit;
    size_t end = bf_map_end(&fit->map, start);
    size_t new_end = start + wish->count;
    size_t right =
        bf_map_free_at(&fit->map, end) ? bf_map_end(&fit->map, end) : end;
    if (wish->count > right - start) {
        return false;
    }
    bf_intent *intent = draft(pool);
    intent->targets[0] = block_in((bf_hole){start, right}, start,
                                  wish->slot == NULL ? end : new_end);
    begin(intent, BF_CHANGE);
    bf_fit_resize(fit, start, wish->count);
    bf_note_block(pool, start, wish->count, new_end - end);
    finish(pool);
    return true;
}

/* What the block `old` will be one hole with, once a block of `count` granules
 * is taken from the front of `hole`, which may touch it. */
static bf_hole around_after(bf_hole around, bf_hole hole, bf_hole old,
                            size_t count)
{
    if (hole.end == old.start) {
        around.start = hole.start + count;
    }
    if (hole.start == old.end) {
        around.end = old.end;
    }
    return around;
}

/* What becomes of a move that is broken off: without a slot, the block stands
 * where it did; with one, it stands where it will. */
static void intend_move(const bitfit_pool *pool, bf_intent *intent,
                        bf_hole hole, bf_hole old, const bf_wish *wish)
{
    bf_hole around = hole_around(&pool->fit, old.start);
    if (wish->slot == NULL) {
        intent->targets[0] = hole_only(hole);
        intent->targets[1] = block_in(around, old.start, old.end);
        return;
    }
    intent->targets[0] = block_in(hole, hole.start, hole.start + wish->count);
    intent->targets[1] =
        hole_only(around_after(around, hole, old, wish->count));
    intent->slots[0] = distance_of(pool, wish->slot);
    intent->values[0] = link_at(pool, hole.start);
}

/* Moves the block to the first fit, found beside it; BF_NONE if there is none.
 * The content is copied into a hole still. */
static size_t move_block(bitfit_pool *pool, size_t from, const bf_wish *wish)
{
    size_t start;
    bf_hole hole = find_place(pool, wish, &start);
    if (hole.end == 0) {
        return BF_NONE;
    }
    bf_hole old = {from, bf_map_end(&pool->fit.map, from)};
    size_t before = bf_hole_count(old);
    size_t kept = before < wish->count ? before : wish->count;
    memcpy(bf_pointer_to(pool, start), bf_pointer_to(pool, from),
           bf_bytes_of(pool, kept));
    bf_intent *intent = draft(pool);
    intend_move(pool, intent, hole, old, wish);
    begin(intent, BF_CHANGE);
    bf_fit_take(&pool->fit, hole.start, start, wish->count);
    bf_note_block(pool, start, wish->count, wish->count);
    pool->room += free_in_map(&pool->fit, from);
    finish(pool);
    return start;
}

/* The block's new start; BF_NONE if there is no place and it must grow. */
static size_t change_block(bitfit_pool *pool, size_t start, const bf_wish *wish)
{
    size_t before = bf_fit_count(&pool->fit, start);
    size_t now = start;
    if (wish->count != before &&
        (pool->resize_moves || !resize_block(pool, start, wish))) {
        now = move_block(pool, start, wish);
        now = now == BF_NONE && wish->count < before ? start : now;
    }
    if (now != BF_NONE) {
        pool->reallocations++;
    } else {
        pool->failures++;
    }
    return now;
}

/* ---------------------------------------------------------------- creating */

static bitfit_status make_plan(bf_plan *plan, void *memory, size_t size,
                               const bitfit_options *given)
{
    bitfit_status status = bf_plan_options(given, &plan->options);
    if (status != BITFIT_OK) {
        return status;
    }
    bitfit_options *options = &plan->options;
    if (options->bookkeeping != NULL) {
        return BITFIT_BAD_BOOKKEEPING;
    }
    if (!bf_has_shared_mutex() ||
        (given != NULL && given->lock_kind != BITFIT_LOCK_DEFAULT)) {
        return BITFIT_BAD_LOCK;
    }
    if (options->on_misuse != NULL || options->guard) {
        return BITFIT_BAD_OPTIONS;
    }
    options->lock_kind = BF_LOCK_SHARED;
    status = bf_plan_place(plan, memory, size);
    if (status == BITFIT_OK &&
        ((uintptr_t)memory & (options->payload_alignment - 1)) != 0) {
        status = BITFIT_BAD_MEMORY;
    }
    return status;
}

bitfit_pool *bitfit_init_shared(void *memory, size_t size,
                                const bitfit_options *options)
{
    bf_plan plan;
    if (make_plan(&plan, memory, size, options) != BITFIT_OK) {
        return NULL;
    }
    bf_shared *shared = bf_shared_of(memory);
    shared->magic = 0; /* what was here is no pool from now on */
    BF_ORDER();
    bitfit_pool *pool = bf_plan_carry_out(&plan);
    *shared = (bf_shared){
        .size = size,
        .alignment = plan.options.payload_alignment,
        .granules = plan.granules,
        .payload = distance_of(pool, plan.payload),
        .home = (uintptr_t)pool,
    };
    bf_shared_mutex_init(&shared->lock);
    BF_ORDER();
    shared->magic = MAGIC;
    return pool;
}

bitfit_status bitfit_init_shared_status(const void *memory, size_t size,
                                        const bitfit_options *options)
{
    bf_plan plan;
    return make_plan(&plan, (void *)(uintptr_t)memory, size, options);
}

/* --------------------------------------------------------------- attaching */

/* Whether a byte that stands for a bool is one. */
static bool is_bool(const void *byte)
{
    return *(const unsigned char *)byte <= 1;
}

/* Whether it is a power of two that a size can hold. */
static bool is_alignment(uint64_t alignment)
{
    return (size_t)alignment != 0 && (alignment & (alignment - 1)) == 0;
}

/* Whether what the pool's struct says of itself can be said by a shared one. */
static bool struct_fits(const bitfit_pool *pool)
{
    if (!bf_is_shared(pool) || pool->door != BF_NO_DOOR ||
        !bf_shift_fits(pool)) {
        return false;
    }
    return is_bool(&pool->resize_moves) && is_bool(&pool->zeroed) &&
           is_bool(&pool->has_handler) && !pool->has_handler;
}

/* Whether the header can be that of a shared pool in `size` bytes. */
static bool header_fits(const bitfit_pool *pool, size_t size)
{
    size_t header = bf_shared_header();
    const bf_shared *shared = bf_shared_of(pool);
    uint64_t granules = shared->granules;
    if (shared->magic != MAGIC || shared->size != size || !struct_fits(pool)) {
        return false;
    }
    return granules != 0 && shared->payload <= size &&
           header + bf_fit_size((size_t)granules) <= shared->payload &&
           granules <= (size - shared->payload) >> pool->granule_shift &&
           is_alignment(shared->alignment);
}

static bool is_whole_slot(const bitfit_pool *pool, uint64_t distance)
{
    const bf_shared *shared = bf_shared_of(pool);
    uint64_t roots = distance_of(pool, shared->roots);
    uint64_t most = bf_bytes_of(pool, (size_t)shared->granules);
    return distance % sizeof(bitfit_link) == 0 &&
           (distance - roots < sizeof shared->roots ||
            distance - shared->payload <= most - sizeof(bitfit_link));
}

/* Whether what is intended lies in the pool. What is not yet meant, since op is
 * 0, may be half written. */
static bool intent_fits(const bitfit_pool *pool)
{
    const bf_shared *shared = bf_shared_of(pool);
    const bf_intent *intent = &shared->intent;
    if (intent->op != BF_CHANGE) {
        return intent->op == BF_NO_OP || intent->op == BF_RESET;
    }
    for (unsigned i = 0; i < 2; i++) {
        const bf_target *target = &intent->targets[i];
        uint64_t slot = intent->slots[i];
        if (target->left > target->start || target->start > target->end ||
            target->end > target->right || target->right > shared->granules ||
            (slot != 0 && !is_whole_slot(pool, slot))) {
            return false;
        }
    }
    return true;
}

/* Whether the counters that no map tells can be a pool's. */
static bool marks_fit(const bitfit_pool *pool)
{
    size_t granules = pool->fit.map.granules;
    return pool->high_water <= granules && pool->peak_live <= granules &&
           pool->largest_block <= granules;
}

/* Opens a pool that nobody else has open, and that may hold anything. */
static bitfit_status open_alone(bitfit_pool *pool)
{
    size_t live;
    size_t blocks;
    if (!intent_fits(pool)) {
        return BITFIT_DAMAGED;
    }
    bf_recover_place(pool);
    bf_recover_carry_out(pool);
    if (bf_map_check(&pool->fit.map, &live, &blocks) != 0) {
        return BITFIT_DAMAGED;
    }
    bf_recover_derive(pool);
    bf_shared_mutex_init(&bf_shared_of(pool)->lock);
    bool whole = bf_pool_check(pool) == 0 && marks_fit(pool);
    return whole ? BITFIT_OK : BITFIT_DAMAGED;
}

/* Opens a pool that others may have open, too. */
static bitfit_status open_beside(bitfit_pool *pool)
{
    if (bf_shared_lock(pool) != BF_TAKEN) {
        return BITFIT_BAD_LOCK;
    }
    leave(pool);
    return BITFIT_OK;
}

static bitfit_status attach(bitfit_pool *pool, size_t size, bool alone)
{
    if (!bf_has_shared_mutex()) {
        return BITFIT_BAD_LOCK;
    }
    if (pool == NULL || (uintptr_t)pool % _Alignof(max_align_t) != 0) {
        return BITFIT_BAD_MEMORY;
    }
    if (bitfit_shared_front(pool, size, size) == 0) {
        return BITFIT_NO_POOL;
    }
    if (((uintptr_t)pool & (bf_shared_of(pool)->alignment - 1)) != 0) {
        return BITFIT_BAD_MEMORY;
    }
    return alone ? open_alone(pool) : open_beside(pool);
}

bitfit_pool *bitfit_attach(void *memory, size_t size, bool alone,
                           bitfit_status *status)
{
    bitfit_status result = attach(memory, size, alone);
    if (status != NULL) {
        *status = result;
    }
    return result == BITFIT_OK ? memory : NULL;
}

uint64_t bitfit_repairs(const bitfit_pool *pool)
{
    return bf_is_shared(pool) ? bf_shared_of(pool)->repairs : 0;
}

size_t bitfit_shared_front(const void *memory, size_t head, size_t size)
{
    const bitfit_pool *pool = memory;
    bool begins = (uintptr_t)pool % _Alignof(max_align_t) == 0 &&
                  head >= bf_shared_header() && header_fits(pool, size);
    return begins ? (size_t)bf_shared_of(pool)->payload : 0;
}

/* ------------------------------------------------------------------- links */

bitfit_link *bitfit_root(bitfit_pool *pool, unsigned which)
{
    bool has_it = bf_is_shared(pool) && which < BITFIT_ROOTS;
    return has_it ? &bf_shared_of(pool)->roots[which] : NULL;
}

void *bitfit_follow(const bitfit_pool *pool, bitfit_link link)
{
    bool inside =
        bf_is_shared(pool) && link != 0 && link < bf_shared_of(pool)->size;
    return inside ? bf_at_distance(pool, link) : NULL;
}

bitfit_link bitfit_link_to(const bitfit_pool *pool, const void *place)
{
    bool has_it = bf_is_shared(pool) && place != NULL;
    return has_it ? distance_of(pool, place) : 0;
}

/* ------------------------------------------------------------------ misuse */

/* What is wrong with a slot as such. */
static int kind_of_slot(const bitfit_pool *pool, const bitfit_link *slot)
{
    uint64_t distance = distance_of(pool, slot);
    if (distance % sizeof *slot != 0) {
        return BITFIT_MISALIGNED;
    }
    return is_whole_slot(pool, distance) ? BF_NO_MISUSE : BITFIT_FOREIGN;
}

/* What is wrong with a slot that is to be filled. */
static int kind_of_filling(const bitfit_pool *pool, const bitfit_link *slot)
{
    int kind = kind_of_slot(pool, slot);
    return kind == BF_NO_MISUSE && *slot != 0 ? BITFIT_TAKEN_SLOT : kind;
}

/* ------------------------------------------------------------------ wishes */

static bf_wish wish_for(const bitfit_pool *pool, size_t size)
{
    return (bf_wish){.count = bf_count_for(pool, size)};
}

/* Of an array, which nothing serves if the product overflows. */
static bf_wish wish_for_array(const bitfit_pool *pool, size_t count,
                              size_t size)
{
    bool overflows = size != 0 && count > SIZE_MAX / size;
    return (bf_wish){.count = overflows ? 0 : bf_count_for(pool, count * size),
                     .zero = true};
}

/* With an alignment, which nothing serves if no block can have it: payload and
 * blocks may all lie off the granule alike. */
static bf_wish wish_for_aligned(const bitfit_pool *pool, size_t alignment,
                                size_t size)
{
    size_t granule = bf_bytes_of(pool, 1);
    uint64_t payload = bf_is_shared(pool) ? bf_shared_of(pool)->payload : 0;
    size_t off = (size_t)payload & (granule - 1);
    size_t all_have = (off | granule) & (0 - (off | granule));
    bf_wish wish = {.alignment = alignment >> pool->granule_shift};
    if (bf_is_power_of_two(alignment) && (alignment <= all_have || off == 0)) {
        wish.count = bf_count_for(pool, size);
    }
    return wish;
}

/* Into a slot, or for the caller if it is NULL. */
static size_t request(bitfit_pool *pool, const char *call, bf_wish wish,
                      bitfit_link *slot)
{
    if (!enter_shared(pool, call)) {
        return BF_NONE;
    }
    size_t start = BF_NONE;
    int kind = slot == NULL ? BF_NO_MISUSE : kind_of_filling(pool, slot);
    if (kind == BF_NO_MISUSE) {
        wish.slot = slot;
        start = make_block(pool, &wish);
    }
    leave(pool);
    accuse(pool, call, kind, slot, 0);
    return start;
}

/* ------------------------------------------------ the calls with addresses */

/* The pool's own pointers are this process's only while it has the lock. */
static void *pointer_or_null(const bitfit_pool *pool, size_t granule)
{
    return granule == BF_NONE ? NULL
                              : bf_at_distance(pool, link_at(pool, granule));
}

static void *request_pointer(bitfit_pool *pool, const char *call, bf_wish wish)
{
    return pointer_or_null(pool, request(pool, call, wish, NULL));
}

void *bf_shared_alloc(bitfit_pool *pool, size_t size, const char *call)
{
    return request_pointer(pool, call, wish_for(pool, size));
}

void *bf_shared_calloc(bitfit_pool *pool, size_t count, size_t size)
{
    return request_pointer(pool, "bitfit_calloc",
                           wish_for_array(pool, count, size));
}

void *bf_shared_aligned_alloc(bitfit_pool *pool, size_t alignment, size_t size)
{
    return request_pointer(pool, "bitfit_aligned_alloc",
                           wish_for_aligned(pool, alignment, size));
}

/* Enters a pool that is shared for sure. It has no handler, so a re-entry ends
 * the process. */
static void enter_or_end(bitfit_pool *pool, const char *call)
{
    (void)enter_shared(pool, call);
}

/* Where the block at a pointer starts, or what is wrong. */
static int block_of_pointer(bitfit_pool *pool, const void *ptr, size_t *start)
{
    *start = bf_block_at(pool, ptr);
    return *start == BF_NONE ? bf_kind_of_misuse(pool, ptr) : BF_NO_MISUSE;
}

void *bf_shared_realloc(bitfit_pool *pool, void *ptr, size_t size)
{
    const bf_wish wish = wish_for(pool, size);
    size_t start;
    size_t now = BF_NONE;
    enter_or_end(pool, "bitfit_realloc");
    int kind = block_of_pointer(pool, ptr, &start);
    if (kind == BF_NO_MISUSE) {
        now = change_block(pool, start, &wish);
    }
    leave(pool);
    accuse(pool, "bitfit_realloc", kind, ptr, size);
    return pointer_or_null(pool, now);
}

/* A `size` that is not NULL has to be the block's. */
static void free_pointer(bitfit_pool *pool, const char *call, void *ptr,
                         const size_t *size)
{
    size_t start;
    enter_or_end(pool, call);
    int kind = block_of_pointer(pool, ptr, &start);
    if (kind == BF_NO_MISUSE && size != NULL &&
        bf_count_for(pool, *size) != bf_fit_count(&pool->fit, start)) {
        kind = BITFIT_WRONG_SIZE;
    }
    if (kind == BF_NO_MISUSE) {
        unmake_block(pool, start, NULL);
    }
    leave(pool);
    accuse(pool, call, kind, ptr, size == NULL ? 0 : *size);
}

void bf_shared_free(bitfit_pool *pool, void *ptr)
{
    free_pointer(pool, "bitfit_free", ptr, NULL);
}

void bf_shared_free_sized(bitfit_pool *pool, void *ptr, size_t size)
{
    free_pointer(pool, "bitfit_free_sized", ptr, &size);
}

void bf_shared_reset(bitfit_pool *pool)
{
    enter_or_end(pool, "bitfit_reset");
    bf_intent *intent = draft(pool);
    begin(intent, BF_RESET);
    bf_recover_empty(pool);
    finish(pool);
    leave(pool);
}

bool bf_shared_owns(const bitfit_pool *pool, const void *ptr)
{
    const bf_shared *shared = bf_shared_of(pool);
    return distance_of(pool, ptr) - shared->payload <
           bf_bytes_of(pool, (size_t)shared->granules);
}

/* ---------------------------------------------------- the calls with slots */

static bool request_into(bitfit_pool *pool, const char *call, bf_wish wish,
                         bitfit_link *slot)
{
    return request(pool, call, wish, slot) != BF_NONE;
}

bool bitfit_alloc_into(bitfit_pool *pool, size_t size, bitfit_link *slot)
{
    return request_into(pool, __func__, wish_for(pool, size), slot);
}

bool bitfit_calloc_into(bitfit_pool *pool, size_t count, size_t size,
                        bitfit_link *slot)
{
    return request_into(pool, __func__, wish_for_array(pool, count, size),
                        slot);
}

bool bitfit_aligned_alloc_into(bitfit_pool *pool, size_t alignment, size_t size,
                               bitfit_link *slot)
{
    return request_into(pool, __func__, wish_for_aligned(pool, alignment, size),
                        slot);
}

/* The block of a slot, BF_NONE if the slot is 0; or what is wrong. Slots are
 * read under the lock only: a change that was broken off may not have reached
 * them before. */
static int block_of_slot(bitfit_pool *pool, const bitfit_link *slot,
                         size_t *start)
{
    int kind = kind_of_slot(pool, slot);
    *start = BF_NONE;
    return kind != BF_NO_MISUSE || *slot == 0
               ? kind
               : block_of_pointer(pool, bf_at_distance(pool, *slot), start);
}

bool bitfit_realloc_in(bitfit_pool *pool, bitfit_link *slot, size_t size)
{
    const bf_wish wish = {.count = bf_count_for(pool, size), .slot = slot};
    size_t start;
    size_t now = BF_NONE;
    if (!enter_shared(pool, __func__)) {
        return false;
    }
    int kind = block_of_slot(pool, slot, &start);
    if (kind == BF_NO_MISUSE) {
        now = start == BF_NONE ? make_block(pool, &wish)
                               : change_block(pool, start, &wish);
    }
    leave(pool);
    accuse(pool, __func__, kind, slot, 0);
    return now != BF_NONE;
}

void bitfit_free_from(bitfit_pool *pool, bitfit_link *slot)
{
    size_t start;
    if (!enter_shared(pool, __func__)) {
        return;
    }
    int kind = block_of_slot(pool, slot, &start);
    if (start != BF_NONE) {
        unmake_block(pool, start, slot);
    }
    leave(pool);
    accuse(pool, __func__, kind, slot, 0);
}

static void swap_slots(const bitfit_pool *pool, const bitfit_link *a,
                       const bitfit_link *b)
{
    bf_intent *intent = draft(pool);
    intent->slots[0] = distance_of(pool, a);
    intent->slots[1] = distance_of(pool, b);
    intent->values[0] = *b;
    intent->values[1] = *a;
    begin(intent, BF_CHANGE);
    finish(pool);
}

void bitfit_swap(bitfit_pool *pool, bitfit_link *a, bitfit_link *b)
{
    if (!enter_shared(pool, __func__)) {
        return;
    }
    const bitfit_link *wrong = a;
    int kind = kind_of_slot(pool, a);
    if (kind == BF_NO_MISUSE) {
        wrong = b;
        kind = kind_of_slot(pool, b);
    }
    if (kind == BF_NO_MISUSE) {
        swap_slots(pool, a, b);
    }
    leave(pool);
    accuse(pool, __func__, kind, wrong, 0);
}

size_t bitfit_sweep(bitfit_pool *pool, bitfit_keeper *keep, void *context)
{
    const bf_map *map = &pool->fit.map;
    size_t swept = 0;
    if (!enter_shared(pool, __func__)) {
        return 0;
    }
    for (size_t start = 0; start < map->granules;) {
        size_t end = bf_map_end(map, start);
        size_t size = bf_bytes_of(pool, end - start);
        if (!bf_map_free_at(map, start) &&
            !keep(link_at(pool, start), size, context)) {
            end = unmake_block(pool, start, NULL);
            swept++;
        }
        start = end;
    }
    leave(pool);
    return swept;
}

#endif
