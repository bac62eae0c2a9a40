#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void text_add(text *to, const char *words)
{
    while (*words != '\0' && to->length < sizeof to->bytes) {
        to->bytes[to->length++] = *words++;
    }
}

static void add_in_base(text *to, uint64_t number, unsigned base)
{
    char digits[24];
    size_t first = sizeof digits;
    digits[--first] = '\0';
    do {
        digits[--first] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    text_add(to, digits + first);
}

void text_number(text *to, uint64_t number)
{
    add_in_base(to, number, 10);
}

void text_pointer(text *to, const void *pointer)
{
    text_add(to, "0x");
    add_in_base(to, (uintptr_t)pointer, 16);
}

void text_size(text *to, uint64_t size)
{
    static const char *const units[] = {" KiB)", " MiB)", " GiB)", " TiB)"};
    text_number(to, size);
    size_t unit = 0;
    uint64_t tenths = size * 10 / 1024;
    while (tenths >= 10240 && unit < 3) {
        tenths /= 1024;
        unit++;
    }
    text_add(to, " (");
    text_number(to, tenths / 10);
    text_add(to, ".");
    text_number(to, tenths % 10);
    text_add(to, units[unit]);
}

bool text_write(const text *from, int file)
{
    int kept = errno;
    ssize_t written = write(file, from->bytes, from->length);
    errno = kept;
    return written == (ssize_t)from->length;
}

void complain(const char *words, const char *detail)
{
    text line = {.length = 0};
    text_add(&line, "bitfit: ");
    text_add(&line, words);
    text_add(&line, ": ");
    text_add(&line, detail);
    text_add(&line, "\n");
    text_write(&line, STDERR_FILENO);
}

void die(const char *crime, const char *call, const void *pointer)
{
    text line = {.length = 0};
    text_add(&line, "bitfit: ");
    text_add(&line, crime);
    text_add(&line, ": ");
    text_add(&line, call);
    text_add(&line, "(");
    if (pointer != NULL) {
        text_pointer(&line, pointer);
    }
    text_add(&line, ")\n");
    text_write(&line, STDERR_FILENO);
    abort();
}
