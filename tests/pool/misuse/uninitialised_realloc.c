#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = wild_pointer();
    announce(pool, block);
    bitfit_realloc(pool, block, 16);
    return UNNOTICED;
}
