/*
 * The report at the program's end: to a file or a standard error of the start,
 * never into the program's own output, in one piece and without allocating.
 *
 * Ends are exit(), quick_exit() and _exit(): shells end by the last. A handler
 * may call that at any time, on a small stack: what is large is static.
 */
#include "entry.h"
#include "hardened.h"
#include "inspect.h"
#include "outside.h"
#include "start.h"
#include "threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pid_t owner;             /* of this memory: not a child by vfork() */
static _Atomic pid_t reporting; /* who has begun its report */

/* The path with the process' number for %p; false if it is too long. */
static bool report_path(char path[PATH_MAX])
{
    text to = {.bytes = path, .size = PATH_MAX, .length = 0};
    const char *from = SETTINGS->options.report_path;
    for (; *from != '\0'; from++) {
        if (from[0] == '%' && from[1] == 'p') {
            text_number(&to, (uint64_t)system_process());
            from++;
        } else {
            text_add(&to, (char[]){*from, '\0'});
        }
    }
    bool fits = to.length < PATH_MAX;
    if (fits) {
        path[to.length] = '\0';
    }
    return fits;
}

/* The standard error of the start, if there still is a descriptor for it: by
 * now the program may have a file of its own there. */
static int standard_error(void)
{
    const settings *of = SETTINGS;
    if (of->report_file >= 0 &&
        system_is_same(of->report_file, of->error_file)) {
        return of->report_file;
    }
    return system_is_same(STDERR_FILENO, of->error_file) ? STDERR_FILENO : -1;
}

static bool write_report(const text *lines)
{
    static char path[PATH_MAX];
    if (SETTINGS->options.report_kind == REPORT_STDERR) {
        int file = standard_error();
        return file < 0 ||
               text_write(lines, file); /* nobody is there to read */
    }
    int file = report_path(path)
                   ? system_open(path, O_WRONLY | O_CREAT | O_APPEND |
                                           O_NONBLOCK | O_NOCTTY)
                   : -1; /* a pipe that nobody reads is no place to wait */
    bool written = file >= 0 && text_write(lines, file);
    if (file >= 0) {
        system_close(file);
    }
    return written;
}

/* A child by fork() is the same program: it reports only where every process
 * has a file of its own. Each reports once. */
static bool is_wanted(void)
{
    const option_set *options = &SETTINGS->options;
    pid_t self = system_process();
    return heap_started() && options->report_kind != REPORT_NONE &&
           self == owner &&
           (self == SETTINGS->process || options->report_each) &&
           atomic_exchange(&reporting, self) != self;
}

static void add_program(text *to)
{
    text_add(to, "bitfit: process: ");
    text_number(to, (uint64_t)system_process());
    text_add(to, " (");
    text_add_name(to, program_invocation_short_name);
    text_add(to, ")\n");
}

/* The smallest budget that holds what was used: an upper bound, since smaller
 * budgets have smaller caches. */
static size_t would_serve(const inspection *now)
{
    size_t page = (size_t)1 << SETTINGS->page_shift;
    size_t used = now->pool.high_water + (now->pool.high_water == 0);
    size_t budget = used & ~(page - 1);
    while (heap_payload_of(budget) < used) {
        budget += (budget >> 8 & ~(page - 1)) + page;
    }
    return budget;
}

static void add_number(text *to, const char *words, uint64_t number)
{
    text_add(to, words);
    text_number(to, number);
    text_add(to, "\n");
}

static void report(void)
{
    static char memory[INSPECTION_SIZE + NAME_SHOWN];
    text lines = TEXT_IN(memory);
    inspection now;
    if (!is_wanted() || !inspect_heap(&now)) {
        return;
    }
    add_program(&lines);
    inspect_report(&lines, &now, "bitfit: ");
    if (now.failures != 0) {
        add_number(&lines, "bitfit: first-failure: ", now.first_failure);
    } else { /* otherwise nobody knows what more it would have taken */
        text_add(&lines, "bitfit: would-serve: ");
        text_size(&lines, would_serve(&now));
        text_add(&lines, "\n");
    }
    text_add(&lines, "bitfit: outside: ");
    text_size(&lines, outside_most(now.pool.high_water));
    text_add(&lines, "\n");
    if (SETTINGS->options.hardened) {
        add_number(&lines, "bitfit: guards: ", now.guards);
    }
    if (SETTINGS->options.leaks) {
        add_number(&lines, "bitfit: leaked-blocks: ",
                   now.pool.blocks - now.cached_blocks + now.empties);
        add_number(&lines,
                   "bitfit: leaked-bytes: ", now.pool.live - now.cached);
    }
    if (!write_report(&lines) && standard_error() >= 0) {
        complain("the report cannot be written", SETTINGS->options.report_path);
    }
}

/* -------------------------------------------------------------------- ends */

static void note_owner(void)
{
    owner = system_process();
}

/* A handler that interrupts a call goes without a report: nobody must wait for
 * what cannot go on. */
static void report_unless_inside(void)
{
    if (!threads_is_inside()) {
        report();
    }
}

__attribute__((constructor)) static void begin(void)
{
    note_owner();
    pthread_atfork(NULL, NULL, note_owner);
    at_quick_exit(report_unless_inside);
}

__attribute__((destructor)) static void end(void)
{
    hardened_end();
    report();
}

EXPORT _Noreturn void _exit(int status)
{
    report_unless_inside();
    for (;;) {
        system_call(SYS_exit_group, status, 0, 0, 0);
    }
}

EXPORT _Noreturn void _Exit(int status)
{
    _exit(status);
}
