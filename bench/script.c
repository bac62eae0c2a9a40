#include "script.h"

#include "measure.h"

#include <stdlib.h>
#include <string.h>

bool script_add(script *target, enum script_verb verb, size_t slot,
                uint64_t size)
{
    if (target->count == target->capacity) {
        size_t capacity = target->capacity == 0 ? 4096 : target->capacity * 2;
        script_call *calls =
            realloc(target->calls, capacity * sizeof *target->calls);

        if (calls == NULL) {
            return false;
        }
        target->calls = calls;
        target->capacity = capacity;
    }
    target->calls[target->count].what = (uint32_t)(slot << 2 | verb);
    target->calls[target->count].size = (uint32_t)(size >> target->shift);
    target->count++;
    target->slots = slot + 1 > target->slots ? slot + 1 : target->slots;
    target->resizes = target->resizes || verb == VERB_REALLOC;
    target->aligns = target->aligns || verb == VERB_ALIGNED;
    return true;
}

void script_destroy(script *target)
{
    free(target->calls);
    memset(target, 0, sizeof *target);
}

/* The slots in use, dense, so that a random one is found at once. */
typedef struct churn {
    const churn_plan *plan;
    script *result;
    uint64_t random;
    uint64_t live_bytes;
    uint64_t *sizes; /* by slot */
    uint32_t *order; /* slots: the live ones, then the idle ones */
    size_t live;
    size_t used;  /* slots that were ever in use */
    size_t slots; /* room */
    bool ok;
} churn;

static uint64_t churn_size(churn *state)
{
    const churn_plan *plan = state->plan;
    uint64_t size =
        random_log_uniform(&state->random, plan->size_low, plan->size_high);

    return size >> plan->shift << plan->shift;
}

static void churn_alloc(churn *state, uint64_t size)
{
    size_t slot = 0;

    if (state->live == state->slots) {
        state->ok = false;
        return;
    }
    if (state->live == state->used) {
        state->order[state->used] = (uint32_t)state->used;
        state->used++;
    }
    slot = state->order[state->live++];
    state->sizes[slot] = size;
    state->live_bytes += size;
    if (state->live_bytes > state->result->peak_bytes) {
        state->result->peak_bytes = state->live_bytes;
    }
    state->ok = script_add(state->result, VERB_ALLOC, slot, size) && state->ok;
}

static void churn_free(churn *state)
{
    size_t victim = random_below(&state->random, state->live);
    uint32_t slot = state->order[victim];

    state->order[victim] = state->order[--state->live];
    state->order[state->live] = slot;
    state->live_bytes -= state->sizes[slot];
    state->ok = script_add(state->result, VERB_FREE, slot, 0) && state->ok;
}

static void churn_fill(churn *state)
{
    const churn_plan *plan = state->plan;
    uint64_t middle = plan->pool / 200 * (plan->live_low + plan->live_high);

    while (state->ok && state->live_bytes < middle) {
        churn_alloc(state, churn_size(state));
    }
}

/* Frees and allocates in turn, with one more of either at the band's edge. */
static void churn_pairs(churn *state, size_t pairs)
{
    uint64_t low = state->plan->pool / 100 * state->plan->live_low;
    uint64_t high = state->plan->pool / 100 * state->plan->live_high;

    for (size_t i = 0; state->ok && i < pairs; i++) {
        uint64_t size = churn_size(state);

        if (state->live > 0 && state->live_bytes >= low) {
            churn_free(state);
        }
        while (state->live > 0 && state->live_bytes + size > high) {
            churn_free(state);
        }
        churn_alloc(state, size);
    }
}

/* The mean of random_log_uniform(). */
static double mean_size(const churn_plan *plan)
{
    double sum = 0;
    double doublings = 0;

    for (uint64_t base = plan->size_low; base < plan->size_high; base *= 2) {
        sum += 1.5 * (double)base;
        doublings++;
    }
    return doublings > 0 ? sum / doublings : (double)plan->size_low;
}

/* Room for twice as many blocks as there should be at a time. */
static bool churn_begin(churn *state)
{
    double blocks = (double)state->plan->pool / mean_size(state->plan);

    state->slots = (size_t)(2 * blocks) + 1024;
    state->sizes = calloc(state->slots, sizeof *state->sizes);
    state->order = calloc(state->slots, sizeof *state->order);
    return state->sizes != NULL && state->order != NULL;
}

churn_plan growth_plan(uint64_t pool, size_t pairs)
{
    churn_plan plan = {.pool = pool,
                       .size_low = 16,
                       .size_high = pool / 64 > 32 ? pool / 64 : 32,
                       .live_low = 70,
                       .live_high = 80,
                       .pairs = pairs,
                       .seed = 42};

    while (plan.size_high >> plan.shift > UINT32_MAX) {
        plan.shift++;
    }
    return plan;
}

bool script_churn(script *result, const churn_plan *plan)
{
    churn state = {
        .plan = plan, .result = result, .random = plan->seed, .ok = true};

    memset(result, 0, sizeof *result);
    result->shift = plan->shift;
    state.ok = churn_begin(&state);
    if (state.ok) {
        churn_fill(&state);
        churn_pairs(&state, state.live + 1000);
        result->timed_from = result->count;
        result->timed_allocs = plan->pairs;
        churn_pairs(&state, plan->pairs);
    }
    free(state.sizes);
    free(state.order);
    return state.ok;
}
