/*
 * The searches in small arrays, lane by lane. One specification, which leaves
 * one answer only; the vector code and the plain code are proved against it in
 * turn. So they agree, and a pool places blocks alike with either.
 */
#include "prover.h"

#include "platform_vector.h"

void prove_bytes_at_least(void)
{
    uint8_t bytes[BF_WORD_BITS];
    unsigned least = nondet_unsigned();
    unsigned i = nondet_unsigned();
    ASSUME(least <= UINT8_MAX && i < BF_WORD_BITS);
    CLAIM(bit_of(bf_bytes_at_least(bytes, least), i) == (bytes[i] >= least),
          "bit i: byte i is large enough");
    REACHED();
}

void prove_bytes_max(void)
{
    uint8_t bytes[BF_WORD_BITS];
    unsigned skip = nondet_unsigned();
    unsigned i = nondet_unsigned();
    ASSUME(skip <= BF_WORD_BITS && i < BF_WORD_BITS && i != skip);
    unsigned max = bf_bytes_max_but(bytes, skip);
    bool is_one = max == 0;
    for (unsigned j = 0; j < BF_WORD_BITS; j++) {
        is_one = is_one || (j != skip && bytes[j] == max);
    }
    CLAIM(max >= bytes[i], "not below any");
    CLAIM(is_one, "one of them, or 0");
    REACHED();
}

void prove_floors_lower(void)
{
    int16_t words[BF_FLOORS];
    int16_t least[BF_FLOORS];
    uint32_t floor = nondet_u32();
    uint32_t length = nondet_u32();
    unsigned i = nondet_unsigned();
    ASSUME(floor <= INT32_MAX && length <= INT32_MAX && i < BF_FLOORS);
    ASSUME(words[i] >= 0 && least[i] >= 0);
    int before = words[i];
    bool lower = (uint32_t)least[i] <= length && (uint32_t)before > floor;
    bf_floors_lower(words, least, floor, length);
    CLAIM(words[i] == (lower ? (int)floor : before), "lowered where it serves");
    REACHED();
}
