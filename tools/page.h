/* Pages for a browser: one file that needs nothing else. */
#ifndef PAGE_H
#define PAGE_H

#include "options.h"
#include "view/heap.h"

#include <jansson.h>
#include <stdio.h>

/* The name of a page's file, a const char *; one that promises something else
 * is a mistake. */
extern const option_kind kind_page;

/* So many stays, and their crowds, are a few MB that a browser soon opens. */
enum { PAGE_STAYS = 800000 };

/* What stands for @@NAME@@ in the frame: a text, or what is written then, which
 * returns NULL or why it cannot be. */
typedef struct page_part {
    const char *name;
    const char *text;
    const char *(*write)(FILE *to, const void *of);
    const void *of;
} page_part;

/* With the parts, ended by one without a name, and those that all pages have.
 * NULL is standard output. Returns the verb's exit code; `input` is what errors
 * are about. */
int page_save(const char *verb, const char *input, const char *path,
              const char *frame, const page_part *parts);

/* The text as it stands in a page. */
const char *page_write_text(FILE *to, const void *text);

/* The object as JSON in which no end of a script can stand. */
const char *page_write_json(FILE *to, json_t *object);

/* A heap_history's figures, and its stays. */
const char *page_write_figures(FILE *to, const void *heap);
const char *page_write_columns(FILE *to, const void *heap);

#endif
