/* A string without its end, over all the payload behind it. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    char *block = bitfit_alloc(pool, 16);
    bitfit_alloc(pool, 100);
    memset(block, 'x', stats.capacity);
    bitfit_free(pool, block);
    return verdict(pool, 1);
}
