/* The formats of bitfit export. */
#ifndef EXPORT_FORMATS_H
#define EXPORT_FORMATS_H

#include "input_trace.h"

typedef enum export_cost { COST_LIVE, COST_TOTAL, COST_CALLS } export_cost;

typedef struct export_plan {
    size_t events; /* the moment: after so many */
    export_cost cost;
    size_t granule;
    size_t points;
} export_plan;

/* Writes a format. NULL or what went wrong, but for errors of writing, which
 * the stream remembers. */
typedef const char *export_writer(FILE *to, const input_trace *input,
                                  const export_plan *plan);

export_writer export_collapsed, export_chrome, export_vma, export_dhat;

static const char export_no_memory[] = "there is not enough memory";

/* The pool in which the trace just fits. NULL or why there is none. */
static inline const char *export_open_pool(playback *it,
                                           const input_trace *input,
                                           const export_plan *plan)
{
    playback_plan pool = {.from = input->from,
                          .granule = plan->granule,
                          .alignment =
                              playback_alignment(input->asked.align_log2)};
    return playback_open_fitting(it, &pool);
}

#endif
