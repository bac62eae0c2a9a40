/* First fit makes it predictable: the next block of the size lies there. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    char *stale = bitfit_alloc(pool, 32);
    bitfit_free(pool, stale);
    char *block = bitfit_alloc(pool, 32);
    memset(block, 'b', 32);
    return stale[31] == 'b' ? verdict(pool, 1) : UNNOTICED;
}
