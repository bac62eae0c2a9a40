/* Free memory holds nothing of the pool's that could be overwritten. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    char *block = bitfit_alloc(pool, 32);
    bitfit_free(pool, block);
    memset(block, 0xFF, 32);
    if (bitfit_alloc(pool, 32) != block) {
        return UNNOTICED;
    }
    return verdict(pool, 1);
}
