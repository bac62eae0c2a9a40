/* The figures of a shared pool's file, as it is: bitfit check and report. */
#ifndef POOL_FIGURES_H
#define POOL_FIGURES_H

#include <stdbool.h>

/* Prints them; returns the verb's exit code: COMMAND_NO if the pool needs
 * repair or is damaged. */
int pool_figures(const char *verb, const char *path, bool json);

#endif
