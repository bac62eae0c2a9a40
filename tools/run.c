/* bitfit run: a whole program in one fixed pool. */
#include "verbs.h"

#include "launch.h"
#include "options.h"
#include "record.h"
#include "run_report.h"
#include "trace/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char verb[] = "run";

typedef struct run_options {
    const char *pool, *granule, *on_failure; /* as typed; NULL: not given */
    const char *prefault, *lock, *huge, *hardened, *inherit, *leaks;
    const char *report; /* "stderr", "none" or a file */
    bool json;
    bool wait; /* for all that the program started */
} run_options;

/* ------------------------------------------------------------------- kinds */

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

/* The library reads the text itself: it is checked, and kept as it is. */
static bool keep_if(bool right, const char *text, void *to)
{
    *(const char **)to = text;
    return right;
}

static bool take_pool(const verb_option *option, const char *text, void *to)
{
    (void)option;
    return keep_if(is_pool_size(text), text, to);
}

static bool take_granule(const verb_option *option, const char *text, void *to)
{
    enum { LEAST = 16, MOST = 1 << 20 };
    size_t size;
    (void)option;
    return keep_if(option_granule(text, &size) && size >= LEAST && size <= MOST,
                   text, to);
}

static bool take_reaction(const verb_option *option, const char *text, void *to)
{
    (void)option;
    return keep_if(strcmp(text, "continue") == 0 || strcmp(text, "abort") == 0,
                   text, to);
}

static bool take_switch(const verb_option *option, const char *text, void *to)
{
    (void)option;
    return keep_if(strcmp(text, "0") == 0 || strcmp(text, "1") == 0, text, to);
}

static bool take_on(const verb_option *option, const char *text, void *to)
{
    (void)option;
    (void)text;
    return keep_if(true, "1", to);
}

static bool take_off(const verb_option *option, const char *text, void *to)
{
    (void)option;
    (void)text;
    return keep_if(true, "0", to);
}

static const option_kind kind_pool = {
    take_pool,
    "a size such as 500K, 64M or 2G, from two pages to what the system gives, "
    "or 1% to 100% of RAM"};
static const option_kind kind_run_granule = {take_granule,
                                             "a power of two from 16 to 1M"};
static const option_kind kind_reaction = {take_reaction, "continue or abort"};
static const option_kind kind_switch = {take_switch, "0 or 1"};
static const option_kind kind_on = {take_on, NULL};
static const option_kind kind_off = {take_off, NULL};

/* ------------------------------------------------------------- the options */

static const verb_option options[] = {
    {"pool", 0, "SIZE", "The size of the pool, such as 64M, or N% of RAM",
     &kind_pool, offsetof(run_options, pool)},
    {"granule", 0, "SIZE", "The smallest block (16)", &kind_run_granule,
     offsetof(run_options, granule)},
    {"on-failure", 0, "continue|abort",
     "What happens when a request first finds no memory (continue: NULL, "
     "ENOMEM)",
     &kind_reaction, offsetof(run_options, on_failure)},
    {"prefault", 0, NULL, "Touch all pages of the pool at the start", &kind_on,
     offsetof(run_options, prefault)},
    {"lock", 0, NULL, "Lock the pool into RAM", &kind_on,
     offsetof(run_options, lock)},
    {"huge", 0, NULL, "Ask for huge pages", &kind_on,
     offsetof(run_options, huge)},
    {"hardened", 0, NULL,
     "Clear freed memory, detect writes after free and small overflows, delay "
     "reuse",
     &kind_on, offsetof(run_options, hardened)},
    {"inherit", 0, NULL,
     "Each program that it starts gets a pool of the same size (default)",
     &kind_on, offsetof(run_options, inherit)},
    {"no-inherit", 0, NULL, "Programs that it starts use the system's malloc",
     &kind_off, offsetof(run_options, inherit)},
    {"leaks", 0, NULL, "Report the blocks that were never freed", &kind_on,
     offsetof(run_options, leaks)},
    {"report", 0, "stderr|FILE|none",
     "Where the report goes at the end (stderr)", &kind_text,
     offsetof(run_options, report)},
    {"json", 0, NULL, "Print the report as JSON", &kind_flag,
     offsetof(run_options, json)},
    {"wait", 0, NULL,
     "Also wait for processes that outlive the program, such as daemons",
     &kind_flag, offsetof(run_options, wait)},
    {0}};

static const verb_usage usage = {
    .verb = verb,
    .words = "[--] PROGRAM [ARGUMENT...]",
    .what = "program",
    .subject = SUBJECT_PROGRAM,
    .help = "Runs a program in one fixed pool of memory.\v"
            "All its memory from malloc comes from the pool. When the pool is "
            "full, malloc returns NULL with ENOMEM. Each option but --json and "
            "--wait also has an environment variable: see bitfit-run(1). The "
            "exit code is the program's own, 128 + N if signal N ended it, "
            "127 if there is no such program, 126 if it cannot run in a pool, "
            "2 for a bad option.",
    .options = options};

/* The variables by which the library is told. One that was set before means
 * what its flag does, so it is refused as that is. */
static const struct setting {
    const char *variable;
    const option_kind *kind;
    size_t at; /* in run_options */
} settings[] = {
    {"BITFIT_POOL", &kind_pool, offsetof(run_options, pool)},
    {"BITFIT_GRANULE", &kind_run_granule, offsetof(run_options, granule)},
    {"BITFIT_ON_FAILURE", &kind_reaction, offsetof(run_options, on_failure)},
    {"BITFIT_PREFAULT", &kind_switch, offsetof(run_options, prefault)},
    {"BITFIT_MLOCK", &kind_switch, offsetof(run_options, lock)},
    {"BITFIT_HUGE", &kind_switch, offsetof(run_options, huge)},
    {"BITFIT_HARDENED", &kind_switch, offsetof(run_options, hardened)},
    {"BITFIT_INHERIT", &kind_switch, offsetof(run_options, inherit)},
    {"BITFIT_LEAKS", &kind_switch, offsetof(run_options, leaks)},
};

static bool tell_library(const run_options *given)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct setting *each = &settings[i];
        const void *place = (const char *)given + each->at;
        const char *flag = *(const char *const *)place;
        const char *before = getenv(each->variable);
        const char *ignored;
        if (flag != NULL) {
            setenv(each->variable, flag, 1);
        } else if (before != NULL &&
                   !each->kind->take(NULL, before, &ignored)) {
            command_error(verb, "%s must be %s, not '%s'", each->variable,
                          each->kind->allowed, before);
            return false;
        }
    }
    return true;
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

/* The program, with its arguments. */
static char **take_all(int argc, char **argv, run_options *given)
{
    const char *report = getenv("BITFIT_REPORT");
    *given = (run_options){
        .report = report != NULL && *report != '\0' ? report : "stderr"};
    return options_take(&usage, argc, argv, given).at;
}

int verb_run(int argc, char **argv)
{
    run_options given;
    char **program = take_all(argc, argv, &given);
    if (!tell_library(&given))
        return COMMAND_USAGE;
    if (given.json && strstr(given.report, "%p") != NULL) {
        command_error(verb, "--json makes one report: --report with %%p makes "
                            "one for each process");
        return COMMAND_USAGE;
    }
    int code = launch_check(verb, program[0], PROGRAM_POOL);
    if (code != 0)
        return code;
    if (!preload(program))
        return COMMAND_INPUT;
    run_report *report = run_report_open(given.report, given.json, given.wait);
    if (report == NULL)
        return COMMAND_INPUT;
    if (given.wait)
        launch_adopt();
    launch_end end = launch(verb, program);
    if (end.signal != LAUNCH_FAILED)
        run_report_write(report, program, &end);
    run_report_close(report);
    return end.code;
}
