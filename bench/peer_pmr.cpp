// std::pmr: an unsynchronized pool resource over a monotonic buffer. Its
// deallocate() wants the size back, so each block has 16 bytes in front of it
// that hold the size: a user without sizes at hand must do the same.
#include "peers.h"

#include <cstring>
#include <memory_resource>
#include <new>

namespace
{

constexpr std::size_t head = 16;

// Below it, libstdc++ 12's pool resource crashes when its upstream runs dry.
constexpr std::size_t least_memory = 64 << 10;

struct resources {
    resources(void *memory, std::size_t size)
        : upstream(memory, size, std::pmr::null_memory_resource()),
          pool(&upstream)
    {
    }

    std::pmr::monotonic_buffer_resource upstream;
    std::pmr::unsynchronized_pool_resource pool;
};

void *init(void *memory, std::size_t size)
{
    if (size < least_memory) {
        return nullptr;
    }
    try {
        return new resources(memory, size);
    } catch (...) {
        return nullptr;
    }
}

void *alloc(void *heap, std::size_t size)
{
    try {
        auto *pool = &static_cast<resources *>(heap)->pool;
        auto *block = static_cast<char *>(pool->allocate(size + head, head));

        std::memcpy(block, &size, sizeof size);
        return block + head;
    } catch (...) {
        return nullptr;
    }
}

void release(void *heap, void *ptr)
{
    auto *pool = &static_cast<resources *>(heap)->pool;
    char *block = static_cast<char *>(ptr) - head;
    std::size_t size = 0;

    std::memcpy(&size, block, sizeof size);
    pool->deallocate(block, size + head, head);
}

void done(void *heap)
{
    delete static_cast<resources *>(heap);
}

} // namespace

const bench_peer *peer_pmr()
{
    static const bench_peer peer = [] {
        bench_peer table{};

        table.interface_version = BENCH_PEER_INTERFACE;
        table.name = "pmr";
        table.version = "libstdc++";
        table.init = init;
        table.alloc = alloc;
        table.free = release;
        table.done = done;
        return table;
    }();

    return &peer;
}
