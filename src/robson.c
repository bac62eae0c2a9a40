/*
 * How large a pool must be for first fit never to fail: Robson's bound, in
 * integers. The contract and the source stand at bitfit_bytes_for().
 */
#include "platform.h"

#ifndef BITFIT_SMALL /* small.c stands in its place */

#include "create.h"

enum {
    FRACTION_BITS = 32,
    EXACT_TERMS = 8191 /* harmonic numbers are summed exactly up to here */
};

/* 1 / ln 2 and the ratios below, in units of 2^-32, rounded up. */
#define INVERSE_LN2 UINT64_C(6196328019)

/* H_n / ln 2, in units of 2^-32, never too small. Above the exact terms n is
 * halved: H_n <= H_m + ln(n / m), and each halving of n counts ln 2 / ln 2. */
static uint64_t harmonic_over_ln2(size_t n)
{
    uint64_t halvings = 0;
    while (n > EXACT_TERMS) {
        n = n / 2 + 1; /* so that twice m is not below n */
        halvings++;
    }
    uint64_t sum = 0;
    for (uint64_t i = 1; i <= n; i++) {
        sum += (INVERSE_LN2 + i - 1) / i;
    }
    return sum + (halvings << FRACTION_BITS);
}

/* number * factor / 2^32, rounded up; false if it overflows. */
static bool scale_up(size_t number, uint64_t factor, size_t *result)
{
    uint64_t high = (uint64_t)number >> FRACTION_BITS;
    uint64_t low = (uint64_t)number & UINT32_MAX;
    uint64_t whole = factor >> FRACTION_BITS;
    uint64_t part = factor & UINT32_MAX;
    uint64_t carry = (low * part + UINT32_MAX) >> FRACTION_BITS;
    if (high != 0 && factor > (UINT64_MAX >> 1) / high) {
        return false;
    }
    uint64_t sum = high * factor + low * whole + carry;
    *result = (size_t)sum;
    return sum <= SIZE_MAX / 2;
}

size_t bitfit_bytes_for(size_t peak_granules, size_t largest_granules,
                        size_t granule)
{
    bitfit_options options;
    const bitfit_options given = {.granule = granule};
    size_t granules;
    if (bf_plan_options(&given, &options) != BITFIT_OK ||
        largest_granules == 0 || largest_granules > peak_granules ||
        !scale_up(peak_granules, harmonic_over_ln2(largest_granules),
                  &granules)) {
        return 0;
    }
    size_t bookkeeping =
        bf_plan_bookkeeping(bf_parts_wanted(&options), granules);
    bookkeeping += options.payload_alignment - 1;
    if (granules > (SIZE_MAX - bookkeeping) / options.granule) {
        return 0;
    }
    return granules * options.granule + bookkeeping;
}

#endif
