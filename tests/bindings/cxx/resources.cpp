// std::pmr over pools.
#include "heap.hpp"

#ifdef BITFIT_HAS_RESOURCE

#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace
{

TEST_CASE("pmr containers and their elements live in the pool")
{
    heap<1 << 16> pool;
    bitfit::resource resource(pool);
    std::pmr::unordered_map<std::pmr::string, std::pmr::vector<int>> map(
        &resource);
    for (int i = 0; i < 50; i++) {
        auto key = "a key too long to be kept inside " + std::to_string(i);
        map[std::pmr::string(key, &resource)].assign(10, i);
    }
    for (const auto &[key, values] : map) {
        CHECK(pool.owns(key.data()));
        CHECK(pool.owns(values.data()));
    }
    std::pmr::map<int, std::pmr::list<int>> lists(&resource);
    lists[1].push_back(2);
    CHECK(pool.owns(&lists[1].front()));
}

TEST_CASE("resources are equal if and only if their pools are")
{
    heap<4096> here;
    heap<4096> there;
    bitfit::resource a(here);
    bitfit::resource same(here);
    bitfit::resource other(there);
    CHECK(a == same);
    CHECK(a != other);
    CHECK(a != *std::pmr::new_delete_resource());
    CHECK(a.pool() == here);
}

TEST_CASE("a pmr container moves where the resources are equal, else copies")
{
    heap<4096> here;
    heap<4096> there;
    bitfit::resource a(here);
    bitfit::resource same(here);
    bitfit::resource other(there);
    std::pmr::vector<int> source({1, 2, 3}, &a);
    const int *data = source.data();
    std::pmr::vector<int> moved(std::move(source), &same);
    CHECK(moved.data() == data);
    std::pmr::vector<int> copied(std::move(moved), &other);
    CHECK(there.owns(copied.data()));
    CHECK(copied == std::pmr::vector<int>({1, 2, 3}));
}

TEST_CASE("any alignment that is a power of two is served")
{
    heap<1 << 15> pool;
    bitfit::resource resource(pool);
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        void *block = resource.allocate(24, alignment);
        CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
        resource.deallocate(block, 24, alignment);
    }
    void *empty = resource.allocate(0);
    CHECK(empty != nullptr);
    resource.deallocate(empty, 0);
}

TEST_CASE("deallocate() checks the size")
{
    alignas(std::max_align_t) unsigned char memory[1024];
    int misuses = 0;
    auto handler = [&](const bitfit_misuse &misuse) {
        misuses += misuse.kind == BITFIT_WRONG_SIZE;
    };
    bitfit::options options;
    bitfit::pool pool(memory, sizeof memory, options.call_on_misuse(handler));
    bitfit::resource resource(pool);
    void *block = resource.allocate(40);
    resource.deallocate(block, 60);
    CHECK(misuses == 1);
    resource.deallocate(block, 40);
    CHECK(pool.destroy() == 0);
}

TEST_CASE("a full pool is std::bad_alloc, and the container is as before")
{
    heap<4096> pool;
    bitfit::resource resource(pool);
    std::pmr::vector<int> numbers(&resource);
    auto fill = [&] {
        for (int i = 0;; i++) {
            numbers.push_back(i);
        }
    };
    CHECK_THROWS_AS(fill(), std::bad_alloc);
    REQUIRE(!numbers.empty());
    CHECK(numbers.back() == static_cast<int>(numbers.size()) - 1);
    // The compilers see through these two where they can.
    volatile std::size_t all = PTRDIFF_MAX;
    volatile std::size_t three = 3;
    CHECK_THROWS_AS((void)resource.allocate(all), std::bad_alloc);
    CHECK_THROWS_AS((void)resource.allocate(1, three), std::bad_alloc);
    CHECK(pool.stats().failures >= 3);
}

TEST_CASE("a pool feeds the standard's own resources")
{
    heap<1 << 16> pool;
    bitfit::resource resource(pool);
    {
        std::pmr::monotonic_buffer_resource arena(&resource);
        std::pmr::unsynchronized_pool_resource pools(&resource);
        std::pmr::vector<std::pmr::string> texts(&arena);
        std::pmr::list<int> numbers(&pools);
        texts.emplace_back(100, 'x');
        numbers.assign(100, 7);
        CHECK(pool.owns(texts.front().data()));
        CHECK(pool.owns(&numbers.front()));
    }
    CHECK(pool.stats().live == 0);
}

} // namespace

#endif
