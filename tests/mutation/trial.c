/*
 * A mutant's trial: the fuzzer's comparison of the pool with the model, fed
 * with random bytes. It ends by abort() where the two differ. At the end it
 * says how many steps the core took: basic blocks, where the compiler counts
 * them.
 *
 *     trial SHORT LONG CHURN HUGE     how many inputs of each kind
 *
 * A short input makes a pool of any kind, for a hundred calls. Long ones and
 * churn make a pool of the smallest granules, with as many of them as there
 * are. A long one has thousands of calls of all kinds. Churn has so many short
 * requests, and the pool is so full, that the core gives its floors up and
 * comes back to them. A huge one has more granules than 32 bits tell.
 */
#include "../pool/fuzz_pool.c"

#include <stdio.h>
#include <sys/mman.h>

enum { SHORT_INPUT = 512, LONG_INPUT = 1 << 16, CHURN_INPUT = 1 << 18 };
enum { VERB_FREE = 10, VERB_ALLOC = 11, FEW_GRANULES = 200 }; /* see play() */
enum { OFTEN = 160 }; /* of 256: so the pool stays full */

static unsigned long steps;
static uint64_t state = 1;
static uint8_t input_bytes[CHURN_INPUT];

/* gcc calls it in each basic block that is compiled to be counted. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

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

static void *reserve(size_t size, int protection)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *reserved = mmap(NULL, size, protection, flags, -1, 0);
    must(reserved != MAP_FAILED);
    return reserved;
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
    bitfit_options options = {.granule = 8, .zeroed = true};
    size_t between = (size_t)1 << 32;
    size_t size = (between + 1024) * options.granule;
    options.bookkeeping_size = bitfit_bookkeeping_size(size, &options);
    options.bookkeeping =
        reserve(options.bookkeeping_size, PROT_READ | PROT_WRITE);
    void *payload = reserve(size, PROT_NONE);
    bitfit_pool *pool = bitfit_init(payload, size, &options);
    must(pool != NULL);
    play_far_apart(pool, options.granule, between);
    must(bitfit_destroy(pool) == 4);
    munmap(payload, size);
    munmap(options.bookkeeping, options.bookkeeping_size);
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
    for (unsigned long huge = strtoul(argv[4], NULL, 10); huge > 0; huge--) {
        try_huge();
    }
    printf("%lu\n", steps);
    return 0;
}
