#include "misuse.h"

static const char *const crime_names[] = {
    [0] = "no crime",
    [BITFIT_DOUBLE_FREE] = "double free",
    [BITFIT_INTERIOR] = "interior pointer",
    [BITFIT_MISALIGNED] = "misaligned pointer",
    [BITFIT_FOREIGN] = "foreign pointer",
    [BITFIT_WRONG_SIZE] = "wrong size",
    [BITFIT_REENTRY] = "re-entry",
};

const char *bitfit_crime_name(bitfit_crime crime)
{
    size_t names = sizeof crime_names / sizeof crime_names[0];
    return (size_t)crime < names ? crime_names[crime] : "unknown crime";
}

/* A line under construction; what does not fit is left out. */
typedef struct bf_line {
    char *text;
    size_t size;
    size_t length;
} bf_line;

static void say(bf_line *line, const char *text)
{
    while (*text != '\0' && line->length < line->size) {
        line->text[line->length++] = *text++;
    }
}

static void say_number(bf_line *line, uintptr_t number, unsigned base)
{
    char digits[3 * sizeof number + 1];
    size_t first = sizeof digits;
    digits[--first] = '\0';
    do {
        digits[--first] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    say(line, digits + first);
}

static void say_pointer(bf_line *line, const void *pointer)
{
    say(line, "0x");
    say_number(line, (uintptr_t)pointer, 16);
}

size_t bf_misuse_line(const bitfit_misuse *misuse, char *text, size_t size)
{
    bf_line line = {.text = text, .size = size, .length = 0};
    say(&line, "bitfit: ");
    say(&line, bitfit_crime_name(misuse->crime));
    say(&line, ": ");
    say(&line, misuse->call);
    say(&line, "(");
    if (misuse->crime != BITFIT_REENTRY) {
        say_pointer(&line, misuse->pointer);
    }
    if (misuse->crime == BITFIT_WRONG_SIZE) {
        say(&line, ", ");
        say_number(&line, misuse->size, 10);
    }
    say(&line, ") in pool ");
    say_pointer(&line, misuse->pool);
    say(&line, "\n");
    return line.length;
}
