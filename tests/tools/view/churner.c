/*
 * usage: churner [SIZE [quiet|WORD]]
 *        churner SIZE image FILE
 * The second saves the image of a pool and prints its live bytes. The first
 * publishes a pool of SIZE bytes (1 MiB) as the malloc replacement does, says
 * "ready", and changes it until standard input ends. "quiet" changes nothing;
 * another WORD publishes something wrong: see publish().
 */
#include "../../../malloc/published.h"

#include <bitfit.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { BLOCKS = 512 };

static void publish(bitfit_pool *pool, const char *word)
{
    const void *start;
    size_t size;
    bitfit_bookkeeping(pool, &start, &size);
    int file = memfd_create(BITFIT_PUBLISHED_NAME, MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, 4096) != 0)
        exit(1);
    bitfit_published *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (page == MAP_FAILED)
        exit(1);
    strcpy(page->version,
           strcmp(word, "version") == 0 ? "9.9.9" : bitfit_version());
    page->bookkeeping = (uint64_t)(uintptr_t)start;
    page->bookkeeping_size = strcmp(word, "short") == 0 ? size - 1 : size;
    if (strcmp(word, "nowhere") == 0)
        page->bookkeeping = 4096;
    if (strcmp(word, "huge") == 0)
        page->bookkeeping_size = (uint64_t)1 << 60;
    page->budget = size;
    page->magic = strcmp(word, "magic") == 0 ? 1 : BITFIT_PUBLISHED_MAGIC;
    if (strcmp(word, "forbidden") == 0)
        prctl(PR_SET_DUMPABLE, 0);
}

/* As the manual of `bitfit map` says. */
static int save_image(bitfit_pool *pool, const char *path)
{
    const void *start;
    size_t size;
    bitfit_stats stats;
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return 1;
    bitfit_lock(pool);
    bitfit_bookkeeping(pool, &start, &size);
    fprintf(file, "bitfit image %s\n", bitfit_version());
    fwrite(start, 1, size, file);
    bitfit_unlock(pool);
    bitfit_get_stats(pool, &stats);
    printf("%zu\n", stats.live);
    return fclose(file) != 0;
}

/* 100 changes. */
static void churn(bitfit_pool *pool, void **blocks, unsigned *dice)
{
    for (int i = 0; i < 100; i++) {
        *dice = *dice * 1103515245 + 12345;
        void **block = &blocks[(*dice >> 16) % BLOCKS];
        bitfit_free(pool, *block);
        *block = bitfit_alloc(pool, (*dice >> 8) % 3000);
    }
}

int main(int argc, char **argv)
{
    size_t size = argc > 1 ? strtoull(argv[1], NULL, 0) : (size_t)1 << 20;
    const char *word = argc > 2 ? argv[2] : "";
    static void *blocks[BLOCKS];
    unsigned dice = 1;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return 1;
    const bitfit_options options = {.zeroed = true};
    bitfit_pool *pool = bitfit_init(memory, size, &options);
    if (pool == NULL)
        return 1;
    for (int i = 0; i < 20; i++)
        churn(pool, blocks, &dice);
    if (argc > 3)
        return save_image(pool, argv[3]);
    publish(pool, word);
    puts("ready");
    fflush(stdout);
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    int wait = strcmp(word, "quiet") == 0 ? 1000 : 0;
    while (poll(&input, 1, wait) == 0) {
        if (wait == 0)
            churn(pool, blocks, &dice);
    }
    return 0;
}
