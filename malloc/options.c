#include "options.h"

#include "carve.h"
#include "environment.h"
#include "limits.h"
#include "system.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { GRANULE_MIN = 16, GRANULE_MAX = 1 << 20, PERCENT_DEFAULT = 50 };

static void refuse(const char *name, const char *value, const char *why)
{
    char memory[LINE_SIZE + NAME_SHOWN];
    text line = TEXT_IN(memory);
    text_add(&line, "bitfit: ");
    text_add(&line, name);
    text_add(&line, "=");
    text_add_name(&line, value);
    text_add(&line, ": ");
    text_add(&line, why);
    text_add(&line, "; the default is used\n");
    text_write(&line, STDERR_FILENO);
}

/* ----------------------------------------------------------------- numbers */

/* The decimal number at the text's front and what follows it; NULL if there is
 * none, or it does not fit. */
static const char *read_number(const char *from, uint64_t *number)
{
    const char *at = from;
    *number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (*number > (UINT64_MAX - digit) / 10) {
            return NULL;
        }
        *number = *number * 10 + digit;
    }
    return at == from ? NULL : at;
}

/* A size as `bitfit` takes it: bytes, or a number of K, M, G or T. */
static bool read_size(const char *from, size_t *size)
{
    static const char units[] = "KkMmGgTt";
    uint64_t number;
    const char *rest = read_number(from, &number);
    if (rest == NULL) {
        return false;
    }
    unsigned shift = 0;
    if (*rest != '\0') {
        const char *unit = strchr(units, *rest);
        shift = unit == NULL ? 0 : 10 * (unsigned)((unit - units) / 2 + 1);
        rest += unit != NULL;
    }
    *size = (size_t)number << shift;
    return *rest == '\0' && number <= ((uint64_t)PTRDIFF_MAX >> shift);
}

/* -------------------------------------------------------------- the budget */

static size_t percent_of_memory(uint64_t percent)
{
    uint64_t size = limits_memory() / 100 * percent;
    return size > PTRDIFF_MAX ? PTRDIFF_MAX : (size_t)size;
}

/* Half of what there is: stacks and libraries need room as well. */
static size_t default_budget(void)
{
    size_t budget = percent_of_memory(PERCENT_DEFAULT);
    size_t private = limits_private() / 2;
    return budget < private ? budget : private;
}

static bool read_budget(const char *value, size_t *budget)
{
    uint64_t percent;
    const char *rest = read_number(value, &percent);
    if (rest != NULL && strcmp(rest, "%") == 0) {
        *budget = percent_of_memory(percent);
        return percent >= 1 && percent <= 100;
    }
    return read_size(value, budget);
}

static void set_budget(option_set *to)
{
    const char *value = environment("BITFIT_POOL");
    to->budget_given = value != NULL && read_budget(value, &to->budget);
    if (to->budget_given) {
        return;
    }
    to->budget = default_budget();
    if (value != NULL) {
        refuse("BITFIT_POOL", value,
               "not a size such as 64M, nor a percentage such as 25%");
    }
}

/* -------------------------------------------------------------- the others */

static void set_granule(option_set *to)
{
    const char *value = environment("BITFIT_GRANULE");
    size_t granule = GRANULE_MIN;
    to->granule = GRANULE_MIN;
    if (value == NULL) {
        return;
    }
    if (read_size(value, &granule) && granule >= GRANULE_MIN &&
        granule <= GRANULE_MAX && bf_is_power_of_two(granule)) {
        to->granule = granule;
    } else {
        refuse("BITFIT_GRANULE", value, "not a power of two from 16 to 1M");
    }
}

static bool read_switch(const char *name, bool otherwise)
{
    const char *value = environment(name);
    if (value == NULL) {
        return otherwise;
    }
    if (strcmp(value, "0") == 0 || strcmp(value, "1") == 0) {
        return value[0] == '1';
    }
    refuse(name, value, "neither 0 nor 1");
    return otherwise;
}

static bool read_on_failure(void)
{
    const char *value = environment("BITFIT_ON_FAILURE");
    if (value == NULL || strcmp(value, "continue") == 0) {
        return false;
    }
    if (strcmp(value, "abort") == 0) {
        return true;
    }
    refuse("BITFIT_ON_FAILURE", value, "neither continue nor abort");
    return false;
}

static void set_fail_at(option_set *to)
{
    const char *value = environment("BITFIT_FAIL_AT");
    if (value == NULL) {
        return;
    }
    uint64_t number;
    const char *rest = read_number(value, &number);
    bool on = rest != NULL && strcmp(rest, "+") == 0;
    if (rest == NULL || number == 0 || (*rest != '\0' && !on)) {
        refuse("BITFIT_FAIL_AT", value, "not a request's number, or N+");
        return;
    }
    to->fail_at = number;
    to->fail_on = on;
}

/* The program may change its folder: the path becomes absolute now. */
static bool make_path(option_set *to, const char *value)
{
    size_t front = 0;
    if (value[0] != '/') {
        if (!system_folder(to->report_path, sizeof to->report_path)) {
            return false;
        }
        front = strlen(to->report_path);
        to->report_path[front++] = '/';
    }
    size_t length = strlen(value);
    if (length == 0 || length >= sizeof to->report_path - front) {
        return false;
    }
    memcpy(to->report_path + front, value, length + 1);
    return true;
}

static void set_report(option_set *to)
{
    const char *value = environment("BITFIT_REPORT");
    if (value == NULL || strcmp(value, "none") == 0) {
        return;
    }
    if (strcmp(value, "stderr") == 0) {
        to->report_kind = REPORT_STDERR;
    } else if (make_path(to, value)) {
        to->report_kind = REPORT_FILE;
        to->report_each = strstr(value, "%p") != NULL;
    } else {
        refuse("BITFIT_REPORT", value, "no path that can be used");
    }
}

void options_read(option_set *to)
{
    environment_begin();
    set_budget(to);
    set_granule(to);
    to->prefault = read_switch("BITFIT_PREFAULT", false);
    to->lock = read_switch("BITFIT_MLOCK", false);
    to->huge = read_switch("BITFIT_HUGE", false);
    to->abort_on_failure = read_on_failure();
    to->hardened = read_switch("BITFIT_HARDENED", false);
    to->inherit = read_switch("BITFIT_INHERIT", true);
    to->leaks = read_switch("BITFIT_LEAKS", false);
    set_fail_at(to);
    set_report(to);
    environment_end();
}

/* ------------------------------------------------------------- inheritance */

static bool is_separator(char character)
{
    return character == ':' || character == ' ';
}

/* Whether this path, up to the next separator, is this library. */
static bool is_this_library(const char *path)
{
    static const char name[] = "libbitfit-malloc.so";
    size_t length = 0;
    while (path[length] != '\0' && !is_separator(path[length])) {
        length++;
    }
    size_t start = length;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    return length - start >= sizeof name - 1 &&
           memcmp(path + start, name, sizeof name - 1) == 0;
}

/* Leaves the other libraries in the list: it becomes shorter where it is. */
static void drop_this_library(char *list)
{
    char *to = list;
    const char *from = list;
    while (*from != '\0') {
        bool keep = !is_this_library(from);
        while (*from != '\0' && !is_separator(*from)) {
            if (keep) {
                *to++ = *from;
            }
            from++;
        }
        if (*from != '\0') {
            if (keep) {
                *to++ = *from;
            }
            from++;
        }
    }
    *to = '\0';
}

void options_pass_on(const option_set *from)
{
    static const char *const names[] = {
        "BITFIT_POOL",    "BITFIT_GRANULE",  "BITFIT_REPORT",
        "BITFIT_MLOCK",   "BITFIT_PREFAULT", "BITFIT_HUGE",
        "BITFIT_INHERIT", "BITFIT_HARDENED", "BITFIT_ON_FAILURE",
        "BITFIT_LEAKS",   "BITFIT_FAIL_AT"};
    if (from->inherit) {
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsetenv(names[i]);
    }
    char *preload = getenv("LD_PRELOAD");
    if (preload != NULL) {
        drop_this_library(preload);
        if (*preload == '\0') {
            unsetenv("LD_PRELOAD");
        }
    }
}
