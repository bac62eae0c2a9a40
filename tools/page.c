#include "page.h"

#include "command.h"
#include "input_trace.h"
#include "report/page.h"
#include "view/packed.h"

#include <bitfit.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ------------------------------------------------------------------ options */

static bool take_page(const verb_option *option, const char *text, void *to)
{
    static const char *const others[] = {".png", ".svg", ".jpg",  ".jpeg",
                                         ".gif", ".pdf", ".json", ".txt"};
    size_t length = strlen(text);
    (void)option;
    *(const char **)to = text;
    if (length == 0)
        return false;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        size_t ending = strlen(others[i]);
        if (length > ending &&
            strcasecmp(text + length - ending, others[i]) == 0)
            return false;
    }
    return true;
}

const option_kind kind_page = {
    take_page, "a page's name, such as x.html (bitfit map draws pictures)"};

/* ------------------------------------------------------------------ figures */

static json_t *samples_of(const heap_history *heap)
{
    json_t *columns[6];
    for (int i = 0; i < 6; i++)
        columns[i] = json_array();
    for (size_t i = 0; i < heap->sample_count; i++) {
        const heap_sample *s = &heap->samples[i];
        const uint64_t values[6] = {s->event,      s->live,    s->requested,
                                    s->high_water, s->largest, s->free};
        for (int c = 0; c < 6; c++) {
            json_array_append_new(columns[c],
                                  json_integer((json_int_t)values[c]));
        }
    }
    return json_pack("{sosososososo}", "event", columns[0], "live", columns[1],
                     "requested", columns[2], "high_water", columns[3],
                     "largest", columns[4], "free", columns[5]);
}

static json_t *figures_of(const heap_history *heap)
{
    return json_pack(
        "{sososIsIsIsIsIsIsIsIsIsIsIsbsbsIso}", "name",
        text_json(heap->trace->name), "about", text_json(heap->trace->about),
        "events", (json_int_t)heap->trace->count, "stays",
        (json_int_t)heap->stay_count, "crowds", (json_int_t)heap->crowd_count,
        "blur", (json_int_t)heap->blur, "time_step",
        (json_int_t)packed_time_step(heap), "granule",
        (json_int_t)heap->granule, "capacity", (json_int_t)heap->capacity,
        "high_water", (json_int_t)heap->high_water, "peak_live",
        (json_int_t)heap->peak_live, "peak_requested",
        (json_int_t)heap->peak_requested, "peak_event",
        (json_int_t)heap->peak_event, "timed", (int)heap->trace->timed, "cut",
        (int)heap->trace->cut, "failures", (json_int_t)heap->failures,
        "samples", samples_of(heap));
}

const char *page_write_json(FILE *to, json_t *object)
{
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    for (const char *at = text; at != NULL && *at != '\0'; at++) {
        if (*at == '<') {
            fputs("\\u003c", to);
        } else {
            fputc(*at, to);
        }
    }
    json_decref(object);
    if (text == NULL)
        return "there is not enough memory";
    free(text);
    return NULL;
}

const char *page_write_figures(FILE *to, const void *heap)
{
    return page_write_json(to, figures_of(heap));
}

const char *page_write_columns(FILE *to, const void *heap)
{
    return packed_write(to, heap);
}

const char *page_write_text(FILE *to, const void *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (strchr("<>&\"", *at) != NULL) {
            fprintf(to, "&#%d;", *at);
        } else {
            fputc(*at, to);
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------- saving */

static const page_part common[] = {{"STYLE", report_style, NULL, NULL},
                                   {"COMMON", report_common, NULL, NULL},
                                   {"VERSION", BITFIT_VERSION, NULL, NULL},
                                   {0}};

static const page_part *find(const page_part *parts, const char *name,
                             size_t length)
{
    while (parts->name != NULL && (strlen(parts->name) != length ||
                                   memcmp(parts->name, name, length) != 0))
        parts++;
    return parts->name != NULL ? parts : NULL;
}

static const char *write_part(FILE *to, const page_part *parts,
                              const char *name, size_t length)
{
    const page_part *part = find(parts, name, length);
    if (part == NULL)
        part = find(common, name, length);
    if (part == NULL)
        return "a part of the page is missing: a bug in bitfit";
    if (part->text == NULL)
        return part->write(to, part->of);
    fputs(part->text, to);
    return NULL;
}

static const char *write_page(FILE *to, const char *frame,
                              const page_part *parts)
{
    const char *at = frame;
    const char *why = NULL;
    for (const char *mark; why == NULL && (mark = strstr(at, "@@")) != NULL;) {
        fwrite(at, 1, (size_t)(mark - at), to);
        const char *end = strstr(mark + 2, "@@");
        why = write_part(to, parts, mark + 2, (size_t)(end - mark - 2));
        at = end + 2;
    }
    fputs(at, to);
    return why;
}

int page_save(const char *verb, const char *input, const char *path,
              const char *frame, const page_part *parts)
{
    bool to_stdout = path == NULL || strcmp(path, "-") == 0;
    FILE *to = to_stdout ? stdout : fopen(path, "we");
    if (to == NULL)
        return command_error(verb, "%s: %s", path, strerror(errno));
    const char *why = write_page(to, frame, parts);
    int error = to_stdout ? 0 : command_close(to);
    if (why != NULL)
        return command_error(verb, "%s: %s", input, why);
    if (error != 0)
        return command_error(verb, "%s: %s", path, strerror(error));
    return COMMAND_OK;
}
