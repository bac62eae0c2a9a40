/*
 * Shows from inside what the settings do: `probe VERB` prints one line. Linked
 * with the library.
 */
#include "published.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static size_t resident(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*u %zu", &pages) != 1) {
        exit(9);
    }
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Takes all that there is in blocks of this size, linked; the bytes asked. */
static size_t fill(size_t size, void **all)
{
    size_t total = 0;
    void **block;
    while ((block = malloc(size)) != NULL) {
        *block = *all;
        *all = block;
        total += size;
    }
    return total;
}

static void empty(void *all)
{
    while (all != NULL) {
        void *next = *(void **)all;
        free(all);
        all = next;
    }
}

/* Twice the same, with a failure between. */
static int show_fill(size_t size)
{
    void *all = NULL;
    errno = 0;
    size_t total = fill(size, &all);
    int error = errno;
    empty(all);
    all = NULL;
    size_t again = fill(size, &all);
    empty(all);
    printf("%zu %zu %s\n", total, again, error == ENOMEM ? "ENOMEM" : "?");
    return 0;
}

static pthread_barrier_t barrier;

static void *keep_a_cache(void *unused)
{
    void *blocks[1000];
    for (size_t i = 0; i < 1000; i++) {
        blocks[i] = malloc(1 + i % 1000);
    }
    for (size_t i = 0; i < 1000; i++) {
        free(blocks[i]);
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return unused;
}

/* Whether all that is free can be had as one block, though an idle thread has
 * some of it in its cache. */
static int show_reclaim(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, keep_a_cache, NULL);
    pthread_barrier_wait(&barrier);
    size_t cached = mallinfo2().fsmblks;
    size_t most = mallinfo2().fordblks;
    void *block = NULL;
    size_t size = most;
    while (block == NULL && size > most / 2) {
        size -= 1024;
        block = malloc(size);
    }
    printf("%zu %zu %zu\n", cached, most, size);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    free(block);
    return 0;
}

/* Gives pages back again and again; how many times there were some. */
static int show_trim(void)
{
    int trimmed = 0;
    for (int i = 0; i < 100; i++) {
        void *block = malloc(1 << 20);
        memset(block, 1, 1 << 20);
        free(block);
        trimmed += malloc_trim(0);
    }
    printf("%d\n", trimmed);
    return 0;
}

/* The numbers of the requests that fail, of the first ten. */
static int show_failures(void)
{
    char line[64] = "";
    for (int i = 1; i <= 10; i++) {
        void *block = malloc(100000);
        char number[16];
        snprintf(number, sizeof number, " %d", i);
        if (block == NULL) {
            strcat(line, number);
        }
    }
    write(STDOUT_FILENO, line, strlen(line));
    write(STDOUT_FILENO, "\n", 1);
    return 0;
}

/* Loads and unloads a library again and again, which ends a thread's key. */
static int show_plugin(const char *path)
{
    for (int i = 0; i < 200; i++) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            printf("%s\n", dlerror());
            return 1;
        }
        void *(*take)(void);
        *(void **)&take = dlsym(library, "plugin_take");
        void *block = take();
        dlclose(library);
        free(block);
    }
    puts("loaded");
    return 0;
}

/* What the page for those who look from outside says. */
static int show_published(void)
{
    char line[500];
    bitfit_published *page = NULL;
    for (int i = 0; i < 100000; i++) {
        free(malloc((size_t)i % 2000));
    }
    errno = 0;
    free(malloc(SIZE_MAX / 2 - (size_t)errno));
    FILE *file = fopen("/proc/self/maps", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strstr(line, "/memfd:" BITFIT_PUBLISHED_NAME) != NULL) {
            page = (bitfit_published *)strtoul(line, NULL, 16);
        }
    }
    fclose(file);
    if (page == NULL || page->magic != BITFIT_PUBLISHED_MAGIC) {
        return 1;
    }
    printf("%llu %llu %d %d\n", (unsigned long long)page->budget,
           (unsigned long long)page->failures,
           page->cached > 0 && page->cached < page->payload_size,
           page->marks + page->marks_size ==
               page->payload + page->payload_size / 16 * 16);
    return 0;
}

static void leave(int signal)
{
    _exit(signal == SIGVTALRM ? 7 : 8);
}

/* Ends by a handler, which most likely interrupts malloc() or free(). */
_Noreturn static void show_interrupted(void)
{
    struct itimerval soon = {.it_value = {.tv_usec = 1000}};
    signal(SIGVTALRM, leave);
    setitimer(ITIMER_VIRTUAL, &soon, NULL);
    for (size_t i = 0;; i++) {
        free(malloc(i % 100000));
    }
}

/* Ends by `how`, after a child by vfork() did. */
static int show_end(const char *how)
{
    if (vfork() == 0) {
        _exit(0);
    }
    if (strcmp(how, "_exit") == 0) {
        _exit(7);
    } else if (strcmp(how, "_Exit") == 0) {
        _Exit(7);
    } else if (strcmp(how, "quick_exit") == 0) {
        quick_exit(7);
    }
    return 7;
}

static void *early;

__attribute__((constructor(102))) static void allocate_early(void)
{
    early = malloc(100);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "arena") == 0) {
        printf("%zu\n", mallinfo2().arena);
    } else if (strcmp(verb, "usable") == 0) {
        printf("%zu\n", malloc_usable_size(malloc(1)));
    } else if (strcmp(verb, "resident") == 0) {
        printf("%zu\n", resident());
    } else if (strcmp(verb, "fill") == 0) {
        return show_fill((size_t)atol(argv[2]));
    } else if (strcmp(verb, "reclaim") == 0) {
        return show_reclaim();
    } else if (strcmp(verb, "trim") == 0) {
        return show_trim();
    } else if (strcmp(verb, "failures") == 0) {
        return show_failures();
    } else if (strcmp(verb, "plugin") == 0) {
        return show_plugin(argv[2]);
    } else if (strcmp(verb, "published") == 0) {
        return show_published();
    } else if (strcmp(verb, "interrupted") == 0) {
        show_interrupted();
    } else if (strcmp(verb, "end") == 0) {
        return show_end(argv[2]);
    } else if (strcmp(verb, "leak") == 0) {
        early = realloc(early, 5000);
        puts("leaked");
    } else {
        return 2;
    }
    free(strcmp(verb, "leak") == 0 ? NULL : early);
    return 0;
}
