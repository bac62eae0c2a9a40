/* bitfit diff: two traces of a program, and what grew. */
#include "verbs.h"

#include "input_trace.h"
#include "options.h"
#include "page.h"
#include "report/page.h"
#include "trace/changes.h"
#include "trace/smallest.h"
#include "view/heap.h"
#include "view/scheme.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "diff";

enum { GRANULE = 16, ROWS = 10, COLUMNS = 1280 };

typedef struct diff_request {
    const char *paths[2];
    const char *output; /* a page; NULL: none */
    const char *at;     /* NULL: the peak of live bytes */
    size_t granule;
    bool json;
} diff_request;

typedef struct side {
    input_trace input;
    heap_history *heap; /* in a payload of its high-water mark */
    smallest pool;
    size_t events; /* how many are done at the moment that is compared */
} side;

enum { BEFORE, AFTER };

typedef struct diff {
    const diff_request *request;
    side sides[2];
    change *sites; /* NULL: a trace has no call stacks */
    size_t site_count;
    change *sizes;
    size_t size_count;
} diff;

/* ---------------------------------------------------------------- measuring */

static int measure(side *of, const diff_request *request, const char *path)
{
    int code = input_trace_open(&of->input, verb, path);
    if (code != COMMAND_OK)
        return code;
    const trace *from = of->input.from;
    const playback_plan plan = {
        .from = from,
        .granule = request->granule,
        .alignment = playback_alignment(of->input.asked.align_log2)};
    const heap_options options = {.granule = request->granule,
                                  .columns = heap_columns(from, COLUMNS),
                                  .stays = PAGE_STAYS};
    const char *why;
    of->heap = heap_open(from, &options, &why);
    if (of->heap != NULL)
        why = smallest_find(&of->pool, &plan, NULL);
    if (why != NULL)
        return command_error(verb, "%s: %s", path, why);
    of->events = (size_t)of->heap->peak_event + 1;
    if (request->at != NULL && strcmp(request->at, "peak") != 0 &&
        !input_moment(verb, &of->input, request->at, &of->events))
        return COMMAND_USAGE;
    return COMMAND_OK;
}

static int compare(diff *on)
{
    const side *sides = on->sides;
    size_t granule = on->request->granule;
    const trace_moment before = {sides[BEFORE].input.from,
                                 sides[BEFORE].events};
    const trace_moment after = {sides[AFTER].input.from, sides[AFTER].events};
    bool by_site = before.from->site_count > 1 && after.from->site_count > 1;
    if (by_site) {
        on->sites =
            changes_between(&before, &after, true, granule, &on->site_count);
    }
    on->sizes =
        changes_between(&before, &after, false, granule, &on->size_count);
    return on->sizes != NULL && (on->sites != NULL || !by_site)
               ? COMMAND_OK
               : command_error(verb, "there is not enough memory");
}

static void close_all(diff *on)
{
    for (int i = BEFORE; i <= AFTER; i++) {
        heap_close(on->sides[i].heap);
        if (on->sides[i].input.from != NULL)
            input_trace_close(&on->sides[i].input);
    }
    free(on->sites);
    free(on->sizes);
}

/* ------------------------------------------------------------------ figures */

/* As bitfit replay counts them. */
static uint64_t internal(const side *of)
{
    return of->heap->peak_live - of->heap->peak_requested;
}

static uint64_t external(const side *of)
{
    return of->heap->high_water - of->heap->peak_live;
}

typedef enum figure_kind { COUNT, BYTES, PART } figure_kind;

typedef struct figure {
    const char *text;
    const char *name; /* in JSON */
    figure_kind kind;
    uint64_t of[2];
    uint64_t whole[2]; /* of a part */
} figure;

enum { FIGURES = 10 };

static void side_figures(figure figures[static FIGURES], const side *of, int i)
{
    const trace_summary *asked = &of->input.asked;
    const heap_history *heap = of->heap;
    const uint64_t values[FIGURES] = {
        of->input.from->count, asked->allocations, asked->requested,
        asked->peak_requested, heap->peak_live,    asked->live_at_end,
        heap->high_water,      of->pool.pool,      internal(of),
        external(of)};
    for (int k = 0; k < FIGURES; k++)
        figures[k].of[i] = values[k];
    figures[FIGURES - 2].whole[i] = heap->peak_live;
    figures[FIGURES - 1].whole[i] = heap->high_water;
}

static void all_figures(figure figures[static FIGURES], const diff *on)
{
    static const figure blank[FIGURES] = {
        {"events", "events", COUNT, {0}, {0}},
        {"blocks allocated", "allocations", COUNT, {0}, {0}},
        {"requested in all", "requested", BYTES, {0}, {0}},
        {"peak requested", "peak_requested", BYTES, {0}, {0}},
        {"peak live", "peak_live", BYTES, {0}, {0}},
        {"blocks never freed", "live_at_end", COUNT, {0}, {0}},
        {"high-water mark", "high_water", BYTES, {0}, {0}},
        {"smallest pool", "pool", BYTES, {0}, {0}},
        {"internal fragmentation", "internal_fragmentation", PART, {0}, {0}},
        {"external fragmentation", "external_fragmentation", PART, {0}, {0}},
    };
    memcpy(figures, blank, sizeof blank);
    for (int i = BEFORE; i <= AFTER; i++)
        side_figures(figures, &on->sides[i], i);
}

/* ----------------------------------------------------------------- printing */

static double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static const char *signed_text(char text[static 40], int64_t number)
{
    uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;
    snprintf(text, 40, "%s%s",
             number < 0   ? "-"
             : number > 0 ? "+"
                          : "",
             number_text(size));
    return text;
}

/* By how much it grew, in percent. */
static const char *growth_text(char text[static 32], uint64_t before,
                               uint64_t after)
{
    if (before == after || before == 0)
        return before == after ? "=" : "new";
    snprintf(text, 32, "%+.1f %%", 100 * ((double)after / (double)before - 1));
    return text;
}

static void print_figure(const figure *it)
{
    char grown[40];
    char growth[32];
    if (it->kind == PART) {
        double before = percent(it->of[BEFORE], it->whole[BEFORE]);
        double after = percent(it->of[AFTER], it->whole[AFTER]);
        printf("  %-22s %13.1f %% %13.1f %% %+13.1f %%\n", it->text, before,
               after, after - before);
        return;
    }
    printf("  %-22s %15s %15s %15s  %9s\n", it->text,
           number_text(it->of[BEFORE]), number_text(it->of[AFTER]),
           signed_text(grown, (int64_t)(it->of[AFTER] - it->of[BEFORE])),
           growth_text(growth, it->of[BEFORE], it->of[AFTER]));
}

static void print_figures(const diff *on)
{
    figure figures[FIGURES];
    all_figures(figures, on);
    printf("  %-22s %15s %15s %15s\n", "", "before", "after", "change");
    for (int k = 0; k < FIGURES; k++)
        print_figure(&figures[k]);
    printf("  Sizes are bytes, in granules of %zu; the parts are those of "
           "bitfit replay.\n",
           on->request->granule);
}

static void print_change(const change *it)
{
    char live[3][40];
    char blocks[40];
    char name[96];
    int64_t more = (int64_t)(it->after.blocks - it->before.blocks);
    printf("  %15s %15s %15s %11s  %s\n", signed_text(live[0], change_of(it)),
           count_text(live[1], it->before.live),
           count_text(live[2], it->after.live), signed_text(blocks, more),
           it->site != NULL ? stack_text(name, sizeof name, it->site)
                            : count_text(name, it->size));
}

/* The most growth stands first, the most shrinkage last. */
static void print_changes(const change *all, size_t count, bool grew,
                          const char *when)
{
    size_t many = 0;
    while (many < count && (grew ? change_of(&all[many]) > 0
                                 : change_of(&all[count - 1 - many]) < 0))
        many++;
    if (many == 0)
        return;
    printf("\n  What %s %s\n  %15s %15s %15s %11s  %s\n",
           grew ? "grew" : "shrank", when, "live bytes", "before", "after",
           "blocks", all[0].site != NULL ? "call stack" : "size requested");
    for (size_t i = 0; i < many && i < ROWS; i++)
        print_change(grew ? &all[i] : &all[count - 1 - i]);
    if (many > ROWS)
        printf("  and %s more\n", number_text(many - ROWS));
}

static const char *when_text(char text[static 80], const diff *on)
{
    const char *at = on->request->at != NULL ? on->request->at : "peak";
    bool named = strcmp(at, "peak") == 0 || strcmp(at, "end") == 0;
    snprintf(text, 80, "%s%s: after events %s and %s",
             named ? "at the " : "at ", at,
             number_text(on->sides[BEFORE].events - 1),
             number_text(on->sides[AFTER].events - 1));
    return text;
}

static void print_all(const diff *on)
{
    char when[80];
    static const char *const names[] = {"before", "after"};
    for (int i = BEFORE; i <= AFTER; i++) {
        printf("%s: ", names[i]);
        input_trace_print(&on->sides[i].input);
    }
    print_figures(on);
    when_text(when, on);
    if (on->sites == NULL) {
        printf("\n  Without call stacks in both (bitfit record --sites), only "
               "by size.\n");
    }
    for (int grew = 1; grew >= 0; grew--) {
        print_changes(on->sites, on->sites != NULL ? on->site_count : 0, grew,
                      when);
        print_changes(on->sizes, on->size_count, grew, when);
    }
}

/* --------------------------------------------------------------------- JSON */

static json_t *side_json(const diff *on, int i)
{
    figure figures[FIGURES];
    const side *of = &on->sides[i];
    json_t *all = input_trace_json(&of->input);
    all_figures(figures, on);
    for (int k = 0; k < FIGURES; k++) {
        json_object_set_new(all, figures[k].name,
                            json_integer((json_int_t)figures[k].of[i]));
    }
    json_object_set_new(all, "compared_after",
                        json_integer((json_int_t)of->events));
    return all;
}

static json_t *cost_json(const cost *it)
{
    return json_pack("{sI sI sI}", "live", (json_int_t)it->live, "requested",
                     (json_int_t)it->requested, "blocks",
                     (json_int_t)it->blocks);
}

static json_t *changes_json(const change *all, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const change *it = &all[i];
        json_array_append_new(
            list,
            json_pack("{so sI so so}", it->site != NULL ? "site" : "size",
                      it->site != NULL ? text_json(it->site)
                                       : json_integer((json_int_t)it->size),
                      "change", (json_int_t)change_of(it), "before",
                      cost_json(&it->before), "after", cost_json(&it->after)));
    }
    return list;
}

static json_t *all_json(const diff *on)
{
    return json_pack(
        "{sI so so so so}", "granule", (json_int_t)on->request->granule,
        "before", side_json(on, BEFORE), "after", side_json(on, AFTER), "sites",
        on->sites == NULL ? json_null()
                          : changes_json(on->sites, on->site_count),
        "sizes", changes_json(on->sizes, on->size_count));
}

/* --------------------------------------------------------------------- page */

static json_t *figures_json(const diff *on)
{
    static const char *const kinds[] = {"count", "bytes", "part"};
    figure figures[FIGURES];
    json_t *all = json_array();
    all_figures(figures, on);
    for (int k = 0; k < FIGURES; k++) {
        const figure *it = &figures[k];
        json_array_append_new(all,
                              json_pack("{ss ss s[II] s[II]}", "text", it->text,
                                        "kind", kinds[it->kind], "values",
                                        (json_int_t)it->of[BEFORE],
                                        (json_int_t)it->of[AFTER], "whole",
                                        (json_int_t)it->whole[BEFORE],
                                        (json_int_t)it->whole[AFTER]));
    }
    return all;
}

static const char *write_diff(FILE *to, const void *of)
{
    const diff *on = of;
    char when[80];
    json_t *all = all_json(on);
    json_object_set_new(all, "figures", figures_json(on));
    json_object_set_new(all, "when", text_json(when_text(when, on)));
    return page_write_json(to, all);
}

static int write_page(const diff *on)
{
    const heap_history *before = on->sides[BEFORE].heap;
    const heap_history *after = on->sides[AFTER].heap;
    const page_part parts[] = {
        {"TITLE", NULL, page_write_text, after->trace->name},
        {"DIFF", NULL, write_diff, on},
        {"FIGURES_BEFORE", NULL, page_write_figures, before},
        {"COLUMNS_BEFORE", NULL, page_write_columns, before},
        {"FIGURES_AFTER", NULL, page_write_figures, after},
        {"COLUMNS_AFTER", NULL, page_write_columns, after},
        {"SCRIPT", report_diff_script, NULL, NULL},
        {0}};
    return page_save(verb, on->request->paths[AFTER], on->request->output,
                     report_diff, parts);
}

/* ------------------------------------------------------------------ options */

static const verb_option options[] = {
    {"output", 'o', "FILE", "Write a page with both maps, in place of the text",
     &kind_page, offsetof(diff_request, output)},
    {"at", 0, "WHEN",
     "Compare after this event (a number, from 0), at this time (such as "
     "1.5s), at the end, or at the peak of each (peak)",
     &kind_text, offsetof(diff_request, at)},
    {"granule", 'g', "SIZE", "The pool's granule (16)", &kind_granule,
     offsetof(diff_request, granule)},
    {"json", 0, NULL, "Print the figures as JSON", &kind_flag,
     offsetof(diff_request, json)},
    {0}};

static const verb_usage usage = {
    .verb = verb,
    .words = "BEFORE AFTER",
    .what = "traces",
    .subject = SUBJECT_TWO,
    .help = "What grew between two traces of a program: by call stack and by "
            "size, with the smallest pool, the peak and the fragmentation of "
            "both.\v"
            "The exit code is 0 whatever grew, 2 for a bad option, 3 if a "
            "trace cannot be read.",
    .options = options};

static int tell(diff *on)
{
    int code = compare(on);
    if (code != COMMAND_OK)
        return code;
    if (on->request->output != NULL)
        return write_page(on);
    if (on->request->json)
        return json_print(verb, all_json(on), JSON_INDENT(2));
    print_all(on);
    return COMMAND_OK;
}

int verb_diff(int argc, char **argv)
{
    diff_request request = {.granule = GRANULE};
    verb_words words = options_take(&usage, argc, argv, &request);
    diff on = {.request = &request};
    int code = COMMAND_OK;
    if (request.json && request.output != NULL) {
        command_error(verb, "--json prints figures, -o writes a page");
        return COMMAND_USAGE;
    }
    if (strcmp(words.at[BEFORE], "-") == 0 &&
        strcmp(words.at[AFTER], "-") == 0) {
        command_error(verb, "only one of the traces can be standard input");
        return COMMAND_USAGE;
    }
    for (int i = BEFORE; code == COMMAND_OK && i <= AFTER; i++) {
        request.paths[i] = words.at[i];
        code = measure(&on.sides[i], &request, request.paths[i]);
    }
    if (code == COMMAND_OK)
        code = tell(&on);
    close_all(&on);
    return code;
}
