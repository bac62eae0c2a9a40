// bitfit::make_unique and its deleters.
#include <map>
#include <stdexcept>
#include <type_traits>

#include "heap.hpp"

namespace
{

// Counts what is alive, and throws when told to.
struct counted {
    static inline int alive = 0;
    static inline int throw_at = -1;
    static inline int last_destroyed = -1;
    int number = alive;

    counted()
    {
        if (alive == throw_at) {
            throw std::runtime_error("told to");
        }
        alive++;
    }
    ~counted()
    {
        alive--;
        last_destroyed = number;
    }
};

struct left {
    virtual ~left() = default;
    long a = 1;
};
struct right {
    virtual ~right() = default;
    long b = 2;
};
struct both : left, right {
    counted inside;
};
struct plain_base {
};
struct plain : plain_base {
};

template <class From, class To>
constexpr bool converts =
    std::is_convertible_v<bitfit::unique_ptr<From>, bitfit::unique_ptr<To>>;

static_assert(converts<both, right>);
static_assert(converts<int, const int>);
static_assert(!converts<plain, plain_base>, "no virtual destructor");
static_assert(!converts<right, both>);

TEST_CASE("an object is made in the pool and destroyed with its pointer")
{
    heap<4096> pool;
    {
        auto pair = bitfit::make_unique<std::pair<int, long>>(pool, 3, 4);
        auto object = bitfit::make_unique<counted>(pool);
        auto fixed = bitfit::make_unique<const int>(pool, 5);
        CHECK(pair->second == 4);
        CHECK(*fixed == 5);
        CHECK(pool.owns(object.get()));
        CHECK(counted::alive == 1);
        CHECK(pool.stats().blocks == 3);
    }
    CHECK(counted::alive == 0);
}

TEST_CASE("an array is value-initialized and destroyed from its end")
{
    heap<4096> pool;
    void *dirt = pool.alloc(400);
    std::fill_n(static_cast<char *>(dirt), 400, 'x');
    pool.free(dirt);
    auto numbers = bitfit::make_unique<int[]>(pool, 100);
    for (int i = 0; i < 100; i++) {
        CHECK(numbers[static_cast<std::size_t>(i)] == 0);
    }
    auto objects = bitfit::make_unique<counted[]>(pool, 10);
    CHECK(counted::alive == 10);
    CHECK(objects.get_deleter().count() == 10);
    objects.reset();
    CHECK(counted::alive == 0);
    CHECK(counted::last_destroyed == 0);
    auto none = bitfit::make_unique<counted[]>(pool, 0);
    CHECK(none != nullptr);
    auto fixed = bitfit::make_unique<const int[]>(pool, 3);
    CHECK(fixed[2] == 0);
}

TEST_CASE("a constructor that throws leaves nothing behind")
{
    heap<4096> pool;
    counted::throw_at = 0;
    CHECK_THROWS_AS(bitfit::make_unique<counted>(pool), std::runtime_error);
    counted::throw_at = 5;
    CHECK_THROWS_AS(bitfit::make_unique<counted[]>(pool, 10),
                    std::runtime_error);
    counted::throw_at = -1;
    CHECK(counted::alive == 0);
    CHECK(pool.stats().allocations == 2);
    CHECK(pool.stats().frees == 2);
}

TEST_CASE("a full pool throws std::bad_alloc")
{
    heap<1024> pool;
    CHECK_THROWS_AS(bitfit::make_unique<char[]>(pool, 2000), std::bad_alloc);
    CHECK_THROWS_AS(bitfit::make_unique<int[]>(pool, SIZE_MAX),
                    std::bad_array_new_length);
}

TEST_CASE("a pointer to a base inside the object gives the whole block back")
{
    heap<4096> pool;
    bitfit::unique_ptr<right> base = bitfit::make_unique<both>(pool);
    CHECK(base->b == 2);
    CHECK(counted::alive == 1);
    CHECK(static_cast<void *>(base.get()) !=
          static_cast<void *>(dynamic_cast<both *>(base.get())));
    base.reset();
    CHECK(counted::alive == 0);
}

TEST_CASE("an empty pointer has no pool until one is assigned")
{
    heap<4096> pool;
    bitfit::unique_ptr<int> pointer;
    bitfit::unique_ptr<int[]> array;
    CHECK(pointer == nullptr);
    pointer = bitfit::make_unique<int>(pool, 1);
    array = bitfit::make_unique<int[]>(pool, 3);
    CHECK(*pointer == 1);
    CHECK(pointer.get_deleter().get() == pool.get());
}

} // namespace
