/* The product wraps around to 16. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    if (bitfit_calloc(pool, SIZE_MAX / 16 + 2, 16) != NULL) {
        return UNNOTICED;
    }
    return verdict(pool, 0);
}
