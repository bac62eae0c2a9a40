/* The block starts where the old one did: no allocator without tags can tell.
 */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *stale = bitfit_alloc(pool, 32);
    bitfit_free(pool, stale);
    void *block = bitfit_alloc(pool, 32);
    if (block != stale) {
        return UNPREPARED;
    }
    bitfit_free(pool, stale);
    return verdict(pool, 0);
}
