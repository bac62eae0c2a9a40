#include "screen.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool screen_unicode(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool screen_colours(FILE *stream)
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

void screen_progress(const char *what, uint64_t done, uint64_t total)
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
        bool unicode = screen_unicode();
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
