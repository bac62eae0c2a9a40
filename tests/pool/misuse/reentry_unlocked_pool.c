/* A pool without a lock is marked as busy all the same. */
#include "crime.h"

static bool intrude(const bitfit_run *run, void *context)
{
    bitfit_pool *pool = context;
    (void)run;
    announce_reentry(pool);
    bitfit_alloc(pool, 16);
    return true;
}

int main(void)
{
    static _Alignas(max_align_t) unsigned char memory[4096];
    bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE};
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, &options);
    bitfit_walk(pool, intrude, pool);
    return UNNOTICED;
}
