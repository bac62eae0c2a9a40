/* bitfit fit: how small a pool serves a trace. */
#ifndef FIT_H
#define FIT_H

#include "command.h"

command_verb verb_fit;

#endif
