#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 32);
    announce(pool, block + 16);
    bitfit_free(pool, block + 16);
    return UNNOTICED;
}
