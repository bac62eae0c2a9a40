#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    bitfit_lock(pool);
    announce_reentry(pool);
    bitfit_alloc(pool, 16);
    return UNNOTICED;
}
