#include "crime.h"

#include <stdlib.h>

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = malloc(16);
    announce(pool, block);
    bitfit_free(pool, block);
    free(block);
    return UNNOTICED;
}
