#include "input_trace.h"

#include "trace/text.h"
#include "view/scheme.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool input_is_stream(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && !S_ISREG(about.st_mode) &&
           !S_ISDIR(about.st_mode);
}

int input_trace_read(input_trace *input, const char *verb, const char *path)
{
    trace_error error;
    *input = (input_trace){.from = trace_open(path, &error)};
    if (input->from == NULL)
        return command_error(verb, "%s", error.text);
    if (input->from->count > 0)
        return COMMAND_OK;
    const char *cut = input->from->cut ? input->from->why_cut : NULL;
    input_trace_close(input);
    return command_error(verb, "%s: the trace has no events%s%s", path,
                         cut != NULL ? "; it was cut: " : "",
                         cut != NULL ? cut : "");
}

int input_trace_open(input_trace *input, const char *verb, const char *path)
{
    int code = input_trace_read(input, verb, path);
    if (code != COMMAND_OK || trace_summarize(input->from, &input->asked))
        return code;
    input_trace_close(input);
    return command_error(verb, "%s: there is not enough memory", path);
}

void input_trace_close(input_trace *input)
{
    trace_close(input->from);
    input->from = NULL;
}

/* Nanoseconds; negative if the text is no time. */
static double time_of(const char *text)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
    char *end;
    double value = strtod(text, &end);
    for (size_t i = 0; end > text && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name) == 0)
            return value * units[i].ns;
    }
    return -1;
}

static size_t events_until(const trace *from, double time_ns)
{
    for (size_t i = 0; i < from->tick_count; i++) {
        if ((double)from->ticks[i].time_ns > time_ns)
            return from->ticks[i].event;
    }
    return from->count;
}

bool input_moment(const char *verb, const input_trace *input, const char *text,
                  size_t *events)
{
    const trace *from = input->from;
    bool number = *text != '\0' && text[strspn(text, "0123456789")] == '\0';
    double time_ns = time_of(text);
    if (strcmp(text, "peak") == 0) {
        *events = input->asked.peak_event + 1;
    } else if (strcmp(text, "end") == 0) {
        *events = from->count;
    } else if (time_ns >= 0 && from->timed) {
        *events = events_until(from, time_ns);
    } else if (number && strtoull(text, NULL, 10) < from->count) {
        *events = (size_t)strtoull(text, NULL, 10) + 1;
    } else {
        command_error(verb,
                      "--at must be peak, end, an event's number from 0 to "
                      "%zu%s, not '%s'",
                      from->count - 1,
                      from->timed ? " or a time such as 1.5s or 20ms"
                                  : " (this trace has no times)",
                      text);
        return false;
    }
    return true;
}

const char *number_text(uint64_t number)
{
    static char texts[4][32];
    static unsigned turn;
    return count_text(texts[turn++ % 4], number);
}

void input_trace_print(const input_trace *input)
{
    const trace *from = input->from;
    char text[3][48];
    printf("%s%s%s\n", from->name, *from->about == '\0' ? "" : ": ",
           from->about);
    printf("  %s, %s, %s, %s format\n",
           things_text(text[0], from->count, "event"),
           things_text(text[1], from->blocks, "block"),
           things_text(text[2], from->threads, "thread"), from->format);
    if (from->cut)
        printf("  the recording was cut: %s\n", from->why_cut);
    if (from->unseen > 0)
        printf("  %s of blocks whose beginning or end is not in the file\n",
               things_text(text[0], from->unseen, "event"));
    if (from->failed > 0)
        printf("  %s failed when it was recorded\n",
               things_text(text[0], from->failed, "request"));
    putchar('\n');
}

json_t *input_trace_json(const input_trace *input)
{
    const trace *from = input->from;
    const trace_summary *asked = &input->asked;
    return json_pack(
        "{so ss so sI sI sI sb sb so sI sI sI sI sI sI sI sI sI}", "name",
        text_json(from->name), "format", from->format, "about",
        text_json(from->about), "events", (json_int_t)from->count, "blocks",
        (json_int_t)from->blocks, "threads", (json_int_t)from->threads, "timed",
        from->timed, "cut", from->cut, "why_cut",
        from->cut ? json_string(from->why_cut) : json_null(), "unseen",
        (json_int_t)from->unseen, "failed", (json_int_t)from->failed,
        "allocations", (json_int_t)asked->allocations, "frees",
        (json_int_t)asked->frees, "resizes", (json_int_t)asked->resizes,
        "requested", (json_int_t)asked->requested, "peak_requested",
        (json_int_t)asked->peak_requested, "largest_request",
        (json_int_t)asked->largest, "live_at_end",
        (json_int_t)asked->live_at_end);
}

/* ------------------------------------------------------------------- texts */

json_t *text_json(const char *text)
{
    char *clean = strdup(text);
    if (clean != NULL)
        text_make_utf8(clean);
    json_t *result = clean == NULL ? NULL : json_string(clean);
    free(clean);
    return result != NULL ? result : json_string("?");
}

void text_put_json(FILE *to, const char *text)
{
    json_t *string = text_json(text);
    json_dumpf(string, to, JSON_ENCODE_ANY);
    json_decref(string);
}

int json_print(const char *verb, json_t *object, size_t flags)
{
    bool whole = object != NULL && json_dumpf(object, stdout, flags) == 0 &&
                 putchar('\n') != EOF;
    json_decref(object);
    return whole || ferror(stdout)
               ? COMMAND_OK
               : command_error(verb, "there is not enough memory");
}
