/* limit fill: allocates until there is no more, frees, and goes on.
 * limit leak: leaves a block of 12,345 bytes behind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 65536, BLOCKS = 1000 };

static char *volatile kept;

static int fill(void)
{
    static char *blocks[BLOCKS];
    size_t count = 0;
    for (; count < BLOCKS; count++) {
        errno = 0;
        blocks[count] = malloc(BLOCK);
        if (blocks[count] == NULL)
            break;
        memset(blocks[count], 1, BLOCK);
    }
    if (count == BLOCKS || errno != ENOMEM)
        return 1;
    for (size_t i = 0; i < count; i++)
        free(blocks[i]);
    kept = malloc(BLOCK);
    if (kept == NULL)
        return 2;
    free(kept);
    printf("%zu blocks, then ENOMEM; goes on\n", count);
    return 5;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "fill") == 0)
        return fill();
    kept = malloc(12345);
    return kept == NULL;
}
