/*
 * Shared pools. One test for each promise of bitfit_shared.h that no kill is
 * needed for; stops.c and kills.c have the others.
 */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bitfit_offsets.h"
#include "bitfit_shared.h"
#include "create.h"
#include "intent.h"
#include "recover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1 << 16 };

static bitfit_pool *pool;
static void *memory;

static void *map_memory(void)
{
    void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    return at;
}

static int open_pool(void **state)
{
    (void)state;
    memory = map_memory();
    pool = bitfit_init_shared(memory, SIZE, NULL);
    return pool == NULL;
}

static int close_pool(void **state)
{
    (void)state;
    return munmap(memory, SIZE);
}

static size_t live_blocks(void)
{
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    assert_int_equal(bitfit_check(pool), 0);
    return stats.blocks;
}

/* ---------------------------------------------------------------- creating */

static void assert_refused(bitfit_status expect, const bitfit_options *options)
{
    static _Alignas(4096) unsigned char bytes[4096];
    memset(bytes, 0xA5, sizeof bytes);
    assert_int_equal(bitfit_init_shared_status(bytes, sizeof bytes, options),
                     expect);
    assert_null(bitfit_init_shared(bytes, sizeof bytes, options));
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], 0xA5);
    }
}

static void on_misuse(const bitfit_misuse *misuse, void *context)
{
    (void)misuse;
    (void)context;
}

static void init_refuses_what_lies_elsewhere_in_each_process(void **state)
{
    (void)state;
    assert_refused(BITFIT_BAD_LOCK,
                   &(bitfit_options){.lock_kind = BITFIT_LOCK_NONE});
    assert_refused(BITFIT_BAD_OPTIONS,
                   &(bitfit_options){.on_misuse = on_misuse});
    assert_refused(
        BITFIT_BAD_BOOKKEEPING,
        &(bitfit_options){.bookkeeping = memory, .bookkeeping_size = SIZE});
    assert_refused(BITFIT_BAD_GRANULE, &(bitfit_options){.granule = 7});
    assert_int_equal(bitfit_init_shared_status(NULL, SIZE, NULL),
                     BITFIT_BAD_MEMORY);
    unsigned char *off = (unsigned char *)memory + 64;
    assert_int_equal(
        bitfit_init_shared_status(off, SIZE / 2,
                                  &(bitfit_options){.payload_alignment = 128}),
        BITFIT_BAD_MEMORY);
}

/* ------------------------------------------------------- the ordinary calls */

static void ordinary_calls_serve(void **state)
{
    (void)state;
    char *a = bitfit_alloc(pool, 100);
    strcpy(a, "kept");
    char *b = bitfit_calloc(pool, 3, 50);
    char *c = bitfit_aligned_alloc(pool, 1024, 10);
    assert_int_equal((uintptr_t)c % 1024, 0);
    assert_int_equal(bitfit_usable_size(pool, a), 112);
    char *moved = bitfit_realloc(pool, a, 5000);
    assert_ptr_not_equal(moved, a);
    assert_string_equal(moved, "kept");
    assert_ptr_equal(bitfit_realloc(pool, moved, 8), moved);
    assert_null(bitfit_realloc(pool, moved, SIZE));
    assert_null(bitfit_alloc(pool, SIZE));
    assert_null(bitfit_calloc(pool, SIZE_MAX, 2));
    assert_null(bitfit_aligned_alloc(pool, 3, 1));
    assert_true(bitfit_owns(pool, moved));
    assert_false(bitfit_owns(pool, pool));
    bitfit_free(pool, NULL);
    bitfit_free(pool, b);
    bitfit_free_sized(pool, c, 10);
    assert_int_equal(live_blocks(), 1);
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    assert_int_equal(stats.allocations, 3);
    assert_int_equal(stats.frees, 2);
    assert_int_equal(stats.reallocations, 2);
    assert_int_equal(stats.failures, 4);
    bitfit_reset_peak(pool);
    assert_int_equal(bitfit_destroy(pool), 1);
}

static void a_resize_moves_where_that_was_asked_for(void **state)
{
    (void)state;
    pool = bitfit_init_shared(memory, SIZE,
                              &(bitfit_options){.resize_moves = true});
    char *first = bitfit_alloc(pool, 100);
    char *second = bitfit_alloc(pool, 100);
    bitfit_free(pool, first);
    assert_ptr_equal(bitfit_realloc(pool, second, 50), first);
    bitfit_stats stats;
    bitfit_get_stats(pool, &stats);
    assert_non_null(bitfit_alloc(pool, stats.largest_free));
    assert_ptr_equal(bitfit_realloc(pool, first, 20), first);
    assert_null(bitfit_realloc(pool, first, 200));
    assert_int_equal(live_blocks(), 2);
}

static void places_are_those_of_an_ordinary_pool(void **state)
{
    (void)state;
    static _Alignas(16) unsigned char bytes[SIZE];
    static void *blocks[200], *shared[200];
    bitfit_pool *plain = bitfit_init(bytes, sizeof bytes, NULL);
    unsigned char *first = bitfit_alloc(plain, 1);
    unsigned char *first_shared = bitfit_alloc(pool, 1);
    unsigned dice = 1;
    for (size_t n = 0; n < 20000; n++) {
        dice = dice * 1664525u + 1013904223u;
        size_t i = (dice >> 8) % 200;
        size_t size = (dice >> 16) % 400;
        blocks[i] = bitfit_realloc(plain, blocks[i], size);
        shared[i] = bitfit_realloc(pool, shared[i], size);
        assert_int_equal((unsigned char *)blocks[i] - first,
                         (unsigned char *)shared[i] - first_shared);
        if ((dice >> 4) % 3 == 0) {
            bitfit_free(plain, blocks[i]);
            bitfit_free(pool, shared[i]);
            blocks[i] = shared[i] = NULL;
        }
    }
    assert_int_equal(live_blocks(), bitfit_destroy(plain));
}

static void reset_empties_pool_and_roots(void **state)
{
    (void)state;
    bitfit_alloc_into(pool, 100, bitfit_root(pool, 0));
    bitfit_alloc(pool, 100);
    bitfit_reset(pool);
    assert_int_equal(live_blocks(), 0);
    assert_int_equal(*bitfit_root(pool, 0), 0);
}

/* ------------------------------------------------------------------- slots */

static void slots_name_their_blocks(void **state)
{
    (void)state;
    bitfit_link *a = bitfit_root(pool, 0);
    bitfit_link *b = bitfit_root(pool, BITFIT_ROOTS - 1);
    assert_null(bitfit_root(pool, BITFIT_ROOTS));
    assert_true(bitfit_alloc_into(pool, 10, a));
    strcpy(bitfit_follow(pool, *a), "in a");
    assert_int_equal(bitfit_link_to(pool, bitfit_follow(pool, *a)), *a);
    bitfit_swap(pool, a, b);
    assert_int_equal(*a, 0);
    assert_null(bitfit_follow(pool, *a));
    assert_true(bitfit_calloc_into(pool, 10, 10, a));
    assert_true(bitfit_realloc_in(pool, b, 3000));
    assert_string_equal(bitfit_follow(pool, *b), "in a");
    bitfit_link was = *b;
    assert_false(bitfit_realloc_in(pool, b, SIZE));
    assert_int_equal(*b, was);
    bitfit_free_from(pool, a);
    bitfit_free_from(pool, a);
    assert_false(bitfit_alloc_into(pool, SIZE, a));
    assert_false(bitfit_calloc_into(pool, SIZE_MAX, 2, a));
    assert_false(bitfit_aligned_alloc_into(pool, 5, 2, a));
    assert_int_equal(*a, 0);
    assert_true(bitfit_aligned_alloc_into(pool, 256, 2, a));
    assert_int_equal((uintptr_t)bitfit_follow(pool, *a) % 256, 0);
    bitfit_free_from(pool, a);
    assert_true(bitfit_realloc_in(pool, a, 1)); /* a new one */
    assert_int_equal(live_blocks(), 2);
    assert_null(bitfit_follow(pool, SIZE));
}

static bool keep_the_root(bitfit_link block, size_t size, void *context)
{
    assert_true(size >= 16);
    assert_null(context);
    return block == *bitfit_root(pool, 0);
}

static void sweep_frees_what_is_not_kept(void **state)
{
    (void)state;
    bitfit_alloc(pool, 1000);
    bitfit_alloc(pool, 100);
    bitfit_alloc_into(pool, 100, bitfit_root(pool, 0));
    bitfit_alloc(pool, 1);
    assert_int_equal(bitfit_sweep(pool, keep_the_root, NULL), 3);
    assert_int_equal(live_blocks(), 1);
}

/* ------------------------------------------------------------------ misuse */

typedef void action(void);

/* Runs it in a child; the line that it wrote before it aborted. */
static const char *message_of(action *act)
{
    static char line[200];
    int ends[2];
    int how;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(ends[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], line, sizeof line - 1);
    line[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    waitpid(child, &how, 0);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
    return line;
}

/* The misuse is named, and the pool is whole: another process died in it. */
static void assert_named(action *act, const char *message)
{
    const char *line = message_of(act);
    if (strstr(line, message) == NULL) {
        fail_msg("%s is not in %s", message, line);
    }
    bitfit_reset(pool);
    assert_int_equal(live_blocks(), 0);
}

static void fill_twice(void)
{
    bitfit_alloc_into(pool, 1, bitfit_root(pool, 0));
    bitfit_alloc_into(pool, 1, bitfit_root(pool, 0));
}

static void use_a_slot_outside(void)
{
    bitfit_link slot = 0;
    bitfit_alloc_into(pool, 1, &slot);
}

static void use_a_slot_in_the_bookkeeping(void)
{
    bitfit_swap(pool, bitfit_root(pool, 0), (bitfit_link *)(void *)pool);
}

static void use_a_misaligned_slot(void)
{
    char *block = bitfit_alloc(pool, 100);
    bitfit_free_from(pool, (bitfit_link *)(void *)(block + 4));
}

static void free_from_a_stale_slot(void)
{
    bitfit_link *root = bitfit_root(pool, 0);
    bitfit_alloc_into(pool, 1, root);
    bitfit_free(pool, bitfit_follow(pool, *root));
    bitfit_free_from(pool, root);
}

static void realloc_in_a_stale_slot(void)
{
    bitfit_link *root = bitfit_root(pool, 0);
    bitfit_alloc_into(pool, 1, root);
    bitfit_free(pool, bitfit_follow(pool, *root));
    bitfit_realloc_in(pool, root, 10);
}

static void swap_with_a_slot_outside(void)
{
    bitfit_link slot = 0;
    bitfit_swap(pool, &slot, bitfit_root(pool, 0));
}

static void free_inside(void)
{
    char *block = bitfit_alloc(pool, 100);
    bitfit_free(pool, block + 16);
}

static void free_with_a_wrong_size(void)
{
    bitfit_free_sized(pool, bitfit_alloc(pool, 100), 10);
}

static void realloc_a_stranger(void)
{
    bitfit_realloc(pool, &pool, 10);
}

static void ask_for_an_offset(void)
{
    bitfit_alloc_offset(pool, 10);
}

static size_t noted;

static void note_kind(const bitfit_misuse *misuse, void *context)
{
    ((bitfit_misuse_kind *)context)[noted++] = misuse->kind;
}

static bool keep_all(bitfit_link block, size_t size, void *context)
{
    (void)block;
    (void)size;
    (void)context;
    return true;
}

/* Slots are for shared pools only. */
static void ordinary_pools_have_no_slots(void **state)
{
    (void)state;
    static _Alignas(max_align_t) unsigned char bytes[4096];
    bitfit_misuse_kind kinds[8];
    bitfit_link a = 0;
    bitfit_link b = 0;
    const bitfit_options options = {.on_misuse = note_kind,
                                    .misuse_context = kinds};
    bitfit_pool *ordinary = bitfit_init(bytes, sizeof bytes, &options);
    noted = 0;
    assert_false(bitfit_alloc_into(ordinary, 1, &a));
    assert_false(bitfit_calloc_into(ordinary, 1, 1, &a));
    assert_false(bitfit_aligned_alloc_into(ordinary, 16, 1, &a));
    assert_false(bitfit_realloc_in(ordinary, &a, 1));
    bitfit_free_from(ordinary, &a);
    bitfit_swap(ordinary, &a, &b);
    assert_int_equal(bitfit_sweep(ordinary, keep_all, NULL), 0);
    assert_null(bitfit_root(ordinary, 0));
    assert_null(bitfit_follow(ordinary, 64));
    assert_int_equal(bitfit_link_to(ordinary, bytes + 64), 0);
    assert_int_equal(bitfit_repairs(ordinary), 0);
    assert_int_equal(noted, 7);
    for (size_t i = 0; i < noted; i++) {
        assert_int_equal(kinds[i], BITFIT_WRONG_POOL);
    }
    assert_int_equal(bitfit_destroy(ordinary), 0);
}

/* What a visitor calls. */
static action *inside;

static bool call_inside(const bitfit_run *run, void *context)
{
    (void)run;
    (void)context;
    inside();
    return true;
}

static void alloc_again(void)
{
    bitfit_alloc(pool, 1);
}

static void realloc_again(void)
{
    bitfit_realloc(pool, memory, 1);
}

static void free_again(void)
{
    bitfit_free(pool, memory);
}

static void reset_again(void)
{
    bitfit_reset(pool);
}

static void alloc_into_again(void)
{
    bitfit_alloc_into(pool, 1, bitfit_root(pool, 0));
}

static void realloc_in_again(void)
{
    bitfit_realloc_in(pool, bitfit_root(pool, 0), 1);
}

static void free_from_again(void)
{
    bitfit_free_from(pool, bitfit_root(pool, 0));
}

static void swap_again(void)
{
    bitfit_swap(pool, bitfit_root(pool, 0), bitfit_root(pool, 1));
}

static void sweep_again(void)
{
    bitfit_sweep(pool, keep_all, NULL);
}

static void enter_again(void)
{
    bitfit_alloc_into(pool, 1, bitfit_root(pool, 0));
    bitfit_walk(pool, call_inside, NULL);
}

static void every_call_from_a_visitor_is_named(void **state)
{
    static const struct {
        action *act;
        const char *call;
    } cases[] = {
        {alloc_again, "bitfit_alloc"},
        {realloc_again, "bitfit_realloc"},
        {free_again, "bitfit_free"},
        {reset_again, "bitfit_reset"},
        {alloc_into_again, "bitfit_alloc_into"},
        {realloc_in_again, "bitfit_realloc_in"},
        {free_from_again, "bitfit_free_from"},
        {swap_again, "bitfit_swap"},
        {sweep_again, "bitfit_sweep"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char message[80];
        snprintf(message, sizeof message, "re-entry: %s(", cases[i].call);
        inside = cases[i].act;
        assert_named(enter_again, message);
    }
}

static void misuse_is_named_and_leaves_the_pool_whole(void **state)
{
    static const struct {
        action *act;
        const char *message;
    } cases[] = {
        {fill_twice, "slot in use: bitfit_alloc_into("},
        {use_a_slot_outside, "foreign pointer: bitfit_alloc_into("},
        {use_a_slot_in_the_bookkeeping, "foreign pointer: bitfit_swap("},
        {use_a_misaligned_slot, "misaligned pointer: bitfit_free_from("},
        {free_from_a_stale_slot, "double free: bitfit_free_from("},
        {realloc_in_a_stale_slot, "double free: bitfit_realloc_in("},
        {swap_with_a_slot_outside, "foreign pointer: bitfit_swap("},
        {free_inside, "interior pointer: bitfit_free("},
        {free_with_a_wrong_size, "wrong size: bitfit_free_sized("},
        {realloc_a_stranger, "foreign pointer: bitfit_realloc("},
        {ask_for_an_offset, "wrong kind of pool: bitfit_alloc_offset("},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_named(cases[i].act, cases[i].message);
    }
}

/* --------------------------------------------------------------- attaching */

static void other_addresses_see_the_same_blocks(void **state)
{
    (void)state;
    char name[] = "/tmp/bitfit-XXXXXX";
    int file = mkstemp(name);
    assert_true(file >= 0);
    unlink(name);
    assert_int_equal(ftruncate(file, SIZE), 0);
    void *a = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void *b = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    bitfit_pool *one = bitfit_init_shared(a, SIZE, NULL);
    bitfit_status status;
    bitfit_pool *two = bitfit_attach(b, SIZE, false, &status);
    assert_int_equal(status, BITFIT_OK);
    assert_ptr_equal(two, b);
    for (size_t i = 0; i < 20; i++) { /* by turns, and freed by the other */
        bitfit_link *root = bitfit_root(one, 1);
        assert_true(bitfit_alloc_into(one, 64, root));
        strcpy(bitfit_follow(one, *root), "seen");
        assert_string_equal(bitfit_follow(two, *bitfit_root(two, 1)), "seen");
        assert_ptr_equal(bitfit_alloc(two, 10), (char *)b + *root + 64);
        assert_true(bitfit_owns(one, bitfit_follow(one, *root)));
        bitfit_free(one, (char *)a + *root + 64);
        bitfit_free_from(two, bitfit_root(two, 1));
        assert_int_equal(bitfit_check(one), 0);
    }
    munmap(a, SIZE);
    munmap(b, SIZE);
    close(file);
}

static void assert_not_attached(void *at, size_t size, bitfit_status expect)
{
    bitfit_status status = BITFIT_OK;
    assert_null(bitfit_attach(at, size, true, &status));
    assert_int_equal(status, expect);
    assert_null(bitfit_attach(at, size, true, NULL));
}

static void assert_not_attached_beside(bitfit_status expect)
{
    bitfit_status status;
    assert_null(bitfit_attach(memory, SIZE, false, &status));
    assert_int_equal(status, expect);
}

static void attach_says_why_there_is_no_pool(void **state)
{
    (void)state;
    assert_not_attached(NULL, SIZE, BITFIT_BAD_MEMORY);
    assert_not_attached((char *)memory + 8, SIZE, BITFIT_BAD_MEMORY);
    assert_not_attached(memory, SIZE - 1, BITFIT_NO_POOL);
    assert_not_attached(memory, 10, BITFIT_NO_POOL);
    assert_int_equal(bitfit_shared_front(memory, 10, SIZE), 0);
    assert_true(bitfit_shared_front(memory, 4096, SIZE) > 0);
    assert_int_equal(bitfit_shared_front((char *)memory + 1, 4096, SIZE), 0);
    memset(memory, 0, SIZE);
    assert_not_attached(memory, SIZE, BITFIT_NO_POOL);
    bitfit_init(memory, SIZE, NULL); /* an ordinary one */
    assert_not_attached(memory, SIZE, BITFIT_NO_POOL);
    assert_string_equal(bitfit_status_text(BITFIT_NO_POOL),
                        "no shared pool of this version and size");
}

static void attach_knows_bad_granules_and_alignments(void **state)
{
    (void)state;
    static const uint8_t shifts[] = {BF_GRANULE_SHIFT_MIN - 1,
                                     BF_GRANULE_SHIFT_MAX + 1};
    for (size_t i = 0; i < sizeof shifts; i++) {
        pool = bitfit_init_shared(memory, SIZE, NULL);
        pool->granule_shift = shifts[i];
        assert_not_attached(memory, SIZE, BITFIT_NO_POOL);
    }
    const bitfit_options options = {.payload_alignment = 16384};
    static _Alignas(16384) unsigned char aligned[2 * 16384 + 4096];
    assert_non_null(bitfit_init_shared(aligned, 32768, &options));
    memmove(aligned + 4096, aligned, 32768);
    assert_not_attached(aligned + 4096, 32768, BITFIT_BAD_MEMORY);
}

static void attach_knows_bad_numbers_of_the_header(void **state)
{
    (void)state;
    const uint64_t no_size = sizeof(size_t) == 8 ? 3 : (uint64_t)1 << 32;
    const struct {
        size_t field;
        uint64_t value;
    } cases[] = {
        {offsetof(bf_shared, granules), 0},
        {offsetof(bf_shared, granules), SIZE},
        {offsetof(bf_shared, payload), bf_shared_header()},
        {offsetof(bf_shared, payload), SIZE + 1},
        {offsetof(bf_shared, payload), UINT64_MAX},
        {offsetof(bf_shared, alignment), 0},
        {offsetof(bf_shared, alignment), 24},
        {offsetof(bf_shared, alignment), no_size},
        {offsetof(bf_shared, size), SIZE - 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pool = bitfit_init_shared(memory, SIZE, NULL);
        char *header = (char *)bf_shared_of(pool);
        memcpy(header + cases[i].field, &cases[i].value, sizeof(uint64_t));
        assert_not_attached(memory, SIZE, BITFIT_NO_POOL);
    }
}

static void attach_alone_knows_counters_that_cannot_be(void **state)
{
    (void)state;
    size_t *const counters[] = {&pool->high_water, &pool->largest_block,
                                &pool->peak_live};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        assert_ptr_equal(bitfit_init_shared(memory, SIZE, NULL), pool);
        assert_ptr_equal(bitfit_attach(memory, SIZE, true, NULL), pool);
        *counters[i] = SIZE_MAX;
        assert_not_attached(memory, SIZE, BITFIT_DAMAGED);
    }
}

static void a_copy_shows_the_blocks(void **state)
{
    (void)state;
    const void *start;
    size_t size;
    bitfit_stats stats;
    bitfit_alloc_into(pool, 100, bitfit_root(pool, 0));
    bitfit_bookkeeping(pool, &start, &size);
    assert_int_equal(bitfit_copy_check(start, size), BITFIT_COPY_WHOLE);
    assert_true(bitfit_copy_get_stats(start, size, &stats));
    assert_int_equal(stats.blocks, 1);
}

static void requests_that_cannot_be_get_nothing(void **state)
{
    (void)state;
    bitfit_link *root = bitfit_root(pool, 0);
    assert_null(bitfit_aligned_alloc(pool, 24, 1));
    assert_null(bitfit_aligned_alloc(pool, SIZE_MAX / 2 + 1, 1));
    assert_null(bitfit_calloc(pool, SIZE_MAX / 2, 3));
    assert_false(bitfit_calloc_into(pool, SIZE_MAX / 2, 3, root));
    assert_true(bitfit_calloc_into(pool, 5, 0, root));
    bitfit_free_from(pool, root);
    assert_int_equal(bitfit_link_to(pool, NULL), 0);
    assert_refused(BITFIT_BAD_OPTIONS, &(bitfit_options){.guard = true});
    assert_int_equal(live_blocks(), 0);
    const bitfit_options off = {.granule = 4096, .payload_alignment = 16};
    pool = bitfit_init_shared(memory, SIZE, &off);
    assert_non_null(bitfit_aligned_alloc(pool, 16, 1));
    assert_null(bitfit_aligned_alloc(pool, 4096, 1));
    assert_int_equal(live_blocks(), 1);
}

/* A kernel that knows of no robust mutex, as emulators of single programs have
 * it: from now on, for this process. */
static bool forget_robust_lists(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_get_robust_list, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof rules / sizeof *rules, rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static int try_without_robust_mutex(void)
{
    bitfit_status status = BITFIT_OK;
    if (!forget_robust_lists()) {
        return 2;
    }
    return bitfit_init_shared_status(memory, SIZE, NULL) == BITFIT_BAD_LOCK &&
                   bitfit_init_shared(memory, SIZE, NULL) == NULL &&
                   bitfit_attach(memory, SIZE, true, &status) == NULL &&
                   status == BITFIT_BAD_LOCK
               ? 0
               : 1;
}

static void without_a_robust_mutex_there_are_none(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        _exit(try_without_robust_mutex());
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_int_equal(live_blocks(), 0);
}

static bool attach_inside(const bitfit_run *run, void *context)
{
    (void)run;
    (void)context;
    assert_not_attached_beside(BITFIT_BAD_LOCK);
    return true;
}

static void a_lock_that_cannot_be_had_is_no_misuse(void **state)
{
    (void)state;
    bitfit_walk(pool, attach_inside, NULL);
    bf_shared *shared = (bf_shared *)(void *)(pool + 1);
    memset(&shared->lock, 0xFF, sizeof shared->lock);
    assert_not_attached_beside(BITFIT_BAD_LOCK);
    pool = bitfit_attach(memory, SIZE, true, NULL);
    assert_int_equal(live_blocks(), 0);
}

/* Any bit of the bookkeeping may be wrong in a file of unknown origin. Attached
 * or refused, nothing may be read or written outside it. */
static void what_is_damaged_is_refused_or_whole(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        bitfit_alloc(pool, (size_t)i * 40);
    }
    bitfit_alloc_into(pool, 100, bitfit_root(pool, 0));
    size_t front = bitfit_shared_front(pool, SIZE, SIZE);
    unsigned char *good = malloc(SIZE);
    memcpy(good, memory, SIZE);
    size_t refused = 0;
    for (size_t bit = 0; bit < front * 8; bit++) {
        memcpy(memory, good, SIZE);
        ((unsigned char *)memory)[bit / 8] ^= (unsigned char)(1u << bit % 8);
        bitfit_status status;
        pool = bitfit_attach(memory, SIZE, true, &status);
        refused += pool == NULL;
        if (pool != NULL) {
            live_blocks();
            bitfit_free(pool, bitfit_alloc(pool, 50));
            live_blocks();
        }
    }
    assert_true(refused > 500);
    free(good);
}

static void an_intent_out_of_bounds_is_damage(void **state)
{
    (void)state;
    bf_shared *shared = (bf_shared *)(void *)(pool + 1);
    const bf_intent bad[] = {
        {.op = BF_RESET + 1},
        {.op = BF_CHANGE, .targets[0] = {0, 0, 0, UINT64_MAX}},
        {.op = BF_CHANGE, .targets[1] = {0, 2, 1, 3}},
        {.op = BF_CHANGE, .targets[1] = {0, 2, 4, 3}},
        {.op = BF_CHANGE, .slots[0] = 16},
        {.op = BF_CHANGE, .slots[1] = SIZE},
        {.op = BF_CHANGE, .slots[1] = SIZE / 2 + 4},
        {.op = BF_CHANGE, .targets[0] = {2, 1, 3, 4}},
        {.op = BF_CHANGE, .slots[1] = UINT64_MAX - 7},
        {.op = BF_CHANGE, .targets[0] = {1, 1, 5, 5}}, /* holes touch */
        {.op = BF_CHANGE, .allocations = 7},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bitfit_reset(pool);
        shared->intent = bad[i];
        assert_not_attached(memory, SIZE, BITFIT_DAMAGED);
        pool = bitfit_init_shared(memory, SIZE, NULL);
    }
}

static void a_change_that_was_broken_off_is_carried_out(void **state)
{
    (void)state;
    bf_shared *shared = bf_shared_of(pool);
    bitfit_link *slot = bitfit_alloc(pool, sizeof *slot);
    *slot = 0;
    shared->intent = (bf_intent){.op = BF_CHANGE,
                                 .slots[0] = shared->payload,
                                 .values[0] = 48,
                                 .allocations = 1};
    assert_ptr_equal(bitfit_attach(memory, SIZE, true, NULL), pool);
    assert_int_equal(*slot, 48);
    assert_int_equal(live_blocks(), 1);
}

/* ------------------------------------------------------------------ the lock
 */

static void die(void)
{
    bitfit_lock(pool);
    abort();
}

static bool leave_for_good(const bitfit_run *run, void *context)
{
    (void)run;
    (void)context;
    kill(getpid(), SIGKILL);
    return true;
}

static void a_dead_owner_leaves_no_lock(void **state)
{
    (void)state;
    int how;
    message_of(die);
    assert_int_equal(live_blocks(), 0);
    pid_t child = fork();
    if (child == 0) {
        bitfit_walk(pool, leave_for_good, NULL);
        _exit(0);
    }
    waitpid(child, &how, 0);
    assert_non_null(bitfit_alloc(pool, 1));
    assert_int_equal(bitfit_repairs(pool), 0); /* no change was broken off */
    assert_int_equal(live_blocks(), 1);
}

static void the_child_of_a_fork_waits_like_any_process(void **state)
{
    (void)state;
    int how;
    bitfit_lock(pool);
    pid_t child = fork();
    if (child == 0) {
        bitfit_unlock(pool); /* which it does not have */
        _exit(bitfit_alloc(pool, 1) == NULL);
    }
    usleep(20000);
    assert_int_equal(waitpid(child, &how, WNOHANG), 0);
    bitfit_unlock(pool);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_int_equal(live_blocks(), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pool, close_pool)
    const struct CMUnitTest tests[] = {
        TEST(init_refuses_what_lies_elsewhere_in_each_process),
        TEST(ordinary_calls_serve),
        TEST(a_resize_moves_where_that_was_asked_for),
        TEST(places_are_those_of_an_ordinary_pool),
        TEST(reset_empties_pool_and_roots),
        TEST(slots_name_their_blocks),
        TEST(sweep_frees_what_is_not_kept),
        TEST(misuse_is_named_and_leaves_the_pool_whole),
        TEST(every_call_from_a_visitor_is_named),
        TEST(ordinary_pools_have_no_slots),
        TEST(attach_knows_bad_granules_and_alignments),
        TEST(attach_knows_bad_numbers_of_the_header),
        TEST(attach_alone_knows_counters_that_cannot_be),
        TEST(requests_that_cannot_be_get_nothing),
        TEST(a_copy_shows_the_blocks),
        TEST(other_addresses_see_the_same_blocks),
        TEST(attach_says_why_there_is_no_pool),
        TEST(without_a_robust_mutex_there_are_none),
        TEST(a_lock_that_cannot_be_had_is_no_misuse),
        TEST(what_is_damaged_is_refused_or_whole),
        TEST(an_intent_out_of_bounds_is_damage),
        TEST(a_change_that_was_broken_off_is_carried_out),
        TEST(a_dead_owner_leaves_no_lock),
        TEST(the_child_of_a_fork_waits_like_any_process),
    };
    return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
