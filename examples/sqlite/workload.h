/*
 * What the demo does with SQLite: an in-memory archive of weather readings is
 * created, filled, indexed, changed and queried. The same number of readings
 * gives the same rows on every machine, whatever allocator is below.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdint.h>

enum { WORKLOAD_PHASES = 6 };

/* What each phase is called, for tables. */
extern const char *const workload_phase_names[WORKLOAD_PHASES];

/* Called at the end of each phase, the database still open. */
typedef void workload_observer(int phase, void *context);

typedef struct workload_result {
    int rc;          /* SQLITE_OK, or the first error that SQLite reported */
    uint64_t digest; /* of every column of every row that the queries gave */
    long rows;       /* those rows */
    int files;       /* files that SQLite tried to open: refused */
    double seconds[WORKLOAD_PHASES];
} workload_result;

/*
 * Runs all phases, or stops at the first error, and closes the database.
 * SQLite must be configured and is left initialized. `observe` may be NULL.
 */
workload_result workload_run(int readings, workload_observer *observe,
                             void *context);

#endif
