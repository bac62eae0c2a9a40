/* Another free in between hides it from lists (fastbin_dup, tcache_dup). */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *first = bitfit_alloc(pool, 32);
    void *second = bitfit_alloc(pool, 32);
    bitfit_free(pool, first);
    bitfit_free(pool, second);
    announce(pool, first);
    bitfit_free(pool, first);
    return UNNOTICED;
}
