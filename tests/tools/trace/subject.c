/*
 * usage: subject MODE
 * A program to be recorded. What it asks of malloc is known to record_test.py.
 */
#include <alloca.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 5000, MANY = 300000 };

/* Keeps the compiler from leaving calls out. */
static void *volatile kept;
static volatile size_t huge = PTRDIFF_MAX;
static volatile size_t odd_alignment = 48;

static void *ask(size_t size)
{
    kept = malloc(size);
    return kept;
}

static int family(void)
{
    void *block = NULL;
    ask(12345);
    char *first = ask(100);
    char *second = calloc(3, 7);
    first = realloc(first, 5000);
    second = realloc(second, 0);
    kept = realloc(NULL, 77);
    free(kept);
    kept = memalign(64, 10);
    kept = memalign(odd_alignment, 11); /* gets 64 */
    kept = aligned_alloc(4096, 8192);
    if (posix_memalign(&block, 256, 33) != 0)
        return 1;
    kept = valloc(5);
    kept = pvalloc(5);
    kept = reallocarray(NULL, 6, 9);
    free(first);
    free(NULL);
    if (malloc(huge) != NULL || realloc(block, huge) != NULL ||
        reallocarray(NULL, huge, 9) != NULL || second != NULL)
        return 1;
    free(block);
    return 0;
}

static void *churn(void *seed)
{
    void *blocks[64] = {NULL};
    unsigned random = (unsigned)(uintptr_t)seed;
    for (int i = 0; i < ROUNDS; i++) {
        random = random * 1664525u + 1013904223u;
        void **block = &blocks[random >> 8 & 63];
        if ((random >> 20 & 1) != 0) {
            *block = realloc(*block, (random >> 10 & 1023) + 1);
        } else {
            free(*block);
            *block = malloc(random >> 9 & 511);
        }
    }
    for (int i = 0; i < 64; i++)
        free(blocks[i]);
    return NULL;
}

static void start_threads(pthread_t threads[THREADS])
{
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, churn, (void *)(i * 7919));
}

static int run_threads(void)
{
    pthread_t threads[THREADS];
    start_threads(threads);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

/* The child frees the parent's block, too, then asks for three of its own. */
static int in_child(void *block)
{
    free(block);
    for (size_t i = 0; i < 3; i++)
        ask(300 + i);
    return 3;
}

static int wait_for(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static int run_fork(int with_handlers)
{
    void *block = ask(111);
    ask(222);
    pid_t child =
        with_handlers ? fork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(in_child(block));
    int code = wait_for(child);
    ask(333);
    return code;
}

/* With threads that are in malloc while others fork. */
static int run_forks(void)
{
    pthread_t threads[THREADS];
    int good = 0;
    start_threads(threads);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(in_child(NULL));
        good += wait_for(child) == 3;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return good == 20 ? 0 : 1;
}

static int run_spawn(char *self)
{
    pid_t child;
    char mode[] = "family";
    char missing[] = "/nowhere/at/all";
    char *good[] = {self, mode, NULL};
    char *bad[] = {missing, NULL};
    extern char **environ;
    ask(111);
    if (posix_spawn(&child, self, NULL, NULL, good, environ) != 0 ||
        wait_for(child) != 0)
        return 1;
    pid_t failing = vfork();
    if (failing == 0) {
        execve(missing, bad, environ);
        _exit(127);
    }
    ask(222);
    return wait_for(failing) == 127 ? 0 : 1;
}

/* More events than a window of the file holds, without a file descriptor. */
static int run_many(void)
{
    for (int file = 0; file < 1024; file++)
        close(file);
    if (open("/dev/null", O_RDWR) != 0 || chdir("/") != 0)
        return 1;
    for (int i = 0; i < MANY; i++)
        free(ask(5));
    return 0;
}

/* A stream whose writer allocates, while fork() locks all streams. */
static ssize_t write_slowly(void *cookie, const char *bytes, size_t count)
{
    (void)cookie;
    (void)bytes;
    usleep(500);
    free(ask(200000));
    return (ssize_t)count;
}

static volatile int enough;

static void *flush_all(void *unused)
{
    cookie_io_functions_t functions = {.write = write_slowly};
    FILE *stream = fopencookie(NULL, "w", functions);
    while (!enough) {
        fputs("x", stream);
        fflush(NULL);
    }
    fclose(stream);
    return unused;
}

static int run_flush(void)
{
    pthread_t thread;
    int good = 0;
    pthread_create(&thread, NULL, flush_all, NULL);
    for (int i = 0; i < 30; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(in_child(NULL));
        good += wait_for(child) == 3;
    }
    enough = 1;
    pthread_join(thread, NULL);
    return good == 30 ? 0 : 1;
}

/* A handler that interrupts malloc in most rounds. */
static void handle_in_malloc(void (*handler)(int))
{
    struct itimerval often = {{0, 5000}, {0, 5000}};
    signal(SIGALRM, handler);
    free(ask(100)); /* a machine may be too busy to come to the next one */
    setitimer(ITIMER_REAL, &often, NULL);
    while (!enough)
        free(ask(100));
}

static void end_by__exit(int number)
{
    (void)number;
    _exit(7);
}

static void end_by__Exit(int number)
{
    (void)number;
    _Exit(7);
}

static void end_by_quick_exit(int number)
{
    (void)number;
    quick_exit(7);
}

static void end_by_abort(int number)
{
    (void)number;
    abort();
}

static const struct {
    const char *mode;
    void (*handler)(int);
} ends[] = {{"handler-_exit", end_by__exit},
            {"handler-_Exit", end_by__Exit},
            {"handler-quick_exit", end_by_quick_exit},
            {"handler-abort", end_by_abort}};

/* The child returns into what was interrupted, and goes on. */
static void fork_in_handler(int number)
{
    static int count;
    (void)number;
    if (fork() == 0) {
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
        enough = 1;
        return;
    }
    enough = ++count >= 20;
}

static int run_fork_in_handler(void)
{
    pid_t self = getpid();
    handle_in_malloc(fork_in_handler);
    signal(SIGALRM, SIG_IGN);
    int status = 0;
    while (getpid() == self && wait(&status) > 0 && status == 0)
        continue;
    return status == 0 ? 0 : 1;
}

/* Frames of every kind, each with a request of its own size. clang has no such
 * attribute: there the frames are plain. */
#ifdef __clang__
#define OPTIMIZED(...) __attribute__((noinline))
#else
#define OPTIMIZED(...) __attribute__((noinline, optimize(__VA_ARGS__)))
#endif

static void with_alloca(size_t size)
{
    kept = alloca(size % 100 * 16);
    ask(size);
}

OPTIMIZED("O1", "omit-frame-pointer")
static void without_pointer(size_t size)
{
    char *volatile room[100] = {kept};
    with_alloca(size);
    kept = room[0];
}

OPTIMIZED("O1")
static void realigned(size_t size)
{
    _Alignas(64) char volatile room[64] = {0};
    without_pointer(size + (size_t)room[1]);
    room[0] = 1;
}

static void in_handler(int number)
{
    (void)number;
    realigned(402);
}

static ucontext_t coroutine, caller;

static void in_coroutine(void)
{
    realigned(403);
    swapcontext(&coroutine, &caller);
}

static void *in_thread(void *unused)
{
    realigned(404);
    return unused;
}

static int run_frames(void)
{
    static char stack[1 << 16];
    pthread_t thread;
    for (size_t size = 410; size < 440; size++)
        without_pointer(size);
    realigned(401);
    signal(SIGUSR1, in_handler);
    raise(SIGUSR1);
    getcontext(&coroutine);
    coroutine.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof stack};
    makecontext(&coroutine, in_coroutine, 0);
    swapcontext(&caller, &coroutine);
    pthread_create(&thread, NULL, in_thread, NULL);
    return pthread_join(thread, NULL);
}

/* A walk through frames of three kinds, deeper than a stack in a trace and back
 * again, that names its way at each request. */
enum { DEPTH_MAX = 50, REQUESTS = 5000 };

static char way[DEPTH_MAX];
static size_t depth, requests;
static uint64_t dice_state = 1;

static unsigned dice(unsigned sides)
{
    dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(dice_state >> 33) % sides;
}

static void wander(void);

OPTIMIZED("O1", "omit-frame-pointer") static void a(void)
{
    char *volatile room[9] = {kept};
    wander();
    kept = room[0];
}

/* Keeps the frame pointer, which the frames outside need. */
static void b(void)
{
    kept = alloca((1 + dice(9)) * 16);
    wander();
}

/* Uses the frame pointer's register for something else. */
OPTIMIZED("O2", "omit-frame-pointer") static void c(void)
{
    static volatile size_t all[6];
    size_t t = all[0], u = all[1], v = all[2], w = all[3], x = all[4],
           y = all[5] + requests;
    wander();
    all[dice(6)] = t + 3 * u + 5 * v + 7 * w + 9 * x + 11 * y;
}

/* Goes deep half of the time, and comes up in the other half. */
static void wander(void)
{
    static void (*const ways[])(void) = {a, b, c};
    static const char names[] = "abc";
    while (requests < REQUESTS) {
        unsigned inwards = requests / 100 % 2 == 0 ? 7 : 2;
        unsigned kind = dice(3);
        if (dice(3) == 0) {
            printf("%zu %.*s\n", 10000 + ++requests, (int)depth, way);
            ask(10000 + requests);
        } else if (depth == DEPTH_MAX || (depth > 0 && dice(9) >= inwards)) {
            return;
        } else {
            way[depth++] = names[kind];
            ways[kind]();
            depth--;
        }
    }
}

static int run_depths(void)
{
    wander();
    return 0;
}

static int run_daemon(void)
{
    ask(111);
    if (daemon(1, 1) != 0)
        return 1;
    for (int i = 0; i < 3; i++)
        ask(300 + (size_t)i);
    return 0;
}

/* A program that makes everything its own: the environment, and every
 * descriptor, which it opens again for its own file. */
static int run_owner(const char *path)
{
    char name[64];
    clearenv();
    snprintf(name, sizeof name, "own-%ld", (long)getpid());
    close_range(3, ~0U, 0);
    int file = open(path == NULL ? name : path, O_CREAT | O_RDWR, 0600);
    while (dup(file) < 950)
        continue;
    for (int i = 0; i < MANY; i++)
        free(ask(5));
    close_range(100, ~0U, 0);
    pid_t child = fork();
    if (child == 0)
        exit(in_child(NULL));
    return wait_for(child);
}

static const struct {
    const char *mode;
    int (*run)(void);
} runs[] = {
    {"family", family},     {"threads", run_threads},
    {"forks", run_forks},   {"many", run_many},
    {"flush", run_flush},   {"frames", run_frames},
    {"daemon", run_daemon}, {"handler-fork", run_fork_in_handler},
    {"depths", run_depths},
};

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    char family_mode[] = "family";
    char *again[] = {argv[0], family_mode, NULL};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        if (strcmp(mode, runs[i].mode) == 0)
            return runs[i].run();
    }
    if (strcmp(mode, "fork") == 0 || strcmp(mode, "raw-fork") == 0)
        return run_fork(strcmp(mode, "fork") == 0);
    if (strcmp(mode, "spawn") == 0)
        return run_spawn(argv[0]);
    if (strcmp(mode, "owner") == 0)
        return run_owner(argv[2]);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (strcmp(mode, ends[i].mode) == 0)
            handle_in_malloc(ends[i].handler);
    }
    ask(111);
    if (strcmp(mode, "exec") == 0)
        execv(argv[0], again);
    if (strcmp(mode, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(mode, "abort") == 0)
        abort();
    if (strcmp(mode, "wait") == 0)
        return read(0, kept, 1) == 0 ? 6 : 7;
    if (strcmp(mode, "_exit") == 0)
        _exit(4);
    return 5;
}
