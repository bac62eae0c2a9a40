/*
 * What happens at the edges of a process: forks, signals' handlers, ends, and
 * the last words of a program that is stopped. Each case runs in a child of its
 * own, which must end as it is said here and soon. Linked with the library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { SECONDS = 120, SAID_MAX = 4000 };

static void *hide(void *ptr)
{
    void *volatile anything = ptr;
    return anything;
}

/* ---------------------------------------------------------------- children */

typedef struct outcome {
    int status;
    char said[SAID_MAX]; /* on standard error */
} outcome;

static void watch(void (*run)(void), outcome *seen)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(SECONDS);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        run();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t more;
    while ((more = read(ends[0], seen->said + length,
                        sizeof seen->said - 1 - length)) > 0) {
        length += (size_t)more;
    }
    seen->said[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &seen->status, 0), pid);
}

/* ------------------------------------------------------------ fork and locks
 */

static atomic_bool stop;

static ssize_t allocate_and_drop(void *cookie, const char *bytes, size_t count)
{
    (void)cookie;
    (void)bytes;
    free(hide(malloc(200000)));
    return (ssize_t)count;
}

/* A stream whose writer allocates, under the stream's and the list's locks. It
 * rests without them, or who waits for them might do so for ever. */
static void *flush_all(void *unused)
{
    cookie_io_functions_t functions = {.write = allocate_and_drop};
    FILE *stream = fopencookie(NULL, "w", functions);
    while (!stop) {
        fputs("x", stream);
        fflush(NULL);
        usleep(20);
    }
    return unused;
}

static void *read_lines(void *name)
{
    FILE *file = fopen(name, "r");
    while (!stop) {
        char *line = NULL;
        size_t size = 0;
        rewind(file);
        if (getline(&line, &size, file) < 0) {
            abort();
        }
        free(line);
    }
    fclose(file);
    return NULL;
}

static void fork_once(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(SECONDS);
        free(hide(malloc(300000)));
        FILE *file = fopen("/dev/null", "w");
        fputs("alive", file);
        fclose(file);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        _exit(9);
    }
}

static void *fork_until_told(void *unused)
{
    while (!stop) {
        fork_once();
    }
    return unused;
}

static void *work_until_told(void *unused)
{
    while (!stop) {
        free(hide(malloc(150000)));
    }
    return unused;
}

static void forks_beside_a_flush(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, flush_all, NULL);
    for (int i = 0; i < 30; i++) {
        fork_once();
    }
    stop = true;
    pthread_join(thread, NULL);
}

static void forks_beside_streams(void)
{
    char name[] = "/tmp/edgesXXXXXX";
    pthread_t threads[6];
    size_t count = 0;
    int file = mkstemp(name);
    for (int i = 0; i < 30; i++) {
        dprintf(file, "%1000d", i);
    }
    close(file);
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[count++], NULL, fork_until_told, NULL);
        pthread_create(&threads[count++], NULL, read_lines, name);
    }
    pthread_create(&threads[count++], NULL, read_lines, name);
    pthread_create(&threads[count++], NULL, flush_all, NULL);
    sleep(1);
    stop = true;
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    unlink(name);
}

/* Makes up to so many children, on one way or another, beside two threads that
 * are inside most of the time: in a child none of them is. */
static void make_children(pid_t (*make)(void), int most)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, work_until_told, NULL);
    }
    for (int i = 0; i < most; i++) {
        int status = -1;
        pid_t pid = make();
        if (pid == 0) {
            alarm(SECONDS);
            free(hide(malloc(300000)));
            free(hide(malloc(100)));
            _exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            _exit(status == SIGABRT ? 10 : 9);
        }
    }
    stop = true;
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void children_without_handlers_allocate(void)
{
    make_children(_Fork, 20);
}

static pid_t fork_by_the_kernel(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* Sooner or later such a child finds another thread inside, which it has not:
 * then it ends with a line, and never waits for ever. */
static void children_of_the_kernel_do_not_hang(void)
{
    make_children(fork_by_the_kernel, INT_MAX);
}

/* ------------------------------------------------------------- in a handler */

static volatile sig_atomic_t handled;
static volatile sig_atomic_t handled_most;
static void (*volatile in_handler)(void);

/* The program goes on for a millisecond before the next, however long a handler
 * takes. After the last it is left alone: what takes longer, and begins anew
 * after each signal, comes to its end then. */
static void interrupt_soon(void)
{
    if (handled < handled_most) {
        struct itimerval soon = {.it_value = {.tv_usec = 1000 + handled % 64}};
        setitimer(ITIMER_REAL, &soon, NULL);
    }
}

static void handle(int signal)
{
    (void)signal;
    int kept = errno;
    in_handler();
    handled++;
    interrupt_soon();
    errno = kept;
}

static void begin_interrupting(void (*act)(void), int most)
{
    in_handler = act;
    handled_most = most;
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    interrupt_soon();
}

/* Interrupts what allocates at any point, `most` times or until the end. */
static void interrupt_with(void (*act)(void), int most)
{
    void *blocks[64] = {NULL};
    uint32_t dice = 1;
    begin_interrupting(act, most);
    while (handled < handled_most) {
        dice = dice * 1664525 + 1013904223;
        void **block = &blocks[dice >> 26];
        free(*block);
        *block = malloc((dice >> 10) % 70000);
        *block = realloc(*block, (dice >> 8) % 5000 + 1);
    }
}

static void fork_and_wait(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    int status = 1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        _exit(9);
    }
}

static void a_handler_forks(void)
{
    interrupt_with(fork_and_wait, 40);
}

/* The child goes on where the handler interrupted its parent. */
static void fork_and_return(void)
{
    if (handled % 8 == 0 && fork() == 0) {
        alarm(SECONDS);
        handled = handled_most;
    }
}

/* A handler that interrupts fork() itself, as any call, forks, too. */
static void a_handler_forks_in_fork(void)
{
    begin_interrupting(fork_and_wait, 40);
    while (handled < handled_most) {
        int status = 1;
        pid_t pid = fork();
        if (pid == 0) {
            free(hide(malloc(100)));
            _exit(0);
        }
        while (waitpid(pid, &status, 0) != pid) {
        }
        if (status != 0) {
            _exit(9);
        }
    }
}

static void children_of_handlers_go_on(void)
{
    pid_t self = getpid();
    interrupt_with(fork_and_return, 40);
    free(hide(malloc(100)));
    if (getpid() != self) {
        _exit(0);
    }
    int status;
    while (waitpid(-1, &status, 0) > 0) {
        if (status != 0) {
            _exit(9);
        }
    }
}

static void end_by_exit(void)
{
    _exit(7);
}

static void end_by_Exit(void)
{
    _Exit(7);
}

static void end_by_quick_exit(void)
{
    quick_exit(7);
}

static void a_handler_calls__exit(void)
{
    interrupt_with(end_by_exit, 1 << 30);
}

static void a_handler_calls__Exit(void)
{
    interrupt_with(end_by_Exit, 1 << 30);
}

static void a_handler_calls_quick_exit(void)
{
    interrupt_with(end_by_quick_exit, 1 << 30);
}

static void a_handler_aborts(void)
{
    interrupt_with(abort, 1 << 30);
}

static void allocate_in_handler(void)
{
    free(hide(malloc(100)));
    free(hide(malloc(300000)));
}

static void a_handler_allocates(void)
{
    interrupt_with(allocate_in_handler, 1 << 30);
}

static void *work(void *unused)
{
    for (;;) {
        free(hide(malloc(150000)));
    }
    return unused;
}

static void a_handler_allocates_beside_a_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    interrupt_with(allocate_in_handler, 1 << 30);
}

/* --------------------------------------------------------------- last words */

/* These stand in front of the C library's for the whole program: none of them
 * has a part in the way to die. */
void abort(void)
{
    static const char told[] = "the program's own abort()\n";
    fputs(told, stderr);
    _exit(8);
}

static void free_twice(void)
{
    void *block = hide(malloc(5000));
    free(block);
    free(hide(block));
}

static void *free_twice_when_cancelled(void *unused)
{
    pthread_cancel(pthread_self());
    free_twice();
    return unused;
}

static void dies_with_a_cancellation_pending(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, free_twice_when_cancelled, NULL);
    pthread_join(thread, NULL);
}

static void *free_twice_cancelled_at_once(void *unused)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    free_twice();
    return unused;
}

static void dies_with_cancellation_at_any_time(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, free_twice_cancelled_at_once, NULL);
    pthread_join(thread, NULL);
}

static jmp_buf way_out;

static void jump_out(int signal)
{
    (void)signal;
    longjmp(way_out, 1);
}

static void dies_though_a_handler_would_jump(void)
{
    signal(SIGABRT, jump_out);
    if (setjmp(way_out) == 0) {
        free_twice();
    }
}

static void dies_though_the_signal_is_ignored(void)
{
    signal(SIGABRT, SIG_IGN);
    free_twice();
}

static void dies_though_the_signal_is_blocked(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    free_twice();
}

static void dies_without_a_reader(void)
{
    int ends[2];
    if (pipe(ends) == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
    }
    signal(SIGPIPE, SIG_DFL);
    free_twice();
}

/* Nobody reads from it, but somebody might: that is no reason to wait on. */
static void dies_beside_a_full_pipe(void)
{
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) == 0) {
        while (write(ends[1], "full", 4) > 0) {
        }
        fcntl(ends[1], F_SETFL, 0);
        dup2(ends[1], STDERR_FILENO);
    }
    free_twice();
}

static void dies_without_standard_error(void)
{
    close(STDERR_FILENO);
    free_twice();
}

static void dies_at_exit(void)
{
    atexit(free_twice);
    exit(0);
}

static void free_twice_in_handler(int signal)
{
    (void)signal;
    free_twice();
}

static void dies_in_a_handler(void)
{
    signal(SIGUSR1, free_twice_in_handler);
    raise(SIGUSR1);
}

/* On the smallest stack on which the kernel starts a handler, and STACK_ROOM
 * bytes for the handler itself; below is nothing. */
enum { STACK_ROOM = 1536 };

static void handle_on_small_stack(void (*act)(int))
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (size_t)sysconf(_SC_MINSIGSTKSZ) + STACK_ROOM;
    size_t whole = (size + page - 1) / page * page;
    char *memory = mmap(NULL, page + whole, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory, page, PROT_NONE);
    stack_t stack = {.ss_sp = memory + page, .ss_size = size};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = act, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

static void dies_on_a_small_stack(void)
{
    handle_on_small_stack(free_twice_in_handler);
}

static void free_wild_in_handler(int signal)
{
    (void)signal;
    char *block = malloc(100000);
    free(hide(block + 4096));
}

static void dies_of_another_kind_on_a_small_stack(void)
{
    handle_on_small_stack(free_wild_in_handler);
}

static void end_in_handler(int signal)
{
    _exit(signal == SIGUSR1 ? 7 : 8);
}

static void ends_on_a_small_stack(void)
{
    handle_on_small_stack(end_in_handler);
}

static void interrupt(int signal)
{
    (void)signal;
}

/* Signals come all the time; the line is whole all the same. */
static void dies_under_signals(void)
{
    struct itimerval often = {{0, 20}, {0, 20}};
    signal(SIGALRM, interrupt);
    setitimer(ITIMER_REAL, &often, NULL);
    free_twice();
}

/* What they do meanwhile must not change what is wrong: the block lives. */
static void dies_beside_others(void)
{
    pthread_t thread;
    for (int i = 0; i < 4; i++) {
        pthread_create(&thread, NULL, work, NULL);
    }
    char *block = malloc(5000);
    free(hide(block + 16));
}

/* ----------------------------------------------------------------- verdicts */

enum { ABORTED = SIGABRT };

typedef struct edge {
    const char *name;
    void (*run)(void);
    int status;       /* as of waitpid() */
    const char *said; /* the one line, or its front; "" for nothing */
} edge;

#define EXITED(code) ((code) << 8)
#define EDGE(name, status, said)                                               \
    {                                                                          \
#name, name, status, said                                              \
    }
#define TWICE "bitfit: double free: free(0x"
#define INTERIOR "bitfit: interior pointer: free(0x"

static const edge edges[] = {
    EDGE(forks_beside_a_flush, 0, ""),
    EDGE(forks_beside_streams, 0, ""),
    EDGE(children_without_handlers_allocate, 0, ""),
    EDGE(children_of_the_kernel_do_not_hang, EXITED(10),
         "bitfit: fork beside a call: fork()\n"),
    EDGE(a_handler_forks, 0, ""),
    EDGE(a_handler_forks_in_fork, 0, ""),
    EDGE(children_of_handlers_go_on, 0, ""),
    EDGE(a_handler_calls__exit, EXITED(7), ""),
    EDGE(a_handler_calls__Exit, EXITED(7), ""),
    EDGE(a_handler_calls_quick_exit, EXITED(7), ""),
    EDGE(a_handler_aborts, EXITED(8), "the program's own abort()\n"),
    EDGE(a_handler_allocates, ABORTED, "bitfit: re-entry: "),
    EDGE(a_handler_allocates_beside_a_thread, ABORTED, "bitfit: re-entry: "),
    EDGE(dies_with_a_cancellation_pending, ABORTED, TWICE),
    EDGE(dies_with_cancellation_at_any_time, ABORTED, TWICE),
    EDGE(dies_though_a_handler_would_jump, ABORTED, TWICE),
    EDGE(dies_though_the_signal_is_ignored, ABORTED, TWICE),
    EDGE(dies_though_the_signal_is_blocked, ABORTED, TWICE),
    EDGE(dies_without_a_reader, ABORTED, ""),
    EDGE(dies_beside_a_full_pipe, ABORTED, ""),
    EDGE(dies_without_standard_error, ABORTED, ""),
    EDGE(dies_at_exit, ABORTED, TWICE),
    EDGE(dies_in_a_handler, ABORTED, TWICE),
    EDGE(dies_on_a_small_stack, ABORTED, TWICE),
    EDGE(dies_of_another_kind_on_a_small_stack, ABORTED, INTERIOR),
    EDGE(ends_on_a_small_stack, EXITED(7), ""),
    EDGE(dies_under_signals, ABORTED, TWICE),
    EDGE(dies_beside_others, ABORTED, INTERIOR),
};

/* Whether it is one line, which begins like this. */
static bool is_line(const char *said, const char *front)
{
    size_t length = strlen(said);
    return *front == '\0' ? length == 0
                          : strncmp(said, front, strlen(front)) == 0 &&
                                strchr(said, '\n') == said + length - 1;
}

static void every_edge_is_as_it_is_said(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < LENGTH(edges); i++) {
        outcome seen;
        watch(edges[i].run, &seen);
        int status =
            WIFSIGNALED(seen.status) ? WTERMSIG(seen.status) : seen.status;
        if (status != edges[i].status || !is_line(seen.said, edges[i].said)) {
            print_error("%s: status %x, \"%s\"\n", edges[i].name,
                        (unsigned)seen.status, seen.said);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* `edges NAME` runs one of them here. */
static int run_one(const char *name)
{
    for (size_t i = 0; i < LENGTH(edges); i++) {
        if (strcmp(edges[i].name, name) == 0) {
            edges[i].run();
            return 0;
        }
    }
    return 2;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_edge_is_as_it_is_said),
    };
    if (argc > 1) {
        return run_one(argv[1]);
    }
    return cmocka_run_group_tests_name("malloc edges", tests, NULL, NULL);
}
