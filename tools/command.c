#include "command.h"

#include "trace/text.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int command_error(const char *verb, const char *format, ...)
{
    va_list arguments;
    char *text;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    fflush(stdout);
    if (text != NULL)
        text_make_visible(text);
    fprintf(stderr, "bitfit %s: %s\n", verb,
            text != NULL ? text : "there is not enough memory");
    free(text);
    return COMMAND_INPUT;
}

int command_flush(FILE *file)
{
    return fflush(file) != 0 ? errno : ferror(file) ? EIO : 0;
}

int command_close(FILE *file)
{
    int error = command_flush(file);
    return fclose(file) != 0 && error == 0 ? errno : error;
}

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

bool command_size(const char *text, size_t *size)
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

const char *command_size_text(char text[static 24], uint64_t size)
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

bool command_unicode(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool command_colours(FILE *stream)
{
    const char *refusal = getenv("NO_COLOR");
    return isatty(fileno(stream)) && (refusal == NULL || *refusal == '\0');
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void command_progress(const char *what, uint64_t done, uint64_t total)
{
    static double begun, shown;
    static bool visible;
    double time = now();
    if (begun == 0)
        begun = time;
    bool ends = done >= total;
    if (isatty(STDERR_FILENO) && (ends ? visible : time - begun > 1) &&
        (ends || time - shown > 0.1)) {
        enum { WIDTH = 30 };
        int filled =
            total == 0 ? WIDTH : (int)((double)done / (double)total * WIDTH);
        bool unicode = command_unicode();
        const char *full = unicode ? "\u2588" : "#";
        const char *empty = unicode ? "\u2591" : ".";
        fprintf(stderr, "\r\033[K%s ", what);
        for (int i = 0; i < WIDTH; i++)
            fputs(i < filled ? full : empty, stderr);
        if (ends)
            fputs("\r\033[K", stderr);
        fflush(stderr);
        shown = time;
        visible = true;
    }
    if (ends) {
        begun = 0;
        visible = false;
    }
}
