/* For i386, in one thread: no thread starts under qemu-i386. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, BLOCKS = 1000 };

static char *blocks[BLOCKS];

static size_t size_of(size_t i)
{
    return 3 * i + 1;
}

static void take_all(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(size_of(i));
        memset(blocks[i], (int)(i % 100), size_of(i));
    }
}

/* Every second block moves, and each keeps what was written. */
static size_t grow_and_free_all(void)
{
    size_t wrong = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t at = i * 7 % BLOCKS;
        if (at % 2 == 0) {
            blocks[at] = realloc(blocks[at], 2 * size_of(at));
        }
        wrong += blocks[at][0] != (char)(at % 100);
        wrong += blocks[at][size_of(at) - 1] != (char)(at % 100);
        free(blocks[at]);
    }
    return wrong;
}

int main(void)
{
    size_t wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        take_all();
        wrong += grow_and_free_all();
    }
    wrong += malloc((size_t)-1 / 2) != NULL;
    char *volatile block = malloc(50);
    puts(wrong == 0 ? "fine" : "wrong");
    fflush(stdout);
    free(block);
    free(block);
    return 0;
}
