/* bitfit report: one page that shows a trace's heap, for any browser. */
#include "verbs.h"

#include "input_trace.h"
#include "options.h"
#include "report/page.h"
#include "view/heap.h"
#include "view/packed.h"

#include <bitfit.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { SAMPLES = 2000 };

typedef struct report_request {
    const char *input;
    const char *output; /* NULL: standard output */
    heap_options heap;
} report_request;

/* ----------------------------------------------------------------- options */

/* A name that promises something else is a mistake. */
static bool take_page(const verb_option *option, const char *text, void *to)
{
    static const char *const others[] = {".png", ".svg", ".jpg",  ".jpeg",
                                         ".gif", ".pdf", ".json", ".txt"};
    size_t length = strlen(text);
    (void)option;
    *(const char **)to = text;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        size_t ending = strlen(others[i]);
        if (length > ending &&
            strcasecmp(text + length - ending, others[i]) == 0)
            return false;
    }
    return true;
}

static const option_kind kind_page = {
    take_page, "a page's name, such as x.html (bitfit map draws pictures)"};

static const verb_option options[] = {
    {"output", 'o', "FILE", "Write the page here (standard output)", &kind_page,
     offsetof(report_request, output)},
    {"granule", 'g', "SIZE", "The pool's granule (16)", &kind_granule,
     offsetof(report_request, heap.granule)},
    {"pool", 'p', "SIZE", "A pool of so many bytes (the fewest that serve)",
     &kind_size, offsetof(report_request, heap.pool)},
    {0}};

static const verb_usage usage = {
    .verb = "report",
    .words = "TRACE",
    .what = "trace",
    .help = "Writes one self-contained page: the heap over time with zoom, "
            "every moment, curves of use and fragmentation, sizes and "
            "lifetimes.",
    .options = options};

/* ----------------------------------------------------------------- figures */

static json_t *samples_of(const heap_history *heap)
{
    json_t *columns[6];
    for (int i = 0; i < 6; i++)
        columns[i] = json_array();
    for (size_t i = 0; i < heap->sample_count; i++) {
        const heap_sample *s = &heap->samples[i];
        const uint64_t values[6] = {s->event,      s->live,    s->requested,
                                    s->high_water, s->largest, s->free};
        for (int c = 0; c < 6; c++) {
            json_array_append_new(columns[c],
                                  json_integer((json_int_t)values[c]));
        }
    }
    return json_pack("{sosososososo}", "event", columns[0], "live", columns[1],
                     "requested", columns[2], "high_water", columns[3],
                     "largest", columns[4], "free", columns[5]);
}

static json_t *figures_of(const heap_history *heap)
{
    return json_pack(
        "{sososIsIsIsIsIsIsIsIsbsbsIso}", "name", text_json(heap->trace->name),
        "about", text_json(heap->trace->about), "events",
        (json_int_t)heap->trace->count, "stays", (json_int_t)heap->stay_count,
        "granule", (json_int_t)heap->granule, "capacity",
        (json_int_t)heap->capacity, "high_water", (json_int_t)heap->high_water,
        "peak_live", (json_int_t)heap->peak_live, "peak_requested",
        (json_int_t)heap->peak_requested, "peak_event",
        (json_int_t)heap->peak_event, "timed", (int)heap->trace->timed, "cut",
        (int)heap->trace->cut, "failures", (json_int_t)heap->failures,
        "samples", samples_of(heap));
}

/* As JSON in which no end of a script can stand. */
static const char *write_figures(FILE *to, const heap_history *heap)
{
    json_t *figures = figures_of(heap);
    char *text = figures == NULL ? NULL : json_dumps(figures, JSON_COMPACT);
    for (const char *at = text; at != NULL && *at != '\0'; at++) {
        if (*at == '<') {
            fputs("\\u003c", to);
        } else {
            fputc(*at, to);
        }
    }
    json_decref(figures);
    if (text == NULL)
        return "there is not enough memory";
    free(text);
    return NULL;
}

/* -------------------------------------------------------------------- page */

static void write_escaped(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("<>&\"", *text) != NULL) {
            fprintf(to, "&#%d;", *text);
        } else {
            fputc(*text, to);
        }
    }
}

static bool is_name(const char *name, const char *at, size_t length)
{
    return strlen(name) == length && memcmp(name, at, length) == 0;
}

/* What stands for @@NAME@@. */
static const char *write_part(FILE *to, const heap_history *heap,
                              const char *name, size_t length)
{
    static const struct {
        const char *name;
        const char *text;
    } parts[] = {{"STYLE", report_style},
                 {"SCRIPT", report_script},
                 {"UPLOT", report_uplot},
                 {"UPLOT_STYLE", report_uplot_style},
                 {"UPLOT_LICENCE", report_uplot_licence},
                 {"VERSION", BITFIT_VERSION}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (is_name(parts[i].name, name, length))
            fputs(parts[i].text, to);
    }
    if (is_name("TITLE", name, length))
        write_escaped(to, heap->trace->name);
    if (is_name("FIGURES", name, length))
        return write_figures(to, heap);
    if (is_name("COLUMNS", name, length))
        return packed_write(to, heap);
    return NULL;
}

static const char *write_page(FILE *to, const heap_history *heap)
{
    const char *at = report_page;
    const char *why = NULL;
    for (const char *mark; why == NULL && (mark = strstr(at, "@@")) != NULL;) {
        fwrite(at, 1, (size_t)(mark - at), to);
        const char *end = strstr(mark + 2, "@@");
        why = write_part(to, heap, mark + 2, (size_t)(end - mark - 2));
        at = end + 2;
    }
    fputs(at, to);
    return why;
}

static int write_report(const report_request *request, const heap_history *heap)
{
    const char *path = request->output;
    bool to_stdout = path == NULL || strcmp(path, "-") == 0;
    FILE *to = to_stdout ? stdout : fopen(path, "we");
    if (to == NULL)
        return command_error("report", "%s: %s", path, strerror(errno));
    const char *why = write_page(to, heap);
    int error = to_stdout ? 0 : command_close(to);
    if (why != NULL)
        return command_error("report", "%s: %s", request->input, why);
    if (error != 0)
        return command_error("report", "%s: %s", path, strerror(error));
    return COMMAND_OK;
}

int verb_report(int argc, char **argv)
{
    report_request request = {.heap = {.samples = SAMPLES}};
    input_trace input;
    const char *why;
    request.input = options_take(&usage, argc, argv, &request).at[0];
    if (request.output == NULL && isatty(STDOUT_FILENO)) {
        command_error("report", "a page is no text for a terminal: use -o");
        return COMMAND_USAGE;
    }
    int code = input_trace_open(&input, "report", request.input);
    if (code != COMMAND_OK)
        return code;
    heap_history *heap = heap_open(input.from, &request.heap, &why);
    code = heap == NULL ? command_error("report", "%s: %s", request.input, why)
                        : write_report(&request, heap);
    heap_close(heap);
    input_trace_close(&input);
    return code;
}
