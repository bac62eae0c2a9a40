/* A program that was linked with bitfit::malloc and does nothing for it. */
#include <malloc.h>
#include <stdlib.h>

int main(void)
{
    void *block = malloc(17);
    size_t usable = malloc_usable_size(block);
    free(block);
    return usable == 32 ? 0 : 1; /* two granules; elsewhere 24 */
}
