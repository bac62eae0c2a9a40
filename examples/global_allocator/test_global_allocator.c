/* Holds for every POOL_SIZE and MIN_BLOCK_SIZE that can be set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "global_allocator.h"

enum { THREADS = 4, ROUNDS = 5000, HELD = 4 };

/* All that can be seen of the pool: the picture and the statistics. */
typedef struct snapshot {
    char picture[POOL_BYTES / BLOCK_BYTES + 1];
    bitfit_stats stats;
} snapshot;

/* Misuses by kind, as the handler saw them. */
static int misuses[BITFIT_TAKEN_SLOT + 1];

static void count_misuse(const bitfit_misuse *misuse, void *context)
{
    (void)context;
    misuses[misuse->kind]++;
}

static int misuses_in_all(void)
{
    int sum = 0;
    for (int i = 0; i <= BITFIT_TAKEN_SLOT; i++) {
        sum += misuses[i];
    }
    return sum;
}

static snapshot look(void)
{
    snapshot s;
    memset(&s, 0, sizeof s);
    bitfit_draw(allocator_pool(), s.picture, sizeof s.picture);
    bitfit_get_stats(allocator_pool(), &s.stats);
    return s;
}

static int empty_pool(void **state)
{
    (void)state;
    bitfit_reset(allocator_pool());
    memset(misuses, 0, sizeof misuses);
    return 0;
}

static int check_pool(void **state)
{
    (void)state;
    return bitfit_check(allocator_pool());
}

/* -------------------------------------------------------------- the textbook
 */

static void freed_block_is_handed_out_again(void **state)
{
    (void)state;
    void *first = allocate(32);
    void *second = allocate(64);
    deallocate(first, 32);
    void *third = allocate(32);
    assert_non_null(first);
    assert_non_null(second);
    assert_non_null(third);
    assert_ptr_equal(third, first);
    assert_int_equal(misuses_in_all(), 0);
}

static void whole_pool_is_null(void **state)
{
    (void)state;
    assert_null(allocate(POOL_BYTES));
}

static void half_the_pool_fits_once(void **state)
{
    (void)state;
    assert_non_null(allocate(POOL_BYTES / 2));
    assert_null(allocate(POOL_BYTES / 2));
}

static void more_than_the_pool_is_null(void **state)
{
    static const size_t sizes[] = {POOL_BYTES + 1, 2 * POOL_BYTES, SIZE_MAX / 2,
                                   SIZE_MAX - BLOCK_BYTES, SIZE_MAX};
    (void)state;
    snapshot before = look();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_null(allocate(sizes[i]));
    }
    assert_string_equal(look().picture, before.picture);
}

/* ------------------------------------------------------------ to the last byte
 */

static void expect_rest_is_usable(void)
{
    size_t rest = look().stats.largest_free;
    assert_int_equal(rest, look().stats.free);
    assert_null(allocate(rest + 1));
    assert_null(allocate(rest + BLOCK_BYTES));
    char *block = allocate(rest);
    assert_non_null(block);
    memset(block, 0xa5, rest);
    assert_int_equal(look().stats.free, 0);
    assert_null(allocate(1));
    deallocate(block, rest);
    assert_int_equal(misuses_in_all(), 0);
}

static void all_that_remains_fits_exactly(void **state)
{
    (void)state;
    expect_rest_is_usable();
    assert_non_null(allocate(1));
    expect_rest_is_usable();
    assert_non_null(allocate(BLOCK_BYTES));
    expect_rest_is_usable();
}

/* Fills the pool with the smallest blocks, then frees and takes back each:
 * with all others in use there is one place for it. */
static void smallest_blocks_fill_the_pool(void **state)
{
    char *blocks[POOL_BYTES / BLOCK_BYTES];
    size_t count = 0;
    (void)state;
    while ((blocks[count] = allocate(BLOCK_BYTES)) != NULL) {
        assert_true(count == 0 || blocks[count] > blocks[count - 1]);
        count++;
    }
    assert_int_equal(look().stats.free, 0);
    assert_int_equal(look().stats.capacity, count * BLOCK_BYTES);
    for (size_t i = 0; i < count; i++) {
        deallocate(blocks[i], BLOCK_BYTES);
        assert_ptr_equal(allocate(1), blocks[i]);
    }
}

static void bookkeeping_and_blocks_share_the_pool(void **state)
{
    (void)state;
    const unsigned char *end = global_allocator.memory + POOL_BYTES;
    size_t rest = look().stats.free;
    unsigned char *block = allocate(rest);
    assert_true((unsigned char *)allocator_pool() >= global_allocator.memory);
    assert_true((unsigned char *)allocator_pool() < block);
    assert_true(block + rest <= end);
}

static void rounded_constants_are_named(void **state)
{
    char text[256];
    char words[60];
    (void)state;
    assert_in_range(allocator_describe(text, sizeof text), 1, sizeof text - 1);
    snprintf(words, sizeof words, "POOL_SIZE %d: a pool of %d bytes%s",
             POOL_SIZE, POOL_BYTES,
             POOL_SIZE == POOL_BYTES ? "\n" : ", rounded");
    assert_non_null(strstr(text, words));
    snprintf(words, sizeof words, "blocks of %d bytes or more%s", BLOCK_BYTES,
             MIN_BLOCK_SIZE == BLOCK_BYTES ? "\n" : ", rounded");
    assert_non_null(strstr(text, words));
}

/* ----------------------------------------------------------------- misuse */

static void expect_caught(void *ptr, size_t size, bitfit_misuse_kind kind)
{
    snapshot before = look();
    int already = misuses[kind];
    int in_all = misuses_in_all();
    deallocate(ptr, size);
    snapshot after = look();
    assert_int_equal(misuses[kind], already + 1);
    assert_int_equal(misuses_in_all(), in_all + 1);
    assert_string_equal(after.picture, before.picture);
    assert_memory_equal(&after.stats, &before.stats, sizeof after.stats);
    assert_int_equal(bitfit_check(allocator_pool()), 0);
}

static void foreign_pointers_are_caught(void **state)
{
    int local = 0;
    void *heap = malloc(BLOCK_BYTES);
    (void)state;
    assert_non_null(allocate(BLOCK_BYTES));
    expect_caught(&local, sizeof local, BITFIT_FOREIGN);
    expect_caught(heap, BLOCK_BYTES, BITFIT_FOREIGN);
    expect_caught(&global_allocator, BLOCK_BYTES, BITFIT_FOREIGN);
    free(heap);
}

static void pointers_beside_the_payload_are_caught(void **state)
{
    unsigned char *memory = global_allocator.memory;
    (void)state;
    unsigned char *first = allocate(BLOCK_BYTES);
    expect_caught(memory, BLOCK_BYTES, BITFIT_FOREIGN);
    expect_caught(first - 1, BLOCK_BYTES, BITFIT_FOREIGN);
    expect_caught(memory + POOL_BYTES, BLOCK_BYTES, BITFIT_FOREIGN);
}

static void interior_pointers_are_caught(void **state)
{
    (void)state;
    char *block = allocate(2 * BLOCK_BYTES);
    expect_caught(block + BLOCK_BYTES, BLOCK_BYTES, BITFIT_INTERIOR);
    expect_caught(block + 1, 2 * BLOCK_BYTES, BITFIT_MISALIGNED);
    expect_caught(block + BLOCK_BYTES - 1, BLOCK_BYTES, BITFIT_MISALIGNED);
    deallocate(block, 2 * BLOCK_BYTES);
    assert_int_equal(look().stats.blocks, 0);
}

static void double_free_is_caught(void **state)
{
    (void)state;
    char *first = allocate(BLOCK_BYTES);
    char *second = allocate(BLOCK_BYTES);
    deallocate(first, BLOCK_BYTES);
    expect_caught(first, BLOCK_BYTES, BITFIT_DOUBLE_FREE);
    deallocate(second, BLOCK_BYTES);
    expect_caught(first, BLOCK_BYTES, BITFIT_DOUBLE_FREE);
    expect_caught(second, BLOCK_BYTES, BITFIT_DOUBLE_FREE);
}

static void wrong_size_is_caught(void **state)
{
    (void)state;
    char *block = allocate(BLOCK_BYTES + 1);
    expect_caught(block, BLOCK_BYTES, BITFIT_WRONG_SIZE);
    expect_caught(block, 2 * BLOCK_BYTES + 1, BITFIT_WRONG_SIZE);
    expect_caught(block, SIZE_MAX, BITFIT_WRONG_SIZE);
    deallocate(block, BLOCK_BYTES + 1);
    assert_int_equal(look().stats.blocks, 0);
}

static void null_is_no_misuse(void **state)
{
    (void)state;
    deallocate(NULL, BLOCK_BYTES);
    assert_int_equal(misuses_in_all(), 0);
}

/* ---------------------------------------------------------------- threads */

typedef struct worker {
    pthread_t thread;
    unsigned random;
    unsigned char mark; /* what it fills its blocks with */
    int taken;
    int spoiled; /* blocks that another thread wrote to */
} worker;

typedef struct held_block {
    unsigned char *bytes;
    size_t size;
} held_block;

static size_t next_random(worker *w, size_t below)
{
    w->random = w->random * 1103515245U + 12345U;
    return (w->random >> 16) % below;
}

static void give_back(worker *w, held_block *block)
{
    for (size_t i = 0; i < block->size; i++) {
        if (block->bytes[i] != w->mark) {
            w->spoiled++;
            break;
        }
    }
    deallocate(block->bytes, block->size);
    block->bytes = NULL;
}

static void take(worker *w, held_block *block)
{
    block->size = 1 + next_random(w, POOL_BYTES / 8);
    block->bytes = allocate(block->size);
    if (block->bytes != NULL) {
        memset(block->bytes, w->mark, block->size);
        w->taken++;
    }
}

static void *work(void *context)
{
    worker *w = context;
    held_block held[HELD] = {{NULL, 0}};
    for (int round = 0; round < ROUNDS; round++) {
        held_block *block = &held[next_random(w, HELD)];
        if (block->bytes != NULL) {
            give_back(w, block);
        } else {
            take(w, block);
        }
    }
    for (int i = 0; i < HELD; i++) {
        if (held[i].bytes != NULL) {
            give_back(w, &held[i]);
        }
    }
    return NULL;
}

static void threads_share_the_pool(void **state)
{
    worker workers[THREADS];
    int taken = 0;
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        workers[i] =
            (worker){.random = (unsigned)i + 1, .mark = (unsigned char)(i + 1)};
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].spoiled, 0);
        taken += workers[i].taken;
    }
    bitfit_stats stats = look().stats;
    assert_true(taken > 0);
    assert_int_equal(stats.allocations, taken);
    assert_int_equal(stats.frees, taken);
    assert_int_equal(stats.blocks, 0);
    assert_int_equal(stats.largest_free, stats.capacity);
    assert_int_equal(misuses_in_all(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, empty_pool, check_pool)
    const struct CMUnitTest tests[] = {
        TEST(freed_block_is_handed_out_again),
        TEST(whole_pool_is_null),
        TEST(half_the_pool_fits_once),
        TEST(more_than_the_pool_is_null),
        TEST(all_that_remains_fits_exactly),
        TEST(smallest_blocks_fill_the_pool),
        TEST(bookkeeping_and_blocks_share_the_pool),
        TEST(rounded_constants_are_named),
        TEST(foreign_pointers_are_caught),
        TEST(pointers_beside_the_payload_are_caught),
        TEST(interior_pointers_are_caught),
        TEST(double_free_is_caught),
        TEST(wrong_size_is_caught),
        TEST(null_is_no_misuse),
        TEST(threads_share_the_pool),
    };
    char text[256];
    allocator_describe(text, sizeof text);
    fputs(text, stdout);
    global_allocator.on_misuse = count_misuse;
    return cmocka_run_group_tests_name("global allocator", tests, NULL, NULL);
}
