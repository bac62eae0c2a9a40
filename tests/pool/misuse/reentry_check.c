#include "crime.h"

static bool intrude(const bitfit_run *run, void *context)
{
    bitfit_pool *pool = context;
    (void)run;
    announce_reentry(pool);
    bitfit_check(pool);
    return true;
}

int main(void)
{
    bitfit_pool *pool = open_pool();
    bitfit_alloc(pool, 100);
    bitfit_walk(pool, intrude, pool);
    return UNNOTICED;
}
