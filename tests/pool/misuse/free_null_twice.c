#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    bitfit_free(pool, NULL);
    bitfit_free(pool, NULL);
    bitfit_free_sized(pool, NULL, 100);
    return verdict(pool, 0);
}
