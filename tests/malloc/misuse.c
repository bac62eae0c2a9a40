/*
 * The misuse that allocators are tried with, each with its verdict: the line
 * that ends the program, or why there is none. Each runs in a child of its own,
 * by default and with BITFIT_HARDENED=1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mode.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t alignment, size_t size);

/* C++ operators, as they are named. */
#if SIZE_MAX == UINT64_MAX
#define SIZE_NAME "m"
#else
#define SIZE_NAME "j"
#endif
void delete_aligned(void *, size_t) __asm__("_ZdlPvSt11align_val_t");
void delete_array_sized_aligned(void *, size_t,
                                size_t) __asm__("_ZdaPv" SIZE_NAME
                                                "St11align_val_t");

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Keeps the compiler from knowing what is done to a pointer. */
static void *volatile anything;
static void *hide(void *ptr)
{
    anything = ptr;
    return anything;
}

static void *block(size_t size)
{
    return hide(malloc(size));
}

static void fail_unless(bool condition)
{
    if (!condition) {
        _exit(9);
    }
}

/* -------------------------------------------------------------- double frees
 */

static void double_free_small(void)
{
    void *a = block(24);
    free(a);
    free(hide(a));
}

static void double_free_middle(void)
{
    void *a = block(8000);
    free(a);
    free(hide(a));
}

static void double_free_large(void)
{
    void *a = block(500000);
    free(a);
    free(hide(a));
}

static void double_free_delayed(void)
{
    void *a = block(24);
    void *others[1000];
    free(a);
    for (size_t i = 0; i < LENGTH(others); i++) {
        others[i] = block(32 + i);
    }
    for (size_t i = 0; i < LENGTH(others); i++) {
        free(others[i]);
    }
    free(hide(a));
}

/* Out of the cache again, in the pool or the depot. */
static void double_free_flushed(void)
{
    void *blocks[2000];
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        blocks[i] = block(24);
    }
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        free(blocks[i]);
    }
    free(hide(blocks[0]));
}

static void double_free_trimmed(void)
{
    void *a = block(24);
    free(a);
    malloc_trim(0);
    free(hide(a));
}

/* How a tcache's key is overcome: there is no key in the block. */
static void double_free_after_write(void)
{
    char *a = block(64);
    free(a);
    memset(hide(a), 0, 64);
    free(hide(a));
}

static void *free_it(void *ptr)
{
    free(ptr);
    return NULL;
}

static void double_free_by_another_thread(void)
{
    pthread_t thread;
    void *a = block(24);
    free(a);
    pthread_create(&thread, NULL, free_it, hide(a));
    pthread_join(thread, NULL);
}

static void double_free_of_another_threads(void)
{
    pthread_t thread;
    void *a = block(24);
    pthread_create(&thread, NULL, free_it, hide(a));
    pthread_join(thread, NULL);
    free(hide(a));
}

static void double_free_sized(void)
{
    void *a = block(24);
    free_sized(a, 24);
    free_sized(hide(a), 24);
}

static void double_free_by_realloc(void)
{
    void *a = block(24);
    free(a);
    anything = realloc(hide(a), 100);
}

static void double_free_by_realloc_0(void)
{
    void *a = block(24);
    anything = realloc(a, 0);
    anything = realloc(hide(a), 0);
}

static void stale_free_of_reused(void)
{
    void *a = block(24);
    free(a);
    void *b = block(24);
    fail_unless(a == b || is_hardened());
    free(hide(a));
}

/* ------------------------------------------------------------- bad pointers */

static void interior_free_small(void)
{
    free(hide((char *)block(64) + 16));
}

static void interior_free_large(void)
{
    free(hide((char *)block(500000) + 4096));
}

static void misaligned_free(void)
{
    free(hide((char *)block(64) + 8));
}

static void unaligned_free_large(void)
{
    free(hide((char *)block(500000) + 1));
}

static void foreign_free_stack(void)
{
    char local[64];
    free(hide(local));
}

static void foreign_free_static(void)
{
    static char global[64];
    free(hide(global));
}

/* house of spirit: a fake chunk with a good-looking size in front. */
static void foreign_free_spirit(void)
{
    static _Alignas(16) size_t fake[] = {0, 0x41, 0, 0, 0, 0, 0, 0, 0, 0x41};
    free(hide(&fake[2]));
}

static void free_of_what_was_never_handed_out(void)
{
    free(hide((char *)block(64) + (64 << 20)));
}

static void uninitialised_free(void)
{
    free(hide((void *)(uintptr_t)0x4141414141414141));
}

static void uninitialised_realloc(void)
{
    anything = realloc(hide((void *)(uintptr_t)0x4141414141414141), 10);
}

static void uninitialised_usable_size(void)
{
    fail_unless(malloc_usable_size(hide((void *)(uintptr_t)0x4141414141)) == 0);
}

static void realloc_interior(void)
{
    anything = realloc(hide((char *)block(64) + 16), 100);
}

static void usable_size_of_freed(void)
{
    void *a = block(64);
    free(a);
    fail_unless(malloc_usable_size(hide(a)) == 0);
}

static void usable_size_interior(void)
{
    fail_unless(malloc_usable_size(hide((char *)block(64) + 16)) == 0);
}

/* -------------------------------------------------------------- wrong sizes */

static void sized_free_right(void)
{
    free_sized(block(100), 100);
    free_sized(block(500000), 500000);
    free_aligned_sized(hide(aligned_alloc(64, 100)), 64, 100);
    free_aligned_sized(hide(aligned_alloc(16, 100)), 16, 100);
    free_sized(block(0), 0);
}

static void sized_free_small_wrong(void)
{
    free_sized(block(100), 1000);
}

static void sized_free_large_wrong(void)
{
    free_sized(block(500000), 100);
}

static void sized_free_aligned_wrong(void)
{
    free_aligned_sized(hide(aligned_alloc(64, 100)), 64, 200);
}

enum { WIDE = 1 << 20 };

/* Of two blocks that are not far apart, one at least. */
static void *block_not_so_aligned(void)
{
    void *a = block(100);
    void *b = block(100);
    return (uintptr_t)a % WIDE == 0 ? b : a;
}

static void aligned_free_wrong(void)
{
    free_aligned_sized(hide(block_not_so_aligned()), WIDE, 100);
}

static void aligned_free_of_no_power(void)
{
    free_aligned_sized(hide(block(100)), 24, 100);
}

static void aligned_free_of_no_block(void)
{
    static char bytes[100];
    free_aligned_sized(hide(bytes + 1), 64, 100);
}

static void aligned_delete_wrong(void)
{
    delete_aligned(hide(block_not_so_aligned()), WIDE);
}

static void aligned_array_delete_wrong(void)
{
    delete_array_sized_aligned(hide(block_not_so_aligned()), 100, WIDE);
}

static void sized_free_wild(void)
{
    free_sized(block(100), SIZE_MAX);
}

static void sized_free_off_by_one(void)
{
    free_sized(block(100), 101);
}

/* ------------------------------------------------------- reading and writing
 */

static void overflow_by_1(void)
{
    char *a = block(24);
    *(char *)hide(a + 24) = 1;
    free(a);
}

static void overflow_by_8(void)
{
    char *a = block(32);
    char *b = block(32);
    memset(hide(a + 32), 0x41, 8);
    free(a);
    free(b);
}

static void overflow_string(void)
{
    char *a = block(8);
    strcpy(hide(a), "twelve bytes");
    free(a);
}

static void overflow_large(void)
{
    char *a = block(100000);
    *(char *)hide(a + 100000) = 1;
    free(a);
}

static void overflow_large_odd(void)
{
    char *a = block(100001);
    *(char *)hide(a + 100001) = 1;
    free(a);
}

/* A block that grew has room behind its end, which is closed, too. */
static void overflow_large_grown(void)
{
    char *a = block(100000);
    a = hide(realloc(a, 200001));
    a = hide(realloc(a, 205001));
    *(char *)hide(a + 205001) = 1;
    free(a);
}

static void underflow_large_odd(void)
{
    char *a = block(100001);
    *(char *)hide(a - 1) = 1;
    free(a);
}

static void overflow_until_exit(void)
{
    char *a = block(24);
    *(char *)hide(a + 24) = 1;
}

static void write_after_free_until_exit(void)
{
    char *a = block(24);
    free(a);
    *(char *)hide(a) = 1;
}

static void read_after_free_large(void)
{
    char *a = block(300000);
    free(a);
    anything = a + *(char *)hide(a + 1000);
}

/* So many that memory which the hardened mode closed is used again. */
static void come_and_go(void)
{
    for (int i = 0; i < 200; i++) {
        free(block(100000));
    }
}

/* There, too, a block ends at a closed page. */
static void overflow_large_again(void)
{
    come_and_go();
    overflow_large();
}

/* So many that not all of what is freed is closed: the first page always is. */
static void write_after_free_large_again(void)
{
    come_and_go();
    char *a = block(300000);
    free(a);
    *(char *)hide(a + 100) = 1;
}

static void write_after_free_large_within(void)
{
    come_and_go();
    char *a = block(300000);
    free(a);
    *(char *)hide(a + 150000) = 1;
}

static void read_after_free_large_within(void)
{
    come_and_go();
    char *a = block(300000);
    memset(a, 1, 300000);
    free(a);
    fail_unless(!is_hardened() || *(char *)hide(a + 150000) == 0);
}

/* What was freed first is in the pool again, and in no cache. */
static void write_after_free_to_the_pool(void)
{
    enum { NUMBER = 400 };
    static char *blocks[NUMBER];
    for (int i = 0; i < NUMBER; i++) {
        blocks[i] = block(5000);
    }
    for (int i = NUMBER; i > 300; i--) {
        free(blocks[i - 1]);
    }
    *(char *)hide(blocks[NUMBER - 1] + 100) = 1;
}

static void double_free_large_again(void)
{
    come_and_go();
    char *a = block(100000);
    free(a);
    free(hide(a));
}

void *new_array(size_t size) __asm__("_Znam");
void delete_one(void *ptr) __asm__("_ZdlPv");

static void delete_of_an_array(void)
{
    delete_one(hide(new_array(100)));
}

/* Step by step, two at a time: each moves some 40 times, not 300. */
static void growing_takes_no_square(void)
{
    enum { STEP = 16384, STEPS = 300 };
    char *blocks[2] = {NULL, NULL};
    size_t moves = 0;
    for (size_t i = 1; i <= STEPS; i++) {
        for (size_t k = 0; k < 2; k++) {
            char *block = hide(realloc(blocks[k], i * STEP));
            moves += block != blocks[k];
            blocks[k] = block;
            blocks[k][i * STEP - 1] = 1;
            fail_unless(i == 1 || blocks[k][(i - 1) * STEP - 1] == 1);
        }
    }
    fail_unless(!is_hardened() || moves < 120);
    free(blocks[0]);
    free(blocks[1]);
}

static void read_after_free(void)
{
    char *a = block(64);
    strcpy(a, "secret");
    free(a);
    fail_unless(strcmp(hide(a), "secret") == 0 || is_hardened());
}

static void write_after_free(void)
{
    char *a = block(64);
    free(a);
    *(char *)hide(a) = 1;
    for (int i = 0; i < 1000; i++) {
        free(block(64));
    }
}

static void write_after_free_large(void)
{
    char *a = block(300000);
    free(a);
    *(char *)hide(a + 1000) = 1;
    anything = calloc(1, 300000);
}

static void write_after_free_reused(void)
{
    char *a = block(64);
    free(a);
    char *b = block(64);
    memset(hide(a), 1, 64);
    free(b);
}

static void zero_size_write(void)
{
    char *a = block(0);
    *(char *)hide(a) = 1;
    free(a);
}

static void zero_size_read(void)
{
    char *a = hide(calloc(0, 8));
    anything = a + *a;
}

static void zero_size_twice(void)
{
    void *a = block(0);
    free(a);
    free(hide(a));
}

static void zero_size_sized(void)
{
    free_sized(block(0), 16);
}

/* Address space runs out before memory does: the rest are ordinary blocks. */
static void zero_size_without_end(void)
{
    enum { BLOCKS = 2000000 };
    void **blocks = block(BLOCKS * sizeof *blocks);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(0);
        fail_unless(blocks[i] != NULL);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        free(blocks[i]);
    }
}

/* Nobody was ever there. */
static void overflow_far(void)
{
    *(char *)hide((char *)block(64) + (1 << 24)) = 1;
}

static void zero_size_distinct(void)
{
    void *a = block(0);
    void *b = block(0);
    fail_unless(a != NULL && b != NULL && a != b);
    free(a);
    free(b);
}

static void impossibly_large(void)
{
    static volatile size_t size = SIZE_MAX - 4096;
    fail_unless(malloc(size) == NULL);
}

static void calloc_overflow(void)
{
    static volatile size_t half = SIZE_MAX / 2;
    fail_unless(calloc(half, 3) == NULL);
}

static void calloc_is_zero(void)
{
    char *a = block(500);
    memset(a, 1, 500);
    free(a);
    a = hide(calloc(5, 100));
    for (size_t i = 0; i < 500; i++) {
        fail_unless(a[i] == 0);
    }
}

static void realloc_grows(void)
{
    char *a = block(5);
    strcpy(a, "kept");
    for (size_t size = 6; size < 1000000; size *= 2) {
        a = hide(realloc(a, size));
    }
    fail_unless(strcmp(a, "kept") == 0);
}

/* An overflow over all that follows cannot mislead the allocator. */
static void overflow_reaches_no_bookkeeping(void)
{
    char *blocks[100];
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        blocks[i] = block(48);
    }
    for (size_t i = 0; i < LENGTH(blocks); i += 2) {
        free(blocks[i]);
    }
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        memset(hide(blocks[i]), 0xff, 48);
    }
    for (size_t i = 1; i < LENGTH(blocks); i += 2) {
        free(blocks[i]);
    }
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        blocks[i] = block(48);
        memset(hide(blocks[i]), 1, 48);
    }
}

/* ------------------------------------------------------------------ re-entry
 */

/* The program goes on for a while before the next, however long it takes. */
static void allocate_again(int signal)
{
    static unsigned times;
    (void)signal;
    free(block(100));
    free(block(300000));
    ualarm(100 + times++ % 64, 0);
}

/* The handler comes at any time, sooner or later inside of a call. */
static void reentry_from_a_signal(void)
{
    signal(SIGALRM, allocate_again);
    ualarm(100, 0);
    for (int i = 0; i < 100000000; i++) {
        void *a = malloc(100);
        void *b = malloc(300000);
        free(hide(a));
        free(hide(b));
    }
}

/* ----------------------------------------------------------------- verdicts */

typedef struct misuse {
    const char *name;
    void (*commit)(void);
    const char *caught;   /* the line's front, or NULL: it goes on */
    const char *hardened; /* the same with BITFIT_HARDENED=1 */
} misuse;

#define SAME(name, line)                                                       \
    {                                                                          \
#name, name, line, line                                                \
    }
#define FAULT "" /* ended by the processor, without a line */
#define HARMLESS(name)                                                         \
    {                                                                          \
#name, name, NULL, NULL                                                \
    }
#define HARDENED(name, line)                                                   \
    {                                                                          \
#name, name, NULL, line                                                \
    }

static const misuse misuses[] = {
    SAME(double_free_small, "double free: free(0x"),
    SAME(double_free_middle, "double free: free(0x"),
    SAME(double_free_large, "double free: free(0x"),
    SAME(double_free_large_again, "double free: free(0x"),
    SAME(double_free_delayed, "double free: free(0x"),
    SAME(double_free_flushed, "double free: free(0x"),
    SAME(double_free_trimmed, "double free: free(0x"),
    {"double_free_after_write", double_free_after_write, "double free: free(0x",
     "double free: free(0x"},
    SAME(double_free_by_another_thread, "double free: free(0x"),
    SAME(double_free_of_another_threads, "double free: free(0x"),
    SAME(double_free_sized, "double free: free_sized(0x"),
    SAME(double_free_by_realloc, "double free: realloc(0x"),
    SAME(double_free_by_realloc_0, "double free: realloc(0x"),
    SAME(interior_free_small, "interior pointer: free(0x"),
    SAME(interior_free_large, "interior pointer: free(0x"),
    SAME(misaligned_free, "misaligned pointer: free(0x"),
    SAME(unaligned_free_large, "misaligned pointer: free(0x"),
    SAME(foreign_free_stack, "foreign pointer: free(0x"),
    SAME(foreign_free_static, "foreign pointer: free(0x"),
    SAME(foreign_free_spirit, "foreign pointer: free(0x"),
    SAME(free_of_what_was_never_handed_out, "double free: free(0x"),
    SAME(uninitialised_free, "foreign pointer: free(0x"),
    SAME(uninitialised_realloc, "foreign pointer: realloc(0x"),
    SAME(uninitialised_usable_size, "foreign pointer: malloc_usable_size(0x"),
    SAME(realloc_interior, "interior pointer: realloc(0x"),
    SAME(usable_size_of_freed, "double free: malloc_usable_size(0x"),
    SAME(usable_size_interior, "interior pointer: malloc_usable_size(0x"),
    SAME(sized_free_small_wrong, "wrong size: free_sized(0x"),
    SAME(sized_free_large_wrong, "wrong size: free_sized(0x"),
    SAME(sized_free_aligned_wrong, "wrong size: free_aligned_sized(0x"),
    SAME(sized_free_wild, "wrong size: free_sized(0x"),
    SAME(aligned_free_wrong, "wrong alignment: free_aligned_sized(0x"),
    SAME(aligned_free_of_no_power, "wrong alignment: free_aligned_sized(0x"),
    SAME(aligned_free_of_no_block, "foreign pointer: free_aligned_sized(0x"),
    SAME(aligned_delete_wrong, "wrong alignment: operator delete(0x"),
    SAME(aligned_array_delete_wrong, "wrong alignment: operator delete[](0x"),
    SAME(reentry_from_a_signal, "re-entry: "),
    HARMLESS(sized_free_right),
    HARMLESS(zero_size_distinct),
    HARMLESS(zero_size_without_end),
    HARMLESS(impossibly_large),
    HARMLESS(calloc_overflow),
    HARMLESS(calloc_is_zero),
    HARMLESS(realloc_grows),
    HARMLESS(growing_takes_no_square),
    /* Rounds up to the same granules: the pool does not know what was asked. */
    HARDENED(sized_free_off_by_one, "wrong size: free_sized(0x"),
    /* Lies in the block's own rounding, or in the neighbour: the program's data
     * suffer, the pool does not. Only hardened blocks have canaries. */
    HARDENED(overflow_by_1, "write past the end: free(0x"),
    HARDENED(overflow_by_8, "write past the end: free(0x"),
    HARDENED(overflow_string, "write past the end: free(0x"),
    HARDENED(overflow_large, FAULT), /* ends at a page that is closed */
    HARDENED(overflow_large_again, FAULT),
    HARDENED(overflow_large_odd, "write past the end: free(0x"),
    HARDENED(overflow_large_grown, "write past the end: free(0x"),
    HARDENED(underflow_large_odd, "write past the end: free(0x"),
    HARDENED(overflow_until_exit, "write past the end: exit(0x"),
    SAME(zero_size_write, FAULT),
    SAME(zero_size_read, FAULT),
    SAME(zero_size_twice, "double free: free(0x"),
    SAME(zero_size_sized, "wrong size: free_sized(0x"),
    SAME(overflow_far, FAULT),
    /* What is freed is not touched until it is handed out again. */
    HARMLESS(read_after_free), /* hardened: reads zeros */
    HARDENED(write_after_free, "write after free: "),
    HARDENED(write_after_free_large, FAULT),
    HARDENED(read_after_free_large, FAULT),
    HARDENED(write_after_free_large_again, FAULT),
    HARDENED(write_after_free_large_within, "write after free: exit(0x"),
    HARMLESS(read_after_free_large_within), /* hardened: reads zeros */
    HARDENED(write_after_free_to_the_pool, "write after free: exit(0x"),
    HARDENED(write_after_free_until_exit, "write after free: exit(0x"),
    HARDENED(delete_of_an_array, "new and delete differ: operator delete(0x"),
    HARDENED(overflow_reaches_no_bookkeeping, "write "),
    /* A good pointer to the new block: no allocator without tags can tell.
     * Hardened, the quarantine keeps the address from being reused so soon. */
    HARDENED(stale_free_of_reused, "double free: free(0x"),
    HARDENED(write_after_free_reused, "write after free: "),
};

typedef struct outcome {
    int status;
    char line[1000];
} outcome;

static void watch(const misuse *one, outcome *seen)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        dup2(ends[1], STDERR_FILENO);
        signal(SIGSEGV, SIG_DFL);
        one->commit();
        exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t more;
    while ((more = read(ends[0], seen->line + length,
                        sizeof seen->line - 1 - length)) > 0) {
        length += (size_t)more;
    }
    seen->line[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &seen->status, 0), pid);
}

/* Whether this is the one line that a misuse caught leaves behind. */
static bool is_verdict(const outcome *seen, const char *verdict)
{
    size_t front = strlen("bitfit: ");
    if (*verdict == '\0') {
        return WIFSIGNALED(seen->status) && WTERMSIG(seen->status) == SIGSEGV;
    }
    return WIFSIGNALED(seen->status) && WTERMSIG(seen->status) == SIGABRT &&
           strncmp(seen->line, "bitfit: ", front) == 0 &&
           strncmp(seen->line + front, verdict, strlen(verdict)) == 0 &&
           strchr(seen->line, '\n') == seen->line + strlen(seen->line) - 1;
}

static void every_misuse_has_its_verdict(void **state)
{
    (void)state;
    size_t caught = 0;
    size_t wrong = 0;
    for (size_t i = 0; i < LENGTH(misuses); i++) {
        outcome seen;
        const char *verdict =
            is_hardened() ? misuses[i].hardened : misuses[i].caught;
        watch(&misuses[i], &seen);
        bool right =
            verdict == NULL ? seen.status == 0 : is_verdict(&seen, verdict);
        if (!right) {
            print_error("%s: status %x, not \"%s\" but \"%s\"\n",
                        misuses[i].name, (unsigned)seen.status,
                        verdict == NULL ? "" : verdict, seen.line);
            wrong++;
        }
        caught += verdict != NULL;
    }
    print_message("%zu of %zu are caught\n", caught, LENGTH(misuses));
    assert_int_equal(wrong, 0);
}

static struct {
    size_t size;
    size_t byte;
    unsigned bit;
} change;

static void change_a_bit(void)
{
    unsigned char *a = block(change.size);
    unsigned char *behind = hide(a + change.size + change.byte);
    *behind ^= (unsigned char)(1U << change.bit);
    free(a);
}

static void assert_change_is_seen(void)
{
    const misuse one = {"change_a_bit", change_a_bit, NULL, NULL};
    outcome seen;
    watch(&one, &seen);
    if (!is_verdict(&seen, "write past the end: free(0x")) {
        fail_msg("bit %u of byte %zu behind %zu bytes: status %x, \"%s\"",
                 change.bit, change.byte, change.size, (unsigned)seen.status,
                 seen.line);
    }
}

/* Hardened: not even one that says how long the canary is. For these lengths no
 * single bit of the last byte makes it that of a canary of one byte. */
static void no_bit_of_a_canary_can_change(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 8, 12, 16, 1000};
    enum { GRANULE = 16, BITS = 8 };
    if (!is_hardened()) {
        skip();
    }
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        change.size = sizes[i];
        for (change.byte = 0; change.byte < GRANULE - sizes[i] % GRANULE;
             change.byte++) {
            for (change.bit = 0; change.bit < BITS; change.bit++) {
                assert_change_is_seen();
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_misuse_has_its_verdict),
        cmocka_unit_test(no_bit_of_a_canary_can_change),
    };
    return cmocka_run_group_tests_name("malloc misuse", tests, NULL, NULL);
}
