/*
 * A line of text, made without allocating: what does not fit is left out.
 */
#ifndef BITFIT_LINE_H
#define BITFIT_LINE_H

#include <stddef.h>
#include <stdint.h>

typedef struct bf_line {
    char *text;
    size_t size;
    size_t length;
} bf_line;

static inline void say(bf_line *line, const char *text)
{
    while (*text != '\0' && line->length < line->size) {
        line->text[line->length++] = *text++;
    }
}

static inline void say_decimal(bf_line *line, size_t number)
{
    char digits[3 * sizeof number + 1];
    size_t first = sizeof digits;
    digits[--first] = '\0';
    do {
        digits[--first] = "0123456789"[number % 10];
        number /= 10;
    } while (number != 0);
    say(line, digits + first);
}

static inline void say_hex(bf_line *line, uint64_t number)
{
    unsigned shift = 60;
    while (shift != 0 && number >> shift == 0) {
        shift -= 4;
    }
    say(line, "0x");
    for (shift += 4; shift != 0; shift -= 4) {
        char digit[2] = {"0123456789abcdef"[number >> (shift - 4) & 15], '\0'};
        say(line, digit);
    }
}

#endif
