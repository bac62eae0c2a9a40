#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 64);
    announce(pool, block + 8);
    bitfit_realloc(pool, block + 8, 100);
    return UNNOTICED;
}
