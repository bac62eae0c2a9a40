/* A verb's options as a table: what each may be, and where its value goes. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct verb_option;

typedef struct option_kind {
    /* Whether the text is such a value, which is then stored; the text of a
     * flag is NULL. */
    bool (*take)(const struct verb_option *option, const char *text, void *to);
    const char *allowed; /* "--NAME must be ..."; NULL: the option's argument */
} option_kind;

extern const option_kind kind_flag, /* a bool, which becomes true */
    kind_text,                      /* a const char * */
    kind_file,                      /* the same, not "" */
    kind_size,                      /* a size_t above 0, as text_to_size() */
    kind_count,                     /* the same, of no bytes */
    kind_granule,                   /* a size_t: option_granule() */
    kind_choice; /* an unsigned or an enum: which of "one|two" the text is,
                    where that is the option's argument */

typedef struct verb_option {
    const char *name;
    int letter;           /* 0: none */
    const char *argument; /* as the help shows it; NULL: a flag */
    const char *help;     /* NULL: another name of an option, not shown */
    const option_kind *kind;
    size_t at; /* where in the verb's request the value is */
} verb_option;

/* What the words are that are no options. */
typedef enum verb_subject {
    SUBJECT_ONE,     /* one word */
    SUBJECT_TWO,     /* two words */
    SUBJECT_PROGRAM, /* a program and its arguments, options among them */
    SUBJECT_EITHER   /* one word, or "--", a program and its arguments */
} verb_subject;

typedef struct verb_usage {
    const char *verb;
    const char *words; /* as the help shows them */
    const char *what;  /* completes "which" and "one ... at a time" */
    verb_subject subject;
    const char *help;           /* behind \v: what follows the options */
    const verb_option *options; /* at most OPTIONS_MAX, and one of no name */
} verb_usage;

enum { OPTIONS_MAX = 16 };

typedef struct verb_words {
    char **at; /* at least one, and NULL; both of two */
    bool program;
} verb_words;

/* Stores what the options say into the request. Ends this process with one
 * line and COMMAND_USAGE if something is wrong, or after --help. */
verb_words options_take(const verb_usage *usage, int argc, char **argv,
                        void *request);

/* A power of two from 8 to 1G. */
bool option_granule(const char *text, size_t *granule);

#endif
