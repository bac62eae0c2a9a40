/* Into the next block: its content is lost, the pool is not. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    char *block = bitfit_alloc(pool, 32);
    char *next = bitfit_alloc(pool, 32);
    memset(next, 'n', 32);
    memset(block, 'b', 40);
    if (next[7] != 'b' || next[8] != 'n') {
        return UNPREPARED;
    }
    bitfit_free(pool, block);
    bitfit_free(pool, next);
    return verdict(pool, 0);
}
