/* bitfit top: a live view of a pool, of a process or in a file. */
#include "verbs.h"

#include "holders.h"
#include "input_trace.h"
#include "options.h"
#include "trace/text.h"
#include "view/moment_json.h"
#include "view/outside.h"
#include "view/pool_file.h"
#include "view/terminal.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum {
    HISTORY = 4096,
    LINES_DEFAULT = 24,
    LINES_AROUND = 10, /* all but the map */
    INTERVAL_MIN_MS = 50
};

typedef struct top_request {
    const char *input;
    double seconds; /* from one look to the next */
    bool json;
    bool once;
} top_request;

/* ----------------------------------------------------------------- options */

static bool take_seconds(const verb_option *option, const char *text, void *to)
{
    enum { DAY = 86400 };
    char *end;
    double seconds = strtod(text, &end);
    (void)option;
    *(double *)to = seconds;
    return end != text && *end == '\0' && seconds > 0 && seconds <= DAY;
}

static const option_kind kind_seconds = {take_seconds,
                                         "seconds, above 0 and up to 86400"};

static const verb_option options[] = {
    {"interval", 'i', "SECONDS", "Seconds between two looks (1)", &kind_seconds,
     offsetof(top_request, seconds)},
    {"once", 0, NULL, "Print one look and end", &kind_flag,
     offsetof(top_request, once)},
    {"json", 0, NULL, "Print one look as JSON and end", &kind_flag,
     offsetof(top_request, json)},
    {0}};

static const verb_usage usage = {
    .verb = "top",
    .words = "PID|POOL",
    .what = "process or pool",
    .help = "Shows the pool of a process under `bitfit run`, or a shared "
            "pool's file, live: its map, the largest request possible, use "
            "and high-water mark, the largest holes, and who holds most if "
            "`bitfit record --sites` records it. Nobody is stopped. q ends "
            "it, space pauses.",
    .options = options};

/* ----------------------------------------------------------------- showing */

/* What is looked at. */
typedef struct subject {
    bool in_file; /* which of the next two it is */
    pool_file shared;
    outside pool;
    holders *sites;    /* NULL: it is not recorded */
    size_t site_count; /* of the last look */
} subject;

static const char *look(subject *from, heap_moment *moment)
{
    return from->in_file ? pool_file_look(&from->shared, moment)
                         : outside_look(&from->pool, moment);
}

/* What was seen so far, the oldest first. */
typedef struct history {
    uint64_t live[HISTORY];
    uint64_t high_water[HISTORY];
    size_t count;
} history;

static void remember(history *past, const bitfit_stats *stats)
{
    if (past->count == HISTORY) {
        past->count--;
        memmove(past->live, past->live + 1, past->count * sizeof past->live[0]);
        memmove(past->high_water, past->high_water + 1,
                past->count * sizeof past->high_water[0]);
    }
    past->live[past->count] = stats->live;
    past->high_water[past->count++] = stats->high_water;
}

static void print_sparkline(const terminal *t, const char *name,
                            const uint64_t *values, size_t count,
                            uint64_t capacity)
{
    enum { NAME = 11, AFTER = 12 };
    char text[24];
    unsigned width =
        t->columns > NAME + AFTER + 8 ? t->columns - NAME - AFTER : 8;
    fprintf(t->to, "%*s ", NAME - 1, name);
    terminal_sparkline(t, values, count, capacity, width);
    fprintf(t->to, " %s\n", text_of_size(text, values[count - 1]));
}

/* What the pool itself does not say. */
static void print_more(const terminal *t, const subject *from,
                       const bitfit_stats *stats)
{
    char budget[24];
    char failures[48];
    char other[48];
    if (from->in_file) {
        fprintf(t->to, "%s repaired so far%s, %s failed\n",
                things_text(other, from->shared.repairs, "change"),
                from->shared.state == POOL_FILE_BROKEN_OFF
                    ? ", one is broken off now"
                    : "",
                things_text(failures, stats->failures, "request"));
        return;
    }
    fprintf(t->to, "budget %s, %s cached by threads, %s failed\n",
            text_of_size(budget, from->pool.published.budget),
            text_of_size(other, from->pool.published.cached),
            things_text(failures, from->pool.published.failures, "request"));
}

static const char *print_look(const terminal *t, const subject *from,
                              const heap_moment *moment, const history *past,
                              size_t sites)
{
    colour_scheme scheme;
    const bitfit_stats *stats = &moment->stats;
    scheme_by_size(&scheme, true);
    terminal_figures(t, moment);
    print_more(t, from, stats);
    print_sparkline(t, "live", past->live, past->count, stats->capacity);
    print_sparkline(t, "high-water", past->high_water, past->count,
                    stats->capacity);
    if (!terminal_map(t, moment, &scheme, NULL, 0))
        return "there is not enough memory";
    holders_print(from->sites, sites, t->to, t->columns);
    return NULL;
}

static int show_once(const top_request *request, subject *from)
{
    static history past;
    heap_moment moment;
    const char *why = look(from, &moment);
    if (why != NULL)
        return command_error("top", "%s: %s", request->input, why);
    int code = COMMAND_OK;
    from->site_count = holders_look(from->sites);
    if (request->json) {
        json_t *all = moment_json(&moment, false);
        json_object_set_new(all, "sites", holders_json(from->sites));
        if (from->in_file)
            pool_file_json(&from->shared, all);
        code = json_print("top", all, JSON_COMPACT);
    } else {
        terminal t = terminal_of(stdout);
        remember(&past, &moment.stats);
        why = print_look(&t, from, &moment, &past, from->site_count);
        if (why != NULL)
            code = command_error("top", "%s", why);
    }
    moment_close(&moment);
    return code;
}

/* ---------------------------------------------------------------- the screen
 */

static struct termios usual;
static volatile sig_atomic_t ended;

static void end_soon(int signal)
{
    (void)signal;
    ended = 1;
}

/* Wakes poll(), after which the size is asked for anew. */
static void wake(int signal)
{
    (void)signal;
}

static void open_screen(void)
{
    struct sigaction end = {.sa_handler = end_soon};
    struct sigaction resized = {.sa_handler = wake};
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGHUP, &end, NULL);
    sigaction(SIGWINCH, &resized, NULL);
    tcgetattr(STDIN_FILENO, &usual);
    struct termios raw = usual;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    /* The other screen, no cursor, lines are cut off at the right. */
    fputs("\033[?1049h\033[?25l\033[?7l", stdout);
}

static void close_screen(void)
{
    fputs("\033[?7h\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
}

/* Puts text on the screen, no more lines than it has, each to its end. */
static void put_screen(char *text, unsigned lines)
{
    fputs("\033[H", stdout);
    char *at = text;
    for (unsigned i = 0; i < lines && at != NULL && *at != '\0'; i++) {
        char *end = strchr(at, '\n');
        if (end != NULL)
            *end = '\0';
        printf("%s%s\033[K", i == 0 ? "" : "\r\n", at);
        at = end == NULL ? NULL : end + 1;
    }
    fputs("\033[J", stdout);
    fflush(stdout);
}

static unsigned screen_lines(void)
{
    struct winsize size = {.ws_row = LINES_DEFAULT};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return size.ws_row < 4 ? LINES_DEFAULT : size.ws_row;
}

static const char *draw(const top_request *request, subject *from,
                        const heap_moment *moment, const history *past,
                        bool paused)
{
    char *text = NULL;
    size_t length;
    unsigned lines = screen_lines();
    terminal t = terminal_of(stdout);
    t.rows = lines > LINES_AROUND + 1 ? lines - LINES_AROUND : 1;
    size_t sites =
        from->site_count < t.rows / 3 ? from->site_count : t.rows / 3;
    t.rows -= (unsigned)sites;
    t.to = open_memstream(&text, &length);
    if (t.to == NULL)
        return "there is not enough memory";
    fprintf(t.to, "bitfit top: %s %s%s   q: quit, space: %s\n",
            from->in_file ? "pool" : "process", request->input,
            paused ? ", paused" : "", paused ? "go on" : "pause");
    const char *why = print_look(&t, from, moment, past, sites);
    fclose(t.to);
    put_screen(text, lines);
    free(text);
    return why;
}

/* The key that was pressed within so many milliseconds, or 0. */
static char key_within(int milliseconds)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    char key = 0;
    if (poll(&input, 1, milliseconds) > 0 && read(STDIN_FILENO, &key, 1) <= 0)
        ended = 1; /* the terminal is gone */
    return key;
}

static const char *watch(const top_request *request, subject *from)
{
    static history past;
    heap_moment moment = {.count = 0};
    int interval = (int)(request->seconds * 1000);
    bool paused = false;
    const char *why = NULL;
    interval = interval < INTERVAL_MIN_MS ? INTERVAL_MIN_MS : interval;
    while (why == NULL && !ended) {
        if (!paused) {
            moment_close(&moment);
            why = look(from, &moment);
            if (why != NULL)
                break;
            remember(&past, &moment.stats);
            from->site_count = holders_look(from->sites);
        }
        why = draw(request, from, &moment, &past, paused);
        char key = key_within(interval);
        if (key == 'q' || key == 'Q')
            break;
        paused ^= key == ' ';
    }
    moment_close(&moment);
    return why;
}

static int show(const top_request *request, subject *from)
{
    if (request->json || request->once || !isatty(STDOUT_FILENO) ||
        !isatty(STDIN_FILENO))
        return show_once(request, from);
    open_screen();
    const char *why = watch(request, from);
    close_screen();
    return why == NULL ? COMMAND_OK
                       : command_error("top", "%s: %s", request->input, why);
}

static const char *open_subject(subject *from, const char *input)
{
    if (from->in_file)
        return pool_file_open(&from->shared, input);
    const char *why = outside_open(&from->pool, (pid_t)atoi(input));
    if (why == NULL)
        from->sites = holders_open(from->pool.pid);
    return why;
}

static void close_subject(subject *from)
{
    if (from->in_file) {
        pool_file_close(&from->shared);
        return;
    }
    holders_close(from->sites);
    outside_close(&from->pool);
}

int verb_top(int argc, char **argv)
{
    top_request request = {.seconds = 1};
    subject from = {.sites = NULL};
    request.input = options_take(&usage, argc, argv, &request).at[0];
    from.in_file = !outside_is_process(request.input);
    if (from.in_file && access(request.input, F_OK) != 0) {
        command_error("top", "'%s' is not a process number, nor a file",
                      request.input);
        return COMMAND_USAGE;
    }
    const char *why = open_subject(&from, request.input);
    int code = why == NULL ? show(&request, &from)
                           : command_error("top", "%s: %s", request.input, why);
    close_subject(&from);
    return code;
}
