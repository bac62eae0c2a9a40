/*
 * For libFuzzer: bytes as the environment of a program on libbitfit-malloc.
 * Whatever stands there, the options are ones that the heap can serve, and what
 * is refused is refused in one line. A library's list without this library
 * keeps the others. The source is included, since what it asks of the system
 * has answers of its own here.
 */
#include "../../malloc/environment.h"
#include "../../malloc/limits.h"
#include "../../malloc/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
    "BITFIT_POOL",       "BITFIT_GRANULE",  "BITFIT_PREFAULT", "BITFIT_MLOCK",
    "BITFIT_HUGE",       "BITFIT_HARDENED", "BITFIT_INHERIT",  "BITFIT_LEAKS",
    "BITFIT_ON_FAILURE", "BITFIT_FAIL_AT",  "BITFIT_REPORT",   "LD_PRELOAD",
};

enum { NAMES = sizeof names / sizeof names[0], VALUES = 1 << 13 };
enum { MACHINE = 1 << 30 }; /* bytes */

static char values[VALUES];
static const char *value_of[NAMES];
static size_t refused;

/* A failed condition ends the program: libFuzzer keeps the input. */
static void must(bool holds)
{
    if (!holds)
        abort();
}

/* ------------------------------------------------------ what is asked for */

static const char *given(const char *name)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(names[i], name) == 0)
            return value_of[i];
    }
    return NULL;
}

void environment_begin(void)
{
}

void environment_end(void)
{
}

const char *environment(const char *name)
{
    return given(name);
}

uint64_t limits_memory(void)
{
    return MACHINE;
}

size_t limits_private(void)
{
    return MACHINE;
}

static bool see_line(const text *line)
{
    static const char end[] = "; the default is used\n";
    must(line->length <= line->size && line->length > sizeof end);
    must(memcmp(line->bytes, "bitfit: BITFIT_", 15) == 0);
    const char *rest = line->bytes + line->length - (sizeof end - 1);
    must(memcmp(rest, end, sizeof end - 1) == 0);
    for (size_t i = 0; i + 1 < line->length; i++) {
        unsigned char byte = (unsigned char)line->bytes[i];
        must(byte >= ' ' && byte != 0x7f);
    }
    refused++;
    return true;
}

#define text_write(line, file) see_line(line)
#include "../../malloc/options.c"

/* ---------------------------------------------------------------- the input */

/* Each line is the number of a name and the value; the last of a name counts.
 */
static void read_values(const uint8_t *data, size_t size)
{
    size_t at = 0;
    memset(value_of, 0, sizeof value_of);
    size = size < VALUES - 1 ? size : VALUES - 1;
    while (at < size) {
        size_t name = data[at++] % NAMES;
        const char *value = values + at;
        for (; at < size && data[at] != '\n' && data[at] != '\0'; at++)
            values[at] = (char)data[at];
        values[at++] = '\0';
        value_of[name] = value;
    }
}

/* ---------------------------------------------------------------- judging */

static size_t must_be_switch(const char *name, bool is, bool otherwise)
{
    const char *value = given(name);
    bool good = value != NULL && (strcmp(value, "0") == 0 || //
                                  strcmp(value, "1") == 0);
    must(is == (good ? value[0] == '1' : otherwise));
    return value != NULL && !good;
}

static void must_be_path(const option_set *options)
{
    size_t length = strnlen(options->report_path, sizeof options->report_path);
    must(length > 0 && length < sizeof options->report_path);
    must(options->report_path[0] == '/');
    must(options->report_each ==
         (strstr(given("BITFIT_REPORT"), "%p") != NULL));
}

static void must_be_served(const option_set *options)
{
    size_t granule = options->granule;
    must(granule >= 16 && granule <= 1 << 20 && (granule & (granule - 1)) == 0);
    must(options->budget <= PTRDIFF_MAX);
    must(options->budget_given || options->budget <= MACHINE / 2);
    must(!options->fail_on || options->fail_at != 0);
    must(options->abort_on_failure ==
         (given("BITFIT_ON_FAILURE") != NULL &&
          strcmp(given("BITFIT_ON_FAILURE"), "abort") == 0));
    size_t bad = must_be_switch("BITFIT_PREFAULT", options->prefault, false) +
                 must_be_switch("BITFIT_MLOCK", options->lock, false) +
                 must_be_switch("BITFIT_HUGE", options->huge, false) +
                 must_be_switch("BITFIT_HARDENED", options->hardened, false) +
                 must_be_switch("BITFIT_INHERIT", options->inherit, true) +
                 must_be_switch("BITFIT_LEAKS", options->leaks, false);
    must(refused >= bad && refused <= bad + 5);
    if (options->report_kind == REPORT_FILE)
        must_be_path(options);
}

/* Another library of the list from here on, or its end. */
static const char *next_other(const char *list, size_t *length)
{
    for (;;) {
        list += strspn(list, ": ");
        *length = strcspn(list, ": ");
        const char *name = list;
        for (size_t i = 0; i < *length; i++)
            name = list[i] == '/' ? list + i + 1 : name;
        if (*length == 0 || strncmp(name, "libbitfit-malloc.so", 19) != 0)
            return list;
        list += *length;
    }
}

static void must_keep_others(const char *before, const char *after)
{
    size_t length;
    size_t left;
    do {
        before = next_other(before, &length);
        after += strspn(after, ": ");
        left = strcspn(after, ": ");
        must(left == length && memcmp(before, after, left) == 0);
        before += length;
        after += left;
    } while (left != 0);
}

/* The list stands in the environment itself, as the loader left it. */
static void pass_on(const option_set *options)
{
    static char variable[VALUES + sizeof "LD_PRELOAD="] = "LD_PRELOAD=";
    const char *preload = given("LD_PRELOAD");
    if (preload == NULL)
        return;
    strcpy(strchr(variable, '=') + 1, preload);
    must(putenv(variable) == 0);
    options_pass_on(options);
    const char *after = getenv("LD_PRELOAD");
    if (options->inherit)
        must(after != NULL && strcmp(after, preload) == 0);
    else
        must_keep_others(preload, after == NULL ? "" : after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    option_set options = {0};
    refused = 0;
    read_values(data, size);
    options_read(&options);
    must_be_served(&options);
    pass_on(&options);
    return 0;
}
