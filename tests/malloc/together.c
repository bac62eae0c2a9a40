/*
 * What goes on at the same time: threads that begin and end, that are
 * cancelled, that ask about the heap or run out of it, and a program that ends
 * meanwhile. Each case runs in a child of its own. Linked with the library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { THREADS = 4, SECONDS = 120 };

static atomic_bool stop;
static atomic_uint wrong;

static uint32_t next(uint32_t *dice)
{
    *dice = *dice * 1664525 + 1013904223;
    return *dice >> 8;
}

/* Allocates and frees blocks of all kinds of sizes; what it wrote must stay. */
static void exchange(void **blocks, size_t count, uint32_t *dice)
{
    size_t i = next(dice) % count;
    size_t size = next(dice) % 64 == 0 ? next(dice) % 200000 : next(dice) % 500;
    unsigned char *block = blocks[i];
    if (block != NULL && block[0] != (unsigned char)i) {
        wrong++;
    }
    free(block);
    blocks[i] = malloc(size + 1);
    if (blocks[i] != NULL) {
        *(unsigned char *)blocks[i] = (unsigned char)i;
    }
}

static void *work(void *number)
{
    void *blocks[100] = {NULL};
    uint32_t dice = (uint32_t)(uintptr_t)number;
    while (!stop) {
        exchange(blocks, LENGTH(blocks), &dice);
    }
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        free(blocks[i]);
    }
    return NULL;
}

static void begin(pthread_t threads[THREADS], void *(*run)(void *))
{
    for (uintptr_t i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, run, (void *)i) != 0) {
            _exit(9);
        }
    }
}

static void join(const pthread_t threads[THREADS])
{
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static int verdict(void)
{
    return wrong == 0 ? 0 : 1;
}

/* ----------------------------------------------------------------- the end */

static void allocate_at_exit(void)
{
    free(malloc(100));
    free(malloc(300000));
}

/* exit() runs the handlers while the threads go on. */
static int the_program_ends_beside_threads(void)
{
    pthread_t threads[THREADS];
    begin(threads, work);
    atexit(allocate_at_exit);
    usleep(20000);
    exit(verdict());
}

static void *exit_here(void *unused)
{
    (void)unused;
    exit(verdict());
}

static int another_thread_ends_the_program(void)
{
    pthread_t threads[THREADS];
    begin(threads, work);
    pthread_t last;
    pthread_create(&last, NULL, exit_here, NULL);
    work(NULL);
    return 1;
}

/* ----------------------------------------------------------------- threads */

static void *allocate_one(void *size)
{
    return malloc((uintptr_t)size);
}

/* Threads that live for one request, which another one frees. */
static void *begin_and_end_threads(void *number)
{
    uint32_t dice = (uint32_t)(uintptr_t)number;
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        void *block = NULL;
        void *size = (void *)(uintptr_t)(next(&dice) % 5000 + 1);
        if (pthread_create(&thread, NULL, allocate_one, size) != 0 ||
            pthread_join(thread, &block) != 0 || block == NULL) {
            wrong++;
        }
        free(block);
    }
    return NULL;
}

/* Nothing stays behind in the caches of threads that have ended: what does is a
 * few stacks' worth of the C library's own. */
static int threads_begin_and_end_beside_others(void)
{
    pthread_t threads[THREADS];
    begin(threads, begin_and_end_threads);
    join(threads);
    size_t before = mallinfo2().uordblks;
    begin(threads, begin_and_end_threads);
    join(threads);
    size_t after = mallinfo2().uordblks;
    return verdict() != 0 || after > before + 4096;
}

/* --------------------------------------------------------------- questions */

static bool is_sound(void)
{
    char text[4096] = "";
    struct mallinfo2 now = mallinfo2();
    FILE *to = fmemopen(text, sizeof text, "w");
    bool said = to != NULL && malloc_info(0, to) == 0 && fclose(to) == 0;
    return said && now.uordblks + now.fordblks == now.arena &&
           strstr(text, "<malloc") == text && strstr(text, "</malloc>") != NULL;
}

static int questions_are_answered_beside_threads(void)
{
    pthread_t threads[THREADS];
    begin(threads, work);
    for (int i = 0; i < 200; i++) {
        wrong += !is_sound();
        malloc_trim(i % 2 == 0 ? 0 : 100000);
        malloc_stats();
    }
    stop = true;
    join(threads);
    return verdict();
}

/* ------------------------------------------------------------ cancellation */

/* Both write, where a thread may be cancelled. */
static void *ask_for_ever(void *stream)
{
    for (;;) {
        malloc_info(0, stream);
        malloc_stats();
        fflush(stream);
    }
    return NULL;
}

static int a_cancelled_thread_keeps_no_lock(void)
{
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        void *result = NULL;
        FILE *stream = fopen("/dev/null", "w");
        pthread_create(&thread, NULL, ask_for_ever, stream);
        usleep((useconds_t)(i * 20));
        pthread_cancel(thread);
        pthread_join(thread, &result);
        wrong += result != PTHREAD_CANCELED || !is_sound();
        free(malloc(300000));
        fclose(stream);
    }
    return verdict();
}

/* -------------------------------------------------------------- exhaustion */

typedef struct piece {
    struct piece *next;
} piece;

/* Takes all that there is, and gives it back. */
static void *exhaust(void *number)
{
    uint32_t dice = (uint32_t)(uintptr_t)number;
    for (int round = 0; round < 5; round++) {
        piece *first = NULL;
        piece *one;
        errno = 0;
        while ((one = malloc(next(&dice) % 3000 + sizeof *one)) != NULL) {
            one->next = first;
            first = one;
        }
        wrong += errno != ENOMEM || first == NULL;
        for (; first != NULL; first = one) {
            one = first->next;
            free(first);
        }
    }
    return NULL;
}

static int threads_that_run_out_go_on(void)
{
    pthread_t threads[THREADS];
    begin(threads, exhaust);
    join(threads);
    void *most = malloc(4 << 20);
    wrong += most == NULL;
    free(most);
    return verdict();
}

/* ---------------------------------------------------------------- children */

typedef struct situation {
    const char *name;
    int (*run)(void); /* its exit code */
    int times;
} situation;

#define SITUATION(name, times)                                                 \
    {                                                                          \
#name, name, times                                                     \
    }

static const situation situations[] = {
    SITUATION(the_program_ends_beside_threads, 10),
    SITUATION(another_thread_ends_the_program, 10),
    SITUATION(threads_begin_and_end_beside_others, 1),
    SITUATION(questions_are_answered_beside_threads, 1),
    SITUATION(a_cancelled_thread_keeps_no_lock, 1),
    SITUATION(threads_that_run_out_go_on, 1),
};

/* In a process of its own, with a small pool, and silent. */
static int start(const char *name)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        setenv("BITFIT_POOL", "16M", 1);
        execl("/proc/self/exe", "together", name, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void every_situation_ends_well(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < LENGTH(situations); i++) {
        for (int k = 0; k < situations[i].times; k++) {
            int status = start(situations[i].name);
            if (status != 0) {
                print_error("%s: status %x\n", situations[i].name,
                            (unsigned)status);
                failed++;
            }
        }
    }
    assert_int_equal(failed, 0);
}

static int run_one(const char *name)
{
    for (size_t i = 0; i < LENGTH(situations); i++) {
        if (strcmp(situations[i].name, name) == 0) {
            alarm(SECONDS);
            return situations[i].run();
        }
    }
    return 2;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_situation_ends_well),
    };
    return argc > 1 ? run_one(argv[1])
                    : cmocka_run_group_tests_name("malloc together", tests,
                                                  NULL, NULL);
}
