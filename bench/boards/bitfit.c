/* bitfit in the form of bench/peer.h, without a lock. */
#include <bitfit.h>

#include "../peer.h"

static const bitfit_options unlocked = {.lock_kind = BITFIT_LOCK_NONE};

static void *init(void *memory, size_t size)
{
    return bitfit_init(memory, size, &unlocked);
}

static void *take(void *heap, size_t size)
{
    return bitfit_alloc(heap, size);
}

static void give(void *heap, void *block)
{
    bitfit_free(heap, block);
}

const bench_peer *bench_peer_entry(void)
{
    static const bench_peer peer = {
        .interface_version = BENCH_PEER_INTERFACE,
        .name = "bitfit",
        .version = BITFIT_VERSION,
        .init = init,
        .alloc = take,
        .free = give,
    };
    return &peer;
}
