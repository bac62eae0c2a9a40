#include "input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { CHUNK = 1 << 20 };

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

static bool out_of_memory(const trace_input *input)
{
    return input_wrong(input, "there is not enough memory to read it");
}

/* ------------------------------------------------------------------- bytes */

/* Bytes that come chunk by chunk. */
typedef struct gathering {
    char *at;
    size_t size;
    size_t capacity;
} gathering;

/* Makes room for a chunk and a NUL. */
static bool make_room(gathering *bytes)
{
    if (bytes->capacity - bytes->size > CHUNK)
        return true;
    size_t capacity = bytes->capacity * 2 + CHUNK + 1;
    char *moved =
        capacity > build_limit() ? NULL : realloc(bytes->at, capacity);
    if (moved == NULL)
        return false;
    bytes->at = moved;
    bytes->capacity = capacity;
    return true;
}

static bool keep(trace_input *input, gathering *bytes)
{
    bytes->at[bytes->size] = '\0';
    free(input->at);
    input->at = bytes->at;
    input->size = bytes->size;
    return true;
}

static bool read_stream(trace_input *input, FILE *file)
{
    gathering bytes = {NULL, 0, 0};
    while (make_room(&bytes)) {
        size_t got = fread(bytes.at + bytes.size, 1, CHUNK, file);
        bytes.size += got;
        if (got == 0 && !ferror(file))
            return keep(input, &bytes);
        if (got == 0) {
            free(bytes.at);
            return input_wrong(input, "%s", strerror(errno));
        }
    }
    free(bytes.at);
    return out_of_memory(input);
}

bool input_read(trace_input *input, const char *path, trace_error *error)
{
    *input = (trace_input){.path = path, .error = error};
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
    *input = (trace_input){.path = path, .error = error, .size = size};
    input->at = malloc(size + 1);
    if (input->at == NULL)
        return out_of_memory(input);
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

/* ------------------------------------------------------------- compression */

static bool begins_with(const trace_input *input, const char *bytes,
                        size_t count)
{
    return input->size >= count && memcmp(input->at, bytes, count) == 0;
}

/* Appends what the next chunk is. Returns whether there is more to come. */
static bool unpack_chunk(ZSTD_DCtx *context, ZSTD_inBuffer *from,
                         gathering *bytes, size_t *left)
{
    ZSTD_outBuffer to = {bytes->at + bytes->size, CHUNK, 0};
    *left = ZSTD_decompressStream(context, &to, from);
    bytes->size += to.pos;
    return !ZSTD_isError(*left) && (from->pos < from->size || to.pos == CHUNK);
}

static bool unpack_zstd(trace_input *input)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer from = {input->at, input->size, 0};
    gathering bytes = {NULL, 0, 0};
    size_t left = 1;
    bool room = context != NULL;
    do {
        room = room && make_room(&bytes);
    } while (room && unpack_chunk(context, &from, &bytes, &left));
    ZSTD_freeDCtx(context);
    if (room && left == 0)
        return keep(input, &bytes);
    free(bytes.at);
    if (!room)
        return out_of_memory(input);
    return input_wrong(input, "%s",
                       ZSTD_isError(left) ? "the Zstandard data is damaged"
                                          : "the Zstandard data is cut off");
}

static bool unpack_gzip(trace_input *input)
{
    enum { GZIP_WINDOW = 15 + 16 };
    z_stream stream = {.next_in = (unsigned char *)input->at};
    gathering bytes = {NULL, 0, 0};
    size_t left = input->size;
    int state = inflateInit2(&stream, GZIP_WINDOW);
    while (state == Z_OK && make_room(&bytes)) {
        uInt given = left > UINT32_MAX ? UINT32_MAX : (uInt)left;
        stream.avail_in = given;
        stream.avail_out = CHUNK;
        stream.next_out = (unsigned char *)bytes.at + bytes.size;
        state = inflate(&stream, Z_NO_FLUSH);
        left -= given - stream.avail_in;
        bytes.size += CHUNK - stream.avail_out;
    }
    inflateEnd(&stream);
    if (state == Z_STREAM_END)
        return keep(input, &bytes);
    free(bytes.at);
    if (state == Z_OK || state == Z_MEM_ERROR)
        return out_of_memory(input);
    return input_wrong(input, "the gzip data is damaged or cut off");
}

bool input_decompress(trace_input *input)
{
    if (begins_with(input, "\x28\xB5\x2F\xFD", 4))
        return unpack_zstd(input);
    if (begins_with(input, "\x1F\x8B", 2))
        return unpack_gzip(input);
    return true;
}

/* ------------------------------------------------------------------- lines */

bool next_line(input_lines *lines)
{
    trace_input *input = lines->input;
    if (lines->next >= input->size)
        return false;
    lines->at = input->at + lines->next;
    size_t left = input->size - lines->next;
    char *end = memchr(lines->at, '\n', left);
    if (end == NULL)
        end = lines->at + left;
    lines->next = (size_t)(end - input->at) + 1;
    lines->number++;
    if (end > lines->at && end[-1] == '\r')
        end[-1] = '\0';
    *end = '\0';
    return true;
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

input_lines peek_line(const trace_input *input, char copy[static PEEK_SIZE])
{
    size_t size = input->size < PEEK_SIZE - 1 ? input->size : PEEK_SIZE - 1;
    memcpy(copy, input->at, size);
    copy[size] = '\0';
    copy[strcspn(copy, "\r\n")] = '\0';
    return (input_lines){.at = copy, .number = 1};
}

bool alignment_log2(uint64_t alignment, uint64_t *log2)
{
    enum { MALLOC_GIVES = 16 };
    if (alignment == 0 || (alignment & (alignment - 1)) != 0)
        return false;
    *log2 = 0;
    for (; alignment > MALLOC_GIVES && alignment >> *log2 > 1;)
        ++*log2;
    return true;
}
