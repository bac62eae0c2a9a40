#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 40000);
    announce_sized(pool, block, 20000);
    bitfit_free_sized(pool, block, 20000);
    return UNNOTICED;
}
