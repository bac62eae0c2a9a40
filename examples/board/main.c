/*
 * A heap of 4 KiB on a board: blocks come and go, one is freed twice, and the
 * program goes on.
 */
#include <bitfit.h>
#include <stdio.h>

static _Alignas(max_align_t) unsigned char memory[4096];

/* What the library calls for a bad free; the call has then done nothing. */
void bitfit_trap(const bitfit_misuse *misuse)
{
    printf("%s: %s\n", misuse->call, bitfit_misuse_name(misuse->kind));
}

int main(void)
{
    bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
    void *message = bitfit_alloc(pool, 100);
    void *reply = bitfit_alloc(pool, 40);
    bitfit_free(pool, message);
    bitfit_free(pool, message);

    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    printf("%lu bytes in use, %lu at most, %lu free\n",
           (unsigned long)stats.live, (unsigned long)stats.peak_live,
           (unsigned long)stats.free);
    bitfit_free(pool, reply);
    return 0;
}
