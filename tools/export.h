/* bitfit export: a trace for other people's viewers. */
#ifndef EXPORT_H
#define EXPORT_H

#include "command.h"

command_verb verb_export;

#endif
