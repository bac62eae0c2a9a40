/* free() does not write: the old content is still there to be read. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    char *block = bitfit_alloc(pool, 32);
    memset(block, 's', 32);
    bitfit_free(pool, block);
    return block[31] == 's' ? verdict(pool, 0) : UNNOTICED;
}
