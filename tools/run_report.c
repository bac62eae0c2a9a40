#include "run_report.h"

#include "command.h"
#include "input_trace.h"
#include "trace/text.h"
#include "view/screen.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char verb[] = "run";

struct run_report {
    FILE *out; /* NULL: no report is wanted */
    int parts; /* memory that each process appends lines to */
    bool json;
    bool waits; /* for all that the program starts */
};

/* --------------------------------------------------------------- its place */

/* A path that works for every process that the program starts. The library lets
 * a fork's child report only where its number is in the path. */
static bool tell_library(int parts, bool forks)
{
    char value[64];
    snprintf(value, sizeof value, "/proc/%s%ld/fd/%d", forks ? "%p/../" : "",
             (long)getpid(), parts);
    return setenv("BITFIT_REPORT", value, 1) == 0;
}

static FILE *open_place(const char *where)
{
    FILE *out = strcmp(where, "stderr") == 0 ? stderr : fopen(where, "we");
    if (out == NULL)
        command_error(verb, "cannot write the report to %s: %s", where,
                      strerror(errno));
    return out;
}

run_report *run_report_open(const char *where, bool json, bool waits)
{
    run_report *report = calloc(1, sizeof *report);
    if (report == NULL)
        return NULL;
    report->json = json;
    report->waits = waits;
    report->parts = -1;
    if (strcmp(where, "none") == 0 || strstr(where, "%p") != NULL) {
        setenv("BITFIT_REPORT", where, 1);
        return report;
    }
    report->out = open_place(where);
    if (report->out == NULL) {
        free(report);
        return NULL;
    }
    report->parts = memfd_create("bitfit-report", MFD_CLOEXEC);
    if (report->parts < 0 || !tell_library(report->parts, waits))
        command_error(verb, "there will be no report: %s", strerror(errno));
    return report;
}

/* ---------------------------------------------------------------- its parts */

/* "PID (PROGRAM)" as the front of a part. */
static json_t *new_part(char *value)
{
    char *name = strchr(value, '(');
    char *end = strrchr(value, ')');
    if (end != NULL)
        *end = '\0';
    return json_pack("{s:I, s:o}", "pid", (json_int_t)atoll(value), "program",
                     text_json(name != NULL ? name + 1 : ""));
}

/* "bitfit: KEY: NUMBER (in words)"; in JSON the key has no hyphens. */
static void read_line(json_t *all, char *line)
{
    static const char front[] = "bitfit: ";
    char *key = line + sizeof front - 1;
    char *value =
        strncmp(line, front, sizeof front - 1) == 0 ? strstr(key, ": ") : NULL;
    if (value == NULL)
        return;
    *value = '\0';
    value += 2;
    for (char *hyphen = key; (hyphen = strchr(hyphen, '-')) != NULL;)
        *hyphen = '_';
    if (strcmp(key, "process") == 0)
        json_array_append_new(all, new_part(value));
    else
        json_object_set_new(
            json_array_get(all, json_array_size(all) - 1), key,
            json_integer((json_int_t)strtoull(value, NULL, 10)));
}

/* Where requests failed nobody knows what would have served: null. */
static void complete(json_t *part)
{
    if (json_object_get(part, "would_serve") == NULL)
        json_object_set_new(part, "would_serve", json_null());
}

/* An array of what each process reported, in the order of their ends. */
static json_t *read_parts(int parts)
{
    json_t *all = json_array();
    FILE *in = parts < 0 ? NULL : fdopen(dup(parts), "r");
    if (in == NULL)
        return all;
    rewind(in);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, in) > 0)
        read_line(all, line);
    free(line);
    fclose(in);
    for (size_t i = 0; i < json_array_size(all); i++)
        complete(json_array_get(all, i));
    return all;
}

static uint64_t number(const json_t *part, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(part, key));
}

/* Whoever's requests failed needed more than any other. */
static bool needs_more(const json_t *one, const json_t *other)
{
    bool failed = number(one, "failures") != 0;
    if (failed != (number(other, "failures") != 0))
        return failed;
    const char *need = failed ? "high_water" : "would_serve";
    return number(one, need) > number(other, need);
}

/* The process that needed most decides what the others need. */
static const json_t *hungriest(const json_t *parts)
{
    const json_t *most = NULL;
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        if (most == NULL || needs_more(part, most))
            most = part;
    }
    return most;
}

static const char *name_of(const json_t *part)
{
    const char *name = json_string_value(json_object_get(part, "program"));
    return name == NULL ? "" : name;
}

/* ---------------------------------------------------------------- as text */

/* A name may hold orders to a terminal. */
static const char *visible(char text[static 256], const char *name)
{
    snprintf(text, 256, "%s", name);
    text_make_visible(text);
    return text;
}

static void print_size(FILE *out, const char *what, uint64_t size,
                       const char *note)
{
    char text[24];
    fprintf(out, "  %-16s%10s  %s\n", what, text_of_size(text, size), note);
}

/* A value for --pool: KiB, rounded up. */
static void print_budget(FILE *out, const json_t *part)
{
    uint64_t size = number(part, "would_serve");
    if (number(part, "failures") != 0)
        fprintf(out, "  %-16s%10s  was needed\n", "--pool", "more");
    else
        fprintf(out,
                "  %-16s%9lluK  would have served; `bitfit fit` finds the "
                "least\n",
                "--pool", (unsigned long long)((size + 1023) / 1024));
}

static void print_failures(FILE *out, const json_t *part)
{
    char first[24];
    uint64_t failures = number(part, "failures");
    if (failures == 0)
        fprintf(out, "  %-16s%10s\n", "failures", "none");
    else
        fprintf(
            out, "  %-16s%10llu  request%s got NULL, the first asked for %s\n",
            "failures", (unsigned long long)failures, failures == 1 ? "" : "s",
            text_of_size(first, number(part, "first_failure")));
}

static void print_leaks(FILE *out, const json_t *part)
{
    char note[64];
    uint64_t blocks = number(part, "leaked_blocks");
    if (json_object_get(part, "leaked_blocks") == NULL)
        return;
    snprintf(note, sizeof note, "in %llu block%s never freed",
             (unsigned long long)blocks, blocks == 1 ? "" : "s");
    print_size(out, "leaks", number(part, "leaked_bytes"), note);
}

/* What the pool cannot count: an interpreter's own heap, stacks, files. */
static void print_outside(FILE *out, const json_t *part)
{
    uint64_t outside = number(part, "outside");
    bool python = strncmp(name_of(part), "python", 6) == 0;
    if (outside >= 1 << 20)
        print_size(out, "outside the pool", outside,
                   python ? "mapped by the program itself; "
                            "PYTHONMALLOC=malloc brings it in"
                          : "mapped by the program itself");
}

/* The pool from its bottom: the peak, up to the mark, never used. */
static void print_bar(FILE *out, const json_t *part)
{
    enum { WIDTH = 56 };
    double pool = (double)number(part, "budget");
    int peak = (int)((double)number(part, "peak") / pool * WIDTH + 0.5);
    int mark = (int)((double)number(part, "high_water") / pool * WIDTH + 0.5);
    fputs("  ", out);
    for (int i = 0; i < WIDTH; i++)
        fputs(i < peak ? "\u2588" : i < mark ? "\u2592" : "\u2591", out);
    fputc('\n', out);
}

static void print_heading(FILE *out, const json_t *part, bool alone)
{
    char pool[24];
    char name[256];
    bool bold = screen_colours(out);
    fprintf(out, "%sbitfit run: %s", bold ? "\033[1m" : "",
            visible(name, name_of(part)));
    if (!alone)
        fprintf(out, " (process %llu)",
                (unsigned long long)number(part, "pid"));
    fprintf(out, " in a pool of %s%s\n",
            text_of_size(pool, number(part, "budget")), bold ? "\033[0m" : "");
}

static void print_process(FILE *out, const json_t *part, bool alone)
{
    print_heading(out, part, alone);
    if (isatty(fileno(out)))
        print_bar(out, part);
    print_size(out, "peak", number(part, "peak"),
               "most memory in use at once, thread caches included");
    print_size(out, "high-water mark", number(part, "high_water"),
               "highest pool address ever used");
    print_budget(out, part);
    print_failures(out, part);
    print_leaks(out, part);
    print_outside(out, part);
}

static void print_others(FILE *out, const json_t *parts, const json_t *shown)
{
    size_t others = json_array_size(parts) - 1;
    uint64_t failures = 0;
    for (size_t i = 0; i <= others; i++) {
        const json_t *part = json_array_get(parts, i);
        failures += part == shown ? 0 : number(part, "failures");
    }
    if (others > 0)
        fprintf(out,
                "  %zu more process%s, each in a pool of its own, needed less; "
                "failures: %llu\n",
                others, others == 1 ? "" : "es", (unsigned long long)failures);
}

static bool has_part(const json_t *parts, pid_t pid)
{
    for (size_t i = 0; i < json_array_size(parts); i++) {
        if (number(json_array_get(parts, i), "pid") == (uint64_t)pid)
            return true;
    }
    return false;
}

/* What the program itself did not report. `bitfit record` has no pool, its
 * program has; and of a daemon that was waited for only the child matters. */
static void print_what_lacks(const run_report *report, const json_t *parts,
                             char **program, const launch_end *end)
{
    FILE *out = report->out;
    char name[256];
    bool others = json_array_size(parts) != 0;
    visible(name, program[0]);
    if (end->signal != 0)
        fprintf(out, "bitfit run: %s was ended by signal %d (%s)\n", name,
                end->signal, strsignal(end->signal));
    if (has_part(parts, end->pid) || launch_is_self(program, "record") ||
        (others && report->waits))
        return;
    fprintf(out, "bitfit run: %s left no report%s%s\n", name,
            end->signal != 0 ? ""
                             : ": it became another program, ended by a "
                               "system call of its own, or goes on as a "
                               "daemon (--wait waits for it)",
            others ? "; what it started did" : "");
}

static void print_text(const run_report *report, const json_t *parts,
                       char **program, const launch_end *end)
{
    FILE *out = report->out;
    const json_t *part = hungriest(parts);
    print_what_lacks(report, parts, program, end);
    if (part == NULL)
        return;
    print_process(out, part,
                  json_array_size(parts) == 1 && has_part(parts, end->pid));
    print_others(out, parts, part);
}

/* ---------------------------------------------------------------- as JSON */

static void print_json(FILE *out, json_t *parts, char **program,
                       const launch_end *end)
{
    json_t *command = json_array();
    for (char **word = program; *word != NULL; word++)
        json_array_append_new(command, text_json(*word));
    json_t *all =
        json_pack("{s:o, s:i, s:i, s:O}", "command", command, "exit", end->code,
                  "signal", end->signal, "processes", parts);
    json_dumpf(all, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(all);
}

void run_report_write(run_report *report, char **program, const launch_end *end)
{
    if (report->out == NULL)
        return;
    json_t *parts = read_parts(report->parts);
    if (report->json)
        print_json(report->out, parts, program, end);
    else
        print_text(report, parts, program, end);
    json_decref(parts);
    int error = command_flush(report->out);
    if (error != 0)
        command_error(verb, "the report could not be written: %s",
                      strerror(error));
}

void run_report_close(run_report *report)
{
    if (report->out != NULL && report->out != stderr)
        fclose(report->out);
    if (report->parts >= 0)
        close(report->parts);
    free(report);
}
