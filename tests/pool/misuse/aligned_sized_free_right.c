#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    bitfit_free_sized(pool, bitfit_aligned_alloc(pool, 8, 100), 100);
    bitfit_free_sized(pool, bitfit_aligned_alloc(pool, 4096, 100), 100);
    bitfit_free_sized(pool, bitfit_aligned_alloc(pool, 64, 20000), 20000);
    return verdict(pool, 0);
}
