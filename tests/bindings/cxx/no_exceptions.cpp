// bitfit.hpp without exceptions and RTTI: everything works, and lack of memory
// ends the program where it would throw.
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "bitfit.hpp"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "to be compiled with -fno-exceptions -fno-rtti"
#endif

namespace
{

int failures = 0;

void check(bool holds, const char *claim)
{
    if (!holds) {
        std::fprintf(stderr, "FAILED: %s\n", claim);
        failures++;
    }
}

// Whether action() ends the process by abort().
template <class Action> bool aborts(Action &&action)
{
    pid_t child = fork();
    if (child == 0) {
        action();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

void containers_work(bitfit::pool_ref pool)
{
    using pair = std::pair<const int, int>;
    std::vector<int, bitfit::allocator<int>> numbers(100, 7, pool);
    std::map<int, int, std::less<>, bitfit::allocator<pair>> map(pool);
    map[1] = 2;
    auto copy = map;
    auto object = bitfit::make_unique<int>(pool, 3);
    auto array = bitfit::make_unique<int[]>(pool, 30);
    check(numbers.at(99) == 7 && copy[1] == 2, "containers work");
    check(*object == 3 && array[29] == 0, "make_unique works");
}

struct base {
    virtual ~base() = default;
};
struct padded {
    virtual ~padded() = default;
    long pad = 0;
};
struct derived : padded, base {
};

void bases_work(bitfit::pool_ref pool)
{
    bitfit::unique_ptr<base> pointer = bitfit::make_unique<derived>(pool);
    check(pointer != nullptr, "a pointer to a base gives the block back");
}

#ifdef BITFIT_HAS_RESOURCE
void resources_work(bitfit::pool_ref pool)
{
    bitfit::resource a(pool);
    bitfit::resource b(pool);
    std::pmr::vector<int> source(10, 7, &a);
    const int *data = source.data();
    std::pmr::vector<int> moved(std::move(source), &a);
    check(moved.data() == data, "a resource equals itself");
    std::pmr::vector<int> copied(std::move(moved), &b);
    check(copied.size() == 10 && copied.data() != data,
          "without RTTI another resource over the pool is another");
}
#else
void resources_work(bitfit::pool_ref)
{
}
#endif

void failures_abort(bitfit::pool_ref pool)
{
    check(pool.alloc(1 << 20) == nullptr, "alloc() returns null");
    check(
        aborts([&] { (void)bitfit::allocator<char>(pool).allocate(1 << 20); }),
        "a full pool aborts");
    check(aborts([] { bitfit::fixed_pool<16> small; }),
          "a pool that cannot be made aborts");
}

} // namespace

int main()
{
    bitfit::fixed_pool<8192> pool;
    containers_work(pool);
    bases_work(pool);
    resources_work(pool);
    failures_abort(pool);
    check(pool.stats().blocks == 0 && pool.check() == 0, "nothing is left");
    return failures;
}
