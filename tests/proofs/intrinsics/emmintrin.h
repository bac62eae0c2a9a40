/*
 * The SSE2 intrinsics that platform_vector.h uses, in plain C, by the
 * pseudo-code of Intel's guide: a prover does not know the compiler's own.
 * intrinsics.c compares each with the real one.
 */
#ifndef BITFIT_TESTS_EMMINTRIN_H
#define BITFIT_TESTS_EMMINTRIN_H

#include <stdint.h>
#include <string.h>

typedef struct lanes {
    uint8_t b[16];
} __m128i;

#define ALIKE static inline
#define EACH(i, n) for (unsigned i = 0; i < (n); i++)

ALIKE uint32_t lane_get32(__m128i a, unsigned i)
{
    return (uint32_t)a.b[4 * i] | (uint32_t)a.b[4 * i + 1] << 8 |
           (uint32_t)a.b[4 * i + 2] << 16 | (uint32_t)a.b[4 * i + 3] << 24;
}
ALIKE uint16_t lane_get16(__m128i a, unsigned i)
{
    return (uint16_t)(a.b[2 * i] | a.b[2 * i + 1] << 8);
}
ALIKE void lane_set32(__m128i *a, unsigned i, uint32_t v)
{
    a->b[4 * i] = (uint8_t)v;
    a->b[4 * i + 1] = (uint8_t)(v >> 8);
    a->b[4 * i + 2] = (uint8_t)(v >> 16);
    a->b[4 * i + 3] = (uint8_t)(v >> 24);
}
ALIKE void lane_set16(__m128i *a, unsigned i, uint16_t v)
{
    a->b[2 * i] = (uint8_t)v;
    a->b[2 * i + 1] = (uint8_t)(v >> 8);
}
ALIKE __m128i _mm_loadu_si128(const __m128i *from)
{
    __m128i r;
    const uint8_t *bytes = (const uint8_t *)from;
    EACH(i, 16)
    {
        r.b[i] = bytes[i];
    }
    return r;
}
ALIKE void _mm_storeu_si128(__m128i *to, __m128i a)
{
    uint8_t *bytes = (uint8_t *)to;
    EACH(i, 16)
    {
        bytes[i] = a.b[i];
    }
}
ALIKE __m128i _mm_setzero_si128(void)
{
    __m128i r;
    EACH(i, 16)
    {
        r.b[i] = 0;
    }
    return r;
}
ALIKE __m128i _mm_set1_epi8(char v)
{
    __m128i r;
    EACH(i, 16)
    {
        r.b[i] = (uint8_t)v;
    }
    return r;
}
ALIKE __m128i _mm_setr_epi8(char a, char b, char c, char d, char e, char f,
                            char g, char h, char i, char j, char k, char l,
                            char m, char n, char o, char p)
{
    __m128i r = {{(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d, (uint8_t)e,
                  (uint8_t)f, (uint8_t)g, (uint8_t)h, (uint8_t)i, (uint8_t)j,
                  (uint8_t)k, (uint8_t)l, (uint8_t)m, (uint8_t)n, (uint8_t)o,
                  (uint8_t)p}};
    return r;
}
ALIKE __m128i _mm_set1_epi32(int v)
{
    __m128i r;
    EACH(i, 4)
    {
        lane_set32(&r, i, (uint32_t)v);
    }
    return r;
}
ALIKE __m128i _mm_cmpeq_epi8(__m128i a, __m128i b)
{
    EACH(i, 16)
    {
        a.b[i] = a.b[i] == b.b[i] ? 0xff : 0;
    }
    return a;
}
ALIKE __m128i _mm_max_epu8(__m128i a, __m128i b)
{
    EACH(i, 16)
    {
        a.b[i] = a.b[i] > b.b[i] ? a.b[i] : b.b[i];
    }
    return a;
}
ALIKE __m128i _mm_add_epi8(__m128i a, __m128i b)
{
    EACH(i, 16)
    {
        a.b[i] = (uint8_t)(a.b[i] + b.b[i]);
    }
    return a;
}
ALIKE __m128i _mm_and_si128(__m128i a, __m128i b)
{
    EACH(i, 16)
    {
        a.b[i] = a.b[i] & b.b[i];
    }
    return a;
}
ALIKE __m128i _mm_andnot_si128(__m128i a, __m128i b)
{
    EACH(i, 16)
    {
        a.b[i] = (uint8_t)(~a.b[i] & b.b[i]);
    }
    return a;
}
ALIKE __m128i _mm_or_si128(__m128i a, __m128i b)
{
    EACH(i, 16)
    {
        a.b[i] = a.b[i] | b.b[i];
    }
    return a;
}
ALIKE int _mm_movemask_epi8(__m128i a)
{
    int r = 0;
    EACH(i, 16)
    {
        r |= (a.b[i] >> 7) << i;
    }
    return r;
}
ALIKE __m128i _mm_srli_si128(__m128i a, int bytes)
{
    __m128i r;
    EACH(i, 16)
    {
        r.b[i] = i + (unsigned)bytes < 16 ? a.b[i + (unsigned)bytes] : 0;
    }
    return r;
}
ALIKE int _mm_cvtsi128_si32(__m128i a)
{
    return (int)lane_get32(a, 0);
}
ALIKE uint16_t lane_sat16(int32_t v)
{
    return (uint16_t)(v > INT16_MAX   ? INT16_MAX
                      : v < INT16_MIN ? INT16_MIN
                                      : v);
}
ALIKE uint8_t lane_sat8(int16_t v)
{
    return (uint8_t)(v > INT8_MAX ? INT8_MAX : v < INT8_MIN ? INT8_MIN : v);
}
ALIKE __m128i _mm_packs_epi32(__m128i a, __m128i b)
{
    __m128i r;
    EACH(i, 4)
    {
        lane_set16(&r, i, lane_sat16((int32_t)lane_get32(a, i)));
        lane_set16(&r, i + 4, lane_sat16((int32_t)lane_get32(b, i)));
    }
    return r;
}
ALIKE __m128i _mm_packs_epi16(__m128i a, __m128i b)
{
    __m128i r;
    EACH(i, 8)
    {
        r.b[i] = lane_sat8((int16_t)lane_get16(a, i));
        r.b[i + 8] = lane_sat8((int16_t)lane_get16(b, i));
    }
    return r;
}
ALIKE __m128i _mm_cmpgt_epi16(__m128i a, __m128i b)
{
    __m128i r;
    EACH(i, 8)
    {
        lane_set16(
            &r, i,
            (int16_t)lane_get16(a, i) > (int16_t)lane_get16(b, i) ? 0xffff : 0);
    }
    return r;
}
ALIKE __m128i _mm_cmpgt_epi32(__m128i a, __m128i b)
{
    __m128i r;
    EACH(i, 4)
    {
        lane_set32(&r, i,
                   (int32_t)lane_get32(a, i) > (int32_t)lane_get32(b, i)
                       ? 0xffffffffu
                       : 0);
    }
    return r;
}
ALIKE __m128i _mm_min_epi16(__m128i a, __m128i b)
{
    __m128i r;
    EACH(i, 8)
    {
        int16_t x = (int16_t)lane_get16(a, i);
        int16_t y = (int16_t)lane_get16(b, i);
        lane_set16(&r, i, (uint16_t)(x < y ? x : y));
    }
    return r;
}
ALIKE __m128i _mm_srli_epi16(__m128i a, int bits)
{
    __m128i r;
    EACH(i, 8)
    {
        lane_set16(&r, i, (uint16_t)(lane_get16(a, i) >> bits));
    }
    return r;
}

#endif
