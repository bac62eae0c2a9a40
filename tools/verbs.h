/* The verbs of the bitfit command, each in the file of its name. */
#ifndef VERBS_H
#define VERBS_H

#include "command.h"

command_verb verb_check, verb_diff, verb_export, verb_fit, verb_map,
    verb_record, verb_repair, verb_replay, verb_report, verb_run, verb_top;

#endif
