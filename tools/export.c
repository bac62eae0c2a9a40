/* bitfit export: a trace for other people's viewers. */
#include "verbs.h"

#include "export_formats.h"
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "export";

typedef struct export_options {
    const char *path;
    const char *output;
    unsigned format;
    const char *moment;
    export_plan plan;
} export_options;

/* ----------------------------------------------------------------- options */

/* As --format lists them. */
static export_writer *const formats[] = {export_collapsed, export_chrome,
                                         export_vma, export_dhat};

enum { FORMATS = sizeof formats / sizeof formats[0] };

static const verb_option options[] = {
    {"format", 'f', "collapsed|chrome|vma|dhat", "What to write", &kind_choice,
     offsetof(export_options, format)},
    {"output", 'o', "FILE", "Where to write (standard output)", &kind_file,
     offsetof(export_options, output)},
    {"at", 0, "MOMENT",
     "collapsed, vma: after this event (a number, from 0), at this time (such "
     "as 1.5s, 20ms), at the peak of requested bytes (the default), or at the "
     "end",
     &kind_text, offsetof(export_options, moment)},
    {"cost", 0, "live|total|calls",
     "collapsed: bytes live at that moment (the default), all bytes ever "
     "requested, or calls",
     &kind_choice, offsetof(export_options, plan.cost)},
    {"granule", 'g', "SIZE", "The pool's granule (16)", &kind_granule,
     offsetof(export_options, plan.granule)},
    {"points", 0, "N", "chrome: the most points in time (2000)", &kind_count,
     offsetof(export_options, plan.points)},
    {0}};

static const verb_usage usage = {
    .verb = verb,
    .words = "TRACE",
    .what = "trace",
    .help = "Writes a trace for other viewers.\v"
            "collapsed: call stacks for flame graphs; without them, threads "
            "and sizes. chrome: counters for chrome://tracing and "
            "Perfetto. vma: the map of a moment, shaped as the Vulkan "
            "Memory Allocator's dump. dhat: for dh_view.html. The exit code "
            "is 2 for a bad option, 3 if a file cannot be read or "
            "written.",
    .options = options};

/* -------------------------------------------------------------------- work */

static int write_all(export_options *given, const input_trace *input)
{
    FILE *to = given->output == NULL || strcmp(given->output, "-") == 0
                   ? stdout
                   : fopen(given->output, "we");
    if (to == NULL)
        return command_error(verb, "%s: %s", given->output, strerror(errno));
    const char *wrong = formats[given->format](to, input, &given->plan);
    int error = to == stdout ? 0 : command_close(to);
    if (wrong != NULL)
        return command_error(verb, "%s: %s", given->path, wrong);
    if (error != 0)
        return command_error(verb, "%s: %s", given->output, strerror(error));
    return COMMAND_OK;
}

int verb_export(int argc, char **argv)
{
    export_options given = {.format = FORMATS,
                            .moment = "peak",
                            .plan = {.granule = 16, .points = 2000}};
    input_trace input;
    given.path = options_take(&usage, argc, argv, &given).at[0];
    if (given.format == FORMATS) {
        command_error(verb, "which format? --format=%s", options[0].argument);
        return COMMAND_USAGE;
    }
    int code = input_trace_open(&input, verb, given.path);
    if (code != COMMAND_OK)
        return code;
    code = COMMAND_USAGE;
    if (input_moment(verb, &input, given.moment, &given.plan.events))
        code = write_all(&given, &input);
    input_trace_close(&input);
    return code;
}
