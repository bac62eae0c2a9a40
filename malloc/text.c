#include "text.h"

#include "system.h"

#include <string.h>

void text_add(text *to, const char *words)
{
    while (*words != '\0' && to->length < to->size) {
        to->bytes[to->length++] = *words++;
    }
}

/* Bytes of the printable character that begins here, in UTF-8; 0 if there is
 * none. */
static size_t printable(const char *at)
{
    unsigned char first = (unsigned char)at[0];
    size_t length = first < 0x80    ? 1
                    : first < 0xc2  ? 0
                    : first < 0xe0  ? 2
                    : first < 0xf0  ? 3
                    : first <= 0xf4 ? 4
                                    : 0;
    bool control = first < 0x20 || first == 0x7f ||
                   (first == 0xc2 && (unsigned char)at[1] < 0xa0);
    for (size_t i = 1; i < length && !control; i++) {
        control = ((unsigned char)at[i] & 0xc0) != 0x80;
    }
    return control ? 0 : length;
}

void text_add_name(text *to, const char *name)
{
    const char *at = name;
    while (*at != '\0' && at - name < NAME_SHOWN) {
        char character[5] = "?";
        size_t length = printable(at);
        memcpy(character, at, length);
        text_add(to, character);
        at += length + (length == 0);
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
    return system_write(file, from->bytes, from->length);
}

void complain(const char *words, const char *detail)
{
    char memory[LINE_SIZE + NAME_SHOWN];
    text line = TEXT_IN(memory);
    text_add(&line, "bitfit: ");
    text_add(&line, words);
    text_add(&line, ": ");
    text_add_name(&line, detail);
    text_add(&line, "\n");
    text_write(&line, STDERR_FILENO);
}

/* ----------------------------------------------------------------- the end */

/* As abort(), but no handler runs and nothing can come between. */
static _Noreturn void abort_now(void)
{
    signal_set aborts = {{1UL << (SIGABRT - 1)}};
    unsigned long action[32] = {0}; /* the kernel's: zeros are SIG_DFL */
    system_call(SYS_rt_sigaction, SIGABRT, (long)action, 0, SIGNALS_SIZE);
    system_call(SYS_tgkill, system_process(), system_thread(), SIGABRT, 0);
    system_mask(SIG_UNBLOCK, aborts);
    for (;;) { /* as process 1 */
        __builtin_trap();
    }
}

void die(const char *kind, const char *call, const void *pointer)
{
    system_block_signals();
    char memory[LINE_SIZE];
    text line = TEXT_IN(memory);
    text_add(&line, "bitfit: ");
    text_add(&line, kind);
    text_add(&line, ": ");
    text_add(&line, call);
    text_add(&line, "(");
    if (pointer != NULL) {
        text_pointer(&line, pointer);
    }
    text_add(&line, ")\n");
    if (system_can_write(STDERR_FILENO)) {
        text_write(&line, STDERR_FILENO);
    }
    abort_now();
}
