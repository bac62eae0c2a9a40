/* Prints what a pool of each size hands out: "usable SIZE BYTES". */
#include <bitfit.h>
#include <stdio.h>

static _Alignas(16) unsigned char memory[4096];

int main(void)
{
    const bitfit_options options = {.lock_kind = BITFIT_LOCK_NONE};
    for (size_t size = 1024; size <= sizeof memory; size *= 2) {
        bitfit_stats stats;
        bitfit_get_stats(bitfit_init(memory, size, &options), &stats);
        printf("usable %lu %lu\n", (unsigned long)size,
               (unsigned long)stats.capacity);
    }
    return 0;
}
