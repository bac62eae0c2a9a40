/* A block of size 0 is one granule, all of it usable. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    char *first = bitfit_alloc(pool, 0);
    char *second = bitfit_alloc(pool, 0);
    memset(second, 's', bitfit_usable_size(pool, second));
    memset(first, 'f', 16);
    return second[0] == 's' ? verdict(pool, 2) : UNNOTICED;
}
