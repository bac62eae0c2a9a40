/* Any size that rounds up to the block's granules is right. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    bitfit_free_sized(pool, bitfit_alloc(pool, 17), 17);
    bitfit_free_sized(pool, bitfit_alloc(pool, 17), 32);
    bitfit_free_sized(pool, bitfit_alloc(pool, 32), 18);
    bitfit_free_sized(pool, bitfit_alloc(pool, 0), 0);
    bitfit_free_sized(pool, bitfit_alloc(pool, 40000), 40000);
    return verdict(pool, 0);
}
