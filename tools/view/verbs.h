#ifndef VIEW_VERBS_H
#define VIEW_VERBS_H

#include "../command.h"

/* The verbs that show a heap. */
command_verb verb_map, verb_report, verb_top;

#endif
