// Pools that own and pools that refer: every function of theirs.
#include <cstring>
#include <mutex>
#include <type_traits>
#include <vector>

#include "heap.hpp"

namespace
{

alignas(std::max_align_t) unsigned char memory[4096];

template <class T>
constexpr bool copies =
    std::is_copy_constructible_v<T> || std::is_copy_assignable_v<T>;

static_assert(!copies<bitfit::pool>);
static_assert(!copies<bitfit::fixed_pool<4096>>);
static_assert(!std::is_move_constructible_v<bitfit::fixed_pool<4096>>);
static_assert(std::is_nothrow_move_constructible_v<bitfit::pool>);
static_assert(std::is_nothrow_move_assignable_v<bitfit::pool>);
static_assert(std::is_nothrow_copy_constructible_v<bitfit::pool_ref>);
static_assert(!std::is_copy_assignable_v<bitfit::pool_ref>);
static_assert(sizeof(bitfit::pool) == sizeof(void *));

// Every call on its pool takes it, the one that ends the pool too.
struct counting_mutex {
    std::recursive_mutex mutex;
    int locked = 0;

    void lock()
    {
        mutex.lock();
        locked++;
    }
    void unlock()
    {
        mutex.unlock();
    }
};

TEST_CASE("a pool ends with its owner")
{
    counting_mutex mutex;
    bitfit::options options;
    options.lock_with(mutex);
    {
        bitfit::pool pool(memory, sizeof memory, options);
        bitfit::fixed_pool<1024> fixed(options);
        CHECK(mutex.locked == 0);
    }
    CHECK(mutex.locked == 2);
    bitfit::pool(memory, sizeof memory, options).release();
    CHECK(mutex.locked == 2);
}

TEST_CASE("a pool that is assigned another ends")
{
    alignas(std::max_align_t) static unsigned char other_memory[1024];
    counting_mutex mutex;
    counting_mutex other_mutex;
    bitfit::options options;
    bitfit::pool pool(memory, sizeof memory, options.lock_with(mutex));
    bitfit::pool other(other_memory, sizeof other_memory,
                       options.lock_with(other_mutex));
    pool = std::move(other);
    CHECK(mutex.locked == 1);
    CHECK(other_mutex.locked == 0);
}

TEST_CASE("destroy() counts the blocks that were still live")
{
    bitfit::pool pool(memory, sizeof memory);
    REQUIRE(pool.alloc(1) != nullptr);
    REQUIRE(pool.alloc(100) != nullptr);
    CHECK(pool.destroy() == 2);
    CHECK_FALSE(pool);
    CHECK(pool.destroy() == 0);
}

TEST_CASE("a moved pool has one owner")
{
    alignas(std::max_align_t) static unsigned char other_memory[1024];
    bitfit::pool pool(memory, sizeof memory);
    bitfit_pool *raw = pool.get();
    bitfit::pool moved(std::move(pool));
    CHECK(moved.get() == raw);
    bitfit::pool other(other_memory, sizeof other_memory);
    other = std::move(moved);
    CHECK(other.get() == raw);
    CHECK(other.alloc(1) != nullptr);
    bitfit::pool &itself = other;
    other = std::move(itself);
    CHECK(other.get() == raw);
}

TEST_CASE("a pool that cannot be made says why")
{
    CHECK_THROWS_WITH_AS(bitfit::pool(memory, 8),
                         "no room for a single granule", bitfit::init_error);
    bitfit::options options;
    options.granule = 24;
    try {
        bitfit::pool pool(memory, sizeof memory, options);
        FAIL("a granule of 24 was taken");
    } catch (const bitfit::init_error &error) {
        CHECK(error.status() == BITFIT_BAD_GRANULE);
    }
    CHECK_THROWS_AS(bitfit::fixed_pool<16>(), bitfit::init_error);
}

TEST_CASE("without exceptions a pool is taken over, null or not")
{
    bitfit::pool none(bitfit_init(memory, 8, nullptr));
    CHECK_FALSE(none);
    bitfit::pool some(bitfit_init(memory, sizeof memory, nullptr));
    CHECK(some);
}

TEST_CASE("pool_ref does what the functions of its names do")
{
    heap<4096> owner;
    bitfit::pool_ref pool = owner;
    CHECK(pool == owner);
    auto *a = static_cast<char *>(pool.alloc(100));
    CHECK(pool.usable_size(a) == 112);
    CHECK(pool.good_size(100) == 112);
    CHECK(pool.owns(a));
    CHECK_FALSE(pool.owns(&owner));
    auto *b = static_cast<char *>(pool.calloc(5, 10));
    CHECK(b == a + 112);
    CHECK(std::vector<char>(b, b + 50) == std::vector<char>(50));
    void *c = pool.aligned_alloc(256, 1);
    CHECK(reinterpret_cast<std::uintptr_t>(c) % 256 == 0);
    CHECK(pool.realloc(a, 10) == a);
    CHECK(pool.stats().reallocations == 1);
    CHECK(pool.alloc(4096) == nullptr);
    CHECK(pool.stats().failures == 1);
    pool.free(a);
    pool.free_sized(b, 50);
    pool.free(c);
    pool.free(nullptr);
    CHECK(pool.check() == 0);
}

TEST_CASE("reset() frees every block")
{
    heap<4096> pool;
    REQUIRE(pool.alloc(1) != nullptr);
    REQUIRE(pool.alloc(2) != nullptr);
    pool.reset();
    CHECK(pool.stats().blocks == 0);
}

TEST_CASE("picture() is one letter for each granule")
{
    heap<4096> pool;
    void *a = pool.alloc(32);
    void *b = pool.alloc(1);
    std::string picture = pool.picture();
    CHECK(picture.size() == pool.stats().capacity / 16);
    CHECK(picture.substr(0, 5) == "AAB..");
    CHECK(picture.back() == '.');
    char start[6];
    CHECK(pool.draw(start, sizeof start) == picture.size());
    CHECK(std::string(start) == "AAB..");
    pool.free(a);
    pool.free(b);
}

TEST_CASE("walk() shows blocks and holes, and stops when told")
{
    heap<4096> pool;
    void *a = pool.alloc(32);
    void *b = pool.alloc(16);
    pool.free(a);
    std::vector<bitfit_run> runs;
    CHECK(pool.walk([&](const bitfit_run &run) { runs.push_back(run); }));
    REQUIRE(runs.size() == 3);
    CHECK((!runs[0].live && runs[0].start == a && runs[0].size == 32));
    CHECK((runs[1].live && runs[1].start == b && runs[1].size == 16));
    CHECK(!runs[2].live);
    int seen = 0;
    const auto two = [&seen](const bitfit_run &) { return ++seen < 2; };
    CHECK_FALSE(pool.walk(two));
    CHECK(seen == 2);
    pool.free(b);
}

TEST_CASE("a handler decides what misuse costs")
{
    std::vector<bitfit_misuse_kind> misuses;
    auto handler = [&](const bitfit_misuse &misuse) {
        misuses.push_back(misuse.kind);
    };
    bitfit::options options;
    bitfit::pool pool(memory, sizeof memory, options.call_on_misuse(handler));
    int local = 0;
    pool.free(&local);
    void *block = pool.alloc(32);
    pool.free(block);
    pool.free(block);
    bitfit::allocator<int> allocator(pool);
    int *four = allocator.allocate(4);
    allocator.deallocate(four, 5);
    CHECK(misuses ==
          std::vector{BITFIT_FOREIGN, BITFIT_DOUBLE_FREE, BITFIT_WRONG_SIZE});
    allocator.deallocate(four, 4);
    CHECK(pool.destroy() == 0);
}

TEST_CASE("any mutex can guard a pool")
{
    counting_mutex mutex;
    bitfit::options options;
    bitfit::pool pool(memory, sizeof memory, options.lock_with(mutex));
    int before = mutex.locked;
    void *block = pool.alloc(1);
    CHECK(mutex.locked == before + 1);
    pool.free(block);
    CHECK(mutex.locked == before + 2);
}

TEST_CASE("a pool is a BasicLockable, and a call under the lock a re-entry")
{
    int misuses = 0;
    auto handler = [&](const bitfit_misuse &misuse) {
        misuses += misuse.kind == BITFIT_REENTRY;
    };
    bitfit::options options;
    bitfit::pool pool(memory, sizeof memory, options.call_on_misuse(handler));
    {
        std::lock_guard guard(pool);
        CHECK(pool.alloc(1) == nullptr);
    }
    CHECK(misuses == 1);
    void *block = pool.alloc(1);
    CHECK(block != nullptr);
    pool.free(block);
}

} // namespace
