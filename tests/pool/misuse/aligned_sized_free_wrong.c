#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_aligned_alloc(pool, 4096, 100);
    announce_sized(pool, block, 4096);
    bitfit_free_sized(pool, block, 4096);
    return UNNOTICED;
}
