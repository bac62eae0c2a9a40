#include "environment.h"

#include "system.h"

#include <string.h>
#include <sys/auxv.h>

/* The C library's, without its header: some declare it, some do not. */
extern char **environ;

/* The kernel's text, one variable behind the other, each ended by a NUL; NULL
 * if it was not needed. */
static struct {
    char *text;
    size_t size;
} started;

enum { TEXT_MAX = 4 << 20 }; /* bytes: more than the kernel takes for a start */

/* The last byte stays 0. */
static void read_all(int file)
{
    started.text = system_map(TEXT_MAX, PROT_READ | PROT_WRITE, -1);
    long more = started.text == NULL ? 0 : 1;
    while (more > 0 && started.size < TEXT_MAX - 1) {
        more = system_read(file, started.text + started.size,
                           TEXT_MAX - 1 - started.size);
        started.size += more > 0 ? (size_t)more : 0;
    }
}

void environment_begin(void)
{
    started.size = 0;
    if (environ == NULL) {
        int file = system_open("/proc/self/environ", O_RDONLY);
        if (file >= 0) {
            read_all(file);
            system_close(file);
        }
    }
}

void environment_end(void)
{
    if (started.text != NULL) {
        system_unmap(started.text, TEXT_MAX);
        started.text = NULL;
    }
}

/* What stands behind "NAME=" at the front of the text, or NULL. */
static const char *value_in(const char *text, const char *name)
{
    size_t length = strlen(name);
    bool is_it = strncmp(text, name, length) == 0 && text[length] == '=';
    return is_it ? text + length + 1 : NULL;
}

const char *environment(const char *name)
{
    const char *value = NULL;
    if (getauxval(AT_SECURE) != 0) {
        return NULL;
    }
    for (char **at = environ; at != NULL && *at != NULL && value == NULL;
         at++) {
        value = value_in(*at, name);
    }
    for (size_t at = 0;
         started.text != NULL && at < started.size && value == NULL;
         at += strlen(started.text + at) + 1) {
        value = value_in(started.text + at, name);
    }
    return value;
}
