/* bitfit map: draw a heap, over time or at one moment. */
#include "verbs.h"

#include "input_trace.h"
#include "options.h"
#include "trace/text.h"
#include "view/core_file.h"
#include "view/moment_json.h"
#include "view/outside.h"
#include "view/picture.h"
#include "view/pool_file.h"
#include "view/terminal.h"
#include "view/vma_dump.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef struct picture_size {
    unsigned width, height;
} picture_size;

/* As --theme lists them. */
typedef enum map_theme { THEME_LIGHT, THEME_DARK, THEME_NOT_GIVEN } map_theme;

typedef struct map_request {
    const char *input;
    const char *output; /* NULL: the terminal */
    const char *at;     /* NULL: all of the time, or the peak */
    scheme_by by;
    heap_clock clock;
    heap_options heap;
    picture_size size;
    map_theme theme;
    bool json;
} map_request;

/* ----------------------------------------------------------------- options */

static bool take_picture_size(const verb_option *option, const char *text,
                              void *to)
{
    picture_size *size = to;
    char rest;
    (void)option;
    return sscanf(text, "%5ux%5u%c", &size->width, &size->height, &rest) == 2 &&
           size->width >= PICTURE_SIDE_MIN && size->width <= PICTURE_SIDE_MAX &&
           size->height >= PICTURE_SIDE_MIN && size->height <= PICTURE_SIDE_MAX;
}

_Static_assert(PICTURE_SIDE_MIN == 320 && PICTURE_SIDE_MAX == 8192,
               "the message names them");
static const option_kind kind_picture_size = {take_picture_size,
                                              "from 320x320 to 8192x8192"};

/* A name that promises something else is a mistake. */
static bool take_picture(const verb_option *option, const char *text, void *to)
{
    const char *slash = strrchr(text, '/');
    const char *dot = strrchr(slash == NULL ? text : slash, '.');
    (void)option;
    *(const char **)to = text;
    return *text != '\0' && (dot == NULL || strcasecmp(dot, ".png") == 0 ||
                             strcasecmp(dot, ".svg") == 0);
}

static const option_kind kind_picture = {
    take_picture, "a file whose name ends in .png or .svg"};

static const verb_option option_list[] = {
    {"output", 'o', "FILE",
     "Write a picture: SVG if the name ends in .svg, else PNG", &kind_picture,
     offsetof(map_request, output)},
    {"at", 0, "WHEN",
     "One moment: after this event (a number, from 0), at this time (such as "
     "1.5s, 20ms), at the peak, or at the end",
     &kind_text, offsetof(map_request, at)},
    {"by", 0, "size|age|site", "The colours (size)", &kind_choice,
     offsetof(map_request, by)},
    {"clock", 0, "events|time", "What the width of the picture counts (events)",
     &kind_choice, offsetof(map_request, clock)},
    {"granule", 'g', "SIZE", "The pool's granule (16)", &kind_granule,
     offsetof(map_request, heap.granule)},
    {"pool", 'p', "SIZE", "The pool's size (the smallest that works)",
     &kind_size, offsetof(map_request, heap.pool)},
    {"size", 0, "WxH", "The size of the picture in pixels (1280x720)",
     &kind_picture_size, offsetof(map_request, size)},
    {"theme", 0, "light|dark", "The background", &kind_choice,
     offsetof(map_request, theme)},
    {"json", 0, NULL, "Print the moment as JSON, run by run", &kind_flag,
     offsetof(map_request, json)},
    {0}};

static const verb_usage usage = {
    .verb = "map",
    .words = "TRACE|PID|IMAGE|POOL|CORE|DUMP",
    .what = "trace, process, image, pool, core file or dump",
    .help = "Draws a heap. A trace is drawn over time, or at one moment; a "
            "process under `bitfit run`, a pool's saved image, a shared "
            "pool's file, the pools in a core file and the Vulkan Memory "
            "Allocator's JSON dump as they are. Without -o one moment is drawn "
            "in the terminal.",
    .options = option_list};

/* ------------------------------------------------------------------ moments */

static bool is_dark(const map_request *request, bool by_default)
{
    return request->theme == THEME_NOT_GIVEN ? by_default
                                             : request->theme == THEME_DARK;
}

static int show_moment(const map_request *request, const heap_moment *moment,
                       const heap_history *heap, uint32_t event,
                       const char *title)
{
    colour_scheme scheme;
    if (request->json)
        return json_print("map", moment_json(moment, true), JSON_COMPACT);
    bool dark = is_dark(request, request->output == NULL);
    bool ok = true;
    if (heap == NULL) {
        scheme_by_size(&scheme, dark);
    } else {
        ok = scheme_open(&scheme, request->by, heap, request->clock, dark);
    }
    const char *why = ok ? NULL : "there is not enough memory";
    if (ok && request->output != NULL) {
        const picture_options options = {
            request->output, title, request->size.width, request->size.height};
        why = picture_of_moment(moment, &scheme, heap, event, &options);
    } else if (ok) {
        terminal t = terminal_of(stdout);
        printf("%s\n", title);
        terminal_figures(&t, moment);
        if (!terminal_map(&t, moment, &scheme, heap, event))
            why = "there is not enough memory";
    }
    if (ok)
        scheme_close(&scheme);
    return why == NULL
               ? COMMAND_OK
               : command_error("map", "%s: %s",
                               request->output ? request->output : "", why);
}

/* ------------------------------------------------------------------- traces */

/* Stores the event after which the moment is. */
static bool event_of(const map_request *request, const input_trace *input,
                     const heap_history *heap, uint32_t *event)
{
    size_t events = heap->peak_event + 1;
    if (request->at != NULL && strcmp(request->at, "peak") != 0 &&
        !input_moment("map", input, request->at, &events))
        return false;
    *event = events > 0 ? (uint32_t)(events - 1) : 0;
    return true;
}

static int show_heap_moment(const map_request *request,
                            const input_trace *input, const heap_history *heap)
{
    uint32_t event;
    heap_moment moment;
    char title[512];
    char number[32];
    if (!event_of(request, input, heap, &event))
        return COMMAND_USAGE;
    if (!moment_of_heap(&moment, heap, event))
        return command_error("map", "there is not enough memory");
    snprintf(title, sizeof title, "%s: the heap after event %s%s",
             heap->trace->name, count_text(number, event),
             event == heap->peak_event ? ", its peak" : "");
    int code = show_moment(request, &moment, heap, event, title);
    moment_close(&moment);
    return code;
}

static int show_heap_over_time(const map_request *request,
                               const heap_history *heap)
{
    colour_scheme scheme;
    char title[512];
    if (!scheme_open(&scheme, request->by, heap, request->clock,
                     is_dark(request, false)))
        return command_error("map", "there is not enough memory");
    snprintf(title, sizeof title, "%s: the heap over time", heap->trace->name);
    const picture_options options = {request->output, title,
                                     request->size.width, request->size.height};
    const char *why = picture_of_heap(heap, &scheme, request->clock, &options);
    scheme_close(&scheme);
    return why == NULL ? COMMAND_OK
                       : command_error("map", "%s: %s", request->output, why);
}

static int map_trace(const map_request *request)
{
    input_trace input;
    const char *why;
    int code = input_trace_read(&input, "map", request->input);
    if (code != COMMAND_OK)
        return code;
    heap_history *heap = NULL;
    heap_options options = request->heap;
    bool over_time =
        request->output != NULL && request->at == NULL && !request->json;
    options.columns =
        over_time ? heap_columns(input.from, request->size.width) : 0;
    if (request->by == BY_SITE && input.from->site_count <= 1) {
        command_error("map",
                      "%s: this trace has no call stacks: record it with "
                      "bitfit record --sites",
                      request->input);
        code = COMMAND_USAGE;
    } else if (request->clock == CLOCK_TIME && !input.from->timed) {
        command_error("map", "%s: this trace has no times: use --clock=events",
                      request->input);
        code = COMMAND_USAGE;
    } else if ((heap = heap_open(input.from, &options, &why)) == NULL) {
        code = command_error("map", "%s: %s", request->input, why);
    } else if (over_time) {
        code = show_heap_over_time(request, heap);
    } else {
        code = show_heap_moment(request, &input, heap);
    }
    heap_close(heap);
    input_trace_close(&input);
    return code;
}

/* ------------------------------------------------------- others' pools */

/* Who is looked at, and how. */
typedef struct other_kind {
    const char *name, *when;
    const char *(*look)(const char *input, heap_moment *moment);
} other_kind;

static const char *look_at_process(const char *input, heap_moment *moment)
{
    outside from;
    const char *why = outside_open(&from, (pid_t)atoi(input));
    why = why == NULL ? outside_look(&from, moment) : why;
    outside_close(&from);
    return why;
}

static const char *look_at_pool(const char *input, heap_moment *moment)
{
    pool_file from;
    const char *why = pool_file_open(&from, input);
    why = why == NULL ? pool_file_look(&from, moment) : why;
    pool_file_close(&from);
    return why;
}

static int map_other(const map_request *request, const other_kind *kind)
{
    heap_moment moment = {.count = 0};
    char title[512];
    if (request->at != NULL || request->by != BY_SIZE ||
        request->clock != CLOCK_EVENTS || request->heap.granule != 0 ||
        request->heap.pool != 0) {
        command_error("map", "--at, --by, --clock, --granule and --pool need a "
                             "trace: bits know sizes only");
        return COMMAND_USAGE;
    }
    const char *why = kind->look(request->input, &moment);
    if (why != NULL)
        return command_error("map", "%s: %s", request->input, why);
    snprintf(title, sizeof title, "%s %s: the heap %s", kind->name,
             request->input, kind->when);
    text_make_visible(title);
    int code = show_moment(request, &moment, NULL, 0, title);
    moment_close(&moment);
    return code;
}

int verb_map(int argc, char **argv)
{
    map_request request = {.size = {1280, 720}, .theme = THEME_NOT_GIVEN};
    request.input = options_take(&usage, argc, argv, &request).at[0];
    if (request.json && request.output != NULL) {
        command_error("map", "--json prints figures, -o writes a picture");
        return COMMAND_USAGE;
    }
    if (outside_is_process(request.input))
        return map_other(&request,
                         &(other_kind){"process", "now", look_at_process});
    if (input_is_stream(request.input))
        return map_trace(&request);
    if (outside_is_image(request.input))
        return map_other(&request,
                         &(other_kind){"image", "now", outside_read_image});
    if (vma_dump_is_one(request.input))
        return map_other(&request,
                         &(other_kind){"dump", "then", vma_dump_look});
    if (core_file_is_one(request.input))
        return map_other(&request,
                         &(other_kind){"core", "at its end", core_file_look});
    if (pool_file_is_one(request.input))
        return map_other(&request, &(other_kind){"pool", "now", look_at_pool});
    return map_trace(&request);
}
