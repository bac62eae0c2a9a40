/* The allocator at work, with a picture of each step: a character for each
 * smallest block, '.' if it is free, a letter if it is in use. */
#include <stdio.h>

#include "global_allocator.h"

static void show(const char *step)
{
    char picture[33];
    bitfit_draw(allocator_pool(), picture, sizeof picture);
    printf("%-21s %s\n", step, picture);
}

int main(void)
{
    char text[256];
    allocator_describe(text, sizeof text);
    printf("%s\n", text);
    show("at the start");
    void *first = allocate(32);
    show("first = allocate(32)");
    void *second = allocate(64);
    show("second = allocate(64)");
    deallocate(first, 32);
    show("deallocate(first)");
    void *third = allocate(32);
    show("third = allocate(32)");
    printf("third == first: %s\n", third == first ? "yes" : "no");
    deallocate(second, 64);
    deallocate(third, 32);
    return third == first ? 0 : 1;
}
