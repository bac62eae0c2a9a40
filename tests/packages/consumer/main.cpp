// A program of C++ that uses an installed bitfit.
#include <bitfit.h>

#include <cstddef>

alignas(std::max_align_t) static unsigned char memory[4096];

int main()
{
    bitfit_options options = bitfit_options();
    options.lock_kind = BITFIT_LOCK_NONE;
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, &options);
    void *block = bitfit_alloc(pool, 100);
    bool good = bitfit_owns(pool, block) && bitfit_check(pool) == 0;
    bitfit_free_sized(pool, block, 100);
    return good && bitfit_destroy(pool) == 0 ? 0 : 1;
}
