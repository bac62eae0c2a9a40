#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    void *block = wild_pointer();
    announce(pool, block);
    return bitfit_usable_size(pool, block) == 0 ? UNNOTICED : UNPREPARED;
}
