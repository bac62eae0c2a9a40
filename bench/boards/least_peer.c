/* As least.c, for an allocator in the form of bench/peer.h. */
#include "../peer.h"

static _Alignas(4096) unsigned char memory[1024];

int main(void)
{
    const bench_peer *peer = bench_peer_entry();
    void *heap = peer->init(memory, sizeof memory);
    peer->free(heap, peer->alloc(heap, 24));
    return 0;
}
