/* A forged header in front of the memory (house_of_spirit): nothing reads it.
 */
#include "crime.h"

int main(void)
{
    bitfit_pool *pool = open_pool();
    static _Alignas(max_align_t) size_t forged[16] = {0, 0x41};
    announce(pool, &forged[2]);
    bitfit_free(pool, &forged[2]);
    return UNNOTICED;
}
