#include "settings.h"

#include "../trace/system.h"

#include <stdlib.h>
#include <string.h>

/* Writes this process' number; snprintf() may allocate. */
static void put_pid(char *text)
{
    char digits[SETTINGS_PID_MAX];
    size_t count = 0;
    for (unsigned pid = (unsigned)system_pid(); pid > 0; pid /= 10)
        digits[count++] = (char)('0' + pid % 10);
    while (count > 0)
        *text++ = digits[--count];
    *text = '\0';
}

static bool is_number(const char *text, long number)
{
    return text != NULL && strtol(text, NULL, 10) == number;
}

/* Whether this is the process that is to be recorded. It is marked, since an
 * orphan may get the same parent later. */
static bool is_subject(void)
{
    const char *own = secure_getenv(RECORD_PID);
    char text[SETTINGS_PID_MAX] = "";
    if (own != NULL)
        return is_number(own, system_pid());
    if (!is_number(secure_getenv(RECORD_PARENT), getppid()))
        return false;
    put_pid(text);
    setenv(RECORD_PID, text, 1);
    return true;
}

void settings_fork(settings *to)
{
    size_t length = strlen(to->path);
    memcpy(to->own, to->path, length);
    to->own[length] = '.';
    put_pid(to->own + length + 1);
}

bool settings_read(settings *to)
{
    const char *path = secure_getenv(RECORD_PATH);
    const char *events = secure_getenv(RECORD_EVENTS);
    if (path == NULL || strlen(path) >= sizeof to->path)
        return false;
    strcpy(to->path, path);
    to->events = events == NULL ? UINT64_MAX : strtoull(events, NULL, 10);
    to->times = secure_getenv(RECORD_NO_TIMES) == NULL;
    to->stacks = secure_getenv(RECORD_SITES) != NULL;
    to->children = secure_getenv(RECORD_CHILDREN) != NULL;
    if (is_subject()) {
        strcpy(to->own, path);
        return true;
    }
    settings_fork(to);
    return to->children;
}
