// The standard containers on bitfit::allocator, in pools of their own.
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <scoped_allocator>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "heap.hpp"

namespace
{

template <class T> using alloc = bitfit::allocator<T>;

using vector = std::vector<int, alloc<int>>;
using deque = std::deque<int, alloc<int>>;
using list = std::list<int, alloc<int>>;
using set = std::set<int, std::less<>, alloc<int>>;
using map = std::map<int, int, std::less<>, alloc<std::pair<const int, int>>>;
using unordered_set =
    std::unordered_set<int, std::hash<int>, std::equal_to<>, alloc<int>>;
using unordered_map =
    std::unordered_map<int, int, std::hash<int>, std::equal_to<>,
                       alloc<std::pair<const int, int>>>;
using u32string =
    std::basic_string<char32_t, std::char_traits<char32_t>, alloc<char32_t>>;

#define CONTAINERS                                                             \
    vector, deque, list, set, map, unordered_set, unordered_map, u32string

template <class Container> void add(Container &container, int i)
{
    if constexpr (std::is_same_v<Container, map> ||
                  std::is_same_v<Container, unordered_map>) {
        container.emplace(i, -i);
    } else {
        using value = typename Container::value_type;
        container.insert(container.end(), static_cast<value>(i));
    }
}

template <class Container> Container make(bitfit::pool_ref pool, int count)
{
    Container container(pool);
    for (int i = 0; i < count; i++) {
        add(container, i);
    }
    return container;
}

// An allocator of its own, so as to compare without the pools.
template <class Container> bool holds(const Container &container, int count)
{
    heap<1 << 18> pool;
    return container == make<Container>(pool, count);
}

template <class Container>
bool lives_in(const Container &container, bitfit::pool_ref pool)
{
    return container.get_allocator().pool() == pool;
}

TEST_CASE_TEMPLATE("a copy takes from its source's pool", C, CONTAINERS)
{
    heap<1 << 16> pool;
    C source = make<C>(pool, 100);
    std::size_t live = pool.stats().live;
    C copy(source);
    CHECK(copy == source);
    CHECK(lives_in(copy, pool));
    CHECK(pool.stats().live > live);
}

TEST_CASE_TEMPLATE("a copy goes to the pool it is told", C, CONTAINERS)
{
    heap<1 << 16> here;
    heap<1 << 16> there;
    C source = make<C>(here, 100);
    std::size_t live = here.stats().live;
    C copy(source, there);
    CHECK(copy == source);
    CHECK(lives_in(copy, there));
    CHECK(here.stats().live == live);
}

TEST_CASE_TEMPLATE("assigning a copy keeps the target's pool", C, CONTAINERS)
{
    heap<1 << 16> here;
    heap<1 << 16> there;
    C source = make<C>(here, 100);
    C target = make<C>(there, 3);
    target = source;
    CHECK(target == source);
    CHECK(lives_in(target, there));
    CHECK(lives_in(source, here));
}

TEST_CASE_TEMPLATE("a move takes memory and pool along", C, CONTAINERS)
{
    heap<1 << 16> here;
    heap<1 << 16> there;
    C source = make<C>(here, 100);
    C target = make<C>(there, 3);
    auto allocations = here.stats().allocations;
    auto *first = &*source.begin();
    target = std::move(source);
    CHECK(&*target.begin() == first);
    CHECK(holds(target, 100));
    CHECK(lives_in(target, here));
    // A deque that was moved from asks for new first blocks.
    CHECK(here.stats().allocations <= allocations + 2);
}

TEST_CASE_TEMPLATE("a move with a pool of its own copies", C, CONTAINERS)
{
    heap<1 << 16> here;
    heap<1 << 16> there;
    C source = make<C>(here, 100);
    C target(std::move(source), there);
    CHECK(holds(target, 100));
    CHECK(lives_in(target, there));
}

TEST_CASE_TEMPLATE("containers of two pools swap memory and pools", C,
                   CONTAINERS)
{
    heap<1 << 16> here;
    heap<1 << 16> there;
    C a = make<C>(here, 100);
    C b = make<C>(there, 70);
    auto *first = &*a.begin();
    swap(a, b);
    CHECK(&*b.begin() == first);
    CHECK(holds(a, 70));
    CHECK(holds(b, 100));
    CHECK(lives_in(a, there));
    CHECK(lives_in(b, here));
}

TEST_CASE_TEMPLATE("a full pool is std::bad_alloc, and nothing is lost", C,
                   CONTAINERS)
{
    heap<1 << 14> pool;
    C container(pool);
    int count = 0;
    auto fill = [&] {
        for (;;) {
            add(container, count);
            count++;
        }
    };
    CHECK_THROWS_AS(fill(), std::bad_alloc);
    CHECK(count > 0);
    CHECK(holds(container, count));
    std::vector<void *> rest;
    while (void *hole = pool.alloc(pool.stats().largest_free)) {
        rest.push_back(hole);
    }
    CHECK_THROWS_AS((C(container)), std::bad_alloc);
    CHECK(holds(container, count));
    CHECK(pool.check() == 0);
    for (void *hole : rest) {
        pool.free(hole);
    }
}

TEST_CASE_TEMPLATE("assigning to a full pool leaves the source as it was", C,
                   CONTAINERS)
{
    heap<1 << 18> large;
    heap<1 << 13> small;
    C source = make<C>(large, 3000);
    C target = make<C>(small, 3);
    CHECK_THROWS_AS(target = source, std::bad_alloc);
    CHECK(holds(source, 3000));
}

TEST_CASE("allocators are equal if and only if their pools are")
{
    heap<4096> here;
    heap<4096> there;
    alloc<int> a(here);
    alloc<double> rebound(a);
    CHECK(a == rebound);
    CHECK(alloc<int>(rebound) == a);
    CHECK(a != alloc<int>(there));
    using traits = std::allocator_traits<alloc<int>>;
    static_assert(std::is_same_v<traits::rebind_alloc<double>, alloc<double>>);
    static_assert(!traits::propagate_on_container_copy_assignment::value);
    static_assert(traits::propagate_on_container_move_assignment::value);
    static_assert(traits::propagate_on_container_swap::value);
    static_assert(!traits::is_always_equal::value);
    static_assert(!std::is_default_constructible_v<alloc<int>>);
    static_assert(std::is_nothrow_move_assignable_v<vector>);
    static_assert(std::is_nothrow_swappable_v<vector>);
    CHECK(traits::select_on_container_copy_construction(a) == a);
}

TEST_CASE("a count that overflows is std::bad_array_new_length")
{
    heap<4096> pool;
    alloc<int> a(pool);
    CHECK_THROWS_AS((void)a.allocate(SIZE_MAX / sizeof(int) + 1),
                    std::bad_array_new_length);
    CHECK_THROWS_AS((void)a.allocate(SIZE_MAX / sizeof(int)), std::bad_alloc);
    CHECK_THROWS_AS(vector(pool).reserve(SIZE_MAX), std::length_error);
    CHECK(pool.stats().failures == 1);
}

struct alignas(256) wide {
    int value;
};

TEST_CASE("elements are aligned as their type asks")
{
    heap<1 << 14> pool;
    std::list<wide, alloc<wide>> wides(pool);
    std::vector<wide, alloc<wide>> row(3, wide{7}, pool);
    for (int i = 0; i < 5; i++) {
        wides.push_back(wide{i});
        CHECK(reinterpret_cast<std::uintptr_t>(&wides.back()) % 256 == 0);
    }
    CHECK(reinterpret_cast<std::uintptr_t>(row.data()) % 256 == 0);
}

TEST_CASE("a node moves between maps of one pool, and outlives its map")
{
    heap<4096> pool;
    map::node_type node = make<map>(pool, 10).extract(3);
    CHECK(node.get_allocator() == alloc<int>(pool));
    CHECK(pool.stats().blocks == 1);
    auto allocations = pool.stats().allocations;
    map target(pool);
    node.key() = 30;
    target.insert(std::move(node));
    CHECK(target.at(30) == -3);
    CHECK(pool.stats().allocations == allocations);
}

TEST_CASE("lists splice and maps merge without a request")
{
    heap<1 << 14> pool;
    list a = make<list>(pool, 10);
    list b = make<list>(pool, 10);
    map c = make<map>(pool, 10);
    map d = make<map>(pool, 20);
    auto allocations = pool.stats().allocations;
    a.splice(a.end(), b);
    c.merge(d);
    CHECK(a.size() == 20);
    CHECK(c.size() == 20);
    CHECK(pool.stats().allocations == allocations);
}

TEST_CASE("forward_list, vector<bool> and strings, short and long")
{
    heap<1 << 14> pool;
    std::forward_list<int, alloc<int>> forward({1, 2, 3}, pool);
    std::vector<bool, alloc<bool>> bits(1000, true, pool);
    using string = std::basic_string<char, std::char_traits<char>, alloc<char>>;
    string text("short", pool);
    text.append(1000, 'x');
    CHECK(text == string("short", pool) + string(1000, 'x', pool));
    CHECK(std::distance(forward.begin(), forward.end()) == 3);
    CHECK(bits[999]);
    CHECK(pool.owns(text.data()));
}

TEST_CASE("allocate_shared puts object and count into the pool")
{
    heap<4096> pool;
    auto shared = std::allocate_shared<int>(alloc<int>(pool), 42);
    std::weak_ptr<int> weak = shared;
    CHECK(pool.owns(shared.get()));
    CHECK(pool.stats().blocks == 1);
    shared.reset();
    CHECK(weak.expired());
}

TEST_CASE("scoped_allocator_adaptor hands the pool on to the elements")
{
    heap<1 << 14> pool;
    using string = std::basic_string<char, std::char_traits<char>, alloc<char>>;
    using scoped = std::scoped_allocator_adaptor<alloc<string>>;
    std::vector<string, scoped> texts(scoped{alloc<string>(pool)});
    texts.emplace_back(100, 'x');
    CHECK(lives_in(texts.front(), pool));
    CHECK(pool.owns(texts.front().data()));
}

} // namespace
