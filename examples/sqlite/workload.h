/*
 * What the demo does with SQLite: it creates an archive of weather readings in
 * memory, fills, indexes, changes and queries it. The same number of readings
 * gives the same rows on every machine and with every allocator.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdint.h>

enum { WORKLOAD_PHASES = 6 };

/* The names of the phases, for tables. */
extern const char *const workload_phase_names[WORKLOAD_PHASES];

/* Called at the end of each phase, the database still open. */
typedef void workload_observer(int phase, void *context);

typedef struct workload_result {
    int rc; /* SQLITE_OK, or the first error that SQLite reported */
    uint64_t
        digest; /* of every column of every row that the queries returned */
    long rows;  /* those rows */
    int files;  /* files that SQLite tried to open: refused */
    double seconds[WORKLOAD_PHASES];
} workload_result;

/*
 * Runs all phases, or stops at the first error, and closes the database.
 * SQLite must be configured and is left initialized. `observe` may be NULL.
 */
workload_result workload_run(int readings, workload_observer *observe,
                             void *context);

#endif
