#ifndef RUN_H
#define RUN_H

#include "command.h"

/* bitfit run: a whole program in one fixed pool. */
command_verb verb_run;

#endif
