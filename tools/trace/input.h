/* What the readers of the formats share: the file's bytes, and its lines. */
#ifndef TRACE_INPUT_H
#define TRACE_INPUT_H

#include "build.h"

/* A file, decompressed. A NUL stands behind its last byte. */
typedef struct trace_input {
    const char *path; /* as errors name it */
    char *at;
    size_t size;
    const char *cut; /* why this is not all that there was; NULL: it is */
    size_t left;     /* bytes of memory that may still be used */
    trace_error *error;
} trace_input;

/* Reads the file, or standard input for "-". Gives back what input_release()
 * frees; false and an error else. */
bool input_read(trace_input *input, const char *path, trace_error *error);

/* A copy of these bytes. */
bool input_copy(trace_input *input, const char *path, const void *content,
                size_t size, trace_error *error);

/* Decompresses what is compressed by Zstandard or gzip, all frames and members
 * of it. What is cut off is taken as far as it goes, and `cut` says so. */
bool input_decompress(trace_input *input);

void input_release(trace_input *input);

/* All of these return false. */
__attribute__((format(printf, 2, 3))) bool input_wrong(const trace_input *input,
                                                       const char *format, ...);
bool input_wrong_at(const trace_input *input, size_t offset, const char *why);
bool input_no_memory(const trace_input *input);

/* Bytes that come chunk by chunk. */
typedef struct gathering {
    char *at;
    size_t size;
    size_t capacity;
} gathering;

/* Small for the fuzzer, whose inputs are. */
#ifndef INPUT_CHUNK
#define INPUT_CHUNK (1 << 20)
#endif

/* Makes room for a chunk and a NUL. False if there is no memory for it. */
bool gathering_make_room(gathering *bytes, trace_input *input);

/* They take the place of what the input was. */
void gathering_keep(gathering *bytes, trace_input *input);

/* The lines of a text, one after the other. Each is cut out of the input, which
 * is no longer of use after that. A last line without its end may be the
 * beginning of a longer one: it is not given, and `cut` says so. */
typedef struct input_lines {
    trace_input *input;
    size_t next;     /* offset */
    uint64_t number; /* of the line, from 1 */
    char *at;        /* what is not yet read of it */
} input_lines;

bool next_line(input_lines *lines);

/* The last line without its end, for formats that tell whether it is whole; and
 * that it is: then it does not count as cut. */
bool next_unended_line(input_lines *lines);
void line_is_whole(input_lines *lines);

/* A copy of the beginning of the file's first line that is not blank. */
enum { PEEK_SIZE = 256 };
input_lines peek_line(const trace_input *input, char copy[static PEEK_SIZE]);

/* Blanks out the first line that is not blank: a log may begin in the middle of
 * one. False if no other follows. */
bool drop_line(trace_input *input);

/* Returns false: "FILE:LINE: why". */
bool line_wrong(const input_lines *lines, const char *why);

/* The logarithm of the alignment that memalign() gives for one that is asked
 * for: the next power of two; 0 for what malloc gives anyhow. */
uint64_t alignment_log2(uint64_t alignment);

/* Take what stands next in the line and the blanks before it, or return false
 * and take nothing. A hexadecimal number may begin with 0x. A pointer may be
 * NULL, in any of its spellings, which is 0. */
bool take_hex(input_lines *lines, uint64_t *value);
bool take_decimal(input_lines *lines, uint64_t *value);
bool take_pointer(input_lines *lines, uint64_t *value);
bool take_text(input_lines *lines, const char *text);

/* The next word: up to a blank. Returns its length; 0 at the line's end. */
size_t take_word(input_lines *lines, const char **word);
bool word_is(const char *word, size_t length, const char *text);
bool at_line_end(const input_lines *lines);

/* A format: whether this is it, and its reader. */
typedef struct trace_reader {
    const char *name;
    bool (*recognizes)(const trace_input *input);
    bool (*read)(trace_input *input, builder *to);
} trace_reader;

extern const trace_reader read_bitfit, read_aosp, read_heaptrack, read_mtrace,
    read_rep, read_rmm, read_torch;

#endif
