/* What the intrinsics give for two vectors: a row of results for each. */
#ifndef BITFIT_TESTS_INTRINSICS_H
#define BITFIT_TESTS_INTRINSICS_H

enum { RESULTS = 21, LANES = 16 };

void results_of_compiler(const unsigned char *x, const unsigned char *y,
                         unsigned char results[RESULTS][LANES]);
void results_of_stand_in(const unsigned char *x, const unsigned char *y,
                         unsigned char results[RESULTS][LANES]);

#endif
