#include "traces.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trace/trace.h>

/* ------------------------------------------------------------------ script */

typedef struct writing {
    bench_trace *into;
    uint64_t *sizes; /* of the blocks that live, by slot */
    uint64_t live_bytes;
    uint64_t total_bytes;
} writing;

static void count_bytes(writing *state, const trace_event *event, uint64_t size)
{
    bench_trace *into = state->into;

    state->live_bytes += size - state->sizes[event->slot];
    state->sizes[event->slot] = size;
    if (state->live_bytes > into->calls.peak_bytes) {
        into->calls.peak_bytes = state->live_bytes;
    }
    if (event->op != TRACE_FREE) {
        into->largest = size > into->largest ? size : into->largest;
        into->allocs++;
        state->total_bytes += size;
    }
}

static bool add_alloc(writing *state, const trace_event *event)
{
    bool aligned = event->align_log2 > 0;
    uint64_t size = event->size;

    if (size > UINT32_MAX || (aligned && size >> ALIGNED_SIZE_BITS != 0)) {
        return false;
    }
    if (aligned) {
        size |= (uint64_t)event->align_log2 << ALIGNED_SIZE_BITS;
    }
    count_bytes(state, event, event->size);
    return script_add(&state->into->calls, aligned ? VERB_ALIGNED : VERB_ALLOC,
                      event->slot, size);
}

static bool add_event(writing *state, const trace_event *event)
{
    switch (event->op) {
    case TRACE_ALLOC:
        return add_alloc(state, event);
    case TRACE_FREE:
        count_bytes(state, event, 0);
        return script_add(&state->into->calls, VERB_FREE, event->slot, 0);
    default:
        count_bytes(state, event, event->size);
        return event->size <= UINT32_MAX &&
               script_add(&state->into->calls, VERB_REALLOC, event->slot,
                          event->size);
    }
}

static bool write_script(bench_trace *into, const trace *from)
{
    writing state = {.into = into,
                     .sizes =
                         calloc((size_t)from->slots + 1, sizeof *state.sizes)};
    bool good = state.sizes != NULL;

    for (size_t i = 0; good && i < from->count; i++) {
        const trace_event event = trace_at(from, i);

        good = add_event(&state, &event);
    }
    into->calls.timed_allocs = into->allocs;
    if (into->allocs > 0) {
        into->mean_size = state.total_bytes / into->allocs;
    }
    free(state.sizes);
    return good;
}

/* ------------------------------------------------------------------- files */

static bool load(bench_trace *into, const char *path)
{
    trace_error error;
    trace *from = trace_open(path, &error);
    bool good = false;

    memset(into, 0, sizeof *into);
    if (from == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    snprintf(into->name, sizeof into->name, "%s", from->name);
    into->about = strdup(from->about);
    good = into->about != NULL && write_script(into, from);
    if (!good) {
        fprintf(stderr, "%s: too large for the benchmark\n", path);
    }
    trace_close(from);
    return good;
}

static bool is_trace(const char *name)
{
    const char *ending = strstr(name, ".trace");

    return ending != NULL &&
           (strcmp(ending, ".trace") == 0 || strcmp(ending, ".trace.zst") == 0);
}

static int compare_traces(const void *left, const void *right)
{
    return strcmp(((const bench_trace *)left)->name,
                  ((const bench_trace *)right)->name);
}

static bool load_entry(trace_list *list, const char *folder, const char *name)
{
    char path[512];
    bench_trace *at = realloc(list->at, (list->count + 1) * sizeof *at);

    if (at == NULL) {
        return false;
    }
    list->at = at;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return load(&list->at[list->count++], path);
}

bool traces_load(trace_list *list, const char *folder)
{
    DIR *open_folder = opendir(folder);
    const struct dirent *entry = NULL;
    bool good = true;

    if (open_folder == NULL) {
        fprintf(stderr, "%s: no such folder\n", folder);
        return false;
    }
    while (good && (entry = readdir(open_folder)) != NULL) {
        good =
            !is_trace(entry->d_name) || load_entry(list, folder, entry->d_name);
    }
    closedir(open_folder);
    if (list->count > 0) {
        qsort(list->at, list->count, sizeof *list->at, compare_traces);
    }
    return good;
}

const bench_trace *traces_find(const trace_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i].name, name) == 0) {
            return &list->at[i];
        }
    }
    return NULL;
}

void traces_destroy(trace_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->at[i].about);
        script_destroy(&list->at[i].calls);
    }
    free(list->at);
    memset(list, 0, sizeof *list);
}
