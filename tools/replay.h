/* bitfit replay: a trace through a pool, and what that costs. */
#ifndef REPLAY_H
#define REPLAY_H

#include "command.h"

command_verb verb_replay;

#endif
