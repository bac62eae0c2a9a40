/* The stand-in for emmintrin.h gives what the processor gives: for a million
 * pairs of vectors, with many bytes at the edges of their range. */
#include "intrinsics.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint32_t state = 1;

static unsigned random_byte(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 24;
}

static unsigned char any_byte(void)
{
    static const unsigned char edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    unsigned byte = random_byte();
    return byte & 1 ? edges[(byte >> 1) % sizeof edges]
                    : (unsigned char)random_byte();
}

int main(void)
{
    unsigned char real[RESULTS][LANES];
    unsigned char ours[RESULTS][LANES];
    unsigned char x[LANES];
    unsigned char y[LANES];
    for (unsigned pair = 0; pair < 1000000; pair++) {
        for (unsigned i = 0; i < LANES; i++) {
            x[i] = any_byte();
            y[i] = random_byte() & 3 ? any_byte() : x[i];
        }
        results_of_compiler(x, y, real);
        results_of_stand_in(x, y, ours);
        for (unsigned i = 0; i < RESULTS; i++) {
            if (memcmp(real[i], ours[i], LANES) != 0) {
                printf("the result with index %u differs\n", i);
                return 1;
            }
        }
    }
    return 0;
}
