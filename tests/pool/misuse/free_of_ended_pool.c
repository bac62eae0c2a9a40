/* A block outlives its pool, and another pool takes the memory. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    bitfit_destroy(pool);
    pool = open_pool();
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}
