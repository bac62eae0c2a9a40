/*
 * The words of the proofs. A harness assumes what its caller promises, calls
 * the real code, and claims what the code promises. Nothing is run: the prover
 * looks at all values at once.
 */
#ifndef BITFIT_TESTS_PROVER_H
#define BITFIT_TESTS_PROVER_H

#include "platform.h"

/* What a function of the core expects of its caller is a claim, too. */
#undef BF_EXPECT
#define BF_EXPECT(condition) __CPROVER_assert(condition, "as it is expected")

#include "bits.h"

#define ASSUME(condition) __CPROVER_assume(condition)
#define CLAIM(condition, text) __CPROVER_assert(condition, text)

/* The one claim that must fail: false, where the harness has come to its end.
 * If it held, the assumptions would contradict each other, and so every claim
 * would hold for want of a case. */
#define REACHED() __CPROVER_assert(0, "must fail")

/* Any value at all: the prover knows the name. */
bool nondet_bool(void);
unsigned nondet_unsigned(void);
uint8_t nondet_u8(void);
uint32_t nondet_u32(void);
size_t nondet_size(void);
bf_word nondet_word(void);

BF_INLINE bool bit_of(bf_word word, size_t i)
{
    return (word >> i & 1) != 0;
}

#endif
