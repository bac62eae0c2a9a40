// Boost.Interprocess: its two allocators on a managed external buffer.
#include "peers.h"

#include <boost/interprocess/indexes/iset_index.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <boost/interprocess/mem_algo/simple_seq_fit.hpp>
#include <boost/version.hpp>

#include <new>

namespace
{

namespace bip = boost::interprocess;

template <class Algorithm>
using buffer =
    bip::basic_managed_external_buffer<char, Algorithm, bip::iset_index>;

using best_fit = buffer<bip::rbtree_best_fit<bip::null_mutex_family>>;
using seq_fit = buffer<bip::simple_seq_fit<bip::null_mutex_family>>;

template <class Buffer> void *init(void *memory, std::size_t size)
{
    try {
        return new Buffer(bip::create_only, memory, size);
    } catch (...) {
        return nullptr;
    }
}

template <class Buffer> void *alloc(void *heap, std::size_t size)
{
    return static_cast<Buffer *>(heap)->allocate(size, std::nothrow);
}

template <class Buffer> void release(void *heap, void *ptr)
{
    static_cast<Buffer *>(heap)->deallocate(ptr);
}

template <class Buffer>
void *aligned(void *heap, std::size_t alignment, std::size_t size)
{
    return static_cast<Buffer *>(heap)->allocate_aligned(size, alignment,
                                                         std::nothrow);
}

template <class Buffer> void done(void *heap)
{
    delete static_cast<Buffer *>(heap);
}

template <class Buffer> bench_peer table(const char *name)
{
    bench_peer peer{};

    peer.interface_version = BENCH_PEER_INTERFACE;
    peer.name = name;
    peer.version = "Boost " BOOST_LIB_VERSION;
    peer.init = init<Buffer>;
    peer.alloc = alloc<Buffer>;
    peer.free = release<Buffer>;
    peer.aligned_alloc = aligned<Buffer>;
    peer.done = done<Buffer>;
    return peer;
}

} // namespace

const bench_peer *peer_boost_rbtree()
{
    static const bench_peer peer = table<best_fit>("boost-rbtree");

    return &peer;
}

const bench_peer *peer_boost_seq()
{
    static const bench_peer peer = table<seq_fit>("boost-seq");

    return &peer;
}
