/*
 * The report of `bitfit run`: what the library in each process wrote at its
 * end, made into a few lines for people or into JSON.
 */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include "launch.h"

#include <stdbool.h>

typedef struct run_report run_report;

/*
 * Opens the report's place ("stderr", "none" or a file, which is emptied) and
 * tells the library by BITFIT_REPORT where to write its part. With `waits`
 * children report that run no other program, too. Where the file's name has %p,
 * each process writes a report of its own, and there is none here. NULL if and
 * only if that is not possible; then one line was printed.
 */
run_report *run_report_open(const char *where, bool json, bool waits);

/* Writes the report on a program that ended so. Where it cannot be written, one
 * line is printed. */
void run_report_write(run_report *report, char **program,
                      const launch_end *end);
void run_report_close(run_report *report);

#endif
