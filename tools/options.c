#include "options.h"

#include "command.h"
#include "near.h"
#include "trace/text.h"

#include <argp.h>
#include <bitfit.h>
#include <stdarg.h>
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

static bool take_file(const verb_option *option, const char *text, void *to)
{
    return *text != '\0' && take_text(option, text, to);
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
const option_kind kind_file = {take_file, "a file's name"};
const option_kind kind_size = {take_size,
                               "a size such as 500K, 8M or 2G (above 0)"};
const option_kind kind_count = {take_size, "a number above 0"};
const option_kind kind_granule = {take_granule, "a power of two from 8 to 1G"};
const option_kind kind_choice = {take_choice, NULL};

/* ----------------------------------------------------------------- refusing */

/* argp would print what was typed as it is, and in words of its own. */
__attribute__((format(printf, 2, 3))) static _Noreturn void
refuse(const verb_usage *usage, const char *format, ...)
{
    va_list arguments;
    char text[1024];
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    command_error(usage->verb, "%s", text);
    exit(COMMAND_USAGE);
}

/* ------------------------------------------------------------------- asking */

static const option_kind kind_help = {NULL, NULL};

/* What every verb has. */
enum { HELP, USAGE, VERSION, ADDED = 4 };

static const verb_option added[ADDED + 1] = {
    {"help", 'h', NULL, "Print this list", &kind_help, HELP},
    {"help", '?', NULL, NULL, &kind_help, HELP},
    {"usage", 0, NULL, "Print the usage in a few lines", &kind_help, USAGE},
    {"version", 'V', NULL, "Print the version", &kind_help, VERSION},
    {0}};

static int key_of(const verb_option *option, int number)
{
    enum { BEHIND_LETTERS = 256 };
    return option->letter != 0 ? option->letter : BEHIND_LETTERS + number;
}

static void add_to_help(struct argp_option *table, const verb_option *from)
{
    int count = 0;
    while (table[count].name != NULL)
        count++;
    for (; from->name != NULL; from++) {
        if (from->help == NULL)
            continue;
        table[count] =
            (struct argp_option){.name = from->name,
                                 .key = key_of(from, count),
                                 .arg = from->argument,
                                 .doc = from->help,
                                 .group = from->kind == &kind_help ? -1 : 0};
        count++;
    }
}

static _Noreturn void answer(const verb_usage *usage, const verb_option *what)
{
    struct argp_option table[OPTIONS_MAX + ADDED + 1] = {{0}};
    const struct argp shown = {
        .options = table, .args_doc = usage->words, .doc = usage->help};
    char name[32];
    snprintf(name, sizeof name, "bitfit %s", usage->verb);
    add_to_help(table, usage->options);
    add_to_help(table, added);
    if (what->at == VERSION)
        printf("bitfit %s", bitfit_version());
    else
        argp_help(&shown, stdout,
                  what->at == USAGE ? ARGP_HELP_USAGE : ARGP_HELP_STD_HELP,
                  name);
    if (what->at != HELP)
        putchar('\n');
    exit(COMMAND_OK);
}

/* ------------------------------------------------------------------ finding */

static bool is_name(const verb_option *option, const char *word, size_t length)
{
    return strncmp(option->name, word, length) == 0 &&
           option->name[length] == '\0';
}

static const verb_option *find_letter(const verb_option *from, char letter)
{
    for (; from->name != NULL; from++) {
        if (from->letter == letter)
            return from;
    }
    return NULL;
}

/* An option with exactly this name; else `*begins` and `*other` are those that
 * people know whose names begin so, NULL where there is none. */
static const verb_option *find_name(const verb_option *from, const char *word,
                                    size_t length, const verb_option **begins,
                                    const verb_option **other)
{
    for (; from->name != NULL; from++) {
        if (is_name(from, word, length))
            return from;
        if (from->help == NULL || strncmp(from->name, word, length) != 0)
            continue;
        if (*begins == NULL)
            *begins = from;
        else
            *other = from;
    }
    return NULL;
}

static void look_near(const verb_option *from, const char *word, size_t *least,
                      const char **nearest)
{
    for (; from->name != NULL; from++) {
        size_t distance = near_distance(word, from->name);
        if (from->help != NULL && distance < *least) {
            *least = distance;
            *nearest = from->name;
        }
    }
}

/* `dashes` and the word are what was typed. */
static _Noreturn void refuse_name(const verb_usage *usage, const char *dashes,
                                  const char *word, size_t length)
{
    char name[32];
    const char *nearest = NULL;
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    size_t least = near_limit(name);
    look_near(usage->options, name, &least, &nearest);
    look_near(added, name, &least, &nearest);
    refuse(usage, "there is no option %s%s%s%s%s", dashes, name,
           nearest != NULL ? "; did you mean --" : "",
           nearest != NULL ? nearest : "",
           nearest != NULL ? "?" : "; see --help");
}

static const verb_option *name_of(const verb_usage *usage, const char *word,
                                  size_t length)
{
    const verb_option *begins = NULL;
    const verb_option *other = NULL;
    const verb_option *found =
        find_name(usage->options, word, length, &begins, &other);
    if (found == NULL)
        found = find_name(added, word, length, &begins, &other);
    if (found != NULL)
        return found;
    if (other != NULL)
        refuse(usage, "--%.*s may be --%s or --%s", (int)length, word,
               begins->name, other->name);
    if (begins == NULL)
        refuse_name(usage, "--", word, length);
    return begins;
}

/* ------------------------------------------------------------------- taking */

typedef struct parsing {
    const verb_usage *usage;
    void *request;
    char **next;  /* what is not yet read; ended by NULL */
    char **words; /* those that are no options, so far */
    size_t count;
} parsing;

static void take(const parsing *on, const verb_option *option, const char *text)
{
    const option_kind *kind = option->kind;
    if (kind == &kind_help)
        answer(on->usage, option);
    bool right = kind->take(option, text, (char *)on->request + option->at);
    if (!right && text != NULL)
        refuse(on->usage, "--%s must be %s, not '%s'", option->name,
               kind->allowed != NULL ? kind->allowed : option->argument, text);
}

static const char *next_word(parsing *on, const verb_option *option)
{
    if (*on->next == NULL)
        refuse(on->usage, "--%s needs %s", option->name, option->argument);
    return *on->next++;
}

static void take_name(parsing *on, const char *word)
{
    size_t length = strcspn(word, "=");
    const char *text = word[length] == '=' ? word + length + 1 : NULL;
    const verb_option *option = name_of(on->usage, word, length);
    if (option->argument == NULL && text != NULL)
        refuse(on->usage, "--%s takes no value", option->name);
    if (option->argument != NULL && text == NULL)
        text = next_word(on, option);
    take(on, option, text);
}

/* "-abc", where the rest may be the argument of one of them. */
static void take_letters(parsing *on, const char *letters)
{
    const verb_usage *usage = on->usage;
    for (const char *at = letters; *at != '\0'; at++) {
        const verb_option *option = find_letter(usage->options, *at);
        if (option == NULL)
            option = find_letter(added, *at);
        if (option == NULL)
            refuse_name(usage, "-", letters, strcspn(letters, "="));
        if (option->argument != NULL) {
            take(on, option, at[1] != '\0' ? at + 1 : next_word(on, option));
            return;
        }
        take(on, option, NULL);
    }
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* Up to the program, the "--" or the end. Whether there was a "--". */
static bool take_options(parsing *on)
{
    while (*on->next != NULL) {
        char *word = *on->next++;
        if (strcmp(word, "--") == 0)
            return true;
        if (word[0] == '-' && word[1] == '-') {
            take_name(on, word + 2);
        } else if (is_option(word)) {
            take_letters(on, word + 1);
        } else if (on->usage->subject == SUBJECT_PROGRAM) {
            on->next--;
            return false;
        } else {
            on->words[on->count++] = word;
        }
    }
    return false;
}

/* As many words as the verb has subjects, or a program. */
static void check_count(const verb_usage *usage, size_t count, bool program)
{
    bool either = usage->subject == SUBJECT_EITHER;
    size_t most = usage->subject == SUBJECT_TWO ? 2 : 1;
    if (count == 0)
        refuse(usage, "which %s%s? See --help", usage->what,
               either ? ", or -- which program" : "");
    if (count < most)
        refuse(usage, "two %s are needed", usage->what);
    if (!program && count > most)
        refuse(usage, "%s %s at a time%s", most == 2 ? "two" : "one",
               usage->what, either ? "; put -- before a program" : "");
}

/* A program's are not judged: no such program is found later. */
static void check_names(const verb_usage *usage, char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (*words[i] == '\0')
            refuse(usage, "an empty name: which %s? See --help", usage->what);
    }
}

verb_words options_take(const verb_usage *usage, int argc, char **argv,
                        void *request)
{
    parsing on = {usage, request, argv + (argc > 0), argv + (argc > 0), 0};
    bool dashes = take_options(&on);
    bool program =
        usage->subject == SUBJECT_PROGRAM ||
        (usage->subject == SUBJECT_EITHER && dashes && on.count == 0);
    while (*on.next != NULL)
        on.words[on.count++] = *on.next++;
    on.words[on.count] = NULL;
    check_count(usage, on.count, program);
    if (!program)
        check_names(usage, on.words);
    return (verb_words){.at = on.words, .program = program};
}
