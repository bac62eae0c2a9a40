/* Makes a pool, takes a block, gives it back: what a small program links. */
#include <bitfit.h>

static _Alignas(max_align_t) unsigned char memory[1024];

int main(void)
{
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
    bitfit_free(pool, bitfit_alloc(pool, 24));
    return 0;
}
