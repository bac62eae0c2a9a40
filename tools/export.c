#include "export.h"

#include "export_formats.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "export";

typedef struct export_options {
    const char *path;
    const char *output;
    export_writer *write;
    const char *moment;
    export_plan plan;
} export_options;

/* ----------------------------------------------------------------- options */

enum { KEY_AT = 256, KEY_COST, KEY_POINTS };

static const struct argp_option options[] = {
    {"format", 'f', "NAME", 0, "collapsed, chrome, vma or dhat", 0},
    {"output", 'o', "FILE", 0, "Where it goes (standard output)", 0},
    {"at", KEY_AT, "MOMENT", 0,
     "collapsed, vma: after an event, by its number from 0, at a time such as "
     "20ms, at the peak of requested bytes (the default) or at the end",
     0},
    {"cost", KEY_COST, "WHAT", 0,
     "collapsed: live (the moment's bytes, the default), total (all bytes ever "
     "requested) or calls",
     0},
    {"granule", 'g', "SIZE", 0, "The pool's granule (16)", 0},
    {"points", KEY_POINTS, "N", 0, "chrome: at most so many (2000)", 0},
    {0}};

static export_writer *find_format(const char *name)
{
    static const struct {
        const char *name;
        export_writer *writer;
    } formats[] = {{"collapsed", export_collapsed},
                   {"chrome", export_chrome},
                   {"vma", export_vma},
                   {"dhat", export_dhat}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].writer;
    }
    return NULL;
}

static bool set_cost(export_plan *plan, const char *name)
{
    static const char *const names[] = {"live", "total", "calls"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            plan->cost = (export_cost)i;
            return true;
        }
    }
    return false;
}

static void set_format(export_options *given, const char *name,
                       struct argp_state *state)
{
    given->write = find_format(name);
    if (given->write == NULL)
        argp_failure(state, COMMAND_USAGE, 0,
                     "there is no format '%s': collapsed, chrome, vma, dhat",
                     name);
}

static void set_points(export_plan *plan, const char *text,
                       struct argp_state *state)
{
    if (!command_size(text, &plan->points) || plan->points == 0)
        argp_failure(state, COMMAND_USAGE, 0,
                     "--points must be a number above 0, not '%s'", text);
}

static void set_path(export_options *given, const char *path,
                     struct argp_state *state)
{
    if (given->path != NULL)
        argp_failure(state, COMMAND_USAGE, 0, "one trace at a time");
    given->path = path;
}

static void check_complete(const export_options *given,
                           struct argp_state *state)
{
    if (given->path == NULL)
        argp_failure(state, COMMAND_USAGE, 0, "which trace?");
    if (given->write == NULL)
        argp_failure(state, COMMAND_USAGE, 0, "which format? --format");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    export_options *given = state->input;
    switch (key) {
    case 'f':
        set_format(given, text, state);
        return 0;
    case 'o':
        given->output = text;
        return 0;
    case KEY_AT:
        given->moment = text;
        return 0;
    case KEY_COST:
        if (!set_cost(&given->plan, text))
            argp_failure(state, COMMAND_USAGE, 0,
                         "--cost must be live, total or calls, not '%s'", text);
        return 0;
    case 'g':
        if (!input_granule(verb, text, &given->plan.granule))
            exit(COMMAND_USAGE);
        return 0;
    case KEY_POINTS:
        set_points(&given->plan, text, state);
        return 0;
    case ARGP_KEY_ARG:
        set_path(given, text, state);
        return 0;
    case ARGP_KEY_END:
        check_complete(given, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void parse_all(int argc, char **argv, export_options *given)
{
    static char name[] = "bitfit export";
    static const struct argp parser = {
        .options = options,
        .parser = parse,
        .args_doc = "TRACE",
        .doc = "Writes a trace for other viewers.\v"
               "collapsed: call stacks for flame graphs; without them, threads "
               "and sizes. chrome: counters for chrome://tracing and "
               "Perfetto. vma: the map of a moment, shaped as the Vulkan "
               "Memory Allocator's dump. dhat: for dh_view.html. The exit code "
               "is 2 for a bad option, 3 if a file cannot be read or "
               "written."};
    *given = (export_options){.moment = "peak",
                              .plan = {.granule = 16, .points = 2000}};
    argv[0] = name;
    argp_err_exit_status = COMMAND_USAGE;
    argp_parse(&parser, argc, argv, 0, NULL, given);
}

/* -------------------------------------------------------------------- work */

static int write_all(export_options *given, const input_trace *input)
{
    FILE *to = given->output == NULL || strcmp(given->output, "-") == 0
                   ? stdout
                   : fopen(given->output, "we");
    if (to == NULL)
        return command_error(verb, "%s: %s", given->output, strerror(errno));
    const char *wrong = given->write(to, input, &given->plan);
    bool written = fflush(to) == 0 && !ferror(to);
    if (to != stdout)
        written = fclose(to) == 0 && written;
    if (wrong != NULL)
        return command_error(verb, "%s: %s", given->path, wrong);
    if (!written)
        return command_error(verb, "%s: %s",
                             given->output == NULL ? "standard output"
                                                   : given->output,
                             strerror(errno));
    return COMMAND_OK;
}

int verb_export(int argc, char **argv)
{
    export_options given;
    input_trace input;
    parse_all(argc, argv, &given);
    int code = input_trace_open(&input, verb, given.path);
    if (code != COMMAND_OK)
        return code;
    code = input_moment(verb, &input, given.moment, &given.plan.events)
               ? write_all(&given, &input)
               : COMMAND_USAGE;
    input_trace_close(&input);
    return code;
}
