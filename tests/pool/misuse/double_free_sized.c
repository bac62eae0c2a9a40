#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    bitfit_free_sized(pool, block, 100);
    announce(pool, block);
    bitfit_free_sized(pool, block, 100);
    return UNNOTICED;
}
