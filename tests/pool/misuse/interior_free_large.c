#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 50000);
    announce(pool, block + 32768);
    bitfit_free(pool, block + 32768);
    return UNNOTICED;
}
