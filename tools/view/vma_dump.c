#include "vma_dump.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum {
    PEEK = 1 << 16, /* what stands before the pools is shorter */
    GRANULE = 16
};

/* All sizes together stay below this. */
#define BYTES_MAX ((uint64_t)1 << 48)

typedef struct dump {
    moment_maker to;
    uint64_t end; /* of the memory so far */
    const char *wrong;
} dump;

bool vma_dump_is_one(const char *path)
{
    static const char *const words[] = {"\"DefaultPools\"", "\"CustomPools\"",
                                        "\"Suballocations\""};
    char start[PEEK + 1];
    bool is = false;
    FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(start, 1, PEEK, file);
    start[size] = '\0';
    fclose(file);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        is |= memmem(start, size, words[i], strlen(words[i])) != NULL;
    return is && start[strspn(start, " \t\r\n")] == '{';
}

static uint64_t number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    json_int_t is = json_is_integer(value) ? json_integer_value(value) : -1;
    return is < 0 ? UINT64_MAX : (uint64_t)is;
}

/* ------------------------------------------------------------------- memory */

/* Adds an allocation behind `at`, in memory of `size` bytes. */
static void take_allocation(dump *of, const json_t *one, uint64_t *at,
                            uint64_t size)
{
    const char *type = json_string_value(json_object_get(one, "Type"));
    uint64_t offset = number(one, "Offset");
    uint64_t length = number(one, "Size");
    uint64_t requested = number(one, "Requested"); /* bitfit's own word */
    if (offset < *at || offset > size || length > size - offset ||
        length == 0) {
        of->wrong = "its allocations overlap, or leave their memory";
        return;
    }
    if (type != NULL && strcmp(type, "FREE") == 0)
        return;
    uint64_t waste = requested < length ? length - requested : 0;
    moment_add_hole(&of->to, of->end + *at, of->end + offset);
    moment_add_block(
        &of->to,
        &(moment_run){.offset = of->end + offset,
                      .size = length,
                      .waste = (uint32_t)(waste <= UINT32_MAX ? waste : 0),
                      .live = true});
    *at = offset + length;
}

static void take_memory(dump *of, const json_t *memory)
{
    uint64_t size = number(memory, "TotalBytes");
    uint64_t at = 0;
    size_t i;
    json_t *one;
    if (size > BYTES_MAX - of->end) {
        of->wrong = "its sizes make no sense";
        return;
    }
    json_array_foreach(json_object_get(memory, "Suballocations"), i, one)
    {
        take_allocation(of, one, &at, size);
        if (of->wrong != NULL)
            return;
    }
    moment_add_hole(&of->to, of->end + at, of->end + size);
    of->end += size;
}

/* Memory of one allocation each. */
static void take_dedicated(dump *of, const json_t *list)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        uint64_t size = number(one, "Size");
        if (size > BYTES_MAX - of->end) {
            of->wrong = "its sizes make no sense";
            return;
        }
        moment_add_block(
            &of->to,
            &(moment_run){.offset = of->end, .size = size, .live = true});
        of->end += size;
    }
}

/* Memory stands at different depths in the versions of the format. */
static void take_all(dump *of, json_t *in)
{
    const char *key;
    json_t *value;
    size_t i;
    if (of->wrong != NULL)
        return;
    if (json_is_array(json_object_get(in, "Suballocations"))) {
        take_memory(of, in);
        return;
    }
    json_array_foreach(in, i, value) take_all(of, value);
    json_object_foreach(in, key, value)
    {
        if (strcmp(key, "DedicatedAllocations") == 0 && json_is_array(value)) {
            take_dedicated(of, value);
        } else {
            take_all(of, value);
        }
    }
}

static void finish(dump *of)
{
    heap_moment *moment = of->to.moment;
    moment->stats.granule = GRANULE;
    moment->stats.capacity = of->end;
    moment->stats.high_water = moment->top;
    moment->stats.peak_live = moment->stats.live;
    if (moment->requested == moment->stats.live)
        moment->requested = 0; /* nobody said what was requested */
}

const char *vma_dump_look(const char *path, heap_moment *moment)
{
    static char text[JSON_ERROR_TEXT_LENGTH + 64];
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    dump of = {.to = {.moment = moment}};
    *moment = (heap_moment){.count = 0};
    if (root == NULL) {
        snprintf(text, sizeof text, "line %d: %s", error.line, error.text);
        return text;
    }
    take_all(&of, root);
    json_decref(root);
    if (of.wrong == NULL && of.end == 0)
        of.wrong = "this dump has no memory: it must be made in detail";
    if (of.wrong == NULL && of.to.failed)
        of.wrong = "there is not enough memory";
    if (of.wrong != NULL) {
        moment_close(moment);
        return of.wrong;
    }
    finish(&of);
    return NULL;
}
