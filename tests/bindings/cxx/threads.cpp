// Threads that share one pool, each with containers of its own.
#include <list>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "heap.hpp"

namespace
{

using string =
    std::basic_string<char, std::char_traits<char>, bitfit::allocator<char>>;
using pair = std::pair<const int, string>;
using map = std::map<int, string, std::less<>, bitfit::allocator<pair>>;

// Whether all that was put in is there in the end.
bool work(bitfit::pool_ref pool, int mark)
{
    map texts(pool);
    for (int i = 0; i < 20000; i++) {
        auto length = static_cast<std::size_t>(i % 97);
        texts.insert_or_assign(i % 50, string(length, 'x', pool));
        if (i % 3 == 0) {
            texts.erase(i * mark % 50);
        }
    }
    bool good = true;
    for (const auto &[key, text] : texts) {
        good = good && text.find_first_not_of('x') == string::npos;
    }
    return good;
}

TEST_CASE("threads share a pool")
{
    heap<1 << 17> pool;
    bool good[4] = {};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
        threads.emplace_back(
            [&pool, &good, i] { good[i] = work(pool, i + 1); });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    for (bool one : good) {
        CHECK(one);
    }
}

} // namespace
