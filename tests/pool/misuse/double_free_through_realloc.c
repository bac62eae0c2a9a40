#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    bitfit_free(pool, block);
    announce(pool, block);
    bitfit_realloc(pool, block, 200);
    return UNNOTICED;
}
