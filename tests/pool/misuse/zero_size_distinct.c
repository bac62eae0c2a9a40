#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *first = bitfit_alloc(pool, 0);
    void *second = bitfit_alloc(pool, 0);
    if (first == NULL || second == NULL || first == second) {
        return UNNOTICED;
    }
    return verdict(pool, 2);
}
