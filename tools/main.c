/* The bitfit command: finds the verb and hands over to it. */
#include "trace/text.h"
#include "verbs.h"

#include <bitfit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const command_entry command_list[] = {
    {"run", "a whole program in one fixed pool", verb_run},
    {"record", "what a program asks of malloc, into a trace", verb_record},
    {"replay", "a trace through a pool, and what that costs", verb_replay},
    {"fit", "how small a pool serves a trace or a program", verb_fit},
    {"map", "pictures of a heap, over time or at one moment", verb_map},
    {"report", "a page about a trace's heap, for any browser", verb_report},
    {"top", "a live view of a process under `bitfit run`", verb_top},
    {"export", "a trace for other viewers", verb_export},
    {NULL, NULL, NULL}};

static void print_help(FILE *stream)
{
    fputs("usage: bitfit VERB [OPTION...]\n\n"
          "Exact first fit in one fixed pool: run, record, replay and see it.\n"
          "\n",
          stream);
    for (const command_entry *entry = command_list; entry->name; entry++)
        fprintf(stream, "  %-8s %s\n", entry->name, entry->summary);
    fputs("\n`bitfit VERB --help` tells more, so does bitfit-VERB(1).\n",
          stream);
}

/* What could not be printed, on a full disk for instance, is no success,
 * whoever ends the process. */
static void check_output(void)
{
    int error = command_flush(stdout);
    if (error == 0)
        return;
    fprintf(stderr, "bitfit: standard output: %s\n", strerror(error));
    _exit(COMMAND_INPUT);
}

int main(int argc, char **argv)
{
    atexit(check_output);
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "help") == 0) {
        print_help(stdout);
        return COMMAND_OK;
    }
    if (strcmp(verb, "--version") == 0) {
        printf("bitfit %s\n", bitfit_version());
        return COMMAND_OK;
    }
    for (const command_entry *entry = command_list; entry->name; entry++) {
        if (strcmp(verb, entry->name) == 0)
            return entry->verb(argc - 1, argv + 1);
    }
    if (*verb != '\0') {
        text_make_visible(argv[1]);
        fprintf(stderr, "bitfit: there is no verb '%s'\n", verb);
    }
    print_help(stderr);
    return COMMAND_USAGE;
}
