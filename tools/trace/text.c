#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads the UTF-8 sequence that begins here. Returns its bytes; 0 if it is
 * none: cut off, longer than need be, or no character. */
static size_t take_character(const char *text, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text[0];
    size_t length = first < 0x80             ? 1
                    : (first & 0xE0) == 0xC0 ? 2
                    : (first & 0xF0) == 0xE0 ? 3
                    : (first & 0xF8) == 0xF0 ? 4
                                             : 0;
    uint32_t found = length < 2 ? first : first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            return 0;
        found = found << 6 | ((unsigned char)text[i] & 0x3F);
    }
    *character = found;
    bool surrogate = found >= 0xD800 && found < 0xE000;
    return found < least[length] || surrogate || found > 0x10FFFF ? 0 : length;
}

static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7F && character < 0xA0);
}

static void clean(char *text, bool keep_controls)
{
    while (*text != '\0') {
        uint32_t character;
        size_t length = take_character(text, &character);
        if (length == 0 || (!keep_controls && is_control(character))) {
            *text = '?';
            length = 1;
        }
        text += length;
    }
}

void text_make_utf8(char *text)
{
    clean(text, true);
}

void text_make_visible(char *text)
{
    clean(text, false);
}

/* ------------------------------------------------------------------- sizes */

static int unit_shift(const char *unit)
{
    static const char units[] = "KMGT";
    if (*unit == '\0')
        return 0;
    for (int i = 0; units[i] != '\0'; i++) {
        if ((unit[0] & ~0x20) == units[i] && unit[1] == '\0')
            return 10 * (i + 1);
    }
    return -1;
}

bool text_to_size(const char *text, size_t *size)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    int shift = unit_shift(end);
    if (errno != 0 || shift < 0 || number > SIZE_MAX >> shift)
        return false;
    *size = (size_t)number << shift;
    return true;
}

const char *text_of_size(char text[static 24], uint64_t size)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    static const double rounds_to_1024 = 1023.95;
    double value = (double)size;
    size_t unit = 0;
    while (value >= (unit == 0 ? 1024 : rounds_to_1024) &&
           unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    snprintf(text, 24, "%.*f %s", unit == 0 ? 0 : 1, value, units[unit]);
    return text;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t text_line_length(const char *frame, const char *end)
{
    const char *at = end - 1;
    if (end - frame < 6 || *at != ')' || !is_digit(at[-1]))
        return 0;
    while (--at > frame && is_digit(*at)) {
    }
    if (*at != ':')
        return 0;
    while (--at > frame && *at != '(' && *at != ')') {
    }
    return at - 1 > frame && *at == '(' && at[-1] == ' '
               ? (size_t)(end - at) + 1
               : 0;
}

void text_drop_lines(char *stack)
{
    char *to = stack;
    for (const char *at = stack; *at != '\0';) {
        const char *end = at + strcspn(at, ";");
        size_t length = (size_t)(end - at) - text_line_length(at, end);
        memmove(to, at, length);
        to += length;
        if (*end == ';')
            *to++ = *end++;
        at = end;
    }
    *to = '\0';
}
