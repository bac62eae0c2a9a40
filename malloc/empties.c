#include "empties.h"

#include "text.h"

void *empties_take(size_t alignment)
{
    bitfit_pool *pool = SETTINGS->empties;
    if (pool == NULL) {
        return NULL;
    }
    return alignment <= SETTINGS->options.granule
               ? bitfit_alloc(pool, 0)
               : bitfit_aligned_alloc(pool, alignment, 0);
}

void empties_give(void *ptr, size_t size)
{
    empties_verify(ptr);
    if (size != SIZE_MAX && size != 0) {
        die(bitfit_misuse_name(BITFIT_WRONG_SIZE), heap.call, ptr);
    }
    bitfit_free(SETTINGS->empties, ptr);
}

void empties_verify(const void *ptr)
{
    bitfit_usable_size(SETTINGS->empties, ptr);
}

size_t empties_live(void)
{
    bitfit_stats now = {.blocks = 0};
    if (SETTINGS->empties != NULL) {
        bitfit_get_stats(SETTINGS->empties, &now);
    }
    return now.blocks;
}
