#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    unsigned char *block = bitfit_alloc(pool, 64);
    announce(pool, block + 32);
    return bitfit_usable_size(pool, block + 32) == 0 ? UNNOTICED : UNPREPARED;
}
