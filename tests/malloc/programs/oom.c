/*
 * Does the work; where memory was lacking, once more. Prints the digest of the
 * results and how often it tried. Exit code 1: a wrong answer, or none.
 */
#include "oom.h"

#include <inttypes.h>
#include <stdio.h>

int main(void)
{
    for (int attempt = 1; attempt <= 2; attempt++) {
        uint64_t digest = 0xCBF29CE484222325u;
        oom_answer answer = oom_work(&digest);
        if (answer == OOM_WRONG)
            return 1;
        if (answer == OOM_DONE) {
            char line[64];
            int length = snprintf(line, sizeof line, "%" PRIx64 " %d\n", digest,
                                  attempt);
            return fwrite(line, 1, (size_t)length, stdout) != (size_t)length;
        }
    }
    return 1;
}
