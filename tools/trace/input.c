#include "input.h"

#include "limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------ errors */

bool input_wrong(const trace_input *input, const char *format, ...)
{
    char *text = input->error->text;
    size_t room = sizeof input->error->text;
    int used = snprintf(text, room, "%s: ", input->path);
    if (used > 0 && (size_t)used < room) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text + used, room - (size_t)used, format, arguments);
        va_end(arguments);
    }
    return false;
}

bool input_wrong_at(const trace_input *input, size_t offset, const char *why)
{
    return input_wrong(input, "at byte %zu: %s", offset, why);
}

bool input_no_memory(const trace_input *input)
{
    return input_wrong(input,
                       "there is not enough memory to read it: this "
                       "process may use %zu MiB",
                       memory_limit() >> 20);
}

/* ------------------------------------------------------------------- bytes */

bool gathering_make_room(gathering *bytes, trace_input *input)
{
    if (bytes->capacity - bytes->size > INPUT_CHUNK)
        return true;
    size_t capacity = bytes->capacity * 2 + INPUT_CHUNK + 1;
    size_t more = capacity - bytes->capacity;
    char *moved = more > input->left ? NULL : realloc(bytes->at, capacity);
    if (moved == NULL)
        return false;
    input->left -= more;
    bytes->at = moved;
    bytes->capacity = capacity;
    return true;
}

void gathering_keep(gathering *bytes, trace_input *input)
{
    bytes->at[bytes->size] = '\0';
    free(input->at);
    input->at = bytes->at;
    input->size = bytes->size;
}

/* Room for a file's size at once spares moving what is read. */
static gathering gathering_for(trace_input *input, FILE *file)
{
    struct stat about;
    gathering bytes = {NULL, 0, 0};
    if (fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode) ||
        about.st_size <= INPUT_CHUNK ||
        (uint64_t)about.st_size > input->left / 2)
        return bytes;
    size_t capacity = (size_t)about.st_size + INPUT_CHUNK + 1;
    bytes.at = malloc(capacity);
    bytes.capacity = bytes.at == NULL ? 0 : capacity;
    input->left -= bytes.capacity;
    return bytes;
}

static bool read_stream(trace_input *input, FILE *file)
{
    gathering bytes = gathering_for(input, file);
    while (gathering_make_room(&bytes, input)) {
        size_t got = fread(bytes.at + bytes.size, 1, INPUT_CHUNK, file);
        bytes.size += got;
        if (got == 0 && !ferror(file)) {
            gathering_keep(&bytes, input);
            return true;
        }
        if (got == 0) {
            free(bytes.at);
            return input_wrong(input, "%s", strerror(errno));
        }
    }
    free(bytes.at);
    return input_no_memory(input);
}

/* Half of what this process may have: others need some, too, and a system that
 * promises more memory than it has would end us instead of refusing. */
static trace_input input_of(const char *path, trace_error *error)
{
    return (trace_input){
        .path = path, .error = error, .left = memory_limit() / 2};
}

bool input_read(trace_input *input, const char *path, trace_error *error)
{
    *input = input_of(path, error);
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rbe");
    if (file == NULL)
        return input_wrong(input, "%s", strerror(errno));
    if (standard)
        input->path = "standard input";
    bool read = read_stream(input, file);
    if (!standard)
        fclose(file);
    return read;
}

bool input_copy(trace_input *input, const char *path, const void *content,
                size_t size, trace_error *error)
{
    *input = input_of(path, error);
    input->size = size;
    input->at = malloc(size + 1);
    if (input->at == NULL)
        return input_no_memory(input);
    if (size > 0)
        memcpy(input->at, content, size);
    input->at[size] = '\0';
    return true;
}

void input_release(trace_input *input)
{
    free(input->at);
    input->at = NULL;
}

/* ------------------------------------------------------------------- lines */

static void take_line(input_lines *lines, char *end)
{
    lines->next = (size_t)(end - lines->input->at) + 1;
    lines->number++;
    if (end > lines->at && end[-1] == '\r')
        end[-1] = '\0';
    *end = '\0';
}

static const char unended[] = "the file ends in the middle of a line";

/* After a crash a log may have zeros where text was lost, and so has one whose
 * front was cut off while its writer had it open: the line goes on behind. */
static char *skip_zeros(trace_input *input, char *start, const char *end)
{
    char *zero = memrchr(start, '\0', (size_t)(end - start));
    if (zero == NULL)
        return start;
    if (input->cut == NULL)
        input->cut = "there are zeros in the place of text";
    return zero + 1;
}

bool next_line(input_lines *lines)
{
    trace_input *input = lines->input;
    if (lines->next >= input->size)
        return false;
    char *start = input->at + lines->next;
    char *end = memchr(start, '\n', input->size - lines->next);
    if (end == NULL && input->cut == NULL)
        input->cut = unended;
    if (end == NULL)
        return false;
    lines->at = skip_zeros(input, start, end);
    take_line(lines, end);
    return true;
}

bool next_unended_line(input_lines *lines)
{
    if (lines->next >= lines->input->size)
        return false;
    lines->at = lines->input->at + lines->next;
    take_line(lines, lines->input->at + lines->input->size);
    return true;
}

void line_is_whole(input_lines *lines)
{
    if (lines->input->cut == unended)
        lines->input->cut = NULL;
}

bool line_wrong(const input_lines *lines, const char *why)
{
    trace_error *error = lines->input->error;
    snprintf(error->text, sizeof error->text, "%s:%" PRIu64 ": %s",
             lines->input->path, lines->number, why);
    return false;
}

static char *skip_blanks(char *at)
{
    return at + strspn(at, " \t");
}

static bool take_number(input_lines *lines, uint64_t *value, int base)
{
    char *from = skip_blanks(lines->at);
    bool digit = (*from >= '0' && *from <= '9') ||
                 (base == 16 && ((*from >= 'a' && *from <= 'f') ||
                                 (*from >= 'A' && *from <= 'F')));
    if (!digit)
        return false;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(from, &end, base);
    if (errno != 0)
        return false;
    *value = number;
    lines->at = end;
    return true;
}

bool take_hex(input_lines *lines, uint64_t *value)
{
    return take_number(lines, value, 16);
}

bool take_decimal(input_lines *lines, uint64_t *value)
{
    return take_number(lines, value, 10);
}

bool take_pointer(input_lines *lines, uint64_t *value)
{
    static const char *const nulls[] = {"(nil)", "(null)", "nullptr",
                                        "null",  "nil",    "none"};
    const char *from = skip_blanks(lines->at);
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        size_t length = strlen(nulls[i]);
        if (strncasecmp(from, nulls[i], length) == 0) {
            *value = 0;
            lines->at += (size_t)(from - lines->at) + length;
            return true;
        }
    }
    return take_hex(lines, value);
}

bool take_text(input_lines *lines, const char *text)
{
    char *from = skip_blanks(lines->at);
    size_t length = strlen(text);
    if (strncmp(from, text, length) != 0)
        return false;
    lines->at = from + length;
    return true;
}

bool at_line_end(const input_lines *lines)
{
    return *skip_blanks(lines->at) == '\0';
}

size_t take_word(input_lines *lines, const char **word)
{
    char *from = skip_blanks(lines->at);
    size_t length = strcspn(from, " \t");
    *word = from;
    lines->at = from + length;
    return length;
}

bool word_is(const char *word, size_t length, const char *text)
{
    return strlen(text) == length && memcmp(word, text, length) == 0;
}

/* Where the first line that is not blank begins. Zeros are blank, too. */
static size_t first_line(const trace_input *input)
{
    static const char blanks[] = " \t\r\n";
    size_t at = 0;
    while (at < input->size &&
           memchr(blanks, input->at[at], sizeof blanks) != NULL)
        at++;
    return at;
}

input_lines peek_line(const trace_input *input, char copy[static PEEK_SIZE])
{
    size_t start = first_line(input);
    size_t left = input->size - start;
    size_t size = left < PEEK_SIZE - 1 ? left : PEEK_SIZE - 1;
    memcpy(copy, input->at + start, size);
    copy[size] = '\0';
    for (char *zero; (zero = memchr(copy, '\0', size)) != NULL;)
        *zero = '?'; /* no format has one */
    copy[strcspn(copy, "\r\n")] = '\0';
    return (input_lines){.at = copy, .number = 1};
}

bool drop_line(trace_input *input)
{
    char *start = input->at + first_line(input);
    size_t left = input->size - (size_t)(start - input->at);
    const char *end = memchr(start, '\n', left);
    if (end == NULL)
        return false;
    memset(start, ' ', (size_t)(end - start));
    return true;
}

uint64_t alignment_log2(uint64_t alignment)
{
    enum { MALLOC_GIVES = 16 };
    uint64_t log2 = 0;
    while (alignment > MALLOC_GIVES && log2 < 63 && alignment > 1ull << log2)
        log2++;
    return log2;
}
