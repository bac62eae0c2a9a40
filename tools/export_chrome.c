/* Counters in the Trace Event Format, for chrome://tracing and Perfetto. */
#include "export_formats.h"

#include "trace/series.h"
#include "view/screen.h"

#include <inttypes.h>

static void advance(size_t done, size_t total)
{
    screen_progress("export", done, total);
}

/* Without times an event lasts a microsecond. */
static void put_counter(FILE *to, const trace *from, const series_point *at)
{
    double us = from->timed ? (double)at->time_ns / 1000 : (double)at->event;
    fprintf(to,
            "{\"name\":\"heap\",\"ph\":\"C\",\"pid\":1,\"tid\":1,\"ts\":%.3f,"
            "\"args\":{\"requested\":%" PRIu64 ",\"live\":%" PRIu64
            ",\"high-water mark\":%" PRIu64 "}},\n",
            us, at->requested, at->live, at->high_water);
    fprintf(to,
            "{\"name\":\"largest request possible\",\"ph\":\"C\",\"pid\":1,"
            "\"tid\":1,\"ts\":%.3f,\"args\":{\"bytes\":%" PRIu64 "}},\n",
            us, at->largest_free);
}

const char *export_chrome(FILE *to, const input_trace *input,
                          const export_plan *plan)
{
    const trace *from = input->from;
    playback it;
    series course;
    const char *wrong = export_open_pool(&it, input, plan);
    if (wrong != NULL)
        return wrong;
    bool ran = series_run(&course, &it, plan->points, advance);
    playback_close(&it);
    if (!ran)
        return export_no_memory;
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", to);
    for (size_t i = 0; i < course.count; i++)
        put_counter(to, from, &course.points[i]);
    fputs("{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{"
          "\"name\":",
          to);
    text_put_json(to, *from->about == '\0' ? from->name : from->about);
    fputs("}}\n]}\n", to);
    series_free(&course);
    return NULL;
}
