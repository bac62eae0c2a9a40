#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    bitfit_pool *other = open_other_pool();
    void *block = bitfit_alloc(other, 16);
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}
