/* The first address behind the payload. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    unsigned char *all = bitfit_alloc(pool, stats.capacity);
    announce(pool, all + stats.capacity);
    bitfit_free(pool, all + stats.capacity);
    return UNNOTICED;
}
