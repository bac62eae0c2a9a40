#include "options.h"

#include "command.h"
#include "near.h"
#include "trace/text.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- kinds */

static bool take_flag(const verb_option *option, const char *text, void *to)
{
    (void)option;
    (void)text;
    *(bool *)to = true;
    return true;
}

static bool take_text(const verb_option *option, const char *text, void *to)
{
    (void)option;
    *(const char **)to = text;
    return true;
}

static bool take_size(const verb_option *option, const char *text, void *to)
{
    (void)option;
    return text_to_size(text, to) && *(size_t *)to > 0;
}

bool option_granule(const char *text, size_t *granule)
{
    return text_to_size(text, granule) && *granule >= 8 &&
           *granule <= (size_t)1 << 30 && (*granule & (*granule - 1)) == 0;
}

static bool take_granule(const verb_option *option, const char *text, void *to)
{
    (void)option;
    return option_granule(text, to);
}

static bool take_choice(const verb_option *option, const char *text, void *to)
{
    unsigned *choice = to;
    const char *at = option->argument;
    for (*choice = 0; at != NULL; ++*choice) {
        size_t length = strcspn(at, "|");
        if (strlen(text) == length && memcmp(text, at, length) == 0)
            return true;
        at = at[length] == '|' ? at + length + 1 : NULL;
    }
    return false;
}

const option_kind kind_flag = {take_flag, NULL};
const option_kind kind_text = {take_text, NULL};
const option_kind kind_size = {take_size,
                               "a size such as 500K, 8M or 2G (above 0)"};
const option_kind kind_count = {take_size, "a number above 0"};
const option_kind kind_granule = {take_granule, "a power of two from 8 to 1G"};
const option_kind kind_choice = {take_choice, NULL};

/* ------------------------------------------------------------------ parsing */

typedef struct parsing {
    const verb_usage *usage;
    void *request;
    int quoted; /* words behind "--" */
    verb_words words;
} parsing;

static int key_of(const verb_usage *usage, const verb_option *option)
{
    enum { BEHIND_LETTERS = 256 };
    return option->letter != 0
               ? option->letter
               : BEHIND_LETTERS + (int)(option - usage->options);
}

static void take_option(const parsing *on, const verb_option *option,
                        const char *text, struct argp_state *state)
{
    const option_kind *kind = option->kind;
    if (!kind->take(option, text, (char *)on->request + option->at)) {
        argp_failure(
            state, COMMAND_USAGE, 0, "--%s must be %s, not '%s'", option->name,
            kind->allowed != NULL ? kind->allowed : option->argument, text);
    }
}

static int words_behind_dashes(int argc, char **argv)
{
    int at = 1;
    while (at < argc && strcmp(argv[at], "--") != 0)
        at++;
    return at < argc ? argc - at - 1 : 0;
}

/* argp moves the words in front of "--" behind it. */
static void take_words(parsing *on, struct argp_state *state)
{
    const verb_usage *usage = on->usage;
    bool quoted = state->quoted != 0 && state->argc - state->next == on->quoted;
    on->words = (verb_words){
        .at = state->argv + state->next,
        .program = usage->subject == SUBJECT_PROGRAM ||
                   (usage->subject == SUBJECT_EITHER && quoted),
    };
    size_t most = usage->subject == SUBJECT_TWO ? 2 : 1;
    size_t count = (size_t)(state->argc - state->next);
    if (!on->words.program && count > most) {
        argp_failure(state, COMMAND_USAGE, 0, "%s %s at a time%s",
                     most == 2 ? "two" : "one", usage->what,
                     usage->subject == SUBJECT_EITHER
                         ? "; -- stands before a program"
                         : "");
    }
    if (count < most)
        argp_failure(state, COMMAND_USAGE, 0, "two %s, please", usage->what);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    parsing *on = state->input;
    const verb_usage *usage = on->usage;
    for (const verb_option *each = usage->options; each->name != NULL; each++) {
        if (key == key_of(usage, each)) {
            take_option(on, each, text, state);
            return 0;
        }
    }
    if (key == ARGP_KEY_ARGS) {
        take_words(on, state);
    } else if (key == ARGP_KEY_NO_ARGS) {
        argp_failure(
            state, COMMAND_USAGE, 0, "which %s%s? See --help", usage->what,
            usage->subject == SUBJECT_EITHER ? ", or -- which program" : "");
    } else {
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* ------------------------------------------------------------ unknown names */

/* The options that argp adds. */
static const char *const added[] = {"help", "usage", "version", NULL};

static bool begins(const char *name, const char *word, size_t length)
{
    return strncmp(name, word, length) == 0;
}

/* Whether a name, or its beginning, is one of an option's; `takes` is then
 * whether the next word is its argument. */
static bool is_known(const verb_usage *usage, const char *word, size_t length,
                     bool *takes)
{
    *takes = false;
    for (const char *const *each = added; *each != NULL; each++) {
        if (begins(*each, word, length))
            return true;
    }
    for (const verb_option *each = usage->options; each->name != NULL; each++) {
        if (begins(each->name, word, length)) {
            *takes = each->argument != NULL && word[length] != '=';
            return true;
        }
    }
    return false;
}

/* Of the verb's own options; NULL if none is near. */
static const char *nearest_name(const verb_usage *usage, const char *word)
{
    const char *nearest = NULL;
    size_t least = near_limit(word);
    for (const verb_option *each = usage->options; each->name != NULL; each++) {
        size_t distance = near_distance(word, each->name);
        if (each->help != NULL && distance < least) {
            least = distance;
            nearest = each->name;
        }
    }
    return nearest;
}

static void refuse_name(const verb_usage *usage, const char *word,
                        size_t length)
{
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    const char *nearest = nearest_name(usage, name);
    command_error(usage->verb, "there is no option --%s%s%s%s", name,
                  nearest != NULL ? "; did you mean --" : "",
                  nearest != NULL ? nearest : "",
                  nearest != NULL ? "?" : "; see --help");
    exit(COMMAND_USAGE);
}

/* Whether the last letter of "-abc" is an option whose argument is the next
 * word. */
static bool letters_take(const verb_usage *usage, const char *word)
{
    for (const char *at = word; *at != '\0'; at++) {
        for (const verb_option *each = usage->options; each->name != NULL;
             each++) {
            if (each->letter == *at && each->argument != NULL)
                return at[1] == '\0';
        }
    }
    return false;
}

/* argp would print such a name as it is, and no advice. */
static void check_names(const verb_usage *usage, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        bool takes = false;
        const char *word = argv[i];
        if (*word != '-' || word[1] == '\0') {
            if (usage->subject == SUBJECT_PROGRAM)
                return;
        } else if (word[1] != '-') {
            takes = letters_take(usage, word + 1);
        } else {
            size_t length = strcspn(word + 2, "=");
            if (!is_known(usage, word + 2, length, &takes))
                refuse_name(usage, word + 2, length);
        }
        i += takes;
    }
}

verb_words options_take(const verb_usage *usage, int argc, char **argv,
                        void *request)
{
    static char name[32];
    struct argp_option table[OPTIONS_MAX + 1] = {{0}};
    struct argp parser = {.options = table,
                          .parser = parse,
                          .args_doc = usage->words,
                          .doc = usage->help};
    parsing on = {.usage = usage,
                  .request = request,
                  .quoted = words_behind_dashes(argc, argv)};
    for (int i = 0; i < OPTIONS_MAX && usage->options[i].name != NULL; i++) {
        const verb_option *option = &usage->options[i];
        table[i] = (struct argp_option){
            .name = option->name,
            .key = key_of(usage, option),
            .arg = option->argument,
            .doc = option->help,
            .flags = option->help == NULL ? OPTION_HIDDEN : 0};
    }
    snprintf(name, sizeof name, "bitfit %s", usage->verb);
    argv[0] = name;
    argp_err_exit_status = COMMAND_USAGE;
    check_names(usage, argc, argv);
    argp_parse(&parser, argc, argv,
               usage->subject == SUBJECT_PROGRAM ? ARGP_IN_ORDER : 0, NULL,
               &on);
    return on.words;
}
