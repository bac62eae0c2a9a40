/*
 * What the environment says, read once, before anything is handed out. In
 * programs that run with another user's rights it says nothing: every option
 * has its default. A value that cannot be understood is one line on standard
 * error, and the default.
 */
#ifndef BITFIT_MALLOC_OPTIONS_H
#define BITFIT_MALLOC_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum report_kind { REPORT_NONE, REPORT_STDERR, REPORT_FILE };

typedef struct option_set {
    size_t budget;     /* BITFIT_POOL: bytes; all that the program may use */
    bool budget_given; /* it is not the default */
    size_t granule;    /* BITFIT_GRANULE: bytes, a power of two from 16 on */
    bool prefault;     /* BITFIT_PREFAULT: every page is there from the start */
    bool lock;         /* BITFIT_MLOCK: and never paged out */
    bool huge;         /* BITFIT_HUGE: huge pages are asked for */
    bool abort_on_failure; /* BITFIT_ON_FAILURE: abort; or continue */
    bool hardened;         /* BITFIT_HARDENED */
    bool inherit;          /* BITFIT_INHERIT: programs started get it, too */
    bool leaks;            /* BITFIT_LEAKS: count what lives at exit */
    uint64_t fail_at;      /* BITFIT_FAIL_AT: this request fails; 0 is none */
    bool fail_on;          /* "N+": and every one after it */
    enum report_kind report_kind; /* BITFIT_REPORT */
    bool report_each;             /* the path has %p: children report, too */
    char report_path[PATH_MAX];   /* absolute, %p not yet replaced */
} option_set;

void options_read(option_set *to);

/* Takes the preload and every BITFIT_* out of the environment, unless programs
 * started from here are to have them. */
void options_pass_on(const option_set *from);

#endif
