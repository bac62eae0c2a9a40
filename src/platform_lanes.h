/*
 * The seam's vector part: searches in small arrays, in SSE2 where the compiler
 * offers it (every x86-64), else in plain C. Both give the same answers.
 */
#ifndef BITFIT_PLATFORM_LANES_H
#define BITFIT_PLATFORM_LANES_H

#include "platform.h"

/* A node of the index has this many entries, and there are so many floors. */
enum { BF_FANOUT = 16, BF_FLOORS = 8 };

#if defined(__SSE2__) && !defined(BITFIT_NO_SIMD)
#include <emmintrin.h>

BF_INLINE __m128i bf_lane_load(const void *from)
{
    return _mm_loadu_si128((const __m128i *)from);
}

/* Bit i: bytes[i] >= least, for a word's number of bytes. */
BF_INLINE bf_word bf_bytes_at_least(const uint8_t *bytes, unsigned least)
{
    const __m128i floor = _mm_set1_epi8((char)least);
    bf_word found = 0;
    BF_UNROLL
    for (unsigned i = 0; i < BF_WORD_BITS / 16; i++) {
        __m128i lane = bf_lane_load(bytes + 16 * i);
        __m128i hit = _mm_cmpeq_epi8(_mm_max_epu8(lane, floor), lane);
        found |= (bf_word)(unsigned)_mm_movemask_epi8(hit) << (16 * i);
    }
    return found;
}

/* The largest of a word's number of bytes, bytes[skip] left out. */
BF_INLINE unsigned bf_bytes_max_but(const uint8_t *bytes, unsigned skip)
{
    const __m128i skipped = _mm_set1_epi8((char)skip);
    __m128i at =
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i max = _mm_setzero_si128();
    BF_UNROLL
    for (unsigned i = 0; i < BF_WORD_BITS / 16; i++) {
        __m128i lane = bf_lane_load(bytes + 16 * i);
        lane = _mm_andnot_si128(_mm_cmpeq_epi8(at, skipped), lane);
        max = _mm_max_epu8(max, lane);
        at = _mm_add_epi8(at, _mm_set1_epi8(16));
    }
    max = _mm_max_epu8(max, _mm_srli_si128(max, 8));
    max = _mm_max_epu8(max, _mm_srli_si128(max, 4));
    max = _mm_max_epu8(max, _mm_srli_si128(max, 2));
    max = _mm_max_epu8(max, _mm_srli_si128(max, 1));
    return (unsigned)_mm_cvtsi128_si32(max) & 0xffu;
}

BF_INLINE __m128i bf_lanes_of(uint32_t number)
{
    __m128i lanes = _mm_set1_epi32((int)number);
    return _mm_packs_epi32(lanes, lanes); /* INT16_MAX if it is more */
}

/* floors[i] is `floor` at most, where least[i] <= length: as far as 15 bits
 * tell; both are below 2^31. */
BF_INLINE void bf_floors_lower(int16_t *floors, const int16_t *least,
                               uint32_t floor, uint32_t length)
{
    __m128i kept = _mm_cmpgt_epi16(bf_lane_load(least), bf_lanes_of(length));
    __m128i limit = _mm_or_si128(bf_lanes_of(floor), _mm_srli_epi16(kept, 1));
    _mm_storeu_si128((__m128i *)(void *)floors,
                     _mm_min_epi16(bf_lane_load(floors), limit));
}

/* Bit i: counts[i] >= least, for a node's entries, all of them below 2^31;
 * least in [1, 2^31). */
BF_INLINE unsigned bf_counts_at_least(const uint32_t *counts, uint32_t least)
{
    const __m128i below = _mm_set1_epi32((int)(least - 1));
    __m128i a = _mm_cmpgt_epi32(bf_lane_load(counts), below);
    __m128i b = _mm_cmpgt_epi32(bf_lane_load(counts + 4), below);
    __m128i c = _mm_cmpgt_epi32(bf_lane_load(counts + 8), below);
    __m128i d = _mm_cmpgt_epi32(bf_lane_load(counts + 12), below);
    __m128i low = _mm_packs_epi32(a, b);
    __m128i high = _mm_packs_epi32(c, d);
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}

BF_INLINE __m128i bf_lane_max(__m128i a, __m128i b)
{
    __m128i larger = _mm_cmpgt_epi32(a, b);
    return _mm_or_si128(_mm_and_si128(larger, a), _mm_andnot_si128(larger, b));
}

/* The largest of a node's entries, all of them below 2^31. */
BF_INLINE uint32_t bf_counts_max(const uint32_t *counts)
{
    __m128i low = bf_lane_max(bf_lane_load(counts), bf_lane_load(counts + 4));
    __m128i high =
        bf_lane_max(bf_lane_load(counts + 8), bf_lane_load(counts + 12));
    __m128i max = bf_lane_max(low, high);
    max = bf_lane_max(max, _mm_srli_si128(max, 8));
    max = bf_lane_max(max, _mm_srli_si128(max, 4));
    return (uint32_t)_mm_cvtsi128_si32(max);
}

#else

BF_INLINE bf_word bf_bytes_at_least(const uint8_t *bytes, unsigned least)
{
    bf_word found = 0;
    BF_UNROLL
    for (unsigned i = 0; i < BF_WORD_BITS; i++) {
        found |= (bf_word)(bytes[i] >= least) << i;
    }
    return found;
}

BF_INLINE unsigned bf_bytes_max_but(const uint8_t *bytes, unsigned skip)
{
    unsigned max = 0;
    BF_UNROLL
    for (unsigned i = 0; i < BF_WORD_BITS; i++) {
        max = i != skip && bytes[i] > max ? bytes[i] : max;
    }
    return max;
}

BF_INLINE void bf_floors_lower(int16_t *floors, const int16_t *least,
                               uint32_t floor, uint32_t length)
{
    for (unsigned i = 0; i < BF_FLOORS; i++) {
        if ((uint32_t)least[i] <= length && (uint32_t)floors[i] > floor) {
            floors[i] = (int16_t)floor;
        }
    }
}

BF_INLINE unsigned bf_counts_at_least(const uint32_t *counts, uint32_t least)
{
    unsigned found = 0;
    BF_UNROLL
    for (unsigned i = 0; i < BF_FANOUT; i++) {
        found |= (unsigned)(counts[i] >= least) << i;
    }
    return found;
}

BF_INLINE uint32_t bf_counts_max(const uint32_t *counts)
{
    uint32_t max = 0;
    BF_UNROLL
    for (unsigned i = 0; i < BF_FANOUT; i++) {
        max = counts[i] > max ? counts[i] : max;
    }
    return max;
}

#endif

/* The largest of a word's number of bytes. */
BF_INLINE unsigned bf_bytes_max(const uint8_t *bytes)
{
    return bf_bytes_max_but(bytes, BF_WORD_BITS);
}

#endif
