/* Reads the project's own format: format.h. */
#include "read_bitfit.h"

#include "format.h"

#include <string.h>

static bool is_bitfit(const trace_input *input)
{
    return input->size >= TRACE_MAGIC_SIZE &&
           memcmp(input->at, TRACE_MAGIC, TRACE_MAGIC_SIZE) == 0;
}

uint64_t reading_long_varint(reading *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && from->next < from->end; shift += 7) {
        unsigned char byte = (unsigned char)from->at[from->next++];
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
    from->short_of = true;
    return 0;
}

bool reading_skip_header(reading *from)
{
    from->next = TRACE_HEADER_SIZE;
    reading_varint(from);
    uint64_t length = reading_varint(from);
    if (from->short_of || length > from->end - from->next)
        return false;
    from->next += (size_t)length;
    return true;
}

/* The number of the block that is so many younger than the youngest; no
 * block's if there are not so many. */
static uint64_t take_block(reading *from)
{
    uint64_t age = reading_varint(from);
    uint32_t count = from->to->into->blocks;
    return age < count ? count - 1 - age : UINT64_MAX;
}

static bool refuse(reading *from, const char *why)
{
    from->to->wrong = why;
    return false;
}

static bool read_alloc(reading *from, bool aligned)
{
    uint64_t align_log2 = aligned ? reading_varint(from) : 0;
    uint64_t size = reading_varint(from);
    return !from->short_of && build_alloc(from->to, size, align_log2);
}

static bool read_free(reading *from)
{
    uint64_t block = take_block(from);
    return !from->short_of && build_free(from->to, block);
}

static bool read_resize(reading *from)
{
    uint64_t block = take_block(from);
    uint64_t size = reading_varint(from);
    return !from->short_of && build_resize(from->to, block, size);
}

static bool read_time(reading *from)
{
    uint64_t microseconds = reading_varint(from);
    if (from->short_of)
        return false;
    if (microseconds > UINT64_MAX / 2000 || from->to->time_ns > UINT64_MAX / 2)
        return refuse(from, "the time runs over");
    from->to->time_ns += microseconds * 1000;
    return true;
}

static bool read_thread(reading *from)
{
    uint64_t thread = reading_varint(from);
    if (from->short_of)
        return false;
    if (thread > UINT16_MAX - 1)
        return refuse(from, "more than 65,535 threads");
    from->to->thread = (uint16_t)thread;
    return true;
}

static bool read_stack(reading *from)
{
    uint64_t length = reading_varint(from);
    if (from->short_of || length > from->end - from->next) {
        from->short_of = true;
        from->next = from->end;
        return false;
    }
    from->next += (size_t)length;
    return build_stack(from->to, from->at + from->next - length,
                       (size_t)length);
}

static bool read_site(reading *from)
{
    uint64_t site = reading_varint(from);
    if (from->short_of)
        return false;
    if (site >= from->to->into->site_count)
        return refuse(from, "it names a call stack that is not there");
    from->to->site = (uint32_t)site;
    return true;
}

bool reading_record(reading *from)
{
    switch (from->at[from->next++]) {
    case RECORD_ALLOC:
        return read_alloc(from, false);
    case RECORD_ALIGNED:
        return read_alloc(from, true);
    case RECORD_FREE:
        return read_free(from);
    case RECORD_RESIZE:
        return read_resize(from);
    case RECORD_TIME:
        return read_time(from);
    case RECORD_THREAD:
        return read_thread(from);
    case RECORD_STACK:
        return read_stack(from);
    case RECORD_SITE:
        return read_site(from);
    default:
        return refuse(from, "there is no such event");
    }
}

static void cut(reading *from, const char *why)
{
    from->to->into->cut = true;
    if (from->to->into->why_cut == NULL)
        from->to->into->why_cut = why;
}

/* Zeros are what a file holds that was made longer in advance. */
static void look_behind(const trace_input *input, reading *from)
{
    size_t at = from->next + 1;
    while (at < input->size && input->at[at] == 0)
        at++;
    if (at < input->size)
        cut(from, "other bytes follow its end");
}

static bool read_events(trace_input *input, reading *from)
{
    enum { SHORTEST = 2 }; /* bytes of an event */
    build_expect(from->to, (from->end - from->next) / SHORTEST);
    while (from->next < from->end) {
        size_t start = from->next;
        if (from->at[start] == RECORD_END) {
            look_behind(input, from);
            return true;
        }
        if (reading_record(from))
            continue;
        if (!from->short_of)
            return input_wrong_at(input, start, from->to->wrong);
        if (from->next < from->end)
            return input_wrong_at(input, start, "the number is too long");
        break;
    }
    cut(from, "it has no end");
    return true;
}

static bool read_about(trace_input *input, reading *from)
{
    uint64_t length = reading_varint(from);
    if (from->short_of || length > from->end - from->next)
        return input_wrong_at(input, from->next, "the description is cut off");
    from->to->into->about = strndup(from->at + from->next, (size_t)length);
    from->next += (size_t)length;
    return from->to->into->about != NULL ||
           input_wrong(input, "there is not enough memory to read it");
}

/* What was not yet written when the recording ended is left out. */
static bool read_written(trace_input *input, reading *from)
{
    uint64_t written = 0;
    if (from->end < TRACE_HEADER_SIZE)
        return input_wrong_at(input, from->end, "the header is cut off");
    for (unsigned i = 0; i < 8; i++) {
        written |= (uint64_t)(unsigned char)from->at[TRACE_WRITTEN_AT + i]
                   << 8 * i;
    }
    if (written < TRACE_HEADER_SIZE)
        return input_wrong(input, "nothing was recorded yet");
    if (written > from->end)
        cut(from, "it is shorter than it says");
    else
        from->end = (size_t)written;
    from->next = TRACE_HEADER_SIZE;
    from->to->into->timed = reading_varint(from) != 0;
    return true;
}

static bool read_all(trace_input *input, builder *to)
{
    reading from = {.at = input->at, .to = to, .end = input->size};
    int version = input->size > TRACE_MAGIC_SIZE
                      ? (unsigned char)input->at[TRACE_MAGIC_SIZE]
                      : 0;
    if (version != TRACE_VERSION) {
        return input_wrong(
            input, "a trace of version %d: this bitfit reads version %d",
            version, TRACE_VERSION);
    }
    return read_written(input, &from) && read_about(input, &from) &&
           read_events(input, &from);
}

const trace_reader read_bitfit = {"bitfit", is_bitfit, read_all};
