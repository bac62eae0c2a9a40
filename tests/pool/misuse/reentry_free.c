#include "crime.h"

static bool intrude(const bitfit_run *run, void *context)
{
    bitfit_pool *pool = context;
    announce_reentry(pool);
    bitfit_free(pool, run->start);
    return true;
}

int main(void)
{
    bitfit_pool *pool = open_pool();
    bitfit_alloc(pool, 100);
    bitfit_walk(pool, intrude, pool);
    return UNNOTICED;
}
