/*
 * malloc_mark TRACE: what a recorded program needs at the least.
 *
 * Prints "PEAK MARK": the most bytes requested at one time, and the high-water
 * mark of exact first fit at 16 bytes, by the model that has no bookkeeping.
 */
#include "firstfit.h"
#include "trace.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    trace recorded;

    if (argc != 2) {
        fputs("usage: malloc_mark TRACE\n", stderr);
        return 2;
    }
    const char *wrong = trace_load(&recorded, argv[1]);
    if (wrong != NULL) {
        fprintf(stderr, "malloc_mark: %s: %s\n", argv[1], wrong);
        return 3;
    }
    printf("%" PRIu64 " %" PRIu64 "\n", recorded.calls.peak_bytes,
           firstfit_high_water(&recorded.calls, 16));
    return 0;
}
