/*
 * Version 2 of DHAT's file, which valgrind's dh_view.html shows. A program
 * point is a call stack or, in a trace without them, a size; what a resize asks
 * for counts as a new block where it was resized.
 */
#include "export_formats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct point {
    uint64_t blocks, bytes; /* ever */
    uint64_t lifetimes;     /* all together */
    uint64_t live_blocks, live_bytes;
    uint64_t most_blocks, most_bytes; /* at the point's own peak */
    uint64_t peak_blocks, peak_bytes; /* at the trace's peak */
} point;

typedef struct life {
    uint64_t born;
    size_t point;
    uint64_t size;
} life;

typedef struct dhat {
    const trace *from;
    bool by_site;
    uint64_t *keys; /* sizes, or sites with one text each, in order */
    size_t key_count;
    uint32_t *first; /* by site: the one that stands for all with its text */
    point *points;   /* by key */
    life *lives;     /* by slot */
} dhat;

/* -------------------------------------------------------------------- keys */

static const trace *sorted_from; /* qsort() hands nothing on */

static int compare_texts(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    int order = strcmp(sorted_from->sites[a], sorted_from->sites[b]);
    return order != 0 ? order : (a > b) - (a < b);
}

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* dh_view refuses a file that has one text twice. */
static bool find_sites(dhat *of)
{
    const trace *from = of->from;
    of->first = calloc(from->site_count, sizeof *of->first);
    of->keys = calloc(from->site_count, sizeof *of->keys);
    if (of->first == NULL || of->keys == NULL)
        return false;
    for (size_t i = 0; i < from->site_count; i++)
        of->keys[i] = i;
    sorted_from = from;
    qsort(of->keys, from->site_count, sizeof *of->keys, compare_texts);
    for (size_t i = 0; i < from->site_count; i++) {
        uint64_t site = of->keys[i];
        if (of->key_count == 0 ||
            strcmp(from->sites[of->keys[of->key_count - 1]],
                   from->sites[site]) != 0)
            of->keys[of->key_count++] = site;
        of->first[site] = (uint32_t)(of->key_count - 1);
    }
    return true;
}

static bool find_sizes(dhat *of)
{
    size_t count = 0;
    of->keys = calloc(of->from->count + 1, sizeof *of->keys);
    if (of->keys == NULL)
        return false;
    for (size_t i = 0; i < of->from->count; i++) {
        const trace_event event = trace_at(of->from, i);
        if (event.op != TRACE_FREE)
            of->keys[count++] = event.size;
    }
    qsort(of->keys, count, sizeof *of->keys, compare_numbers);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || of->keys[i] != of->keys[i - 1])
            of->keys[of->key_count++] = of->keys[i];
    }
    return true;
}

static size_t point_of(const dhat *of, const trace_event *event)
{
    if (of->by_site)
        return of->first[event->site];
    const uint64_t *key = bsearch(&event->size, of->keys, of->key_count,
                                  sizeof *of->keys, compare_numbers);
    return (size_t)(key - of->keys);
}

/* ------------------------------------------------------------------ events */

/* In microseconds; in events where there are no times. */
static uint64_t time_of(const dhat *of, size_t event)
{
    return of->from->timed ? trace_time(of->from, event) / 1000 : event;
}

static void end_life(dhat *of, const life *ends, uint64_t now)
{
    point *at = &of->points[ends->point];
    at->lifetimes += now - ends->born;
    at->live_blocks--;
    at->live_bytes -= ends->size;
}

static void begin_life(dhat *of, const trace_event *event, uint64_t now)
{
    life *begins = &of->lives[event->slot];
    *begins = (life){now, point_of(of, event), event->size};
    point *at = &of->points[begins->point];
    at->blocks++;
    at->bytes += event->size;
    at->live_blocks++;
    at->live_bytes += event->size;
    if (at->live_bytes > at->most_bytes || at->most_blocks == 0) {
        at->most_bytes = at->live_bytes;
        at->most_blocks = at->live_blocks;
    }
}

static void note_peak(dhat *of)
{
    for (size_t i = 0; i < of->key_count; i++) {
        of->points[i].peak_blocks = of->points[i].live_blocks;
        of->points[i].peak_bytes = of->points[i].live_bytes;
    }
}

/* Blocks that are never freed live to the end. */
static void run(dhat *of, size_t peak_event)
{
    const trace *from = of->from;
    for (size_t i = 0; i < from->count; i++) {
        const trace_event event = trace_at(from, i);
        uint64_t now = time_of(of, i);
        if (event.op != TRACE_ALLOC)
            end_life(of, &of->lives[event.slot], now);
        if (event.op == TRACE_FREE) {
            of->lives[event.slot].born = UINT64_MAX;
        } else {
            begin_life(of, &event, now);
        }
        if (i == peak_event)
            note_peak(of);
    }
    for (size_t i = 0; i < from->slots; i++) {
        const life *left = &of->lives[i];
        if (left->born != UINT64_MAX) {
            of->points[left->point].lifetimes +=
                time_of(of, from->count - 1) - left->born;
        }
    }
}

/* ----------------------------------------------------------------- writing */

/* The table of frames is simply all frames of all points, one after the other,
 * but a text has one number: viewers compare numbers. */
typedef struct frames {
    char **texts; /* sorted, each once */
    size_t count;
} frames;

static int compare_strings(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static char *text_of(const dhat *of, size_t key)
{
    char *text = NULL;
    const char *site = of->by_site ? of->from->sites[of->keys[key]] : NULL;
    if (site != NULL)
        return strdup(*site == '\0' ? "(not known)" : site);
    return asprintf(&text, "%" PRIu64 " bytes", of->keys[key]) < 0 ? NULL
                                                                   : text;
}

static void sort_frames(frames *of)
{
    size_t kept = 0;
    qsort(of->texts, of->count, sizeof *of->texts, compare_strings);
    for (size_t i = 0; i < of->count; i++) {
        if (kept > 0 && strcmp(of->texts[kept - 1], of->texts[i]) == 0) {
            free(of->texts[i]);
        } else {
            of->texts[kept++] = of->texts[i];
        }
    }
    of->count = kept;
}

static void free_frames(frames *of)
{
    for (size_t i = 0; i < of->count; i++)
        free(of->texts[i]);
    free(of->texts);
}

static bool add_frames(frames *to, size_t *capacity, char *stack)
{
    char *rest = stack;
    for (const char *frame; (frame = strsep(&rest, ";")) != NULL;) {
        if (to->count == *capacity) {
            size_t larger = *capacity * 2 + 64;
            char **moved = realloc(to->texts, larger * sizeof *moved);
            if (moved == NULL)
                return false;
            to->texts = moved;
            *capacity = larger;
        }
        to->texts[to->count] = strdup(frame);
        if (to->texts[to->count] == NULL)
            return false;
        to->count++;
    }
    return true;
}

static bool find_frames(const dhat *of, frames *all)
{
    size_t capacity = 0;
    bool whole = true;
    *all = (frames){NULL, 0};
    for (size_t i = 0; whole && i < of->key_count; i++) {
        char *text = text_of(of, i);
        whole = text != NULL && add_frames(all, &capacity, text);
        free(text);
        if (i % 1024 == 0)
            sort_frames(all);
    }
    sort_frames(all);
    return whole;
}

/* From 1: frame 0 is the root. Innermost first. */
static void put_stack(FILE *to, const dhat *of, const frames *all, size_t key)
{
    char *text = text_of(of, key);
    const char *separator = "";
    while (text != NULL) {
        char *last = strrchr(text, ';');
        const char *frame = last == NULL ? text : last + 1;
        char *const *found = bsearch(&frame, all->texts, all->count,
                                     sizeof *all->texts, compare_strings);
        fprintf(to, "%s%zu", separator, (size_t)(found - all->texts) + 1);
        separator = ",";
        if (last == NULL)
            break;
        *last = '\0';
    }
    free(text);
}

static void put_points(FILE *to, const dhat *of, const frames *all)
{
    const char *separator = " [";
    for (size_t i = 0; i < of->key_count; i++) {
        const point *at = &of->points[i];
        if (at->blocks == 0)
            continue;
        fprintf(to,
                "%s{\"tb\":%" PRIu64 ",\"tbk\":%" PRIu64 ",\"tl\":%" PRIu64
                ",\"mb\":%" PRIu64 ",\"mbk\":%" PRIu64 ",\"gb\":%" PRIu64
                ",\"gbk\":%" PRIu64 ",\"eb\":%" PRIu64 ",\"ebk\":%" PRIu64
                ",\"fs\":[",
                separator, at->bytes, at->blocks, at->lifetimes, at->most_bytes,
                at->most_blocks, at->peak_bytes, at->peak_blocks,
                at->live_bytes, at->live_blocks);
        put_stack(to, of, all, i);
        fputs("]}\n", to);
        separator = " ,";
    }
    fputs(" ]\n", to);
}

static void put_all(FILE *to, const dhat *of, const frames *all, size_t peak)
{
    const trace *from = of->from;
    fprintf(to,
            "{\"dhatFileVersion\":2,\"mode\":\"heap\",\"verb\":\"Allocated\","
            "\"bklt\":true,\"bkacc\":false\n,\"tu\":\"%s\",\"Mtu\":\"%s\","
            "\"tuth\":500\n,\"cmd\":",
            from->timed ? "µs" : "events", from->timed ? "s" : "Mevents");
    text_put_json(to, *from->about == '\0' ? from->name : from->about);
    fprintf(to,
            ",\"pid\":0\n,\"te\":%" PRIu64 ",\"tg\":%" PRIu64 "\n,\"pps\":\n",
            time_of(of, from->count - 1), time_of(of, peak));
    put_points(to, of, all);
    fputs(",\"ftbl\":\n [\"[root]\"\n", to);
    for (size_t i = 0; i < all->count; i++) {
        fputs(" ,", to);
        text_put_json(to, all->texts[i]);
        putc('\n', to);
    }
    fputs(" ]\n}\n", to);
}

const char *export_dhat(FILE *to, const input_trace *input,
                        const export_plan *plan)
{
    (void)plan;
    dhat of = {.from = input->from, .by_site = input->from->site_count > 1};
    frames all = {NULL, 0};
    bool room = of.by_site ? find_sites(&of) : find_sizes(&of);
    of.points = calloc(of.key_count + 1, sizeof *of.points);
    of.lives = calloc((size_t)of.from->slots + 1, sizeof *of.lives);
    room =
        room && of.points != NULL && of.lives != NULL && find_frames(&of, &all);
    if (room) {
        run(&of, input->asked.peak_event);
        put_all(to, &of, &all, input->asked.peak_event);
    }
    free_frames(&all);
    free(of.keys);
    free(of.first);
    free(of.points);
    free(of.lives);
    return room ? NULL : export_no_memory;
}
