// C++ in a pool: counts the words of a text in standard containers, prints how
// much memory they took, and runs out of memory as any C++ program does.
#include <functional>
#include <iostream>
#include <map>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "bitfit.hpp"

namespace
{

using string =
    std::basic_string<char, std::char_traits<char>, bitfit::allocator<char>>;
using entry = std::pair<const string, int>;
using counts = std::map<string, int, std::less<>, bitfit::allocator<entry>>;

const char text[] = "a block is a run and a hole is a run";

counts count_words(bitfit::pool_ref pool)
{
    counts result(pool);
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        result[string(word.data(), word.size(), pool)]++;
    }
    return result;
}

void show(bitfit::pool_ref pool, const char *when)
{
    bitfit_stats stats = pool.stats();
    std::cout << pool.picture().substr(0, 64) << "  " << when << ": "
              << stats.live << " bytes in " << stats.blocks << " blocks\n";
}

// Whether a vector that grows without end gets an error and keeps its content.
bool fill(bitfit::pool_ref pool)
{
    std::vector<int, bitfit::allocator<int>> numbers(pool);
    try {
        for (int i = 0;; i++) {
            numbers.push_back(i);
        }
    } catch (const std::bad_alloc &) {
        std::cout << "std::bad_alloc after " << numbers.size() << " numbers; "
                  << "the last is " << numbers.back() << '\n';
        return numbers.size() == static_cast<std::size_t>(numbers.back()) + 1;
    }
}

} // namespace

int main()
{
    bitfit::fixed_pool<2048> pool;
    bool good = false;
    show(pool, "at the start");
    {
        counts words = count_words(pool);
        show(pool, "with the words");
        auto twice = bitfit::make_unique<counts>(pool, words);
        show(pool, "with a copy");
        words.clear();
        show(pool, "the copy alone");
        good = twice->find("run")->second == 2 && fill(pool);
    }
    show(pool, "at the end");
    return good && pool.stats().blocks == 0 ? 0 : 1;
}
