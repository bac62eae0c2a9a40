/* bitfit as it is linked into a program, and its two locks. */
#include "peers.h"

#include <bitfit.h>

static void *unlocked(void *memory, size_t size)
{
    static const bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE};

    return bitfit_init(memory, size, &options);
}

static void *locked(void *memory, size_t size)
{
    static const bitfit_options options = {.lock_kind = BITFIT_LOCK_MUTEX};

    return bitfit_init(memory, size, &options);
}

static void *zeroed(void *memory, size_t size)
{
    static const bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE,
                                           .zeroed = true};

    return bitfit_init(memory, size, &options);
}

static void *unlocked_8(void *memory, size_t size)
{
    static const bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE,
                                           .granule = 8};

    return bitfit_init(memory, size, &options);
}

static void *zeroed_8(void *memory, size_t size)
{
    static const bitfit_options options = {
        .lock_kind = BITFIT_LOCK_NONE, .granule = 8, .zeroed = true};

    return bitfit_init(memory, size, &options);
}

static void *locked_8(void *memory, size_t size)
{
    static const bitfit_options options = {.lock_kind = BITFIT_LOCK_MUTEX,
                                           .granule = 8};

    return bitfit_init(memory, size, &options);
}

static void *fit_alloc(void *heap, size_t size)
{
    return bitfit_alloc(heap, size);
}

static void fit_free(void *heap, void *ptr)
{
    bitfit_free(heap, ptr);
}

static void *fit_realloc(void *heap, void *ptr, size_t size)
{
    return bitfit_realloc(heap, ptr, size);
}

static void *fit_aligned(void *heap, size_t alignment, size_t size)
{
    return bitfit_aligned_alloc(heap, alignment, size);
}

static size_t fit_high_water(void *heap)
{
    bitfit_stats stats;

    bitfit_get_stats(heap, &stats);
    return stats.high_water;
}

static size_t fit_size_for(size_t payload)
{
    static const bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE};

    return payload + bitfit_bookkeeping_size(payload, &options);
}

static size_t fit_size_for_8(size_t payload)
{
    static const bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE,
                                           .granule = 8};

    return payload + bitfit_bookkeeping_size(payload, &options);
}

const bench_peer *peer_bitfit(void)
{
    static const bench_peer peer = {
        .interface_version = BENCH_PEER_INTERFACE,
        .name = "bitfit",
        .version = BITFIT_VERSION,
        .init = unlocked,
        .alloc = fit_alloc,
        .free = fit_free,
        .realloc = fit_realloc,
        .aligned_alloc = fit_aligned,
        .init_locked = locked,
        .init_zeroed = zeroed,
        .high_water = fit_high_water,
        .size_for = fit_size_for,
    };

    return &peer;
}

const bench_peer *peer_bitfit_8(void)
{
    static const bench_peer peer = {
        .interface_version = BENCH_PEER_INTERFACE,
        .name = "bitfit-8",
        .version = BITFIT_VERSION ", granule 8",
        .init = unlocked_8,
        .alloc = fit_alloc,
        .free = fit_free,
        .realloc = fit_realloc,
        .aligned_alloc = fit_aligned,
        .init_locked = locked_8,
        .init_zeroed = zeroed_8,
        .high_water = fit_high_water,
        .size_for = fit_size_for_8,
    };

    return &peer;
}
