/* The pool itself lies in its memory, too. */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    announce(pool, pool);
    bitfit_free(pool, pool);
    return UNNOTICED;
}
