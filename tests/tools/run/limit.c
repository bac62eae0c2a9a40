/* limit fill: allocates until there is no more, frees, and goes on.
 * limit leak: leaves a block of 12,345 bytes behind.
 * limit daemon: allocates once it is one. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int become_daemon(void)
{
    if (daemon(1, 0) != 0)
        return 1;
    usleep(200000);
    kept = malloc(2000000);
    return kept == NULL;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "fill") == 0)
        return fill();
    if (argc == 2 && strcmp(argv[1], "daemon") == 0)
        return become_daemon();
    kept = malloc(12345);
    return kept == NULL;
}
