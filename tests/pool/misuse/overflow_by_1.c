/* Into what the rounding left over, which belongs to the block. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    char *block = bitfit_alloc(pool, 31);
    char *next = bitfit_alloc(pool, 31);
    memset(next, 'n', 32);
    memset(block, 'b', 32);
    bitfit_free(pool, block);
    return next[0] == 'n' ? verdict(pool, 1) : UNNOTICED;
}
