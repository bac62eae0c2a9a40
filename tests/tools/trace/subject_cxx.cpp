// A C++ program to be recorded: every operator once. What it asks for is known
// to record_test.py.
#include <cstddef>
#include <cstdint>
#include <new>

namespace
{

struct alignas(64) Wide {
    char bytes[64];
};

// Keeps the compiler from leaving calls out.
void *volatile kept;
volatile std::size_t huge = PTRDIFF_MAX;

void once()
{
    const std::align_val_t wide{64};
    ::operator delete(kept = ::operator new(101));
    ::operator delete[](kept = ::operator new[](102));
    ::operator delete (kept = ::operator new(103), std::size_t{103});
    ::operator delete[](kept = ::operator new[](104), std::size_t{104});
    ::operator delete(kept = ::operator new(105, std::nothrow), std::nothrow);
    ::operator delete[](kept = ::operator new[](106, std::nothrow),
                        std::nothrow);
    ::operator delete(kept = ::operator new(107, wide), wide);
    ::operator delete[](kept = ::operator new[](108, wide), wide);
    ::operator delete(kept = ::operator new(109, wide), 109, wide);
    ::operator delete[](kept = ::operator new[](110, wide), 110, wide);
    ::operator delete(kept = ::operator new(111, wide, std::nothrow), wide,
                      std::nothrow);
    ::operator delete[](kept = ::operator new[](112, wide, std::nothrow), wide,
                        std::nothrow);
}

// How many requests for too much fail as they should.
int fail()
{
    int failed = ::operator new(huge, std::nothrow) == nullptr;
    try {
        kept = ::operator new(huge);
    } catch (const std::bad_alloc &) {
        failed++;
    }
    try {
        kept = new Wide[huge / 128];
    } catch (const std::bad_alloc &) {
        failed++;
    }
    return failed;
}

} // namespace

int main()
{
    kept = ::operator new(12345);
    once();
    return fail() == 3 ? 0 : 1;
}
