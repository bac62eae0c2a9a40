/* bitfit map: pictures of a heap, over time or at one moment. */
#include "command.h"
#include "input_trace.h"
#include "view/moment_json.h"
#include "view/outside.h"
#include "view/picture.h"
#include "view/terminal.h"
#include "view/verbs.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_AT = 256, KEY_BY, KEY_CLOCK, KEY_SIZE, KEY_THEME, KEY_JSON };

typedef struct map_request {
    const char *input;
    const char *output; /* NULL: the terminal */
    const char *at;     /* NULL: all of the time, or the peak */
    scheme_by by;
    heap_clock clock;
    heap_options heap;
    unsigned width, height;
    bool dark, theme_given;
    bool json;
} map_request;

/* ----------------------------------------------------------------- options */

static const struct argp_option option_list[] = {
    {"output", 'o', "FILE", 0,
     "Write a picture: SVG if the name ends so, else PNG", 0},
    {"at", KEY_AT, "WHEN", 0,
     "One moment: after an event (a number, from 0), at a time (such as "
     "1.5s, 20ms), at the peak, at the end",
     0},
    {"by", KEY_BY, "WHAT", 0, "Colour by size (default), age or site", 0},
    {"clock", KEY_CLOCK, "WHAT", 0, "Time is events (default) or time", 0},
    {"granule", 'g', "BYTES", 0, "Replay with this granule (16)", 0},
    {"pool", 'p', "BYTES", 0,
     "Replay in a pool of so many bytes (the fewest that serve)", 0},
    {"size", KEY_SIZE, "WxH", 0, "The picture's pixels (1280x720)", 0},
    {"theme", KEY_THEME, "light|dark", 0, "The background", 0},
    {"json", KEY_JSON, NULL, 0, "Print the moment as JSON, run by run", 0},
    {0}};

/* The index of `text` in the list, which a NULL ends; else an error. */
static int one_of(struct argp_state *state, const char *text,
                  const char *const *list)
{
    for (int i = 0; list[i] != NULL; i++) {
        if (strcmp(text, list[i]) == 0)
            return i;
    }
    argp_error(state, "'%s' is not a choice here", text);
    return 0;
}

static size_t bytes_of(struct argp_state *state, const char *text)
{
    size_t size;
    if (!command_size(text, &size) || size == 0)
        argp_error(state, "'%s' is not a size such as 4096, 64K or 16M", text);
    return size;
}

static void parse_picture_size(struct argp_state *state, const char *text,
                               map_request *request)
{
    char rest;
    if (sscanf(text, "%5ux%5u%c", &request->width, &request->height, &rest) !=
            2 ||
        request->width < PICTURE_SIDE_MIN ||
        request->width > PICTURE_SIDE_MAX ||
        request->height < PICTURE_SIDE_MIN ||
        request->height > PICTURE_SIDE_MAX)
        argp_error(state, "a picture is from %dx%d to %dx%d, not '%s'",
                   PICTURE_SIDE_MIN, PICTURE_SIDE_MIN, PICTURE_SIDE_MAX,
                   PICTURE_SIDE_MAX, text);
}

/* The options that take one of a few words. */
static error_t parse_choice(int key, char *text, struct argp_state *state)
{
    static const char *const bys[] = {"size", "age", "site", NULL};
    static const char *const clocks[] = {"events", "time", NULL};
    static const char *const themes[] = {"light", "dark", NULL};
    map_request *request = state->input;
    switch (key) {
    case KEY_BY:
        request->by = (scheme_by)one_of(state, text, bys);
        return 0;
    case KEY_CLOCK:
        request->clock = (heap_clock)one_of(state, text, clocks);
        return 0;
    case KEY_THEME:
        request->dark = one_of(state, text, themes) == 1;
        request->theme_given = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    map_request *request = state->input;
    switch (key) {
    case 'o':
        request->output = text;
        return 0;
    case 'g':
        if (!input_granule("map", text, &request->heap.granule))
            exit(COMMAND_USAGE);
        return 0;
    case 'p':
        request->heap.pool = bytes_of(state, text);
        return 0;
    case KEY_AT:
        request->at = text;
        return 0;
    case KEY_SIZE:
        parse_picture_size(state, text, request);
        return 0;
    case KEY_JSON:
        request->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (request->input != NULL)
            argp_usage(state);
        request->input = text;
        return 0;
    case ARGP_KEY_END:
        if (request->input == NULL)
            argp_usage(state);
        return 0;
    default:
        return parse_choice(key, text, state);
    }
}

static const struct argp parser = {
    option_list,
    parse,
    "TRACE|PID|IMAGE",
    "Draws a heap: from a trace address x time, or one moment of it; from a "
    "process under `bitfit run`, or a pool's saved image, the moment that it "
    "shows. Without -o it draws one moment in the terminal.",
    NULL,
    NULL,
    NULL};

/* ------------------------------------------------------------------ moments */

static int show_moment(const map_request *request, const heap_moment *moment,
                       const heap_history *heap, uint32_t event,
                       const char *title)
{
    colour_scheme scheme;
    if (request->json)
        return moment_json(stdout, moment, true, NULL) ? COMMAND_OK
                                                       : COMMAND_INPUT;
    bool dark = request->theme_given ? request->dark : request->output == NULL;
    bool ok = true;
    if (heap == NULL)
        scheme_by_size(&scheme, dark);
    else
        ok = scheme_open(&scheme, request->by, heap, request->clock, dark);
    const char *why = ok ? NULL : "there is not enough memory";
    if (ok && request->output != NULL) {
        const picture_options options = {request->output, title, request->width,
                                         request->height};
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

/* The last event that is not after a time such as "1.5s"; COMMAND_USAGE if the
 * text is none. */
static int event_at_time(const trace *from, const char *text, uint32_t *event)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
    char *unit;
    double value = strtod(text, &unit);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (unit == text || strcmp(unit, units[i].name) != 0 || !(value >= 0))
            continue;
        if (!from->timed) {
            command_error("map", "this trace has no times: --at takes an "
                                 "event's number");
            return COMMAND_USAGE;
        }
        *event = 0;
        while (*event + 1 < from->count &&
               (double)from->events[*event + 1].time_ns <= value * units[i].ns)
            (*event)++;
        return COMMAND_OK;
    }
    command_error("map",
                  "--at takes an event's number, a time such as 1.5s or 20ms, "
                  "peak or end, not '%s'",
                  text);
    return COMMAND_USAGE;
}

static int event_of(const map_request *request, const heap_history *heap,
                    uint32_t *event)
{
    const char *at = request->at != NULL ? request->at : "peak";
    size_t count = heap->trace->count;
    *event = heap->peak_event;
    if (strcmp(at, "peak") == 0)
        return COMMAND_OK;
    *event = (uint32_t)(count == 0 ? 0 : count - 1);
    if (strcmp(at, "end") == 0)
        return COMMAND_OK;
    if (at[strspn(at, "0123456789")] != '\0' || *at == '\0')
        return event_at_time(heap->trace, at, event);
    errno = 0;
    unsigned long long number = strtoull(at, NULL, 10);
    if (errno == 0 && number < count) {
        *event = (uint32_t)number;
        return COMMAND_OK;
    }
    command_error("map", "the trace has %zu events, counted from 0", count);
    return COMMAND_USAGE;
}

static int show_heap_moment(const map_request *request,
                            const heap_history *heap)
{
    uint32_t event;
    heap_moment moment;
    char title[512];
    char number[32];
    int code = event_of(request, heap, &event);
    if (code != COMMAND_OK)
        return code;
    if (!moment_of_heap(&moment, heap, event))
        return command_error("map", "there is not enough memory");
    snprintf(title, sizeof title, "%s: the heap after event %s%s",
             heap->trace->name, count_text(number, event),
             event == heap->peak_event ? ", its peak" : "");
    code = show_moment(request, &moment, heap, event, title);
    moment_close(&moment);
    return code;
}

static int show_heap_over_time(const map_request *request,
                               const heap_history *heap)
{
    colour_scheme scheme;
    char title[512];
    if (!scheme_open(&scheme, request->by, heap, request->clock, request->dark))
        return command_error("map", "there is not enough memory");
    snprintf(title, sizeof title, "%s: the heap over time", heap->trace->name);
    const picture_options options = {request->output, title, request->width,
                                     request->height};
    const char *why = picture_of_heap(heap, &scheme, request->clock, &options);
    scheme_close(&scheme);
    return why == NULL ? COMMAND_OK
                       : command_error("map", "%s: %s", request->output, why);
}

static int map_trace(const map_request *request)
{
    trace_error error;
    const char *why;
    trace *from = trace_open(request->input, &error);
    if (from == NULL)
        return command_error("map", "%s", error.text);
    int code;
    heap_history *heap = NULL;
    if (request->clock == CLOCK_TIME && !from->timed) {
        command_error("map", "%s: this trace has no times: use --clock=events",
                      request->input);
        code = COMMAND_USAGE;
    } else if ((heap = heap_open(from, &request->heap, &why)) == NULL) {
        code = command_error("map", "%s: %s", request->input, why);
    } else if (request->output != NULL && request->at == NULL &&
               !request->json) {
        code = show_heap_over_time(request, heap);
    } else {
        code = show_heap_moment(request, heap);
    }
    heap_close(heap);
    trace_close(from);
    return code;
}

/* ------------------------------------------------------- others' pools */

/* A number that names no file is a process. */
static bool is_process(const char *input)
{
    return *input != '\0' && input[strspn(input, "0123456789")] == '\0' &&
           strlen(input) < 10 && access(input, F_OK) != 0;
}

static bool is_image(const char *path)
{
    static const char magic[] = "bitfit image ";
    char start[sizeof magic - 1];
    FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "re");
    if (file == NULL)
        return false;
    bool is = fread(start, 1, sizeof start, file) == sizeof start &&
              memcmp(start, magic, sizeof start) == 0;
    fclose(file);
    return is;
}

static int map_outside(const map_request *request)
{
    bool process = is_process(request->input);
    heap_moment moment = {.count = 0};
    outside from;
    char title[512];
    const char *why;
    if (request->at != NULL || request->by != BY_SIZE ||
        request->clock != CLOCK_EVENTS || request->heap.granule != 0 ||
        request->heap.pool != 0) {
        command_error("map", "--at, --by, --clock, --granule and --pool need a "
                             "trace: bits know sizes only");
        return COMMAND_USAGE;
    }
    if (process) {
        why = outside_open(&from, (pid_t)atoi(request->input));
        why = why == NULL ? outside_look(&from, &moment) : why;
        outside_close(&from);
    } else {
        why = outside_read_image(request->input, &moment);
    }
    if (why != NULL)
        return command_error("map", "%s: %s", request->input, why);
    snprintf(title, sizeof title, "%s %s: the heap now",
             process ? "process" : "image", request->input);
    int code = show_moment(request, &moment, NULL, 0, title);
    moment_close(&moment);
    return code;
}

int verb_map(int argc, char **argv)
{
    map_request request = {.width = 1280, .height = 720};
    static char name[] = "bitfit map";
    argv[0] = name;
    argp_err_exit_status = COMMAND_USAGE;
    argp_parse(&parser, argc, argv, 0, NULL, &request);
    if (is_process(request.input) || is_image(request.input))
        return map_outside(&request);
    return map_trace(&request);
}
