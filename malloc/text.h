/*
 * Lines of text made without allocating, for reports and last words.
 */
#ifndef BITFIT_MALLOC_TEXT_H
#define BITFIT_MALLOC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In memory of the caller's; what does not fit is left out. Handlers run on
 * small stacks: a line that they may write takes LINE_SIZE there. */
typedef struct text {
    char *bytes;
    size_t size;
    size_t length;
} text;

enum { LINE_SIZE = 160 };

/* Memory for a text, and an empty one in it. */
#define TEXT_IN(memory)                                                        \
    {                                                                          \
        .bytes = (memory), .size = sizeof(memory), .length = 0                 \
    }

void text_add(text *to, const char *words);

/* What another gave: at most NAME_SHOWN bytes of it, and "?" in place of what
 * is no printable character. */
enum { NAME_SHOWN = 255 };
void text_add_name(text *to, const char *name);

void text_number(text *to, uint64_t number);
void text_pointer(text *to, const void *pointer);

/* As "67108864 (64.0 MiB)". */
void text_size(text *to, uint64_t size);

/* Writes it all; whether that succeeded. errno stays. */
bool text_write(const text *from, int file);

/* "bitfit: WORDS: DETAIL" as one line on standard error. */
void complain(const char *words, const char *detail);

/* The only way to die: "bitfit: KIND: CALL(POINTER)" as one line on standard
 * error, then the end by SIGABRT, without its handler. It can be called in any
 * state, the heap's lock held or not, and nothing in it can be cancelled,
 * replaced, interrupted or left by longjmp(). */
_Noreturn void die(const char *kind, const char *call, const void *pointer);

#endif
