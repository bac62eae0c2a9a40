/* bitfit run: a whole program in one fixed pool. */
#include "verbs.h"

#include "launch.h"
#include "record.h"
#include "run_report.h"
#include "trace/text.h"

#include <argp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char verb[] = "run";

typedef struct run_options {
    const char *report; /* "stderr", "none" or a file */
    bool json;
    bool wait;      /* for all that the program started */
    char **program; /* with its arguments, ended by NULL */
} run_options;

/* ------------------------------------------------------------ the options */

enum { KEY_FIRST = 256, KEY_REPORT = 512, KEY_JSON, KEY_WAIT };

/* What the library would have to replace by a smaller pool is none. */
static bool is_given_by_system(size_t size)
{
    void *at = size > PTRDIFF_MAX
                   ? MAP_FAILED
                   : mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at != MAP_FAILED && munmap(at, size) == 0;
}

static bool is_pool_size(const char *text)
{
    size_t size;
    char *end;
    if (text_to_size(text, &size)) {
        return size >= 2 * (size_t)sysconf(_SC_PAGESIZE) &&
               is_given_by_system(size);
    }
    unsigned long percent = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && strcmp(end, "%") == 0 &&
           percent >= 1 && percent <= 100;
}

static bool is_granule(const char *text)
{
    size_t size;
    return text_to_size(text, &size) && size >= 16 && size <= 1u << 20 &&
           (size & (size - 1)) == 0;
}

static bool is_switch(const char *text)
{
    return strcmp(text, "0") == 0 || strcmp(text, "1") == 0;
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
     "a size such as 500K, 64M or 2G, from two pages to what the system gives, "
     "or 1% to 100% of RAM",
     "BITFIT_POOL", NULL, "The budget: a size such as 64M, or N% of RAM"},
    {"granule", "SIZE", is_granule, "a power of two from 16 to 1M",
     "BITFIT_GRANULE", NULL, "The smallest unit handed out (16)"},
    {"on-failure", "continue|abort", is_reaction, "continue or abort",
     "BITFIT_ON_FAILURE", NULL,
     "What the first request without memory does (continue: NULL, ENOMEM)"},
    {"prefault", NULL, is_switch, "0 or 1", "BITFIT_PREFAULT", "1",
     "Fetch all pages of the pool at the start"},
    {"lock", NULL, is_switch, "0 or 1", "BITFIT_MLOCK", "1",
     "Lock the pool into RAM"},
    {"huge", NULL, is_switch, "0 or 1", "BITFIT_HUGE", "1",
     "Ask for huge pages"},
    {"hardened", NULL, is_switch, "0 or 1", "BITFIT_HARDENED", "1",
     "Zero freed memory, catch writes after free, overflows and late reuse"},
    {"inherit", NULL, is_switch, "0 or 1", "BITFIT_INHERIT", "1",
     "Programs that it starts get a pool of that size each, too (default)"},
    {"no-inherit", NULL, NULL, NULL, "BITFIT_INHERIT", "0",
     "Programs that it starts use the system's malloc"},
    {"leaks", NULL, is_switch, "0 or 1", "BITFIT_LEAKS", "1",
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
    case KEY_WAIT:
        options->wait = true;
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

/* A variable means what its flag does, so it is refused as that is. */
static bool check_variables(void)
{
    for (int i = 0; i < SETTINGS; i++) {
        const run_setting *setting = &settings[i];
        const char *value = getenv(setting->variable);
        if (value == NULL || setting->check == NULL || setting->check(value))
            continue;
        command_error(verb, "%s must be %s, not '%s'", setting->variable,
                      setting->allowed, value);
        return false;
    }
    return true;
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
    table[SETTINGS + 2] = (struct argp_option){
        .name = "wait",
        .key = KEY_WAIT,
        .doc = "Wait for what the program leaves behind, such as a daemon"};
}

static void parse_all(int argc, char **argv, run_options *options)
{
    static char name[] = "bitfit run";
    struct argp_option table[SETTINGS + 4] = {{0}};
    describe(table);
    struct argp parser = {
        .options = table,
        .parser = parse,
        .args_doc = "[--] PROGRAM [ARGUMENT...]",
        .doc =
            "Runs a program in one fixed pool of memory.\v"
            "All memory that it gets from malloc comes from the pool; at the "
            "limit it gets NULL and ENOMEM. Each option but --json and --wait "
            "can be set by a variable of the environment: see bitfit-run(1). "
            "The "
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
    if (!check_variables())
        return COMMAND_USAGE;
    if (options.json && strstr(options.report, "%p") != NULL) {
        command_error(verb, "--json makes one report: --report with %%p makes "
                            "one for each process");
        return COMMAND_USAGE;
    }
    int code = launch_check(verb, options.program[0], PROGRAM_POOL);
    if (code != 0)
        return code;
    if (!preload(options.program))
        return COMMAND_INPUT;
    run_report *report =
        run_report_open(options.report, options.json, options.wait);
    if (report == NULL)
        return COMMAND_INPUT;
    if (options.wait)
        launch_adopt();
    int ended_by = 0;
    code = launch(verb, options.program, &ended_by);
    if (ended_by != LAUNCH_FAILED)
        run_report_write(report, options.program, code, ended_by);
    run_report_close(report);
    return code;
}
