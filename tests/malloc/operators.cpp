// All C++ operators, and what happens when there is no more memory: in a
// program, and in a library that a program in C loads out of others' sight.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace
{

int failures;

void check(bool condition, const char *what)
{
    if (!condition) {
        std::fprintf(stderr, "not so: %s\n", what);
        failures++;
    }
}

volatile std::size_t too_much = PTRDIFF_MAX;

bool aligned(void *block, std::size_t alignment)
{
    return block != nullptr &&
           reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
}

void every_pair_of_operators()
{
    const std::align_val_t line{64};
    for (std::size_t size = 0; size < 5000; size = size * 3 + 1) {
        ::operator delete(::operator new(size));
        ::operator delete(::operator new(size), size);
        ::operator delete(::operator new(size, std::nothrow), std::nothrow);
        ::operator delete[](::operator new[](size));
        ::operator delete[](::operator new[](size), size);
        ::operator delete[](::operator new[](size, std::nothrow), std::nothrow);
        void *block = ::operator new(size, line);
        check(aligned(block, 64), "new is aligned");
        ::operator delete(block, line);
        ::operator delete(::operator new(size, line), size, line);
        block = ::operator new(size, line, std::nothrow);
        check(aligned(block, 64), "nothrow new is aligned");
        ::operator delete(block, line, std::nothrow);
        block = ::operator new[](size, line);
        check(aligned(block, 64), "new[] is aligned");
        ::operator delete[](block, line);
        ::operator delete[](::operator new[](size, line), size, line);
        block = ::operator new[](size, line, std::nothrow);
        check(aligned(block, 64), "nothrow new[] is aligned");
        ::operator delete[](block, line, std::nothrow);
    }
}

template <typename Call> bool throws(Call call)
{
    try {
        call();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

void no_memory_is_bad_alloc_or_null()
{
    const std::align_val_t line{64};
    check(throws([] { return ::operator new(too_much); }), "new throws");
    check(throws([] { return ::operator new[](too_much); }), "new[] throws");
    check(throws([=] { return ::operator new(too_much, line); }),
          "aligned throws");
    check(throws([=] { return ::operator new[](too_much, line); }),
          "aligned[] throws");
    check(::operator new(too_much, std::nothrow) == nullptr, "nothrow");
    check(::operator new[](too_much, std::nothrow) == nullptr, "nothrow[]");
    check(::operator new(too_much, line, std::nothrow) == nullptr,
          "aligned nothrow");
    check(::operator new[](too_much, line, std::nothrow) == nullptr,
          "aligned nothrow[]");
}

int handled;

void give_up_the_third_time()
{
    if (++handled == 3) {
        std::set_new_handler(nullptr);
    }
}

void throw_at_once()
{
    handled++;
    throw std::bad_alloc();
}

void the_handler_is_called()
{
    std::set_new_handler(give_up_the_third_time);
    check(throws([] { return ::operator new(too_much); }),
          "new throws in the end");
    check(handled == 3, "the handler was called until it was gone");
    handled = 0;
    std::set_new_handler(throw_at_once);
    check(throws([] { return ::operator new(too_much); }),
          "the handler may throw");
    check(::operator new(too_much, std::nothrow) == nullptr,
          "what the handler throws is caught");
    check(handled == 2, "the handler was called for both");
    std::set_new_handler(nullptr);
}

void churn()
{
    std::vector<std::string> words;
    for (int i = 0; i < 20000; i++) {
        words.push_back(std::string(static_cast<std::size_t>(i % 300), 'x'));
        if (i % 3 == 0) {
            words.erase(words.begin() + static_cast<long>(words.size() / 2));
        }
        if (words.size() > 500) {
            words.clear();
        }
    }
}

std::string at_the_start(1000, 's');

} // namespace

extern "C" int operators_work()
{
    failures = 0;
    check(at_the_start.size() == 1000, "a static object allocates");
    every_pair_of_operators();
    no_memory_is_bad_alloc_or_null();
    the_handler_is_called();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
        threads.emplace_back(churn);
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    return failures;
}

#ifdef PROGRAM
int main()
{
    return operators_work();
}
#endif
