#include "command.h"

#include "trace/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
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

/* A stream remembers that a write failed, not why. What it wanted to write is
 * lost already: one byte more tells why, or that it was but for a while. */
static int why_it_failed(FILE *file)
{
    return write(fileno(file), "\n", 1) < 0 ? errno : EIO;
}

int command_flush(FILE *file)
{
    return fflush(file) != 0 ? errno : ferror(file) ? why_it_failed(file) : 0;
}

int command_close(FILE *file)
{
    int error = command_flush(file);
    return fclose(file) != 0 && error == 0 ? errno : error;
}
