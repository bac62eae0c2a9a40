/*
 * A program whose call stacks hold known amounts: says "ready" after the first
 * part, and again after the second, each of which a line on standard input
 * ends.
 */
#include <stdio.h>
#include <stdlib.h>

static void *blocks[400];

static void hold_most(void)
{
    for (int i = 0; i < 300; i++)
        blocks[i] = malloc(1000);
}

static void hold_some(void)
{
    for (int i = 300; i < 400; i++)
        blocks[i] = malloc(500);
}

/* The last of the largest becomes larger, the others go. */
static void grow(void)
{
    for (int i = 1; i < 300; i++)
        free(blocks[i]);
    blocks[0] = realloc(blocks[0], 3000000);
}

static void wait_for_line(void)
{
    puts("ready");
    fflush(stdout);
    while (getchar() != '\n' && !feof(stdin)) {
    }
}

int main(void)
{
    hold_most();
    hold_some();
    wait_for_line();
    grow();
    wait_for_line();
    return 0;
}
