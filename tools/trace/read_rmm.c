/*
 * The log of RMM, the memory manager of RAPIDS, as CSV:
 *
 *     Thread,Time,Action,Pointer,Size,Stream
 *
 * The first line names the columns, in this order unless it says otherwise; a
 * log that begins in the middle has none. Fields may stand in quotes. The time
 * is HH:MM:SS and a fraction, with or without a date before it, or seconds with
 * a fraction; the actions are allocate, "allocate failure" and free (or
 * deallocate).
 */
#include "input.h"

#include <string.h>
#include <strings.h>

enum column { THREAD, TIME, ACTION, POINTER, SIZE, COLUMNS };

enum { FIELDS_MAX = 32, HOUR = 3600, DAY = 24 * HOUR };

/* Threads' lines may be a little out of order, and clocks are set back by an
 * hour: what is further back is the next day. */
enum { STEP_BACK = 2 * HOUR };

static const uint64_t second = 1000000000;

typedef struct rmm {
    input_lines lines;
    builder *to;
    size_t places[COLUMNS]; /* where each column stands */
    uint64_t last_ns;       /* the time of day of the line before */
    uint64_t days_ns;       /* what the days before came to */
} rmm;

/* ------------------------------------------------------------------ fields */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

/* Takes the next field out of the line, and its quotes off. */
static char *take_field(char **rest)
{
    char *field = *rest + strspn(*rest, " \t");
    if (*field != '"')
        return trim(strsep(rest, ","));
    char *end = strchr(++field, '"');
    if (end != NULL)
        *end++ = '\0';
    *rest = end == NULL ? NULL : strchr(end, ',');
    if (*rest != NULL)
        ++*rest;
    return trim(field);
}

static size_t take_fields(char *line, char *fields[static FIELDS_MAX])
{
    size_t count = 0;
    while (line != NULL && count < FIELDS_MAX)
        fields[count++] = take_field(&line);
    return count;
}

/* Whether the line names all columns; then it says where each stands. */
static bool is_header(char *const *fields, size_t count,
                      size_t places[static COLUMNS])
{
    static const char *const names[COLUMNS] = {"Thread", "Time", "Action",
                                               "Pointer", "Size"};
    size_t found = 0;
    for (size_t column = 0; column < COLUMNS; column++) {
        for (size_t i = 0; i < count; i++) {
            if (strcasecmp(fields[i], names[column]) == 0) {
                places[column] = i;
                found++;
                break;
            }
        }
    }
    return found == COLUMNS;
}

/* -------------------------------------------------------------------- time */

/* Digits after a point, as nanoseconds. */
static uint64_t take_fraction(input_lines *lines)
{
    uint64_t value = 0;
    uint64_t unit = second;
    for (; *lines->at >= '0' && *lines->at <= '9'; lines->at++) {
        unit /= 10;
        value += (uint64_t)(*lines->at - '0') * unit;
    }
    return value;
}

/* "2024-01-31 " or "2024-01-31T" stands before the time. */
static void skip_date(input_lines *lines)
{
    char *dash = strchr(lines->at, '-');
    char *end = dash == NULL ? NULL : strpbrk(dash, " T");
    if (end != NULL)
        lines->at = end + 1;
}

/* A time of day may come to more than a day: then it is seconds. */
static bool take_time(input_lines *lines, uint64_t *time_ns, bool *of_day)
{
    uint64_t parts[3] = {0};
    size_t count = 0;
    skip_date(lines);
    do {
        if (count == 3 || !take_decimal(lines, &parts[count++]))
            break;
    } while (take_text(lines, ":"));
    uint64_t seconds =
        count == 1 ? parts[0] : parts[0] * HOUR + parts[1] * 60 + parts[2];
    if (count == 2 || parts[0] > UINT32_MAX || parts[1] > UINT32_MAX ||
        seconds > UINT32_MAX)
        return false;
    take_text(lines, ".");
    *time_ns = seconds * second + take_fraction(lines);
    *of_day = count > 1;
    return at_line_end(lines);
}

/* The time of day runs over at midnight. */
static void set_time(rmm *from, uint64_t time_ns, bool of_day)
{
    if (of_day && time_ns + STEP_BACK * second < from->last_ns)
        from->days_ns += DAY * second;
    from->last_ns = time_ns;
    build_time(from->to, from->days_ns + time_ns);
}

/* ------------------------------------------------------------------- lines */

static bool take_hex_or_decimal(input_lines *lines, uint64_t *value)
{
    bool hex = strncmp(lines->at, "0x", 2) == 0;
    return (hex ? take_hex(lines, value) : take_decimal(lines, value)) &&
           at_line_end(lines);
}

/* An empty field is NULL. */
static bool take_address(input_lines *lines, uint64_t *address)
{
    *address = 0;
    return at_line_end(lines) ||
           (take_pointer(lines, address) && at_line_end(lines));
}

static bool do_action(builder *to, const char *action, uint64_t address,
                      uint64_t size)
{
    static const char allocates[] = "allocate";
    if (strcasecmp(action, allocates) == 0)
        return build_alloc_at(to, address, size, 0);
    if (strcasecmp(action, "free") == 0 ||
        strcasecmp(action, "deallocate") == 0)
        return build_free_at(to, address);
    to->wrong = "there is no such action";
    if (strncasecmp(action, allocates, sizeof allocates - 1) != 0 ||
        strcasestr(action, "fail") == NULL)
        return false;
    to->into->failed++;
    return true;
}

/* Each field is read as a line of its own. */
static input_lines line_of(const rmm *from, char *field)
{
    input_lines line = from->lines;
    line.at = field;
    return line;
}

static bool read_event(rmm *from, char *const *fields)
{
    uint64_t thread;
    uint64_t time_ns;
    uint64_t address;
    uint64_t size = 0;
    bool of_day;
    input_lines line = line_of(from, fields[from->places[THREAD]]);
    input_lines time = line_of(from, fields[from->places[TIME]]);
    if (!take_hex_or_decimal(&line, &thread) ||
        !take_time(&time, &time_ns, &of_day))
        return line_wrong(&from->lines, "the thread or the time makes no "
                                        "sense");
    line = line_of(from, fields[from->places[POINTER]]);
    input_lines sizes = line_of(from, fields[from->places[SIZE]]);
    if (!take_address(&line, &address) ||
        (*sizes.at != '\0' && !take_hex_or_decimal(&sizes, &size)))
        return line_wrong(&from->lines, "the pointer or the size makes no "
                                        "sense");
    set_time(from, time_ns, of_day);
    return (build_thread(from->to, thread) &&
            do_action(from->to, fields[from->places[ACTION]], address, size)) ||
           line_wrong(&from->lines, from->to->wrong);
}

static bool read_line(rmm *from)
{
    char *fields[FIELDS_MAX];
    size_t count = take_fields(from->lines.at, fields);
    if (is_header(fields, count, from->places))
        return true;
    for (size_t column = 0; column < COLUMNS; column++) {
        if (from->places[column] >= count)
            return line_wrong(&from->lines, "there are too few columns");
    }
    return read_event(from, fields);
}

static rmm begin(trace_input *input, builder *to)
{
    return (rmm){.lines = {.input = input},
                 .to = to,
                 .places = {THREAD, TIME, ACTION, POINTER, SIZE}};
}

static bool is_action(const char *field)
{
    return strncasecmp(field, "allocate", 8) == 0 ||
           strcasecmp(field, "free") == 0 ||
           strcasecmp(field, "deallocate") == 0;
}

static bool is_rmm(const trace_input *input)
{
    char copy[PEEK_SIZE];
    char *fields[FIELDS_MAX];
    size_t places[COLUMNS];
    size_t count = take_fields(peek_line(input, copy).at, fields);
    return is_header(fields, count, places) ||
           (count > SIZE && is_action(fields[ACTION]));
}

static bool read_all(trace_input *input, builder *to)
{
    rmm from = begin(input, to);
    to->into->timed = true;
    while (next_line(&from.lines)) {
        if (!at_line_end(&from.lines) && !read_line(&from))
            return false;
    }
    return true;
}

const trace_reader read_rmm = {"RMM", is_rmm, read_all};
