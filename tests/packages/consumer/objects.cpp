// A program of C++ that uses an installed bitfit.hpp.
#include <bitfit.hpp>

#include <cstddef>
#include <vector>

alignas(std::max_align_t) static std::byte memory[4096];

int main()
{
    bitfit::pool pool(memory, sizeof memory);
    std::vector<int, bitfit::allocator<int>> numbers(pool);
    numbers.assign(100, 7);
    return bitfit_owns(pool.get(), numbers.data()) ? 0 : 1;
}
