/* The bitfit command: finds the verb and hands over to it. */
#include "near.h"
#include "trace/text.h"
#include "verbs.h"

#include <bitfit.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const command_entry command_list[] = {
    {"run", "run a whole program in one fixed pool", verb_run},
    {"record", "record what a program allocates, as a trace", verb_record},
    {"replay", "replay a trace in a pool, and print the figures", verb_replay},
    {"fit", "find the smallest pool for a trace or a program", verb_fit},
    {"map", "draw a heap, over time or at one moment", verb_map},
    {"report", "make a web page about a trace, or print a pool's figures",
     verb_report},
    {"diff", "show what grew between two traces of a program", verb_diff},
    {"top", "watch a pool: of a process under `bitfit run`, or shared",
     verb_top},
    {"check", "say what a crash left in a shared pool's file", verb_check},
    {"repair", "repair a shared pool's file", verb_repair},
    {"export", "write a trace for other viewers", verb_export},
    {NULL, NULL, NULL}};

static void print_help(FILE *stream)
{
    fputs("usage: bitfit VERB [OPTION...]\n\n"
          "Runs programs in one fixed pool, and shows what they do with their "
          "memory.\n"
          "\n",
          stream);
    for (const command_entry *entry = command_list; entry->name; entry++)
        fprintf(stream, "  %-8s %s\n", entry->name, entry->summary);
    fputs("\n`bitfit help VERB` says more, and so does bitfit-VERB(1).\n",
          stream);
}

static const command_entry *find_verb(const char *name)
{
    for (const command_entry *entry = command_list; entry->name; entry++) {
        if (strcmp(name, entry->name) == 0)
            return entry;
    }
    return NULL;
}

static void look_near(const char *name, const char *other, size_t *least,
                      const char **nearest)
{
    size_t distance = near_distance(name, other);
    if (distance < *least) {
        *least = distance;
        *nearest = other;
    }
}

/* A verb, or an option in front of it. */
static int refuse_word(char *name)
{
    const char *nearest = NULL;
    const char *what = name[0] == '-' ? "option" : "verb";
    size_t least = near_limit(name);
    for (const command_entry *entry = command_list; entry->name; entry++)
        look_near(name, entry->name, &least, &nearest);
    look_near(name, "--help", &least, &nearest);
    look_near(name, "--version", &least, &nearest);
    text_make_visible(name);
    if (nearest != NULL) {
        fprintf(stderr, "bitfit: there is no %s '%s'; did you mean '%s'?\n",
                what, name, nearest);
    } else {
        fprintf(stderr,
                "bitfit: there is no %s '%s'; `bitfit help` lists the verbs\n",
                what, name);
    }
    return COMMAND_USAGE;
}

static bool is_one_of(const char *word, const char *one, const char *other)
{
    return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

/* `help VERB` is `VERB --help`. */
static int help(int argc, char **argv)
{
    static char option[] = "--help";
    if (argc < 2 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return COMMAND_OK;
    }
    const command_entry *entry = find_verb(argv[1]);
    if (entry == NULL)
        return refuse_word(argv[1]);
    char *arguments[] = {argv[1], option, NULL};
    return entry->verb(2, arguments);
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
    setlocale(LC_CTYPE, "");
    if (argc < 2) {
        print_help(stderr);
        return COMMAND_USAGE;
    }
    if (is_one_of(argv[1], "--help", "-h") || is_one_of(argv[1], "help", "-?"))
        return help(argc - 1, argv + 1);
    if (is_one_of(argv[1], "--version", "-V")) {
        printf("bitfit %s\n", bitfit_version());
        return COMMAND_OK;
    }
    const command_entry *entry = find_verb(argv[1]);
    return entry == NULL ? refuse_word(argv[1])
                         : entry->verb(argc - 1, argv + 1);
}
