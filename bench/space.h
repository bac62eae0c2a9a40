/* What an allocator needs of the memory it is given. */
#ifndef BENCH_SPACE_H
#define BENCH_SPACE_H

#include "speed.h"

bool space_measure(const peer_list *peers, const trace_list *traces,
                   const bench_settings *settings, cJSON *out);

#endif
