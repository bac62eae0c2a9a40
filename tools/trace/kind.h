/* What a file is that is no trace. */
#ifndef TRACE_KIND_H
#define TRACE_KIND_H

#include "input.h"

/* One sentence: what the file is, as far as its first bytes tell, and what
 * would work instead. */
const char *kind_of(const trace_input *input);

#endif
