/*
 * What a program can do wrong with its memory: each kind with a small, a middle
 * and a large block, as a program of its own, for any malloc.
 *
 *     caught            the names of all
 *     caught NAME       does it
 *
 * It says "went on" where nothing stopped it. Where that is no harm, as a block
 * that reads as zeros, it says nothing. caught.py makes a table of that.
 */
#include <alloca.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 8, MIDDLE = 4096, LARGE = 256 * 1024, MIB = 1 << 20 };

/* Keeps the compiler from knowing what is done to a pointer. */
static void *volatile anything;
static void *hide(void *ptr)
{
    anything = ptr;
    return anything;
}

static char *take(size_t size)
{
    return hide(malloc(size));
}

static void give(void *ptr)
{
    free(hide(ptr));
}

static void went_on(void)
{
    puts("went on");
    fflush(stdout);
}

static void went_on_if(bool condition)
{
    if (condition) {
        went_on();
    }
}

/* ------------------------------------------------------------- over the ends
 */

/* A write of one byte at this distance from the block's start. */
static void write_at(size_t size, ptrdiff_t distance)
{
    char *block = take(size);
    block[distance] ^= 0x55;
    give(block);
    went_on();
}

/* A copy that begins `before` bytes before the block or ends `behind` it. */
static void copy_over(size_t size, size_t before, size_t behind)
{
    char *source = alloca(size + before + behind);
    memset(source, 0, size + before + behind);
    char *block = take(size);
    memcpy((char *)hide(block) - before, source, size + behind);
    went_on();
}

static void overflow_1(size_t size)
{
    write_at(size, (ptrdiff_t)size);
}

static void overflow_32(size_t size)
{
    write_at(size, (ptrdiff_t)size + 31);
}

static void overflow_1M(size_t size)
{
    write_at(size, (ptrdiff_t)size + MIB - 1);
}

static void overflow_by_copy_1(size_t size)
{
    copy_over(size, 0, 1);
}

static void overflow_by_copy_32(size_t size)
{
    copy_over(size, 0, 32);
}

static void overflow_by_copy_1M(size_t size)
{
    copy_over(size, 0, MIB);
}

static void underflow_1(size_t size)
{
    write_at(size, -1);
}

static void underflow_32(size_t size)
{
    write_at(size, -32);
}

static void underflow_1M(size_t size)
{
    write_at(size, -MIB);
}

static void underflow_by_copy_1(size_t size)
{
    copy_over(size, 1, 0);
}

static void underflow_by_copy_32(size_t size)
{
    copy_over(size, 32, 0);
}

static void underflow_by_copy_1M(size_t size)
{
    copy_over(size, MIB, 0);
}

/* ------------------------------------------------------------------ no bytes
 */

/* The three sizes stand for three ways to ask for none. */
static char *take_nothing(size_t size)
{
    void *block = size == SMALL    ? malloc(0)
                  : size == MIDDLE ? calloc(0, 8)
                                   : memalign(64, 0);
    if (block == NULL) {
        exit(0);
    }
    return hide(block);
}

static void read_no_bytes(size_t size)
{
    anything = take_nothing(size) + *take_nothing(size);
    went_on();
}

static void read_no_bytes_and_free(size_t size)
{
    char *block = take_nothing(size);
    anything = block + *block;
    give(block);
    went_on();
}

static void write_no_bytes(size_t size)
{
    *take_nothing(size) = 1;
    went_on();
}

static void write_no_bytes_and_free(size_t size)
{
    char *block = take_nothing(size);
    *block = 1;
    give(block);
    went_on();
}

/* -------------------------------------------------------------- freed before
 */

static void give_and_take(size_t size, int times)
{
    for (int i = 0; i < times; i++) {
        give(take(size));
    }
}

static void double_free(size_t size)
{
    char *block = take(size);
    give(block);
    give(block);
    went_on();
}

static void double_free_delayed(size_t size)
{
    char *block = take(size);
    give(block);
    give_and_take(size, 1000);
    give(block);
    went_on();
}

static void double_free_around_another(size_t size)
{
    char *block = take(size);
    char *other = take(size);
    give(block);
    give(other);
    give(block);
    went_on();
}

static void double_free_then_traffic(size_t size)
{
    char *block = take(size);
    give(block);
    give(block);
    give_and_take(size, 20000);
    went_on();
}

static void double_free_once_reused(size_t size)
{
    char *block = take(size);
    give(block);
    char *other = take(size);
    give(block);
    give(other);
    went_on();
}

static void write_after_free(size_t size)
{
    char *block = take(size);
    give(block);
    memset(hide(block), 0x55, size);
    went_on();
}

static void write_after_free_then_traffic(size_t size)
{
    char *block = take(size);
    give(block);
    memset(hide(block), 0x55, size);
    give_and_take(size, 20000);
    went_on();
}

static bool is_zero(const char *block, size_t size)
{
    return block[0] == 0 && memcmp(block, block + 1, size - 1) == 0;
}

static void read_after_free(size_t size)
{
    char *block = take(size);
    memset(block, 0x55, size);
    give(block);
    went_on_if(!is_zero(hide(block), size));
}

static void read_uninitialised(size_t size)
{
    enum { BLOCKS = 100 };
    char *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = take(size);
        memset(blocks[i], 0x55, size);
    }
    for (int i = 0; i < BLOCKS; i++) {
        give(blocks[i]);
    }
    went_on_if(!is_zero(take(size), size));
}

/* ------------------------------------------------------------ predictability
 */

static void reuse_at_once(size_t size)
{
    char *block = take(size);
    give(block);
    went_on_if(take(size) == block);
}

static void reuse_by_half(size_t size)
{
    char *block = take(size);
    give(block);
    went_on_if(take(size / 2) == block);
}

static void reuse_after_realloc(size_t size)
{
    char *block = take(size);
    char *other = take(size);
    anything = realloc(hide(block), 4 * size);
    went_on_if(take(size) == block);
    give(other);
}

static void execute(size_t size)
{
    static const unsigned char back[] = {0xc3}; /* x86: ret */
    union {
        void *block;
        void (*run)(void);
    } code = {take(size)};
    memcpy(code.block, back, sizeof back);
    code.run();
    went_on();
}

/* -------------------------------------------------------------- bad requests
 */

static void impossible_size(size_t size)
{
    static volatile size_t most = SIZE_MAX;
    went_on_if(take(most - size) != NULL);
}

static void free_a_number(size_t size)
{
    give((void *)(uintptr_t)(size / SMALL));
    went_on();
}

static void free_of_stack(size_t size)
{
    give(alloca(size));
    went_on();
}

static void free_of_static(size_t size)
{
    static char memory[LARGE];
    give(memory + LARGE - size);
    went_on();
}

static void free_of_what_is_behind(size_t size)
{
    give(take(size) + MIDDLE);
    went_on();
}

static void free_of_what_is_far(size_t size)
{
    give(take(size) + 1024 * MIB);
    went_on();
}

static void free_off_by_1(size_t size)
{
    give(take(size) + 1);
    went_on();
}

static void free_off_by_8(size_t size)
{
    give(take(size) + 8);
    went_on();
}

/* --------------------------------------------------------------------- which
 */

typedef struct misuse {
    const char *name;
    void (*commit)(size_t size);
} misuse;

static const misuse misuses[] = {
    {"overflow by 1", overflow_1},
    {"overflow by 32", overflow_32},
    {"overflow by 1M", overflow_1M},
    {"overflow by copy 1", overflow_by_copy_1},
    {"overflow by copy 32", overflow_by_copy_32},
    {"overflow by copy 1M", overflow_by_copy_1M},
    {"underflow by 1", underflow_1},
    {"underflow by 32", underflow_32},
    {"underflow by 1M", underflow_1M},
    {"underflow by copy 1", underflow_by_copy_1},
    {"underflow by copy 32", underflow_by_copy_32},
    {"underflow by copy 1M", underflow_by_copy_1M},
    {"no bytes, read", read_no_bytes},
    {"no bytes, read and freed", read_no_bytes_and_free},
    {"no bytes, written", write_no_bytes},
    {"no bytes, written and freed", write_no_bytes_and_free},
    {"double free", double_free},
    {"double free, delayed", double_free_delayed},
    {"double free, around another", double_free_around_another},
    {"double free, then traffic", double_free_then_traffic},
    {"double free, once reused", double_free_once_reused},
    {"write after free", write_after_free},
    {"write after free, then traffic", write_after_free_then_traffic},
    {"read after free", read_after_free},
    {"read uninitialised", read_uninitialised},
    {"reuse at once", reuse_at_once},
    {"reuse by half the size", reuse_by_half},
    {"reuse after realloc", reuse_after_realloc},
    {"execute a block", execute},
    {"impossible size", impossible_size},
    {"free of a number", free_a_number},
    {"free of stack", free_of_stack},
    {"free of static", free_of_static},
    {"free of what is behind", free_of_what_is_behind},
    {"free of what is far", free_of_what_is_far},
    {"free off by 1", free_off_by_1},
    {"free off by 8", free_off_by_8},
};

static const struct {
    const char *name;
    size_t size;
} sizes[] = {{"small", SMALL}, {"middle", MIDDLE}, {"large", LARGE}};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Whether the name is "KIND, SIZE", and if so that is done. */
static bool run(const char *name)
{
    for (size_t i = 0; i < LENGTH(misuses); i++) {
        size_t length = strlen(misuses[i].name);
        bool is_kind = strncmp(name, misuses[i].name, length) == 0 &&
                       strncmp(name + length, ", ", 2) == 0;
        for (size_t k = 0; is_kind && k < LENGTH(sizes); k++) {
            if (strcmp(name + length + 2, sizes[k].name) == 0) {
                misuses[i].commit(sizes[k].size);
                return true;
            }
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return run(argv[1]) ? 0 : 2;
    }
    for (size_t i = 0; i < LENGTH(misuses); i++) {
        for (size_t k = 0; k < LENGTH(sizes); k++) {
            printf("%s, %s\n", misuses[i].name, sizes[k].name);
        }
    }
    return 0;
}
