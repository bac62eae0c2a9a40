/* bitfit replay: replay a trace in a pool, and print the figures. */
#include "verbs.h"

#include "costs_table.h"
#include "input_trace.h"
#include "options.h"
#include "trace/series.h"
#include "trace/text.h"
#include "view/scheme.h"
#include "view/screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char verb[] = "replay";

enum { GRANULE = 16, POINTS = 500, LINE = 60, LEAKS = 20 };

typedef struct replay_options {
    const char *path;
    size_t pool; /* bytes; 0: as large as needed */
    size_t granule;
    bool leaks;
    bool json;
} replay_options;

typedef struct replay {
    const replay_options *options;
    input_trace input;
    playback_plan plan;
    double ns; /* of an operation */
    size_t first_failure;
    series course;
    cost *leaks; /* what was never freed; NULL if nobody asked */
    size_t leak_count;
} replay;

/* ------------------------------------------------------------------ runs */

/* The processor time of this process: what others run meanwhile does not count.
 */
static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The fastest of a few runs, or of one that takes long. */
static void time_runs(replay *on, playback *it)
{
    static const double enough_ns = 50e6;
    double spent = 0;
    on->ns = 0;
    for (int runs = 0; runs < 10 && spent < enough_ns; runs++) {
        playback_rewind(it);
        double start = now_ns();
        playback_run(it, on->plan.from->count);
        double each = (now_ns() - start) / (double)on->plan.from->count;
        if (runs == 0 || each < on->ns)
            on->ns = each;
        spent += each * (double)on->plan.from->count;
    }
    on->first_failure = it->first_failure;
}

/* The course comes last, and takes half of the time. */
static void advance(size_t done, size_t total)
{
    screen_progress(verb, total + done, 2 * total);
}

static const char *run(replay *on)
{
    playback it;
    size_t count = on->plan.from->count;
    screen_progress(verb, 0, 2 * count);
    const char *wrong = playback_open_fitting(&it, &on->plan);
    if (wrong != NULL)
        return wrong;
    screen_progress(verb, count / 2, 2 * count);
    time_runs(on, &it);
    if (!series_run(&on->course, &it, POINTS, advance))
        wrong = "there is not enough memory";
    playback_close(&it);
    return wrong;
}

/* ---------------------------------------------------------------- printing */

static double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static void print_size(const char *what, uint64_t size)
{
    char text[24];
    printf("  %-22s %10s %15s bytes\n", what, text_of_size(text, size),
           number_text(size));
}

static uint64_t internal(const replay *on)
{
    return on->course.peak.live - on->course.peak.requested;
}

/* The pool's own peak counts both copies of a block that moves. */
static uint64_t external(const replay *on)
{
    return on->course.end.high_water - on->course.end.peak_live;
}

static void print_waste(const char *what, uint64_t waste, uint64_t of,
                        const char *number, const char *of_what)
{
    printf("  %-22s %8.1f %% %15s bytes of %s%s\n", what, percent(waste, of),
           number_text(waste), number, of_what);
}

/* One character for each piece of the course: its least value. */
static void print_curve(const char *what, const series *course,
                        size_t (*value)(const series_point *), uint64_t top)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄",
                                         "▅", "▆", "▇", "█"};
    static const char *const letters[] = {" ", "_", ".", ",", "-",
                                          "~", "+", "*", "#"};
    const char *const *bars = screen_unicode() ? blocks : letters;
    size_t width = course->count < LINE ? course->count : LINE;
    printf("  %-16s ", what);
    for (size_t column = 0; column < width; column++) {
        uint64_t least = UINT64_MAX;
        for (size_t i = column * course->count / width;
             i < (column + 1) * course->count / width; i++) {
            uint64_t height = value(&course->points[i]);
            least = height < least ? height : least;
        }
        double part = top == 0 ? 0 : (double)least / (double)top;
        fputs(bars[least == 0 ? 0 : 1 + (int)(part * 7)], stdout);
    }
    putchar('\n');
}

static size_t point_live(const series_point *point)
{
    return point->live;
}

static size_t point_largest(const series_point *point)
{
    return point->largest_free;
}

static void print_curves(const replay *on)
{
    const series *course = &on->course;
    printf("\n  over time, each up to the pool's payload of %s bytes\n",
           number_text(course->end.capacity));
    print_curve("live", course, point_live, course->end.capacity);
    print_curve("largest request", course, point_largest, course->end.capacity);
    printf("  largest request at its least: %s bytes, after %s events\n",
           number_text(course->least_largest),
           number_text(course->least_largest_at));
}

static void print_failures(const replay *on)
{
    const bitfit_stats *end = &on->course.end;
    printf("  %-22s %10s", "failures", number_text(end->failures));
    if (end->failures > 0)
        printf("  the first at event %s", number_text(on->first_failure));
    putchar('\n');
}

static void print_leaks(const replay *on)
{
    if (on->leaks == NULL)
        return;
    char blocks[48];
    printf("\n  Never freed: %s\n",
           things_text(blocks, on->input.asked.live_at_end, "block"));
    if (on->leak_count > 0)
        costs_print(on->input.from, on->leaks, on->leak_count, LEAKS);
    if (on->leak_count > LEAKS)
        printf("  %s more\n", number_text(on->leak_count - LEAKS));
}

static void print_all(const replay *on)
{
    const bitfit_stats *end = &on->course.end;
    input_trace_print(&on->input);
    if (on->options->pool != 0) {
        printf("  in a pool of %s bytes, %s of them bookkeeping, granule "
               "%zu\n",
               number_text(on->options->pool), number_text(end->bookkeeping),
               end->granule);
    } else {
        printf(
            "  in a pool whose payload is its high-water mark, granule %zu\n",
            end->granule);
    }
    printf("  %-22s %7.1f ns\n", "time per operation", on->ns);
    print_size("peak requested", on->input.asked.peak_requested);
    print_size("peak live", end->peak_live);
    print_size("high-water mark", end->high_water);
    print_waste("internal fragmentation", internal(on), on->course.peak.live,
                number_text(on->course.peak.live), " in blocks");
    print_waste("external fragmentation", external(on), end->high_water, "",
                "the high-water mark");
    print_failures(on);
    print_curves(on);
    print_leaks(on);
}

static json_t *points_json(const series *course)
{
    json_t *all = json_array();
    for (size_t i = 0; i < course->count; i++) {
        const series_point *at = &course->points[i];
        json_array_append_new(
            all,
            json_pack("{sI sI sI sI sI sI sI}", "events", (json_int_t)at->event,
                      "time_ns", (json_int_t)at->time_ns, "requested",
                      (json_int_t)at->requested, "live", (json_int_t)at->live,
                      "high_water", (json_int_t)at->high_water,
                      "largest_request_possible", (json_int_t)at->largest_free,
                      "failures", (json_int_t)at->failures));
    }
    return all;
}

static json_t *all_json(const replay *on)
{
    const bitfit_stats *end = &on->course.end;
    json_t *failed = end->failures == 0
                         ? json_null()
                         : json_integer((json_int_t)on->first_failure);
    json_t *all = json_pack(
        "{so sI sI sI sI sf sI sI sI sI sI sI sI so so}", "trace",
        input_trace_json(&on->input), "granule", (json_int_t)end->granule,
        "pool", (json_int_t)on->options->pool, "payload",
        (json_int_t)end->capacity, "bookkeeping", (json_int_t)end->bookkeeping,
        "ns_per_operation", on->ns, "peak_requested",
        (json_int_t)on->input.asked.peak_requested, "peak_live",
        (json_int_t)end->peak_live, "high_water", (json_int_t)end->high_water,
        "internal_fragmentation", (json_int_t)internal(on),
        "external_fragmentation", (json_int_t)external(on),
        "least_largest_request_possible", (json_int_t)on->course.least_largest,
        "failures", (json_int_t)end->failures, "first_failure", failed,
        "series", points_json(&on->course));
    if (on->leaks != NULL)
        json_object_set_new(
            all, "leaks",
            costs_json(on->input.from, on->leaks, on->leak_count, SIZE_MAX));
    return all;
}

/* ----------------------------------------------------------------- options */

static const verb_option options[] = {
    {"pool", 'p', "SIZE", "A pool of exactly this size, with its bookkeeping",
     &kind_size, offsetof(replay_options, pool)},
    {"granule", 'g', "SIZE", "The pool's granule (16)", &kind_granule,
     offsetof(replay_options, granule)},
    {"leaks", 0, NULL, "Print what was never freed, by call stack or size",
     &kind_flag, offsetof(replay_options, leaks)},
    {"json", 0, NULL, "Print the figures as JSON", &kind_flag,
     offsetof(replay_options, json)},
    {0}};

static const verb_usage usage = {
    .verb = verb,
    .words = "TRACE",
    .what = "trace",
    .help = "Replays a trace in a pool and prints the figures.\v"
            "Reads what bitfit record writes, AOSP memory_replay text, "
            "heaptrack --raw, glibc mtrace, .rep, RMM's CSV and PyTorch "
            "snapshots; - is standard input. The exit code is 1 if a request "
            "failed, 2 for a bad "
            "option, 3 if the trace cannot be read.",
    .options = options};

static int tell(replay *on)
{
    const char *wrong = run(on);
    int code = COMMAND_OK;
    if (wrong != NULL) {
        command_error(verb, "%s: %s", on->options->path, wrong);
        return COMMAND_NO;
    }
    if (!on->options->json) {
        print_all(on);
    } else {
        code = json_print(verb, all_json(on), JSON_INDENT(2));
    }
    if (code == COMMAND_OK && on->course.end.failures > 0)
        code = COMMAND_NO;
    series_free(&on->course);
    return code;
}

int verb_replay(int argc, char **argv)
{
    replay_options given = {.granule = GRANULE};
    given.path = options_take(&usage, argc, argv, &given).at[0];
    replay on = {.options = &given};
    int code = input_trace_open(&on.input, verb, given.path);
    if (code != COMMAND_OK)
        return code;
    on.plan = (playback_plan){.from = on.input.from,
                              .granule = given.granule,
                              .alignment =
                                  playback_alignment(on.input.asked.align_log2),
                              .pool = given.pool};
    if (given.leaks) {
        on.leaks = costs_at(on.input.from, on.input.from->count,
                            on.input.from->site_count > 1, given.granule,
                            &on.leak_count);
    }
    code = given.leaks && on.leaks == NULL
               ? command_error(verb, "there is not enough memory")
               : tell(&on);
    free(on.leaks);
    input_trace_close(&on.input);
    return code;
}
