/*
 * PyTorch's snapshots of a device's memory, torch.cuda.memory._dump_snapshot():
 * a pickle of
 *
 *     {"device_traces": [[EVENT, ...], ...],    a list for each device
 *      "segments": [{"blocks": [BLOCK, ...]}, ...]}
 *
 *     EVENT  {"action": "alloc" or "free_completed", "addr", "size", "time_us",
 *             "frames": [{"name", "filename", "line"}, ...]}, innermost first
 *     BLOCK  {"address", "size", "requested_size", "state", "frames"}
 *
 * A snapshot without history has no events: then the blocks that are live are
 * allocated, in the order of the segments.
 */
#include "input.h"
#include "pickle.h"

#include <stdio.h>
#include <string.h>

enum { DEVICES = 64, FRAMES = 64, DEVICE_SHIFT = 56, STACK_MAX = 16384 };

typedef struct snapshot {
    trace_input *input;
    builder *to;
    pickle values;
} snapshot;

static bool is_torch(const trace_input *input)
{
    return pickle_is_one(input->at, input->size) &&
           (memmem(input->at, input->size, "device_traces", 13) != NULL ||
            memmem(input->at, input->size, "segment_type", 12) != NULL);
}

static uint64_t number(const snapshot *of, uint32_t dict, const char *key)
{
    const pickle_value *value =
        &of->values.values[pickle_member(&of->values, dict, key)];
    return value->kind == PICKLE_NUMBER ? value->number : 0;
}

/* When an event was, in microseconds, below any that a trace cannot hold. */
static uint64_t time_of(const snapshot *of, uint32_t event)
{
    uint64_t time_us = number(of, event, "time_us");
    return time_us < UINT64_MAX / 4000 ? time_us : UINT64_MAX / 4000;
}

/* ------------------------------------------------------------------- stacks */

/* A frame as "name (file:line)", before `end`. Returns where it starts; NULL
 * if it has no room behind `start`. */
static char *put_frame(const snapshot *of, uint32_t frame, char *start,
                       char *end)
{
    const pickle *values = &of->values;
    const pickle_value *name =
        &values->values[pickle_member(values, frame, "name")];
    const pickle_value *file =
        &values->values[pickle_member(values, frame, "filename")];
    const char *path = file->kind == PICKLE_TEXT ? file->text : "";
    size_t length = file->kind == PICKLE_TEXT ? (size_t)file->number : 0;
    const char *slash = length == 0 ? NULL : memrchr(path, '/', length);
    size_t base = slash == NULL ? 0 : (size_t)(slash + 1 - path);
    char place[32] = "";
    size_t digits = 0;
    if (number(of, frame, "line") == 0)
        base = length = 0;
    else
        digits = (size_t)snprintf(place, sizeof place, ":%u)",
                                  (unsigned)number(of, frame, "line"));
    size_t known = name->kind == PICKLE_TEXT ? (size_t)name->number : 0;
    size_t room = known + (digits > 0 ? 2 : 0) + (length - base) + digits;
    if (room > (size_t)(end - start))
        return NULL;
    char *at = end - room;
    memcpy(at, name->text == NULL ? "" : name->text, known);
    for (char *c; (c = memchr(at, ';', known)) != NULL;)
        *c = ',';
    if (digits > 0)
        memcpy(at + known, " (", 2);
    memcpy(end - digits - (length - base), path + base, length - base);
    memcpy(end - digits, place, digits);
    return at;
}

/* The call stack of these frames; each list is read once. */
static bool take_stack(snapshot *of, uint32_t frames)
{
    static char text[STACK_MAX];
    const pickle *values = &of->values;
    char *start = text + sizeof text;
    uint32_t *note = &values->values[frames].note;
    of->to->site = *note;
    if (*note != 0)
        return true;
    uint32_t cell = pickle_first(values, frames);
    for (int i = 0; cell != 0 && i < FRAMES; i++) {
        if (i > 0)
            *--start = ';';
        char *at =
            put_frame(of, values->cells[cell].value, text + FRAMES, start);
        if (at == NULL)
            break;
        start = at;
        cell = values->cells[cell].next;
    }
    size_t length = (size_t)(text + sizeof text - start);
    return length == 0 || build_site(of->to, start, length, note)
               ? (of->to->site = *note, true)
               : false;
}

/* ------------------------------------------------------------------- events */

static bool take_event(snapshot *of, uint32_t event, uint64_t device)
{
    const pickle *values = &of->values;
    uint32_t action = pickle_member(values, event, "action");
    uint64_t address = number(of, event, "addr") ^ device << DEVICE_SHIFT;
    build_time(of->to, time_of(of, event) * 1000);
    if (pickle_is_text(values, action, "free_completed"))
        return build_free_at(of->to, address);
    if (pickle_is_text(values, action, "oom")) {
        of->to->into->failed++;
        return true;
    }
    return !pickle_is_text(values, action, "alloc") ||
           (take_stack(of, pickle_member(values, event, "frames")) &&
            build_alloc_at(of->to, address, number(of, event, "size"), 0));
}

/* The device whose next event is the earliest; -1 if there are no more. */
static int earliest(const snapshot *of, const uint32_t *cells, int devices)
{
    int found = -1;
    uint64_t least = 0;
    for (int i = 0; i < devices; i++) {
        if (cells[i] == 0)
            continue;
        uint64_t time = time_of(of, of->values.cells[cells[i]].value);
        if (found < 0 || time < least) {
            least = time;
            found = i;
        }
    }
    return found;
}

static bool take_traces(snapshot *of, uint32_t traces)
{
    const pickle_cell *cells = of->values.cells;
    uint32_t next[DEVICES];
    int devices = 0;
    for (uint32_t cell = pickle_first(&of->values, traces);
         cell != 0 && devices < DEVICES; cell = cells[cell].next)
        next[devices++] = pickle_first(&of->values, cells[cell].value);
    for (int i; (i = earliest(of, next, devices)) >= 0;
         next[i] = cells[next[i]].next) {
        of->to->into->timed = true;
        if (!build_thread(of->to, (uint64_t)i) ||
            !take_event(of, cells[next[i]].value, (uint64_t)i))
            return false;
    }
    return true;
}

static bool take_block(snapshot *of, uint32_t block, uint64_t device)
{
    const pickle *values = &of->values;
    uint64_t size = number(of, block, "requested_size");
    uint64_t address = number(of, block, "address") ^ device << DEVICE_SHIFT;
    if (!pickle_is_text(values, pickle_member(values, block, "state"),
                        "active_allocated"))
        return true;
    return take_stack(of, pickle_member(values, block, "frames")) &&
           build_alloc_at(of->to, address,
                          size != 0 ? size : number(of, block, "size"), 0);
}

static bool take_segments(snapshot *of, uint32_t segments)
{
    const pickle_cell *cells = of->values.cells;
    for (uint32_t cell = pickle_first(&of->values, segments); cell != 0;
         cell = cells[cell].next) {
        uint32_t segment = cells[cell].value;
        uint32_t blocks = pickle_member(&of->values, segment, "blocks");
        for (uint32_t each = pickle_first(&of->values, blocks); each != 0;
             each = cells[each].next) {
            if (!take_block(of, cells[each].value,
                            number(of, segment, "device")))
                return false;
        }
    }
    return true;
}

static bool take_all(snapshot *of, uint32_t root)
{
    const pickle *values = &of->values;
    if (values->values[root].kind == PICKLE_LIST) /* memory_snapshot() */
        return take_segments(of, root);
    if (!take_traces(of, pickle_member(values, root, "device_traces")))
        return false;
    return of->to->into->count > 0 ||
           take_segments(of, pickle_member(values, root, "segments"));
}

static bool read_all(trace_input *input, builder *to)
{
    snapshot of = {.input = input, .to = to};
    uint32_t root;
    bool read = pickle_read(&of.values, to, input->at, input->size, &root);
    if (!read)
        input_wrong_at(input, (size_t)(of.values.next - of.values.at),
                       of.values.wrong);
    if (read && !take_all(&of, root))
        read = input_wrong(input, "%s", to->wrong);
    pickle_free(&of.values);
    return read;
}

const trace_reader read_torch = {"PyTorch snapshot", is_torch, read_all};
