#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 40000);
    bitfit_free(pool, block);
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}
