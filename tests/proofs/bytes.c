/* Bytes and pointers to granules and back: one place, for all arguments. */
#include "prover.h"

#include "pool.h"

static bitfit_pool pool;

static void any_pool(void)
{
    size_t granules = nondet_size();
    uintptr_t payload = nondet_size();
    unsigned shift = nondet_unsigned();
    ASSUME(shift >= 3 && shift <= 30);
    ASSUME(granules != 0 && granules <= SIZE_MAX >> shift);
    ASSUME(!bf_wraps_around(payload, granules << shift));
    pool.payload = (unsigned char *)payload;
    pool.fit.map.granules = granules;
    pool.granule_shift = (uint8_t)shift;
}

/* The granules, and no other pointer: below, above, or between two. */
void prove_granule_of(void)
{
    any_pool();
    uintptr_t payload = (uintptr_t)pool.payload;
    size_t granules = pool.fit.map.granules;
    unsigned shift = pool.granule_shift;
    uintptr_t ptr = nondet_size();
    size_t granule = bf_granule_of(&pool, (void *)ptr);
    bool inside = ptr >= payload && ptr - payload < granules << shift;
    bool on = inside && (ptr - payload) % ((size_t)1 << shift) == 0;
    CLAIM((granule < granules) == on, "exactly the pointers to granules");
    CLAIM(!on || granule == (ptr - payload) >> shift, "and which it is");
    CLAIM(bf_pool_owns(&pool, (void *)ptr) == inside, "owns");
    REACHED();
}

/* Enough granules, not one too many, and no overflow. */
void prove_count_for(void)
{
    any_pool();
    size_t size = nondet_size();
    size_t granule = (size_t)1 << pool.granule_shift;
    size_t count = bf_count_for(&pool, size);
    CLAIM(count >= 1, "one at least");
    CLAIM(count - 1 <= SIZE_MAX >> pool.granule_shift, "no overflow");
    size_t before_last = (count - 1) << pool.granule_shift;
    CLAIM(size == 0 ? count == 1
                    : before_last < size && size - before_last <= granule,
          "the last granule is needed, and is enough");
    REACHED();
}
