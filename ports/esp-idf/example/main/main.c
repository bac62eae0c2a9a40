/*
 * A pool in memory that DMA reaches, apart from the system's heap: its buffers
 * cannot be scattered by what the rest of the program allocates.
 */
#include <bitfit.h>
#include <esp_heap_caps.h>
#include <stdio.h>

enum { POOL_BYTES = 16 * 1024 };

static void show(const char *when, bitfit_pool *pool)
{
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    printf("%s: %u bytes live, largest hole %u\n", when, (unsigned)stats.live,
           (unsigned)stats.largest_free);
}

void app_main(void)
{
    void *memory = heap_caps_aligned_alloc(_Alignof(max_align_t), POOL_BYTES,
                                           MALLOC_CAP_DMA);
    if (memory == NULL) {
        printf("no memory for a pool\n");
        return;
    }
    bitfit_pool *pool = bitfit_init(memory, POOL_BYTES, NULL);
    void *receive = bitfit_alloc(pool, 4096);
    void *send = bitfit_alloc(pool, 1024);
    show("two buffers", pool);
    bitfit_free(pool, receive);
    bitfit_free(pool, send);
    show("none", pool);
    bitfit_destroy(pool);
    heap_caps_free(memory);
}
