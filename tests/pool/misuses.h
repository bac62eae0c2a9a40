/*
 * The table of misuses. misuses.c fills it before main() runs.
 */
#ifndef BITFIT_TESTS_MISUSES_H
#define BITFIT_TESTS_MISUSES_H

#include <stddef.h>

typedef enum misuse_verdict {
    MISUSE_CAUGHT,       /* one line on standard error, then abort() */
    MISUSE_HARMLESS,     /* it is allowed, or answered with NULL */
    MISUSE_UNDETECTABLE, /* by design; the pool stays whole */
} misuse_verdict;

typedef struct misuse_case {
    const char *name;
    int (*run)(void); /* returns 0 if and only if nothing was harmed */
    misuse_verdict verdict;
    const char *kind; /* of misuse; or the reason why nobody can tell */
    const char *call; /* that catches it */
} misuse_case;

enum { MISUSES_MAX = 64 };

extern misuse_case misuses[MISUSES_MAX];
extern size_t misuse_count;

#endif
