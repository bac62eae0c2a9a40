#include "smallest.h"

typedef struct search {
    smallest *result;
    const playback_plan *plan;
    void (*advance)(void);
    const char *wrong;
} search;

static bitfit_options options_of(const playback_plan *plan)
{
    return (bitfit_options){.struct_size = sizeof(bitfit_options),
                            .granule = plan->granule,
                            .payload_alignment = plan->alignment};
}

size_t smallest_pool_for(const playback_plan *plan, size_t payload)
{
    bitfit_options options = options_of(plan);
    size_t bookkeeping = bitfit_bookkeeping_size(payload, &options);
    size_t unit = plan->alignment;
    return (bookkeeping + unit - 1) / unit * unit + payload;
}

static void count_replay(search *in)
{
    in->result->replays++;
    if (in->advance != NULL)
        in->advance();
}

/* Whether a pool with this payload serves the trace. */
static bool serves(search *in, size_t payload)
{
    playback_plan plan = *in->plan;
    playback it;
    plan.pool = smallest_pool_for(in->plan, payload);
    plan.payload = 0;
    in->wrong = payload == 0 ? NULL : playback_open(&it, &plan);
    if (payload == 0 || in->wrong != NULL)
        return false;
    bool served = playback_serves(&it, plan.from->count);
    playback_close(&it);
    count_replay(in);
    return served;
}

/* Between what serves and what does not, until they are neighbours. */
static size_t bisect(search *in, size_t fails, size_t good)
{
    size_t granule = in->plan->granule;
    while (good - fails > granule && in->wrong == NULL) {
        size_t middle = fails + (good - fails) / granule / 2 * granule;
        if (serves(in, middle)) {
            good = middle;
        } else {
            fails = middle;
        }
    }
    return good;
}

/* Less than what is live at the peak cannot serve. */
static size_t find_payload(search *in, size_t mark,
                           const trace_granules *counts)
{
    size_t granule = in->plan->granule;
    if (!serves(in, mark)) {
        if (in->wrong == NULL)
            in->wrong = "the high-water mark does not serve: a bug in bitfit";
        return 0;
    }
    if (!serves(in, mark - granule))
        return mark;
    in->result->below_mark = true;
    return bisect(in, ((size_t)counts->peak - 1) * granule, mark - granule);
}

static size_t bound_of(const playback_plan *plan, const trace_granules *counts)
{
    enum { MALLOC_ALIGNMENT = 16 };
    size_t skipped = plan->alignment - MALLOC_ALIGNMENT;
    if (skipped > 0 && plan->alignment > plan->granule)
        return 0;
    size_t bytes = bitfit_bytes_for((size_t)counts->peak_move,
                                    (size_t)counts->largest, plan->granule);
    return bytes == 0 ? 0 : bytes + skipped;
}

const char *smallest_find(smallest *result, const playback_plan *plan,
                          void (*advance)(void))
{
    search in = {.result = result, .plan = plan, .advance = advance};
    bitfit_stats needed;
    trace_granules counts;
    *result = (smallest){.granule = plan->granule};
    const char *wrong = playback_measure(plan, &needed);
    if (wrong != NULL)
        return wrong;
    if (!trace_count_granules(plan->from, plan->granule, &counts))
        return "there is not enough memory";
    count_replay(&in);
    result->high_water = needed.high_water;
    result->payload = find_payload(&in, needed.high_water, &counts);
    result->pool = smallest_pool_for(plan, result->payload);
    result->bookkeeping = result->pool - result->payload;
    result->bound = bound_of(plan, &counts);
    return in.wrong;
}
