/* The new block's content is lost, the pool is not. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    char *stale = bitfit_alloc(pool, 32);
    bitfit_free(pool, stale);
    char *block = bitfit_calloc(pool, 1, 32);
    memset(stale, 0xFF, 32);
    if (block[0] == 0) {
        return UNPREPARED;
    }
    bitfit_free(pool, block);
    return verdict(pool, 0);
}
