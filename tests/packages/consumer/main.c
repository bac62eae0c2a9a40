/* A program of C that uses an installed bitfit. */
#include <bitfit.h>
#include <stddef.h>

static _Alignas(max_align_t) unsigned char memory[4096];

int main(void)
{
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
    void *block = bitfit_alloc(pool, 100);
    bool good = bitfit_owns(pool, block) && bitfit_check(pool) == 0;
    bitfit_free(pool, block);
    return good && bitfit_destroy(pool) == 0 ? 0 : 1;
}
