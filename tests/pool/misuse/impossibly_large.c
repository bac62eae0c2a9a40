#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    size_t huge = SIZE_MAX;
    if (bitfit_alloc(pool, huge) != NULL ||
        bitfit_alloc(pool, huge - 15) != NULL ||
        bitfit_alloc(pool, huge / 2) != NULL ||
        bitfit_aligned_alloc(pool, 4096, huge - 4095) != NULL) {
        return UNNOTICED;
    }
    return verdict(pool, 0);
}
