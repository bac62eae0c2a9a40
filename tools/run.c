/* bitfit run: a whole program in one fixed pool. */
#include "verbs.h"

#include "launch.h"
#include "record.h"
#include "run_report.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "run";

typedef struct run_options {
    const char *report; /* "stderr", "none" or a file */
    bool json;
    char **program; /* with its arguments, ended by NULL */
} run_options;

/* ------------------------------------------------------------ the options */

enum { KEY_FIRST = 256, KEY_REPORT = 512, KEY_JSON };

static bool is_pool_size(const char *text)
{
    size_t size;
    char *end;
    if (command_size(text, &size))
        return size > 0;
    unsigned long percent = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && strcmp(end, "%") == 0 &&
           percent >= 1 && percent <= 100;
}

static bool is_granule(const char *text)
{
    size_t size;
    return command_size(text, &size) && size >= 16 && size <= 1u << 20 &&
           (size & (size - 1)) == 0;
}

static bool is_reaction(const char *text)
{
    return strcmp(text, "continue") == 0 || strcmp(text, "abort") == 0;
}

/* An option that only sets a variable which the library reads. */
typedef struct run_setting {
    const char *option;
    const char *argument; /* NULL: a flag */
    bool (*check)(const char *text);
    const char *allowed; /* completes "must be" */
    const char *variable;
    const char *value; /* of a flag */
    const char *help;
} run_setting;

static const run_setting settings[] = {
    {"pool", "SIZE", is_pool_size,
     "bytes, with K, M, G or T behind, or 1% to 100% of RAM", "BITFIT_POOL",
     NULL, "The budget: bytes, K, M, G, or N% of RAM"},
    {"granule", "SIZE", is_granule, "a power of two from 16 to 1M",
     "BITFIT_GRANULE", NULL, "The smallest unit handed out (16)"},
    {"on-failure", "continue|abort", is_reaction, "continue or abort",
     "BITFIT_ON_FAILURE", NULL,
     "What the first request without memory does (continue: NULL, ENOMEM)"},
    {"prefault", NULL, NULL, NULL, "BITFIT_PREFAULT", "1",
     "Fetch all pages of the pool at the start"},
    {"lock", NULL, NULL, NULL, "BITFIT_MLOCK", "1", "Lock the pool into RAM"},
    {"huge", NULL, NULL, NULL, "BITFIT_HUGE", "1", "Ask for huge pages"},
    {"hardened", NULL, NULL, NULL, "BITFIT_HARDENED", "1",
     "Zero freed memory, catch writes after free, overflows and late reuse"},
    {"inherit", NULL, NULL, NULL, "BITFIT_INHERIT", "1",
     "Programs that it starts get a pool of that size each, too (default)"},
    {"no-inherit", NULL, NULL, NULL, "BITFIT_INHERIT", "0",
     "Programs that it starts use the system's malloc"},
    {"leaks", NULL, NULL, NULL, "BITFIT_LEAKS", "1",
     "Report the blocks that were never freed"},
};

enum { SETTINGS = sizeof settings / sizeof *settings };

static void set(const run_setting *setting, const char *text,
                struct argp_state *state)
{
    if (text != NULL && !setting->check(text))
        argp_failure(state, COMMAND_USAGE, 0, "--%s must be %s, not '%s'",
                     setting->option, setting->allowed, text);
    setenv(setting->variable, text != NULL ? text : setting->value, 1);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    run_options *options = state->input;
    if (key >= KEY_FIRST && key < KEY_FIRST + SETTINGS) {
        set(&settings[key - KEY_FIRST], text, state);
        return 0;
    }
    switch (key) {
    case KEY_REPORT:
        options->report = text;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        options->program = &state->argv[state->next - 1];
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, COMMAND_USAGE, 0,
                     "which program? bitfit run [OPTION...] -- PROGRAM "
                     "[ARGUMENT...]");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void describe(struct argp_option *table)
{
    for (int i = 0; i < SETTINGS; i++) {
        table[i].name = settings[i].option;
        table[i].key = KEY_FIRST + i;
        table[i].arg = settings[i].argument;
        table[i].doc = settings[i].help;
    }
    table[SETTINGS] = (struct argp_option){
        .name = "report",
        .key = KEY_REPORT,
        .arg = "stderr|FILE|none",
        .doc = "Where the report goes at the end (stderr)"};
    table[SETTINGS + 1] = (struct argp_option){
        .name = "json", .key = KEY_JSON, .doc = "The report as JSON"};
}

static void parse_all(int argc, char **argv, run_options *options)
{
    static char name[] = "bitfit run";
    struct argp_option table[SETTINGS + 3] = {{0}};
    describe(table);
    struct argp parser = {
        .options = table,
        .parser = parse,
        .args_doc = "[--] PROGRAM [ARGUMENT...]",
        .doc =
            "Runs a program in one fixed pool of memory.\v"
            "Everything that the program allocates comes from the pool; at the "
            "limit it gets NULL and ENOMEM. Each option but --json can be set "
            "by a variable of the environment, too: see bitfit-run(1). The "
            "exit code is the program's own, 128 + N if signal N ended it, "
            "127 if there is no such program, 126 if it cannot run in a pool, "
            "2 for a bad option."};
    const char *report = getenv("BITFIT_REPORT");
    *options = (run_options){
        .report = report != NULL && *report != '\0' ? report : "stderr"};
    argv[0] = name;
    argp_err_exit_status = COMMAND_USAGE;
    argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, options);
}

/* ---------------------------------------------------------------- the run */

/* `bitfit record` gets no pool itself, but hands it on to its program. */
static bool preload(char **program)
{
    char library[PATH_MAX];
    if (!launch_find_library(verb, "BITFIT_MALLOC_LIBRARY", "malloc",
                             "libbitfit-malloc.so", library))
        return false;
    return launch_is_self(program, "record")
               ? setenv(RECORD_PRELOAD, library, 1) == 0
               : launch_preload(verb, library);
}

int verb_run(int argc, char **argv)
{
    run_options options;
    parse_all(argc, argv, &options);
    int code = launch_check(verb, options.program[0]);
    if (code != 0)
        return code;
    if (!preload(options.program))
        return COMMAND_INPUT;
    run_report *report = run_report_open(options.report, options.json);
    if (report == NULL)
        return COMMAND_INPUT;
    int ended_by = 0;
    code = launch(verb, options.program, &ended_by);
    if (ended_by != LAUNCH_FAILED)
        run_report_write(report, options.program, code, ended_by);
    run_report_close(report);
    return code;
}
