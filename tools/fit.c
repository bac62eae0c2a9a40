/* bitfit fit: how small a pool serves a trace. */
#include "verbs.h"

#include "costs_table.h"
#include "input_trace.h"
#include "options.h"
#include "record.h"
#include "trace/costs.h"
#include "trace/smallest.h"
#include "view/scheme.h"
#include "view/screen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char verb[] = "fit";

enum { GRANULES_MAX = 16, MALLOC_ALIGNMENT = 16, COSTS = 10 };

typedef struct granule_list {
    size_t at[GRANULES_MAX];
    size_t count;
} granule_list;

typedef struct fit_options {
    const char *output;
    bool sites, json;
    granule_list granules;
} fit_options;

typedef struct fit {
    const fit_options *options;
    char **program; /* that was recorded; NULL: a trace was given */
    input_trace input;
    smallest found[GRANULES_MAX];
    size_t best; /* index of the granule that is recommended */
    cost *costs; /* at the peak, with that granule */
    size_t cost_count;
} fit;

/* --------------------------------------------------------------- searching */

static size_t replays_done, replays_total;

/* Three a granule is the usual. */
static void advance(void)
{
    if (++replays_done < replays_total)
        screen_progress(verb, replays_done, replays_total);
}

/* A granule below malloc's alignment is for those who know that they need
 * less. */
static size_t choose(const fit *on)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < on->options->granules.count; i++) {
        bool allowed = on->found[i].granule >= MALLOC_ALIGNMENT;
        if (allowed &&
            (best == SIZE_MAX || on->found[i].pool < on->found[best].pool))
            best = i;
    }
    return best == SIZE_MAX ? 0 : best;
}

static bool search(fit *on)
{
    const fit_options *options = on->options;
    playback_plan plan = {.from = on->input.from,
                          .alignment =
                              playback_alignment(on->input.asked.align_log2)};
    replays_total = 3 * options->granules.count + 1;
    for (size_t i = 0; i < options->granules.count; i++) {
        plan.granule = options->granules.at[i];
        const char *wrong = smallest_find(&on->found[i], &plan, advance);
        if (wrong != NULL) {
            command_error(verb, "granule %zu: %s", plan.granule, wrong);
            return false;
        }
    }
    screen_progress(verb, replays_total, replays_total);
    on->best = choose(on);
    on->costs = costs_at(on->input.from, on->input.asked.peak_event + 1,
                         on->input.from->site_count > 1,
                         on->found[on->best].granule, &on->cost_count);
    if (on->costs == NULL)
        command_error(verb, "there is not enough memory");
    return on->costs != NULL;
}

/* ---------------------------------------------------------------- printing */

static const char *ratio_text(char text[static 24], size_t pool, uint64_t peak)
{
    snprintf(text, 24, "%.3fx", (double)pool / (double)peak);
    return peak == 0 ? "-" : text;
}

static void print_granules(const fit *on)
{
    char ratio[24];
    printf("  %7s  %15s  %8s  %13s  %15s\n", "granule", "smallest pool",
           "/ peak", "bookkeeping", "never fails");
    for (size_t i = 0; i < on->options->granules.count; i++) {
        const smallest *it = &on->found[i];
        printf("%s %7zu  %15s  %8s  %13s  %15s%s\n", i == on->best ? "*" : " ",
               it->granule, number_text(it->pool),
               ratio_text(ratio, it->pool, on->input.asked.peak_requested),
               number_text(it->bookkeeping),
               it->bound == 0 ? "-" : number_text(it->bound),
               it->below_mark ? "  below the high-water mark" : "");
    }
}

static void print_notes(const fit *on)
{
    const smallest *best = &on->found[on->best];
    size_t alignment = playback_alignment(on->input.asked.align_log2);
    bool below = false;
    printf("\n  Sizes are in bytes. Peak: the most requested at one time, %s.\n"
           "  Each pool was verified: a replay in it works, one granule less "
           "fails.\n",
           number_text(on->input.asked.peak_requested));
    for (size_t i = 0; i < on->options->granules.count; i++)
        below = below || on->found[i].below_mark;
    if (below) {
        printf("  Below the high-water mark: a block that grew in place at "
               "the very top moves\n  down in the smaller pool.\n");
    }
    printf("  Never fails: no request can fail in such a pool, whatever the "
           "order of calls\n  (with the option resize_moves).\n");
    printf("\n  Recommended: bitfit_init(memory, %zu, &(bitfit_options){"
           ".granule = %zu",
           best->pool, best->granule);
    if (alignment > MALLOC_ALIGNMENT)
        printf(", .payload_alignment = %zu", alignment);
    printf("})\n");
    for (size_t i = 0; i < on->options->granules.count; i++) {
        const smallest *it = &on->found[i];
        if (it->granule < MALLOC_ALIGNMENT && it->pool < best->pool) {
            printf("  A granule of %zu would save %s bytes more, but aligns "
                   "blocks to %zu only.\n",
                   it->granule, number_text(best->pool - it->pool),
                   it->granule);
        }
    }
}

static void print_costs(const fit *on)
{
    printf("\n  What costs most at the peak, after event %s, with granule "
           "%zu\n",
           number_text(on->input.asked.peak_event),
           on->found[on->best].granule);
    costs_print(on->input.from, on->costs, on->cost_count, COSTS);
}

/* -------------------------------------------------------------------- JSON */

static json_t *granules_json(const fit *on)
{
    json_t *all = json_array();
    for (size_t i = 0; i < on->options->granules.count; i++) {
        const smallest *it = &on->found[i];
        json_array_append_new(
            all,
            json_pack("{sI sI sI sI sI so sb sI}", "granule",
                      (json_int_t)it->granule, "pool", (json_int_t)it->pool,
                      "payload", (json_int_t)it->payload, "bookkeeping",
                      (json_int_t)it->bookkeeping, "high_water",
                      (json_int_t)it->high_water, "never_fails",
                      it->bound == 0 ? json_null()
                                     : json_integer((json_int_t)it->bound),
                      "below_high_water", it->below_mark, "replays",
                      (json_int_t)it->replays));
    }
    return all;
}

static json_t *all_json(const fit *on)
{
    return json_pack(
        "{so sI sI sI so so}", "trace", input_trace_json(&on->input),
        "recommended_granule", (json_int_t)on->found[on->best].granule,
        "payload_alignment",
        (json_int_t)playback_alignment(on->input.asked.align_log2),
        "peak_event", (json_int_t)on->input.asked.peak_event, "granules",
        granules_json(on), "costs",
        costs_json(on->input.from, on->costs, on->cost_count, COSTS));
}

/* A recording goes by its program's name, not by its file's. */
static void set_name(trace *of, char **program)
{
    char *name = program == NULL ? NULL : strdup(basename(program[0]));
    if (name == NULL)
        return;
    free(of->name);
    of->name = name;
}

static int tell(fit *on)
{
    int code = COMMAND_OK;
    set_name(on->input.from, on->program);
    if (!search(on)) {
        code = COMMAND_NO;
    } else if (on->options->json) {
        code = json_print(verb, all_json(on), JSON_INDENT(2));
    } else {
        input_trace_print(&on->input);
        print_granules(on);
        print_notes(on);
        print_costs(on);
    }
    free(on->costs);
    input_trace_close(&on->input);
    return code;
}

/* --------------------------------------------------------------- recording */

/* What the program prints must not get into the JSON. */
static int divert_output(void)
{
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    return kept;
}

static void restore_output(int kept)
{
    dup2(kept, STDOUT_FILENO);
    close(kept);
}

/* Where this succeeds the trace is open. */
static int record_and_open(fit *on)
{
    const fit_options *given = on->options;
    char temporary[] = "/tmp/bitfit-fit-XXXXXX";
    const char *path = given->output;
    record_plan plan = {.sites = given->sites, .quiet = true};
    bool recorded;
    if (path == NULL) {
        int file = mkstemp(temporary);
        if (file < 0)
            return command_error(verb, "%s: %s", temporary, strerror(errno));
        close(file);
        path = temporary;
    }
    plan.path = path;
    int kept = given->json ? divert_output() : -1;
    int code = record_program(verb, &plan, on->program, &recorded);
    if (kept >= 0)
        restore_output(kept);
    if (recorded && code != 0) {
        fprintf(stderr, "bitfit %s: the program's exit code was %d\n", verb,
                code);
    }
    if (recorded)
        code = input_trace_open(&on->input, verb, path);
    if (path == temporary)
        unlink(temporary); /* before the search, which may be interrupted */
    return code;
}

/* ----------------------------------------------------------------- options */

/* Takes a list. */
static bool take_granules(const verb_option *option, const char *text, void *to)
{
    granule_list *list = to;
    char *copy = strdup(text);
    char *rest = copy;
    bool good = copy != NULL;
    (void)option;
    list->count = 0;
    for (const char *one; good && (one = strsep(&rest, ",")) != NULL;) {
        good = list->count < GRANULES_MAX &&
               option_granule(one, &list->at[list->count++]);
    }
    free(copy);
    return good;
}

_Static_assert(GRANULES_MAX == 16, "the message names it");
static const option_kind kind_granules = {
    take_granules,
    "powers of two from 8 to 1G, comma-separated, at most 16 of them"};

static const verb_option options[] = {
    {"granule", 'g', "SIZE[,SIZE...]",
     "The granules to try (8,16,32,64,128,256)", &kind_granules,
     offsetof(fit_options, granules)},
    {"granules", 0, "SIZE[,SIZE...]", NULL, &kind_granules,
     offsetof(fit_options, granules)},
    {"json", 0, NULL,
     "Print the figures as JSON; the program's own output goes to standard "
     "error",
     &kind_flag, offsetof(fit_options, json)},
    {"sites", 0, NULL, "Record the program's call stacks, too", &kind_flag,
     offsetof(fit_options, sites)},
    {"output", 'o', "FILE", "Keep the recording of the program", &kind_file,
     offsetof(fit_options, output)},
    {0}};

static const verb_usage usage = {
    .verb = verb,
    .words = "TRACE\n-- PROGRAM [ARGUMENT...]",
    .what = "trace",
    .subject = SUBJECT_EITHER,
    .help = "Finds the smallest pool for a trace, or for a program that is "
            "recorded first.\v"
            "For each granule: the smallest pool with its bookkeeping, "
            "verified by replays; and the size in which no request can fail, "
            "whatever their order. The exit code is 1 if no pool serves, 2 "
            "for a bad option, 3 if the trace cannot be read, 126 or 127 if "
            "the program cannot be started.",
    .options = options};

int verb_fit(int argc, char **argv)
{
    fit_options given = {.granules = {{8, 16, 32, 64, 128, 256}, 6}};
    fit on = {.options = &given};
    verb_words words = options_take(&usage, argc, argv, &given);
    on.program = words.program ? words.at : NULL;
    int code = words.program ? record_and_open(&on)
                             : input_trace_open(&on.input, verb, words.at[0]);
    return on.input.from != NULL ? tell(&on) : code;
}
