/*
 * budget BLOCK THREADS: fills the pool with blocks of this size, twice.
 *
 * First the threads fill their caches with blocks of many sizes, and stay
 * alive. Prints the bytes that the main thread then got, counted in granules of
 * 16, and by how much the process' anonymous memory grew since the start.
 * Exit code 1 if the second time gives less than the first.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_THREADS = 16, HELD = 200 };

/* Reads without allocating. */
static long anonymous_bytes(void)
{
    static char text[4096];
    int file = open("/proc/self/smaps_rollup", O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    const char *line = strstr(text, "\nAnonymous:");
    return line == NULL ? -1 : 1024 * atol(line + 11);
}

static pthread_barrier_t filled;
static pthread_barrier_t ended;

static void *fill_cache(void *none)
{
    char *held[HELD] = {NULL};
    for (size_t i = 0; i < 100000; i++) {
        char **slot = &held[i * 7919 % HELD];
        free(*slot);
        *slot = malloc(i * 31 % 4000 + 1);
    }
    for (size_t i = 0; i < HELD; i++)
        free(held[i]);
    pthread_barrier_wait(&filled);
    pthread_barrier_wait(&ended);
    return none;
}

static long fill_pool(size_t size)
{
    long got = 0;
    void **last = NULL;
    for (void **block; (block = malloc(size)) != NULL; last = block) {
        memset(block, 1, size);
        *block = last;
        got += (long)((size + 15) / 16 * 16);
    }
    while (last != NULL) {
        void **next = *last;
        free(last);
        last = next;
    }
    return got;
}

int main(int argc, char **argv)
{
    long before = anonymous_bytes();
    size_t size = strtoul(argv[argc - 2], NULL, 10);
    unsigned count = (unsigned)strtoul(argv[argc - 1], NULL, 10);
    pthread_t threads[MOST_THREADS];
    if (size < sizeof(void *) || count > MOST_THREADS)
        return 2;
    pthread_barrier_init(&filled, NULL, count + 1);
    pthread_barrier_init(&ended, NULL, count + 1);
    for (unsigned i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, fill_cache, NULL) != 0)
            return 2;
    }
    pthread_barrier_wait(&filled);
    long got = fill_pool(size);
    long again = fill_pool(size);
    long grown = anonymous_bytes() - before;
    pthread_barrier_wait(&ended);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("%ld %ld\n", got, grown);
    return again < got;
}
