#include "platform.h"

#ifndef BITFIT_SMALL /* small.c stands in its place */

#include "create.h"

#include "intent.h"
#include "platform_shadow.h"

enum {
    GRANULE_DEFAULT = 16,
    GRANULE_MIN = 1 << BF_GRANULE_SHIFT_MIN,
    GRANULE_MAX = 1 << BF_GRANULE_SHIFT_MAX,
    PAYLOAD_ALIGNMENT_DEFAULT = 16
};

/* --------------------------------------------------------------- the parts */

static size_t lock_size(bitfit_lock_kind kind)
{
    if (kind == BITFIT_LOCK_MUTEX) {
        return bf_round_up(sizeof(bf_mutex), sizeof(void *));
    }
    if (kind == BF_LOCK_SHARED) {
        return sizeof(bf_shared);
    }
    return kind == BITFIT_LOCK_CALLER ? sizeof(bf_caller_lock) : 0;
}

bf_parts bf_parts_wanted(const bitfit_options *options)
{
    return (bf_parts){options->lock_kind, options->on_misuse != NULL,
                      BF_GUARDS && options->guard};
}

bf_parts bf_parts_of(const bitfit_pool *pool)
{
    bitfit_lock_kind lock =
        bf_is_shared(pool) ? BF_LOCK_SHARED : bf_lock_kind_of(pool);
    return (bf_parts){lock, pool->has_handler, bf_is_guarded(pool)};
}

/* Where the guards' counter is, if there is one. */
static size_t guard_offset(bf_parts parts)
{
    size_t offset = sizeof(bitfit_pool) + lock_size(parts.lock);
    return offset + (parts.handler ? sizeof(bf_handler) : 0);
}

size_t bf_plan_header(bf_parts parts)
{
    size_t size = guard_offset(parts) + (parts.guard ? sizeof(bf_guard) : 0);
    return bf_round_up(size, sizeof(bf_pair));
}

size_t bf_plan_bookkeeping(bf_parts parts, size_t granules)
{
    return bf_plan_header(parts) + bf_fit_size(granules);
}

bf_handler *bf_plan_handler_of(const bitfit_pool *pool)
{
    unsigned char *lock = bf_plan_lock_of(pool);
    return (bf_handler *)(void *)(lock + lock_size(bf_lock_kind_of(pool)));
}

size_t bf_plan_guard_offset(const bitfit_pool *pool)
{
    return guard_offset(bf_parts_of(pool));
}

bf_guard *bf_plan_guard_of(const bitfit_pool *pool)
{
    unsigned char *bytes = (void *)(uintptr_t)pool;
    return (bf_guard *)(void *)(bytes + bf_plan_guard_offset(pool));
}

/* ----------------------------------------------------------------- options */

/* Fields that this version does not know must be zero. */
static bool copy_options(const bitfit_options *given, bitfit_options *options)
{
    size_t size = given->struct_size;
    const unsigned char *bytes = (const unsigned char *)given;
    if (size > BF_STRUCT_MAX) {
        return false;
    }
    for (size_t i = sizeof *options; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    if (size != 0 && size < sizeof *options) {
        return false; /* no earlier version exists */
    }
    *options = *given;
    return true;
}

static bitfit_status check_lock(bitfit_options *options)
{
    switch (options->lock_kind) {
    case BITFIT_LOCK_DEFAULT:
        options->lock_kind =
            BF_HAS_MUTEX ? BITFIT_LOCK_MUTEX : BITFIT_LOCK_NONE;
        return BITFIT_OK;
    case BITFIT_LOCK_NONE:
        return BITFIT_OK;
    case BITFIT_LOCK_MUTEX:
        return BF_HAS_MUTEX ? BITFIT_OK : BITFIT_BAD_LOCK;
    case BITFIT_LOCK_CALLER:
        return options->lock != NULL && options->unlock != NULL
                   ? BITFIT_OK
                   : BITFIT_BAD_LOCK;
    default:
        return BITFIT_BAD_OPTIONS;
    }
}

bitfit_status bf_plan_options(const bitfit_options *given,
                              bitfit_options *options)
{
    *options = (bitfit_options){0};
    if (given != NULL && !copy_options(given, options)) {
        return BITFIT_BAD_OPTIONS;
    }
    if (options->guard && !BF_GUARDS) {
        return BITFIT_BAD_OPTIONS;
    }
    if (options->granule == 0) {
        options->granule = GRANULE_DEFAULT;
    }
    if (options->payload_alignment == 0) {
        options->payload_alignment = PAYLOAD_ALIGNMENT_DEFAULT;
    }
    if (!bf_is_power_of_two(options->granule) ||
        options->granule < GRANULE_MIN || options->granule > GRANULE_MAX) {
        return BITFIT_BAD_GRANULE;
    }
    if (!bf_is_power_of_two(options->payload_alignment)) {
        return BITFIT_BAD_ALIGNMENT;
    }
    return check_lock(options);
}

/* ---------------------------------------------------------------- placing */

static size_t bookkeeping_for(const bitfit_options *options, size_t granules)
{
    return bf_plan_bookkeeping(bf_parts_wanted(options), granules);
}

/* Bytes to skip from `address` to the next multiple of the alignment. */
static size_t skip_from(uintptr_t address, size_t alignment)
{
    return (size_t)(0 - address) & (alignment - 1);
}

/* The bytes in front of the payload of that many granules. */
static size_t front_size(const bf_plan *plan, uintptr_t memory, size_t granules)
{
    size_t front = 0;
    if (plan->options.bookkeeping == NULL) {
        front = bookkeeping_for(&plan->options, granules);
    }
    return front + skip_from(memory + front, plan->options.payload_alignment);
}

/* The most granules that fit into `size` bytes with all that goes before
 * them. */
static size_t most_granules(const bf_plan *plan, uintptr_t memory, size_t size)
{
    size_t fits = 0;
    size_t fails = size / plan->options.granule + 1;
    while (fails - fits > 1) {
        size_t middle = fits + (fails - fits) / 2;
        size_t front = front_size(plan, memory, middle);
        if (front <= size && middle <= (size - front) / plan->options.granule) {
            fits = middle;
        } else {
            fails = middle;
        }
    }
    return fits;
}

static bool is_aligned(const void *memory)
{
    return (uintptr_t)memory % _Alignof(max_align_t) == 0;
}

static bool overlaps(uintptr_t a, size_t a_size, uintptr_t b, size_t b_size)
{
    return a < b ? b - a < a_size : a - b < b_size;
}

bool bf_plan_bookkeeping_fits(const bf_plan *plan, uintptr_t memory,
                              size_t size)
{
    const bitfit_options *options = &plan->options;
    uintptr_t apart = (uintptr_t)options->bookkeeping;
    size_t room = options->bookkeeping_size;
    return is_aligned(options->bookkeeping) && !bf_wraps_around(apart, room) &&
           room >= bookkeeping_for(options, plan->granules) &&
           !overlaps(memory, size, apart, room);
}

bitfit_status bf_plan_make(bf_plan *plan, void *memory, size_t size,
                           const bitfit_options *options)
{
    bitfit_status status = bf_plan_options(options, &plan->options);
    return status == BITFIT_OK ? bf_plan_place(plan, memory, size) : status;
}

bitfit_status bf_plan_place(bf_plan *plan, void *memory, size_t size)
{
    uintptr_t address = (uintptr_t)memory;
    if (memory == NULL || !is_aligned(memory) ||
        bf_wraps_around(address, size)) {
        return BITFIT_BAD_MEMORY;
    }
    plan->granules = most_granules(plan, address, size);
    if (plan->granules == 0) {
        return BITFIT_TOO_SMALL;
    }
    plan->bookkeeping = memory;
    plan->payload =
        (unsigned char *)memory + front_size(plan, address, plan->granules);
    if (plan->options.bookkeeping != NULL) {
        plan->bookkeeping = plan->options.bookkeeping;
        if (!bf_plan_bookkeeping_fits(plan, address, size)) {
            return BITFIT_BAD_BOOKKEEPING;
        }
    }
    return BITFIT_OK;
}

/* ---------------------------------------------------------------- carrying */

uint8_t bf_plan_shift_of(size_t power_of_two)
{
    uint8_t shift = 0;
    while (((size_t)1 << shift) < power_of_two) {
        shift++;
    }
    return shift;
}

static void place_lock(const bitfit_pool *pool, const bitfit_options *options)
{
    if (BF_HAS_MUTEX && options->lock_kind == BITFIT_LOCK_MUTEX) {
        bf_mutex_init(bf_plan_lock_of(pool));
    } else if (options->lock_kind == BITFIT_LOCK_CALLER) {
        bf_caller_lock *lock = bf_plan_lock_of(pool);
        *lock = (bf_caller_lock){options->lock, options->unlock,
                                 options->lock_context};
    }
}

/* The lock that calls on blocks of memory find. */
static uint8_t door_for(const bf_plan *plan)
{
    bf_parts parts = bf_parts_wanted(&plan->options);
    if (plan->payload == NULL || parts.lock == BF_LOCK_SHARED) {
        return BF_NO_DOOR;
    }
    return parts.guard ? BF_GUARDED : (uint8_t)parts.lock;
}

bitfit_pool *bf_plan_carry_out(const bf_plan *plan)
{
    const bitfit_options *options = &plan->options;
    bf_parts parts = bf_parts_wanted(options);
    bitfit_pool *pool = (bitfit_pool *)(void *)plan->bookkeeping;
    *pool = (bitfit_pool){
        .payload = plan->payload,
        .granule_shift = bf_plan_shift_of(options->granule),
        .lock_kind = (uint8_t)(parts.lock + (parts.guard ? BF_GUARDED : 0)),
        .door = door_for(plan),
        .resize_moves = options->resize_moves,
        .zeroed = options->zeroed,
        .has_handler = parts.handler,
    };
    place_lock(pool, options);
    if (parts.handler) {
        *bf_plan_handler_of(pool) =
            (bf_handler){options->on_misuse, options->misuse_context};
    }
    if (parts.guard) {
        *bf_plan_guard_of(pool) = (bf_guard){0};
    }
    size_t header = bf_plan_header(parts);
    bf_fit_init(&pool->fit, plan->bookkeeping + header, plan->granules,
                options->zeroed);
    return pool;
}

void bf_plan_reset(bitfit_pool *pool)
{
    bf_fit_empty(&pool->fit);
    pool->room = 0;
    pool->high_water = 0;
    pool->peak_live = 0;
    pool->largest_block = 0;
    pool->allocations = 0;
    pool->frees = 0;
    pool->reallocations = 0;
    pool->failures = 0;
    pool->zeroed = false;
    pool->floored = 0;
}

/* --------------------------------------------------------- the public calls */

const char *bitfit_version(void)
{
    return BITFIT_VERSION;
}

static const char *const status_texts[] = {
    [BITFIT_OK] = "ok",
    [BITFIT_BAD_MEMORY] = "memory is NULL, misaligned or wraps around",
    [BITFIT_BAD_OPTIONS] = "options are not of this version",
    [BITFIT_BAD_GRANULE] = "granule is not a power of two from 8 to 2^30",
    [BITFIT_BAD_ALIGNMENT] = "payload alignment is not a power of two",
    [BITFIT_BAD_BOOKKEEPING] =
        "bookkeeping memory is misaligned, too small or overlaps",
    [BITFIT_BAD_LOCK] = "lock function missing, or no mutex on this platform",
    [BITFIT_TOO_SMALL] = "no room for a single granule",
    [BITFIT_TOO_LARGE] = "more granules than this machine can count",
    [BITFIT_NO_POOL] = "no shared pool of this version and size",
    [BITFIT_DAMAGED] = "the pool's bookkeeping is damaged",
};

const char *bitfit_status_text(bitfit_status status)
{
    size_t texts = sizeof status_texts / sizeof status_texts[0];
    return (size_t)status < texts ? status_texts[status] : "unknown status";
}

bitfit_pool *bitfit_init(void *memory, size_t size,
                         const bitfit_options *options)
{
    bf_plan plan;
    if (bf_plan_make(&plan, memory, size, options) != BITFIT_OK) {
        return NULL;
    }
    bitfit_pool *pool = bf_plan_carry_out(&plan);
    bf_shadow_begin(pool->payload, bf_capacity_of(pool));
    return pool;
}

bitfit_status bitfit_init_status(const void *memory, size_t size,
                                 const bitfit_options *options)
{
    bf_plan plan;
    return bf_plan_make(&plan, (void *)(uintptr_t)memory, size, options);
}

size_t bitfit_bookkeeping_size(size_t size, const bitfit_options *options)
{
    bitfit_options filled;
    if (bf_plan_options(options, &filled) != BITFIT_OK ||
        size < filled.granule) {
        return 0;
    }
    return bf_plan_bookkeeping(bf_parts_wanted(&filled), size / filled.granule);
}

#endif
