/* Shows the allocator at work, a picture for each step: '.' is a free granule,
 * a letter is a block. */
#include <stdio.h>

#include "global_allocator.h"

static void show(const char *step)
{
    char picture[49];
    bitfit_draw(allocator_pool(), picture, sizeof picture);
    printf("%-22s %s\n", step, picture);
}

int main(void)
{
    char text[256];
    bitfit_stats stats;
    allocator_describe(text, sizeof text);
    bitfit_get_stats(allocator_pool(), &stats);
    printf("%sbookkeeping, mutex included: %zu bytes; left for blocks: %zu\n\n",
           text, stats.bookkeeping, stats.capacity);
    show("at the start");
    void *first = allocate(32);
    show("allocate(32)");
    void *second = allocate(64);
    show("allocate(64)");
    deallocate(first, 32);
    show("deallocate the first");
    void *third = allocate(32);
    show("allocate(32)");
    printf("%-22s %s\n", "the same place again?",
           third == first ? "yes" : "no");
    deallocate(second, 64);
    deallocate(third, 32);
    return third == first ? 0 : 1;
}
