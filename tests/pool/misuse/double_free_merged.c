/* The second block lies inside a larger hole by now (house_of_botcake). */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *first = bitfit_alloc(pool, 256);
    void *second = bitfit_alloc(pool, 256);
    bitfit_free(pool, second);
    bitfit_free(pool, first);
    announce(pool, second);
    bitfit_free(pool, second);
    return UNNOTICED;
}
