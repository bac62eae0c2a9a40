#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    int local = 0;
    announce(pool, &local);
    bitfit_free(pool, &local);
    return UNNOTICED;
}
