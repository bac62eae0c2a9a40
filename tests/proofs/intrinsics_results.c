/* Compiled twice: with the compiler's emmintrin.h and with the stand-in. */
#include "intrinsics.h"

#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

static void keep(unsigned char *result, __m128i lanes)
{
    _mm_storeu_si128((__m128i *)(void *)result, lanes);
}

static void keep_int(unsigned char *result, int number)
{
    memset(result, 0, LANES);
    memcpy(result, &number, sizeof number);
}

void RESULTS_OF(const unsigned char *x, const unsigned char *y,
                unsigned char results[RESULTS][LANES])
{
    unsigned char(*next)[LANES] = results;
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)x);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)y);
    keep(*next++, _mm_max_epu8(a, b));
    keep(*next++, _mm_cmpeq_epi8(a, b));
    keep(*next++, _mm_add_epi8(a, b));
    keep(*next++, _mm_and_si128(a, b));
    keep(*next++, _mm_andnot_si128(a, b));
    keep(*next++, _mm_or_si128(a, b));
    keep(*next++, _mm_packs_epi32(a, b));
    keep(*next++, _mm_packs_epi16(a, b));
    keep(*next++, _mm_cmpgt_epi16(a, b));
    keep(*next++, _mm_cmpgt_epi32(a, b));
    keep(*next++, _mm_min_epi16(a, b));
    keep(*next++, _mm_srli_si128(a, 8));
    keep(*next++, _mm_srli_si128(a, 4));
    keep(*next++, _mm_srli_si128(a, 2));
    keep(*next++, _mm_srli_si128(a, 1));
    keep(*next++, _mm_srli_epi16(a, 1));
    keep(*next++, _mm_setzero_si128());
    keep(*next++, _mm_set1_epi8((char)x[0]));
    keep(*next++, _mm_set1_epi32((int)(x[1] * 0x01000193u)));
    keep_int(*next++, _mm_movemask_epi8(a));
    keep_int(*next++, _mm_cvtsi128_si32(a));
}
