/* bitfit report: one page that shows a trace's heap, for any browser; and the
 * figures of a shared pool, which has no past. */
#include "verbs.h"

#include "input_trace.h"
#include "options.h"
#include "page.h"
#include "pool_figures.h"
#include "report/page.h"
#include "view/heap.h"
#include "view/pool_file.h"

#include <unistd.h>

enum { SAMPLES = 2000, COLUMNS = 1280 };

typedef struct report_request {
    const char *input;
    const char *output; /* NULL: standard output */
    heap_options heap;
} report_request;

/* ----------------------------------------------------------------- options */

static const verb_option options[] = {
    {"output", 'o', "FILE", "Write the page here (standard output)", &kind_page,
     offsetof(report_request, output)},
    {"granule", 'g', "SIZE", "The pool's granule (16)", &kind_granule,
     offsetof(report_request, heap.granule)},
    {"pool", 'p', "SIZE", "The pool's size (the smallest that works)",
     &kind_size, offsetof(report_request, heap.pool)},
    {0}};

static const verb_usage usage = {
    .verb = "report",
    .words = "TRACE|POOL",
    .what = "trace or pool",
    .help = "Writes one self-contained page: the heap over time with zoom, "
            "every moment, curves of use and fragmentation, sizes and "
            "lifetimes. Of a shared pool's file it prints the figures, as "
            "`bitfit check` does.",
    .options = options};

static int write_report(const report_request *request, const heap_history *heap)
{
    const page_part parts[] = {
        {"TITLE", NULL, page_write_text, heap->trace->name},
        {"FIGURES", NULL, page_write_figures, heap},
        {"COLUMNS", NULL, page_write_columns, heap},
        {"SCRIPT", report_script, NULL, NULL},
        {"UPLOT", report_uplot, NULL, NULL},
        {"UPLOT_STYLE", report_uplot_style, NULL, NULL},
        {"UPLOT_LICENCE", report_uplot_licence, NULL, NULL},
        {0}};
    return page_save("report", request->input, request->output, report_page,
                     parts);
}

/* Its figures alone: what it was before is not known. */
static int report_pool(const report_request *request)
{
    if (request->output == NULL && request->heap.granule == 0 &&
        request->heap.pool == 0)
        return pool_figures("report", request->input, false);
    command_error("report", "%s is a pool: its figures take no options",
                  request->input);
    return COMMAND_USAGE;
}

static int report_trace(report_request *request)
{
    input_trace input;
    const char *why;
    if (request->output == NULL && isatty(STDOUT_FILENO)) {
        command_error("report", "a page cannot be shown in a terminal: use -o");
        return COMMAND_USAGE;
    }
    int code = input_trace_read(&input, "report", request->input);
    if (code != COMMAND_OK)
        return code;
    request->heap.columns = heap_columns(input.from, COLUMNS);
    request->heap.stays = PAGE_STAYS;
    heap_history *heap = heap_open(input.from, &request->heap, &why);
    code = heap == NULL ? command_error("report", "%s: %s", request->input, why)
                        : write_report(request, heap);
    heap_close(heap);
    input_trace_close(&input);
    return code;
}

int verb_report(int argc, char **argv)
{
    report_request request = {.heap = {.samples = SAMPLES}};
    request.input = options_take(&usage, argc, argv, &request).at[0];
    bool is_pool =
        !input_is_stream(request.input) && pool_file_is_one(request.input);
    return is_pool ? report_pool(&request) : report_trace(&request);
}
