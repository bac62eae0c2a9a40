// Pools without memory: every function of bitfit::offset_pool.
#include <type_traits>
#include <vector>

#include "heap.hpp"

namespace
{

static_assert(!std::is_copy_constructible_v<bitfit::offset_pool>);
static_assert(std::is_nothrow_move_constructible_v<bitfit::offset_pool>);
static_assert(std::is_nothrow_move_assignable_v<bitfit::offset_pool>);

constexpr std::uint64_t KIB = 1024;

bitfit::options by_the_kib()
{
    bitfit::options options;
    options.granule = KIB;
    return options;
}

TEST_CASE("offsets are the lowest that fit, or none")
{
    bitfit::offset_pool pool(8 * KIB, by_the_kib());
    CHECK(pool.alloc(2 * KIB) == 0);
    CHECK(pool.alloc(1) == 2 * KIB);
    CHECK(pool.aligned_alloc(4 * KIB, 1) == 4 * KIB);
    CHECK(pool.alloc_at(6 * KIB, KIB));
    CHECK_FALSE(pool.alloc_at(6 * KIB, KIB));
    CHECK(pool.pool().picture() == "AAB.C.D.");
    CHECK(pool.alloc(2 * KIB) == bitfit::no_offset);
    CHECK(pool.resize(2 * KIB, 2 * KIB));
    CHECK_FALSE(pool.resize(2 * KIB, 3 * KIB));
    CHECK(pool.size(2 * KIB) == 2 * KIB);
    pool.free(0);
    pool.free(bitfit::no_offset);
    CHECK(pool.largest_free() == 2 * KIB);
    CHECK(pool.pool().picture() == "..AAB.C.");
    CHECK(pool.pool().check() == 0);
}

TEST_CASE("statistics, moves and a walk")
{
    bitfit::offset_pool pool(8 * KIB, by_the_kib());
    REQUIRE(pool.alloc(2 * KIB) == 0);
    REQUIRE(pool.alloc(2 * KIB) == 2 * KIB);
    CHECK_FALSE(pool.next_move());
    pool.free(0);
    auto move = pool.next_move();
    REQUIRE(move);
    CHECK(move->from == 2 * KIB);
    CHECK(move->to == 0);
    CHECK(move->size == 2 * KIB);
    CHECK_FALSE(pool.next_move(2 * KIB));
    bitfit_offset_stats stats = pool.stats();
    CHECK(stats.capacity == 8 * KIB);
    CHECK(stats.live == 2 * KIB);
    CHECK(stats.frees == 1);

    std::vector<bitfit_range> ranges;
    CHECK(
        pool.walk([&](const bitfit_range &range) { ranges.push_back(range); }));
    REQUIRE(ranges.size() == 3);
    CHECK(ranges[1].offset == 2 * KIB);
    CHECK(ranges[1].live);
    CHECK_FALSE(pool.walk([](const bitfit_range &) { return false; }));
}

TEST_CASE("bookkeeping is the caller's, or its own")
{
    bitfit::options options = by_the_kib();
    std::vector<std::max_align_t> books(
        bitfit::offset_pool::bookkeeping_size(64 * KIB, options) /
            sizeof(std::max_align_t) +
        1);
    options.bookkeeping = books.data();
    options.bookkeeping_size = books.size() * sizeof(std::max_align_t);
    bitfit::offset_pool given(64 * KIB, options);
    CHECK(static_cast<void *>(given.pool().get()) == books.data());

    bitfit::offset_pool own(64 * KIB, by_the_kib());
    CHECK(own.alloc(KIB) == 0);
    own = std::move(given);
    CHECK(own.alloc(64 * KIB) == 0);
    bitfit::offset_pool moved(std::move(own));
    CHECK(moved.stats().blocks == 1);
}

TEST_CASE("what cannot be made says why")
{
    try {
        bitfit::offset_pool pool(KIB / 2, by_the_kib());
        FAIL("a pool of nothing");
    } catch (const bitfit::init_error &error) {
        CHECK(error.status() == BITFIT_TOO_SMALL);
    }
}

} // namespace
