/* realloc() moved the block; the old pointer is stale. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = bitfit_alloc(pool, 100);
    void *behind = bitfit_alloc(pool, 100);
    void *moved = bitfit_realloc(pool, block, 4000);
    if (behind == NULL || moved == NULL || moved == block) {
        return UNPREPARED;
    }
    announce(pool, block);
    bitfit_free(pool, block);
    return UNNOTICED;
}
