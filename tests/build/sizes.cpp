// Sizes at compile time in C++: constant expressions, and what the functions
// say.
#include <bitfit_sizes.h>

static_assert(BITFIT_BOOKKEEPING_BYTES(1024, 16) <= 128, "1 KiB");

BITFIT_STATIC_POOL(memory, 2000, 16);

int main()
{
    bitfit_options options = bitfit_options();
    options.lock_kind = BITFIT_LOCK_NONE;
    for (options.granule = 8; options.granule <= 64; options.granule *= 2) {
        for (size_t size = options.granule; size < 3000000;
             size += size / 9 + 3) {
            if (BITFIT_BOOKKEEPING_BYTES(size, options.granule) !=
                bitfit_bookkeeping_size(size, &options)) {
                return 1;
            }
        }
    }
    options.granule = 16;
    bitfit_stats stats;
    bitfit_get_stats(bitfit_init(memory, sizeof memory, &options), &stats);
    return stats.capacity == 2000 ? 0 : 1;
}
