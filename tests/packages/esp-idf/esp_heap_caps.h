/* What the example for ESP-IDF uses of its heap, and its entry. */
#ifndef STAND_IN_ESP_HEAP_CAPS_H
#define STAND_IN_ESP_HEAP_CAPS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define MALLOC_CAP_DMA (1u << 3)

static inline void *heap_caps_aligned_alloc(size_t alignment, size_t size,
                                            uint32_t caps)
{
    return caps == MALLOC_CAP_DMA ? aligned_alloc(alignment, size) : NULL;
}

static inline void heap_caps_free(void *memory)
{
    free(memory);
}

void app_main(void);

int main(void)
{
    app_main();
    return 0;
}

#endif
