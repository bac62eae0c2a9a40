/*
 * A mutant's trial: the fuzzer's comparison of the pool with the model, fed
 * with random bytes. It ends by abort() where the two differ.
 *
 *     trial SHORT LONG CHURN EDGE     how many inputs of each kind
 *
 * A short input makes a pool of any kind, for a hundred calls. Long ones and
 * churn make a pool of the smallest granules, with as many of them as there
 * are. A long one has thousands of calls of all kinds. Churn has so many short
 * requests, and the pool is so full, that the core gives its floors up and
 * comes back to them. At the edge there are more granules than 32 bits tell, or
 * nothing beside the bookkeeping may be touched.
 */
#include "../pool/fuzz_pool.c"

#include "../pool/floors.h"
#include "bitfit_shared.h"
#include "map.h"
#include "reserved.h"

enum { SHORT_INPUT = 512, LONG_INPUT = 1 << 16, CHURN_INPUT = 1 << 18 };
enum { VERB_FREE = 10, VERB_ALLOC = 11, FEW_GRANULES = 200 }; /* see play() */
enum { OFTEN = 160 }; /* of 256: so the pool stays full */

static uint64_t state = 1;
static uint8_t input_bytes[CHURN_INPUT];

static unsigned random_byte(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 56);
}

static void fill(size_t size)
{
    for (size_t at = 0; at < size; at++) {
        input_bytes[at] = (uint8_t)random_byte();
    }
}

static void try_short(void)
{
    size_t size = (SHORT_INPUT / 256) * (size_t)random_byte();
    fill(size);
    LLVMFuzzerTestOneInput(input_bytes, size);
}

/* open_game() reads: place, payload alignment, lock, skip, size. */
static void ask_for_many_granules(void)
{
    input_bytes[0] &= 7;
    input_bytes[1] = 0;
    input_bytes[2] = 0;
    input_bytes[3] = 0;
    input_bytes[4] = UINT8_MAX;
}

static void try_long(void)
{
    fill(LONG_INPUT);
    ask_for_many_granules();
    LLVMFuzzerTestOneInput(input_bytes, LONG_INPUT);
}

static void try_churn(void)
{
    fill(CHURN_INPUT);
    ask_for_many_granules();
    for (size_t at = 6; at + 3 <= CHURN_INPUT;) {
        if (random_byte() < OFTEN) {
            input_bytes[at] = VERB_ALLOC;
            input_bytes[at + 1] %= FEW_GRANULES;
            at += 2;
        } else {
            input_bytes[at] = VERB_FREE;
            at += 3;
        }
    }
    LLVMFuzzerTestOneInput(input_bytes, CHURN_INPUT);
}

/* Two blocks whose starts have the low 32 bits in common: the first of them is
 * freed after the other one was taken, and its place is taken again. Nothing
 * ever touches the payload. */
static void play_far_apart(bitfit_pool *pool, size_t granule, size_t between)
{
    unsigned char *first = bitfit_alloc(pool, 2 * granule);
    must(bitfit_alloc(pool, (between - 2) * granule) == first + 2 * granule);
    unsigned char *other = bitfit_alloc(pool, granule);
    must(other == first + between * granule);
    bitfit_free(pool, first);
    must(bitfit_alloc(pool, granule) == first);
    must(bitfit_usable_size(pool, first) == granule);
    must(bitfit_alloc(pool, granule) == first + granule);
    bitfit_free(pool, other);
    must(bitfit_alloc(pool, granule) == other);
}

static void try_huge(void)
{
    size_t between = (size_t)1 << 32;
    reserved r;
    open_reserved(&r, between + 1024);
    play_far_apart(r.pool, r.options.granule, between);
    must(bitfit_destroy(r.pool) == 4);
    release_reserved(&r);
}

/* Two blocks that fill a pool of whole words, of any counts. */
static void fill_pool(bitfit_pool *pool, size_t granules, size_t granule)
{
    size_t size = granules * granule;
    for (size_t count = 1; count < granules; count++) {
        unsigned char *first = bitfit_alloc(pool, count * granule);
        unsigned char *last = bitfit_alloc(pool, size - count * granule);
        must(first == memory && last == memory + count * granule);
        must(bitfit_alloc(pool, granule) == NULL);
        bitfit_free(pool, count % 2 == 0 ? first : last);
        must(bitfit_alloc(pool, size) == NULL);
        bitfit_free(pool, count % 2 == 0 ? last : first);
        must(bitfit_alloc(pool, size) == memory);
        bitfit_free(pool, memory);
    }
    must(bitfit_check(pool) == 0);
}

/* Its bookkeeping is the first that may be touched, or the last. */
static void try_words(size_t words, unsigned char *from, unsigned char *to)
{
    bitfit_options options = {.granule = 8};
    size_t granules = words * BF_WORD_BITS;
    size_t size = granules * options.granule;
    options.bookkeeping_size = bitfit_bookkeeping_size(size, &options);
    options.bookkeeping = from;
    fill_pool(bitfit_init(memory, size, &options), granules, options.granule);
    options.bookkeeping = to - options.bookkeeping_size;
    fill_pool(bitfit_init(memory, size, &options), granules, options.granule);
}

/* The first short request of a new pool begins at the top, and makes the
 * entries above exact at once: where a hole that only the counts tell is
 * shortened, and in the last word, behind which no start bit is the map's. */
static void try_first_short(size_t words)
{
    bitfit_options options = {.granule = 8};
    options.bookkeeping = bookkeeping;
    options.bookkeeping_size = sizeof bookkeeping;
    size_t word = BF_WORD_BITS * options.granule;
    for (size_t left = 1; left < 512; left++) {
        bitfit_pool *pool = bitfit_init(memory, words * word, &options);
        size_t rest = left * options.granule;
        must(bitfit_alloc(pool, words * word - rest) == memory);
        must(bitfit_alloc(pool, 1) == memory + words * word - rest);
        must(bitfit_check(pool) == 0);
    }
    bitfit_pool *pool = bitfit_init(memory, words * word, &options);
    for (size_t i = 0; i < words; i++) {
        must(bitfit_alloc(pool, word) == memory + i * word);
    }
    for (size_t i = 9; i < 16; i++) {
        bitfit_realloc(pool, memory + i * word, word - options.granule);
    }
    bitfit_realloc(pool, memory + (words - 1) * word, word / 2);
    must(bitfit_alloc(pool, 3 * options.granule) ==
         memory + words * word - word / 2);
    must(bitfit_check(pool) == 0);
}

/* Products that wrap around to few bytes, and memory that leaves the address
 * space. */
static void try_numbers(void)
{
    void *last_page = (void *)(UINTPTR_MAX - 4095);
    must(bitfit_init_status(last_page, 4096, NULL) == BITFIT_OK);
    must(bitfit_init_status(last_page, 4097, NULL) == BITFIT_BAD_MEMORY);
    bitfit_pool *pool = bitfit_init(memory, 4096, NULL);
    for (size_t count = 2; count < 9; count++) {
        must(bitfit_calloc(pool, count, SIZE_MAX / count + 1) == NULL);
    }
    must(bitfit_destroy(pool) == 0);
}

/* A shared pool finds a place before it takes it: the ways of such calls. */
static void try_shared(void)
{
    bitfit_options options = {.granule = 8};
    bitfit_pool *pool = bitfit_init_shared(memory, 1 << 14, &options);
    must(pool != NULL);
    unsigned char *first = bitfit_alloc(pool, 8);
    for (size_t alignment = 16; alignment <= 1024; alignment *= 2) {
        unsigned char *place = first + 8;
        place += (0 - (uintptr_t)place) & (alignment - 1);
        must(bitfit_aligned_alloc(pool, alignment, 24) == place);
        must(bitfit_check(pool) == 0);
        bitfit_free(pool, place);
        must(bitfit_aligned_alloc(pool, alignment, 1 << 14) == NULL);
    }
    must(bitfit_realloc(pool, first, 800) == first);
    must(bitfit_realloc(pool, first, 400) == first);
    must(bitfit_check(pool) == 0);
    bitfit_free(pool, first);
    must(bitfit_alloc(pool, 1 << 14) == NULL && bitfit_alloc(pool, 8) == first);
    must(bitfit_check(pool) == 0);
}

/* Who attaches alone makes the tree anew, from the map. */
static void try_attach(void)
{
    bitfit_options options = {.granule = 8};
    bitfit_status status;
    bitfit_pool *pool = bitfit_init_shared(memory, MEMORY, &options);
    unsigned char *first = bitfit_alloc(pool, 8);
    must(first != NULL);
    pool = bitfit_attach(memory, MEMORY, true, &status);
    must(pool != NULL && bitfit_check(pool) == 0);
    must(bitfit_alloc(pool, 8) == first + 8);
    must(bitfit_check(pool) == 0);
}

/* The last block that may be touched moves to the front, and nothing beyond it
 * is read. */
static void try_move(unsigned char *from, unsigned char *to)
{
    bitfit_options options = {.granule = 8};
    bitfit_stats stats;
    bitfit_pool *pool = bitfit_init_shared(from, (size_t)(to - from), &options);
    must(pool != NULL);
    void *first = bitfit_alloc(pool, 1024);
    bitfit_get_stats(pool, &stats);
    must(bitfit_alloc(pool, stats.largest_free - 64) != NULL);
    void *last = bitfit_alloc(pool, 64);
    must(bitfit_alloc(pool, 1) == NULL);
    bitfit_free(pool, first);
    must(bitfit_realloc(pool, last, 512) == first);
    must(bitfit_check(pool) == 0);
}

/* The check sees that no run starts at the first granule of one word. */
static void try_damage(void)
{
    const void *start;
    size_t size;
    bitfit_pool *pool = bitfit_init(memory, 1024, NULL);
    bitfit_bookkeeping(pool, &start, &size);
    bf_pair *pair = (bf_pair *)(void *)((unsigned char *)memory + size) - 1;
    must(start == memory && (pair->start & BF_ONE) != 0);
    pair->start &= ~BF_ONE;
    must(bitfit_check(pool) == 1);
}

/* Before a block was taken all is sound, and floors that are given up hide no
 * hole. */
static void try_floors(void)
{
    bitfit_options options = {.granule = 8};
    options.bookkeeping = bookkeeping;
    options.bookkeeping_size = sizeof bookkeeping;
    bitfit_pool *pool = bitfit_init(memory, MEMORY, &options);
    must(bitfit_check(pool) == 0);
    must(covered_word_is_passed_over(pool));
    must(hole_is_below_no_floor(bitfit_init(memory, MEMORY, &options)));
}

static void try_edges(void)
{
    static const size_t words[] = {1, 2, 3, 4, 5, 16, 64, 65};
    size_t page = 1 << 16;
    unsigned char *pages = reserve(3 * page, PROT_NONE);
    unsigned char *from = pages + page;
    unsigned char *to = from + page;
    must(mprotect(from, page, PROT_READ | PROT_WRITE) == 0);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        try_words(words[i], from, to);
    }
    try_move(from, to);
    munmap(pages, 3 * page);
    try_first_short(128);
    try_numbers();
    try_shared();
    try_attach();
    try_damage();
    try_floors();
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        return 2;
    }
    unsigned long shorts = strtoul(argv[1], NULL, 10);
    unsigned long longs = strtoul(argv[2], NULL, 10);
    unsigned long churns = strtoul(argv[3], NULL, 10);
    while (shorts-- > 0) {
        try_short();
    }
    while (longs-- > 0) {
        try_long();
    }
    while (churns-- > 0) {
        try_churn();
    }
    for (unsigned long edge = strtoul(argv[4], NULL, 10); edge > 0; edge--) {
        try_edges();
        try_huge();
    }
    return 0;
}
