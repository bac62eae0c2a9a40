/* The size of a negative number. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    announce_sized(pool, block, SIZE_MAX);
    bitfit_free_sized(pool, block, SIZE_MAX);
    return UNNOTICED;
}
