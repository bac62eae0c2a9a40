/*
 * Where the parts of a pool lie: no sum wraps, the payload is inside the memory
 * and aligned, the bookkeeping is before it. CBMC's check of unsigned sums is
 * on in the first of these.
 */
#include "prover.h"

#include "create.c"

bitfit_options nondet_options(void);
bf_parts nondet_parts(void);

/* A number of granules that some memory might have. */
static size_t any_granules(unsigned *shift)
{
    size_t granules = nondet_size();
    *shift = nondet_unsigned();
    ASSUME(*shift >= BF_GRANULE_SHIFT_MIN && *shift <= BF_GRANULE_SHIFT_MAX);
    ASSUME(granules != 0 && granules <= SIZE_MAX >> *shift);
    return granules;
}

void prove_sizes(void)
{
    unsigned shift;
    size_t granules = any_granules(&shift);
    size_t words = bf_words_for(granules);
    CLAIM(words <= granules / BF_WORD_BITS + 1 &&
              words * (size_t)BF_WORD_BITS >= granules,
          "a bit for each granule, and no word too many");
    size_t pairs = words * sizeof(bf_pair);
    size_t size = bf_fit_size(granules);
    CLAIM(pairs / sizeof(bf_pair) == words, "the map's size does not wrap");
    CLAIM(bf_fit_pairs_offset(granules) + pairs <= size, "the map is inside");
    CLAIM(bf_plan_bookkeeping(nondet_parts(), granules) <= SIZE_MAX / 2,
          "header and index leave room for any skip");
    REACHED();
}

/* Any plan of which most_granules() says that it fits: its test, in the words
 * of the header. */
void prove_parts(void)
{
    unsigned shift;
    size_t granules = any_granules(&shift);
    unsigned alignment = nondet_unsigned();
    uintptr_t memory = nondet_size();
    size_t size = nondet_size();
    ASSUME(alignment < sizeof(size_t) * CHAR_BIT);
    ASSUME(!bf_wraps_around(memory, size));
    bf_plan plan = {.options = nondet_options()};
    plan.options.granule = (size_t)1 << shift;
    plan.options.payload_alignment = (size_t)1 << alignment;
    ASSUME(plan.options.lock_kind >= BITFIT_LOCK_NONE &&
           plan.options.lock_kind <= BITFIT_LOCK_CALLER);
    size_t front = front_size(&plan, memory, granules);
    ASSUME(front <= size && granules <= (size - front) >> shift);
    CLAIM(front + (granules << shift) <= size &&
              front + (granules << shift) >= front,
          "the payload ends in the memory");
    CLAIM(((memory + front) & (plan.options.payload_alignment - 1)) == 0,
          "the payload is aligned");
    REACHED();
}

/* Two ranges that do not wrap share no byte if and only if neither start lies
 * in the other. */
void prove_overlaps(void)
{
    uintptr_t a = nondet_size();
    uintptr_t b = nondet_size();
    size_t a_size = nondet_size();
    size_t b_size = nondet_size();
    uintptr_t byte = nondet_size();
    ASSUME(!bf_wraps_around(a, a_size) && !bf_wraps_around(b, b_size));
    bool in_a = byte >= a && byte - a < a_size;
    bool in_b = byte >= b && byte - b < b_size;
    CLAIM(!(in_a && in_b) || overlaps(a, a_size, b, b_size),
          "a byte in both is an overlap");
    CLAIM(skip_from(a, 4096) < 4096 && ((a + skip_from(a, 4096)) & 4095) == 0,
          "skip_from: to the next multiple");
    REACHED();
}
