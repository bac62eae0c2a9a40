/* bitfit record: what a program asks of malloc, into a file. */
#include "record.h"
#include "verbs.h"

#include "launch.h"
#include "options.h"
#include "recorder/settings.h"
#include "symbols.h"
#include "trace/rename.h"
#include "trace/text.h"
#include "view/scheme.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Past this size a recording is left as it was written: to compress it takes
 * some ten times its size in memory. */
static const off_t largest_packed = (off_t)1 << 30;

/* ----------------------------------------------------------------- packing */

/* What became of a recording. */
typedef struct outcome {
    bool packed; /* else the rest is not known, but for its size */
    trace_renamed told;
    off_t bytes; /* of the file */
} outcome;

static char *name_stack(void *names, const char *stack)
{
    return symbols_of_stack(names, stack);
}

/* Names the functions and compresses. On an error the file is as the recorder
 * wrote it, which can be read as well. */
static bool replace(const char *path, symbols *names, trace_renamed *result,
                    trace_error *error)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.part-%ld", path,
                          (long)getpid());
    if (length < 0 || (size_t)length >= sizeof temporary)
        return true; /* it stays as it was written */
    if (!trace_rename(path, temporary, name_stack, names, result, error))
        return false;
    if (rename(temporary, path) == 0)
        return true;
    snprintf(error->text, sizeof error->text, "%s: %s", path, strerror(errno));
    unlink(temporary);
    return false;
}

static bool pack(const char *path, const char *wrappers, outcome *result,
                 trace_error *error)
{
    struct stat about;
    if (stat(path, &about) == 0 && about.st_size > largest_packed) {
        result->bytes = about.st_size;
        return true;
    }
    symbols *names = symbols_open(wrappers);
    if (names == NULL) {
        snprintf(error->text, sizeof error->text,
                 "%s: there is not enough memory", path);
        return false;
    }
    result->packed = replace(path, names, &result->told, error);
    symbols_close(names);
    if (stat(path, &about) == 0)
        result->bytes = about.st_size;
    return result->packed;
}

/* The number in "NAME.NUMBER"; 0 where a file's name is another. */
static pid_t child_of(const char *file, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(file, name, length) != 0 || file[length] != '.' ||
        !isdigit((unsigned char)file[length + 1]))
        return 0;
    char *end;
    long number = strtol(file + length + 1, &end, 10);
    return *end == '\0' && number <= INT_MAX ? (pid_t)number : 0;
}

/* Those of children that have ended; what others record can be read as it is,
 * too. */
static void pack_children(const char *path, const char *wrappers)
{
    char child[PATH_MAX + NAME_MAX];
    const char *name = strrchr(path, '/') + 1;
    snprintf(child, sizeof child, "%.*s", (int)(name - path), path);
    DIR *folder = opendir(child);
    for (struct dirent *file;
         folder != NULL && (file = readdir(folder)) != NULL;) {
        outcome ignored;
        trace_error error;
        pid_t pid = child_of(file->d_name, name);
        if (pid == 0 || kill(pid, 0) == 0 || errno != ESRCH)
            continue;
        snprintf(child, sizeof child, "%.*s%s", (int)(name - path), path,
                 file->d_name);
        pack(child, wrappers, &ignored, &error);
    }
    if (folder != NULL)
        closedir(folder);
}

/* Why a trace has no end, as it goes on behind "; ". */
static const char *why_cut(char text[static 128], int ended_by)
{
    if (ended_by == 0) {
        return "it is cut: the program became another one, ended by a system "
               "call of its own, or the file could not be written";
    }
    snprintf(text, 128, "it is cut: signal %d (%s) ended the program", ended_by,
             strsignal(ended_by));
    return text;
}

static void tell(const char *verb, const record_plan *plan,
                 const outcome *result, int ended_by)
{
    char size[24];
    char why[128];
    char events[48];
    char blocks[48];
    text_of_size(size, (uint64_t)result->bytes);
    if (!result->packed)
        command_error(verb, "%s, %s, not compressed", plan->path, size);
    else if (result->told.events == 0)
        command_error(verb, "%s has no events: the program did not call malloc",
                      plan->path);
    else
        command_error(verb, "%s, %s, %s, %s%s%s", plan->path,
                      things_text(events, result->told.events, "event"),
                      things_text(blocks, result->told.blocks, "block"), size,
                      result->told.cut ? "; " : "",
                      result->told.cut ? why_cut(why, ended_by) : "");
}

static void tell_nothing(const char *verb, int ended_by)
{
    if (ended_by != 0)
        command_error(verb,
                      "nothing was recorded: signal %d (%s) ended the program "
                      "before it called malloc",
                      ended_by, strsignal(ended_by));
    else
        command_error(verb,
                      "nothing was recorded: the program does not see the "
                      "trace's folder, or what started it cleared LD_PRELOAD");
}

static bool finish(const char *verb, const record_plan *plan, const char *path,
                   int ended_by)
{
    struct stat about;
    outcome result = {0};
    trace_error error;
    if (stat(path, &about) != 0 || about.st_size == 0) {
        tell_nothing(verb, ended_by);
        return false;
    }
    if (plan->children)
        pack_children(path, plan->wrappers);
    if (!pack(path, plan->wrappers, &result, &error)) {
        command_error(verb, "%s", error.text);
        return false;
    }
    if (!plan->quiet)
        tell(verb, plan, &result, ended_by);
    return true;
}

/* ----------------------------------------------------------------- running */

/* Makes the file, or an empty one in its place: another program may still be
 * recorded into the one that is there. Returns what is wrong, or NULL. Stores
 * the absolute path. */
static const char *make_empty(const char *path, char absolute[static PATH_MAX])
{
    struct stat about;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return strerror(errno);
    bool regular = fstat(file, &about) == 0 && S_ISREG(about.st_mode);
    close(file);
    if (!regular)
        return "a trace needs a regular file";
    if (realpath(path, absolute) == NULL)
        return strerror(errno);
    if (about.st_size > 0) {
        unlink(absolute);
        file = open(absolute, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (file < 0)
            return strerror(errno);
        close(file);
    }
    return NULL;
}

/* What cannot be written is known before the program runs. */
static bool make_file(const char *verb, const char *path,
                      char absolute[static PATH_MAX])
{
    const char *wrong = make_empty(path, absolute);
    if (wrong != NULL)
        command_error(verb, "%s: %s", path, wrong);
    return wrong == NULL;
}

static void set_flag(const char *variable, bool set)
{
    if (set)
        setenv(variable, "1", 1);
    else
        unsetenv(variable);
}

static void set_number(const char *variable, size_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", number);
    setenv(variable, text, 1);
}

static void tell_recorder(const record_plan *plan, const char *path)
{
    setenv(RECORD_PATH, path, 1);
    set_number(RECORD_PARENT, (size_t)getpid());
    set_flag(RECORD_SITES, plan->sites);
    set_flag(RECORD_CHILDREN, plan->children);
    set_flag(RECORD_NO_TIMES, plan->no_times);
    unsetenv(RECORD_PID);
    unsetenv(RECORD_EVENTS);
    unsetenv(RECORD_ABOUT);
    if (plan->events > 0)
        set_number(RECORD_EVENTS, plan->events);
    if (plan->about != NULL)
        setenv(RECORD_ABOUT, plan->about, 1);
}

/* The recorder stands before the pool, which it calls. */
static bool preload(const char *verb)
{
    char library[PATH_MAX];
    const char *pool = getenv(RECORD_PRELOAD);
    if (!launch_find_library(verb, "BITFIT_RECORD_LIBRARY", "tools",
                             "libbitfit-record.so", library) ||
        (pool != NULL && !launch_preload(verb, pool)) ||
        !launch_preload(verb, library))
        return false;
    unsetenv(RECORD_PRELOAD);
    return true;
}

int record_program(const char *verb, const record_plan *plan, char **program,
                   bool *recorded)
{
    char path[PATH_MAX];
    *recorded = false;
    if (launch_is_self(program, "run")) {
        command_error(verb,
                      "the other order is needed: bitfit run [OPTION...] -- "
                      "bitfit record [OPTION...] -- PROGRAM");
        return COMMAND_USAGE;
    }
    int code = launch_check(verb, program[0], PROGRAM_RECORDER);
    if (code != 0)
        return code;
    if (!preload(verb) || !make_file(verb, plan->path, path))
        return COMMAND_INPUT;
    tell_recorder(plan, path);
    launch_end end = launch(verb, program);
    *recorded =
        end.signal != LAUNCH_FAILED && finish(verb, plan, path, end.signal);
    return end.code;
}

/* -------------------------------------------------------------- the options */

static const verb_option options[] = {
    {"output", 'o', "FILE", "The trace (PROGRAM.trace)", &kind_file,
     offsetof(record_plan, path)},
    {"sites", 0, NULL, "Also record call stacks: slower, and larger",
     &kind_flag, offsetof(record_plan, sites)},
    {"wrappers", 0, "NAME,...",
     "More functions that only pass a request on; NAME* is allowed", &kind_text,
     offsetof(record_plan, wrappers)},
    {"children", 0, NULL,
     "Also record processes that it starts, each into FILE.PID", &kind_flag,
     offsetof(record_plan, children)},
    {"no-times", 0, NULL, "Leave the times out", &kind_flag,
     offsetof(record_plan, no_times)},
    {"events", 0, "N", "Stop recording after N events", &kind_count,
     offsetof(record_plan, events)},
    {"about", 0, "TEXT", "The description in the trace (the command line)",
     &kind_text, offsetof(record_plan, about)},
    {0}};

static const verb_usage usage = {
    .verb = "record",
    .words = "[--] PROGRAM [ARGUMENT...]",
    .what = "program",
    .subject = SUBJECT_PROGRAM,
    .help = "Records what a program asks of malloc.\v"
            "Records every allocation, resize and free of all threads, however "
            "the program ends. The exit code is the program's "
            "own, 128 + N if signal N ended it, 127 if there is no such "
            "program, 126 if it cannot be recorded, 3 if the trace cannot "
            "be written, 2 for a bad option.",
    .options = options};

int verb_record(int argc, char **argv)
{
    record_plan plan = {.path = NULL};
    char path[PATH_MAX];
    bool recorded;
    char **program = options_take(&usage, argc, argv, &plan).at;
    if (plan.path == NULL) {
        const char *slash = strrchr(program[0], '/');
        snprintf(path, sizeof path, "%s.trace",
                 slash == NULL ? program[0] : slash + 1);
        plan.path = path;
    }
    return record_program("record", &plan, program, &recorded);
}
