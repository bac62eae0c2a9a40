/*
 * What C libraries test of their own malloc, family by family: each a situation
 * that a program may be in and that has to go well. Each runs in a child of its
 * own, which must end by itself and say nothing; `malloc_situations NAME` runs
 * one of them here. Linked with the library; run by default and hardened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <obstack.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { SECONDS = 240, THREADS = 4 };

/* In a child: its parent says which one it was. */
#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            dprintf(STDERR_FILENO, "line %d: %s\n", __LINE__, #condition);     \
            _exit(1);                                                          \
        }                                                                      \
    } while (0)

/* The compiler must not know what it is. */
static size_t hidden(size_t size)
{
    static volatile size_t zero;
    return size + zero;
}

static unsigned random_below(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % below;
}

static bool is_filled(const unsigned char *block, unsigned char with,
                      size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != with) {
            return false;
        }
    }
    return true;
}

static size_t live(void)
{
    return mallinfo2().uordblks;
}

/* --------------------------------------------------------------- the content
 */

typedef struct slot {
    unsigned char *block;
    size_t size;
    unsigned char with;
} slot;

static void fill(slot *of, unsigned char *block, size_t size, unsigned with)
{
    CHECK(block != NULL && (uintptr_t)block % 16 == 0);
    CHECK(malloc_usable_size(block) >= size);
    *of = (slot){block, size, (unsigned char)with};
    memset(block, (int)with, size);
}

static void step(slot *of, unsigned *seed, unsigned most, bool alignments)
{
    size_t size = 1 + random_below(seed, most);
    unsigned with = random_below(seed, 256);
    if (of->block == NULL) {
        size_t alignment = (size_t)16 << random_below(seed, 9);
        unsigned char *block =
            alignments ? memalign(alignment, size) : malloc(size);
        CHECK(!alignments || (uintptr_t)block % alignment == 0);
        fill(of, block, size, with);
        return;
    }
    CHECK(is_filled(of->block, of->with, of->size));
    if (random_below(seed, 3) == 0) {
        unsigned char *block = realloc(of->block, size);
        size_t kept = size < of->size ? size : of->size;
        CHECK(block != NULL && is_filled(block, of->with, kept));
        fill(of, block, size, with);
    } else {
        free(of->block);
        of->block = NULL;
    }
}

static void take_and_give(unsigned seed, unsigned most, bool alignments)
{
    slot slots[64] = {{NULL, 0, 0}};
    for (int i = 0; i < 4000; i++) {
        step(&slots[random_below(&seed, LENGTH(slots))], &seed, most,
             alignments);
    }
    for (size_t i = 0; i < LENGTH(slots); i++) {
        free(slots[i].block);
    }
}

static void random_sizes_keep_their_content(void)
{
    take_and_give(1, 300, false);
    take_and_give(2, 20000, false);
    take_and_give(3, 200000, false);
}

static void random_alignments_keep_their_content(void)
{
    take_and_give(4, 300, true);
    take_and_give(5, 20000, true);
}

static void cleared_after_dirty(void)
{
    for (size_t size = 1; size < 300000; size = size * 2 + 1) {
        unsigned char *block = malloc(size);
        memset(block, 0xff, size);
        free(block);
        block = calloc(1, size);
        CHECK(block != NULL && is_filled(block, 0, size));
        free(block);
    }
}

static void resized_from_nothing_to_nothing(void)
{
    size_t before = live();
    void *block = realloc(NULL, hidden(10));
    CHECK(block != NULL);
    CHECK(realloc(block, hidden(0)) == NULL);
    block = realloc(NULL, hidden(0));
    CHECK(block != NULL);
    free(block);
    CHECK(live() == before);
}

static size_t mappings(void)
{
    size_t lines = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    for (int c; (c = getc(file)) != EOF;) {
        lines += c == '\n';
    }
    fclose(file);
    return lines;
}

/* Hardened, each leaves closed pages behind: they must not fill the table of
 * mappings, of which a process has 65,530. */
static void large_blocks_come_and_go(void)
{
    slot slots[32] = {{NULL, 0, 0}};
    unsigned seed = 6;
    for (int i = 0; i < 7000; i++) {
        slot *of = &slots[random_below(&seed, LENGTH(slots))];
        size_t size = 66000 + random_below(&seed, 60000);
        CHECK(of->block == NULL || (of->block[0] == of->with &&
                                    of->block[of->size - 1] == of->with));
        free(of->block);
        *of = (slot){malloc(size), size, (unsigned char)i};
        CHECK(of->block != NULL);
        of->block[0] = of->block[size - 1] = of->with;
    }
    CHECK(mappings() < 1000);
}

/* --------------------------------------------------------- impossible sizes
 */

static void refused(void *block)
{
    CHECK(block == NULL && errno == ENOMEM);
    errno = 0;
}

static void sizes_too_large_are_refused(void)
{
    char *kept = malloc(16);
    memset(kept, 'x', 16);
    errno = 0;
    for (size_t less = 0; less < 1 << 14; less += 61) {
        size_t size = hidden(SIZE_MAX) - less;
        refused(malloc(size));
        refused(realloc(kept, size));
        refused(calloc(1, size));
        refused(calloc(size, 1));
        refused(reallocarray(kept, size, 1));
        refused(reallocarray(kept, 1, size));
        refused(memalign(64, size));
        refused(aligned_alloc(64, size));
        refused(valloc(size));
        refused(pvalloc(size));
        void *block = kept;
        CHECK(posix_memalign(&block, 64, size) == ENOMEM && block == kept);
    }
    refused(malloc(hidden(PTRDIFF_MAX) + 1));
    CHECK(is_filled((unsigned char *)kept, 'x', 16));
    free(kept);
}

static void products_that_wrap_are_refused(void)
{
    char *kept = malloc(16);
    errno = 0;
    for (unsigned bit = 1; bit < 64; bit++) {
        size_t a = hidden((size_t)1 << bit);
        size_t b = SIZE_MAX / a + 2;
        refused(calloc(a, b));
        refused(calloc(b, a));
        refused(reallocarray(kept, a, b));
        refused(reallocarray(kept, b, a));
    }
    free(kept);
}

static void alignments_too_large_are_refused(void)
{
    void *block = NULL;
    errno = 0;
    refused(memalign(hidden((SIZE_MAX >> 1) + 1), 1));
    refused(aligned_alloc(hidden((SIZE_MAX >> 1) + 1), 1));
    CHECK(posix_memalign(&block, (SIZE_MAX >> 1) + 1, hidden(1)) == ENOMEM);
    CHECK(posix_memalign(&block, 3, 1) == EINVAL);
    CHECK(posix_memalign(&block, 0, 1) == EINVAL);
    CHECK(posix_memalign(&block, sizeof(void *) / 2, 1) == EINVAL);
    CHECK(block == NULL);
}

static void pages_are_whole(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t size = 1; size < 4 * page; size += page / 3) {
        char *a = valloc(size);
        char *b = pvalloc(size);
        CHECK((uintptr_t)a % page == 0 && (uintptr_t)b % page == 0);
        memset(a, 1, size);
        memset(b, 1, (size + page - 1) / page * page);
        free(a);
        free(b);
    }
}

/* ------------------------------------------------------------------ threads */

static void run_threads(void *(*run)(void *), int number)
{
    pthread_t threads[16];
    for (int i = 0; i < number; i++) {
        CHECK(pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i) == 0);
    }
    for (int i = 0; i < number; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

static _Atomic bool stop;

static void *work(void *unused)
{
    for (unsigned seed = (unsigned)(uintptr_t)&unused; !atomic_load(&stop);) {
        size_t size = 1 + random_below(&seed, 3000);
        char *block = malloc(size);
        CHECK(block != NULL);
        block[0] = block[size - 1] = 1;
        free(realloc(block, size * 2));
    }
    return NULL;
}

static pthread_t begin_work(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
    return thread;
}

static void end_work(pthread_t thread)
{
    atomic_store(&stop, true);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void *random_in_thread(void *number)
{
    take_and_give((unsigned)(intptr_t)number, 5000, true);
    return NULL;
}

static void threads_keep_their_content(void)
{
    run_threads(random_in_thread, THREADS);
}

static void *use_every_bin(void *unused)
{
    (void)unused;
    for (size_t size = 1; size < 1024; size += 8) {
        free(malloc(size));
    }
    return NULL;
}

/* What a thread's cache held is not lost with it. */
static void threads_that_end_leave_nothing(void)
{
    run_threads(use_every_bin, 1);
    size_t before = live();
    for (int i = 0; i < 500; i++) {
        run_threads(use_every_bin, 1);
    }
    CHECK(live() == before);
}

static void *take_one(void *unused)
{
    (void)unused;
    return malloc(100);
}

static void blocks_outlive_their_thread(void)
{
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        void *block = NULL;
        CHECK(pthread_create(&thread, NULL, take_one, NULL) == 0);
        CHECK(pthread_join(thread, &block) == 0);
        memset(block, 1, 100);
        free(block);
    }
}

static pthread_key_t late;
static void *given_in_main;

static void free_late(void *block)
{
    free(block);
    free(malloc(64));
}

static void *set_late(void *unused)
{
    (void)unused;
    CHECK(pthread_setspecific(late, malloc(64)) == 0);
    return NULL;
}

static void destructors_of_threads_free(void)
{
    CHECK(pthread_key_create(&late, free_late) == 0);
    for (int i = 0; i < 200; i++) {
        run_threads(set_late, 1);
    }
}

static void *free_given(void *unused)
{
    (void)unused;
    free(given_in_main);
    return NULL;
}

static void threads_free_what_main_took(void)
{
    for (size_t size = 1; size < 200000; size = size * 2 + 1) {
        given_in_main = malloc(size);
        run_threads(free_given, 1);
    }
}

static void *realign(void *unused)
{
    (void)unused;
    for (int i = 0; i < 300; i++) {
        void *a = memalign(256, 3000);
        void *b = memalign(64, 64);
        CHECK((uintptr_t)a % 256 == 0 && (uintptr_t)b % 64 == 0);
        free(a);
        free(b);
    }
    return NULL;
}

static void aligned_blocks_are_used_again(void)
{
    realign(NULL);
    size_t before = mallinfo2().usmblks; /* the peak */
    for (int i = 0; i < 4; i++) {
        run_threads(realign, THREADS); /* takes a megabyte in each */
    }
    CHECK(mallinfo2().usmblks < before + (1 << 21));
}

/* Until there is no more: then all of them get something again. */
static void *exhaust(void *unused)
{
    (void)unused;
    void **first = NULL;
    for (void **block; (block = malloc(1 << 20)) != NULL; first = block) {
        *block = first;
    }
    CHECK(errno == ENOMEM);
    for (void **next; first != NULL; first = next) {
        next = *first;
        free(first);
    }
    return NULL;
}

static void threads_meet_the_end_of_memory(void)
{
    run_threads(exhaust, THREADS);
    void *block = malloc(16 << 20);
    CHECK(block != NULL);
    free(block);
}

/* ---------------------------------------------------------------- processes */

static void wait_for(pid_t pid)
{
    int status;
    CHECK(pid > 0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void allocate_and_exit(void)
{
    for (int i = 0; i < 100; i++) {
        free(malloc((size_t)i * 50));
    }
    _exit(0);
}

static void fork_here(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        allocate_and_exit();
    }
    wait_for(pid);
}

static void *fork_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        fork_here();
    }
    return NULL;
}

static void threads_fork_while_others_allocate(void)
{
    pthread_t thread = begin_work();
    run_threads(fork_often, 2);
    end_work(thread);
}

static void fork_in_handler(int signal)
{
    (void)signal;
    int kept = errno;
    fork_here();
    errno = kept;
}

static void handlers_fork(void)
{
    signal(SIGUSR1, fork_in_handler);
    for (int i = 0; i < 50; i++) {
        void *block = malloc(100);
        raise(SIGUSR1);
        free(block);
    }
}

static void fork_beside_streams(void)
{
    pthread_t thread = begin_work();
    for (int i = 0; i < 20; i++) {
        FILE *file = fopen("/dev/null", "w");
        CHECK(file != NULL);
        fprintf(file, "%d\n", i);
        fork_here();
        fclose(file);
    }
    end_work(thread);
}

static void allocate_at_exit(void)
{
    free(malloc(100000));
    free(malloc(10));
}

static void exit_while_others_allocate(void)
{
    atexit(allocate_at_exit);
    for (int i = 0; i < THREADS; i++) {
        begin_work();
    }
    exit(0);
}

static void quick_exit_while_others_allocate(void)
{
    at_quick_exit(allocate_at_exit);
    for (int i = 0; i < THREADS; i++) {
        begin_work();
    }
    quick_exit(0);
}

static void *work_and_exit(void *unused)
{
    (void)unused;
    usleep(1000);
    use_every_bin(NULL);
    exit(0);
}

static void main_ends_before_its_threads(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work_and_exit, NULL) == 0);
    pthread_exit(NULL);
}

static void limited_address_space(void)
{
    free(malloc(1)); /* the pool is there */
    struct rlimit limit = {64 << 20, 64 << 20};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    void *blocks[50];
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        blocks[i] = malloc(i * 1000);
        CHECK(blocks[i] != NULL);
    }
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        free(blocks[i]);
    }
}

/* ------------------------------------------------------------------- seeing */

static void info_under_load(void)
{
    pthread_t thread = begin_work();
    for (int i = 0; i < 100; i++) {
        struct mallinfo2 now = mallinfo2();
        CHECK(now.uordblks + now.fordblks == now.arena);
        char *text = NULL;
        size_t length = 0;
        FILE *stream = open_memstream(&text, &length);
        CHECK(malloc_info(0, stream) == 0 && fclose(stream) == 0);
        CHECK(strstr(text, "</malloc>") != NULL);
        free(text);
    }
    end_work(thread);
}

static void *tell_for_ever(void *unused)
{
    (void)unused;
    FILE *nowhere = fopen("/dev/null", "w");
    for (;;) {
        malloc_info(0, nowhere);
        pthread_testcancel();
    }
    return NULL;
}

/* Nobody keeps the lock of a thread that was cancelled. */
static void cancelled_while_telling(void)
{
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *result;
        CHECK(pthread_create(&thread, NULL, tell_for_ever, NULL) == 0);
        usleep(200);
        CHECK(pthread_cancel(thread) == 0);
        CHECK(pthread_join(thread, &result) == 0);
        CHECK(result == PTHREAD_CANCELED);
        use_every_bin(NULL);
    }
}

static void statistics_on_a_closed_stream(void)
{
    close(STDERR_FILENO);
    malloc_stats();
    CHECK(open("/dev/null", O_WRONLY) == STDERR_FILENO);
    malloc_stats();
}

static void options_change_nothing(void)
{
    static const int options[] = {
        M_MXFAST,         M_TRIM_THRESHOLD, M_TOP_PAD,
        M_MMAP_THRESHOLD, M_MMAP_MAX,       M_CHECK_ACTION,
        M_PERTURB,        M_ARENA_TEST,     M_ARENA_MAX};
    void *block = malloc(20);
    for (size_t i = 0; i < LENGTH(options); i++) {
        CHECK(mallopt(options[i], 0) == 1);
        free(malloc(20));
    }
    free(block);
    take_and_give(7, 3000, false);
}

static void trimmed_at_every_size(void)
{
    for (size_t keep = 0; keep < 1 << 24; keep = keep * 4 + 1) {
        unsigned char *block = malloc(1 << 22);
        memset(block, 1, 1 << 22);
        unsigned char *other = malloc(100);
        memset(other, 2, 100);
        free(block);
        malloc_trim(keep);
        CHECK(is_filled(other, 2, 100));
        free(other);
    }
}

static void usable_to_the_last_byte(void)
{
    CHECK(malloc_usable_size(NULL) == 0);
    for (size_t size = 0; size < 10000; size = size * 5 / 4 + 1) {
        char *block = malloc(size);
        memset(block, 1, malloc_usable_size(block));
        free(block);
    }
}

/* -------------------------------------------------------- through the library
 */

static void strings_of_the_library_are_freed(void)
{
    size_t before = live();
    char *text = NULL;
    CHECK(asprintf(&text, "%0*d", 5000, 7) == 5000);
    char *copy = strndup(text, 4000);
    char *name = realpath("/proc/self", NULL);
    CHECK(strlen(copy) == 4000 && name != NULL);
    free(text);
    free(copy);
    free(name);
    CHECK(live() == before);
}

static void lines_grow(void)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = tmpfile();
    for (int i = 1; i <= 100000; i *= 10) {
        fprintf(file, "%0*d\n", i, 1);
    }
    rewind(file);
    for (int i = 1; i <= 100000; i *= 10) {
        CHECK(getline(&line, &room, file) == i + 1);
        CHECK(room <= malloc_usable_size(line));
    }
    free(line);
    fclose(file);
}

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static void stacks_of_objects(void)
{
    struct obstack stack;
    size_t before = live();
    obstack_init(&stack);
    char *first = obstack_alloc(&stack, 10);
    for (int i = 0; i < 20000; i++) {
        memset(obstack_alloc(&stack, 1 + i % 100), i, 1 + (size_t)i % 100);
    }
    obstack_free(&stack, first);
    obstack_free(&stack, NULL);
    CHECK(live() == before);
}

static void deep_stacks_of_threads(void)
{
    pthread_attr_t small;
    pthread_t thread;
    CHECK(pthread_attr_init(&small) == 0);
    CHECK(pthread_attr_setstacksize(&small, 65536) == 0);
    for (int i = 0; i < 100; i++) {
        CHECK(pthread_create(&thread, &small, use_every_bin, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
}

/* ----------------------------------------------------------------- verdicts */

typedef struct situation {
    const char *name;
    void (*run)(void);
} situation;

#define SITUATION(name)                                                        \
    {                                                                          \
#name, name                                                            \
    }

static const situation situations[] = {
    SITUATION(random_sizes_keep_their_content),
    SITUATION(random_alignments_keep_their_content),
    SITUATION(cleared_after_dirty),
    SITUATION(resized_from_nothing_to_nothing),
    SITUATION(large_blocks_come_and_go),
    SITUATION(sizes_too_large_are_refused),
    SITUATION(products_that_wrap_are_refused),
    SITUATION(alignments_too_large_are_refused),
    SITUATION(pages_are_whole),
    SITUATION(threads_keep_their_content),
    SITUATION(threads_that_end_leave_nothing),
    SITUATION(blocks_outlive_their_thread),
    SITUATION(destructors_of_threads_free),
    SITUATION(threads_free_what_main_took),
    SITUATION(aligned_blocks_are_used_again),
    SITUATION(threads_meet_the_end_of_memory),
    SITUATION(threads_fork_while_others_allocate),
    SITUATION(handlers_fork),
    SITUATION(fork_beside_streams),
    SITUATION(exit_while_others_allocate),
    SITUATION(quick_exit_while_others_allocate),
    SITUATION(main_ends_before_its_threads),
    SITUATION(limited_address_space),
    SITUATION(info_under_load),
    SITUATION(cancelled_while_telling),
    SITUATION(statistics_on_a_closed_stream),
    SITUATION(options_change_nothing),
    SITUATION(trimmed_at_every_size),
    SITUATION(usable_to_the_last_byte),
    SITUATION(strings_of_the_library_are_freed),
    SITUATION(lines_grow),
    SITUATION(stacks_of_objects),
    SITUATION(deep_stacks_of_threads),
};

static int run_in_child(const situation *one)
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(SECONDS);
        one->run();
        exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void every_situation_goes_well(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < LENGTH(situations); i++) {
        int status = run_in_child(&situations[i]);
        if (status != 0) {
            print_error("%s: status %x\n", situations[i].name,
                        (unsigned)status);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static int run_one(const char *name)
{
    for (size_t i = 0; i < LENGTH(situations); i++) {
        if (strcmp(situations[i].name, name) == 0) {
            situations[i].run();
            return 0;
        }
    }
    return 2;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_situation_goes_well),
    };
    if (argc > 1) {
        return run_one(argv[1]);
    }
    return cmocka_run_group_tests_name("malloc situations", tests, NULL, NULL);
}
