/* 17 bytes are two granules, the block is one. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 16);
    announce_sized(pool, block, 17);
    bitfit_free_sized(pool, block, 17);
    return UNNOTICED;
}
