/* Every format that is read, and the one that is written. */
#include "numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trace/format.h>
#include <trace/rename.h>
#include <trace/text.h>
#include <trace/trace.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* ------------------------------------------------------------------ helpers */

/* The events as text: "a0:512 m1:8^6 r0:640 f0", and "@1" behind what another
 * thread than the first does. The caller frees it. */
static char *events_text(const trace *of)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    block_numbers numbers = numbers_open(of);
    for (size_t i = 0; i < of->count; i++) {
        const trace_event event = trace_at(of, i);
        char op = event.op == TRACE_FREE     ? 'f'
                  : event.op == TRACE_RESIZE ? 'r'
                  : event.align_log2 > 0     ? 'm'
                                             : 'a';
        fprintf(to, "%s%c%u", i == 0 ? "" : " ", op,
                (unsigned)number_of(&numbers, &event));
        if (op != 'f')
            fprintf(to, ":%llu", (unsigned long long)event.size);
        if (op == 'm')
            fprintf(to, "^%u", event.align_log2);
        if (event.thread > 0)
            fprintf(to, "@%u", event.thread);
    }
    fclose(to);
    numbers_close(&numbers);
    return text;
}

static trace *parse(const void *content, size_t size)
{
    trace_error error = {""};
    trace *read = trace_parse("test.trace", content, size, &error);
    if (read == NULL)
        fail_msg("%s", error.text);
    return read;
}

static void expect_events(const trace *of, const char *expected)
{
    char *text = events_text(of);
    assert_string_equal(text, expected);
    free(text);
}

static void expect(const char *content, const char *format,
                   const char *expected)
{
    trace *read = parse(content, strlen(content));
    assert_string_equal(read->format, format);
    assert_string_equal(read->name, "test");
    expect_events(read, expected);
    trace_close(read);
}

static void refuse_bytes(const void *content, size_t size, const char *expected)
{
    trace_error error = {""};
    assert_null(trace_parse("test.trace", content, size, &error));
    if (strstr(error.text, expected) == NULL)
        fail_msg("'%s' does not say '%s'", error.text, expected);
    assert_null(strchr(error.text, '\n'));
    assert_memory_equal(error.text, "test.trace:", 11);
}

/* Whether and why the trace is not all there; NULL: it is. */
static void expect_cut(const char *content, const char *why)
{
    trace *read = parse(content, strlen(content));
    assert_int_equal(read->cut, why != NULL);
    if (why != NULL)
        assert_non_null(strstr(read->why_cut, why));
    trace_close(read);
}

static void refuse(const char *content, const char *expected)
{
    refuse_bytes(content, strlen(content), expected);
}

/* --------------------------------------------------------------------- AOSP */

static void aosp_memory_replay_is_read(void **state)
{
    (void)state;
    expect("1: malloc 0x10 20\n"
           "2: calloc 0x50 4 5 100 200\n"
           "1: realloc 0x90 0x10 40 300 301\n"
           "\n"
           "1: memalign 0x200 64 5\n"
           "1: memalign 0x300 16 5\n"
           "1: memalign 0x380 48 5\n"
           "1: memalign 0x3c0 0 5\n"
           "3: malloc 0x0 99\n"
           "1: free 0x0\n"
           "1: realloc 0x400 0x0 7\n"
           "1: realloc 0x0 0x400 0\n"
           "1: free 0x50\n"
           "2: thread_done 0x0 400\n",
           "AOSP memory_replay",
           "a0:20 a1:20@1 r0:40 m2:5^6 a3:5 m4:5^6 a5:5 a6:7 f6 f1");
}

static void aosp_times_are_since_the_first_event(void **state)
{
    (void)state;
    static const char text[] = "7: malloc 0x10 1 5000 5010\n"
                               "7: free 0x10 5300 5301\n";
    trace *read = parse(text, sizeof text - 1);
    assert_true(read->timed);
    assert_int_equal(trace_time(read, 0), 0);
    assert_int_equal(trace_time(read, 1), 300);
    trace_close(read);
}

static void aosp_lines_that_make_no_sense_are_named(void **state)
{
    (void)state;
    static const char first[] = "1: malloc 0x10 20\n";
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"1: grow 0x10 20\n", ":2: there is no such call"},
        {"1: malloc 0x30\n", ":2: the call's numbers"},
        {"1: malloc 0x30 20 5\n 4\n", ":3: there is no thread"},
        {"x: malloc 0x30 20\n", ":2: there is no thread"},
        {"1: malloc 0x30 999999999999999999999\n", ":2: the call's numbers"},
        {"1: malloc 0x30 281474976710656\n", ":2: a size of 2^48"},
        {"1: calloc 0x30 4294967296 4294967296\n", ":2: a size of 2^48"},
        {"1: memalign 0x30 4294967296 8\n", ":2: an alignment of more than"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s%s", first, cases[i].line);
        refuse(text, cases[i].why);
    }
}

/* ---------------------------------------------------------------- heaptrack */

static void heaptrack_raw_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "v 10400 3\nx c /home/me/app\nX ./app --go\nI 1000 5e298d\n"
        "m 1 -\nm 1 x 5000 0 1000\nm e /lib/libc.so.6 7000 0 800 1000 20\n"
        "t 5010 0\nt 7020 1\nc a\n+ 64 2 aa0\n- aa0\n- bb0\n"
        "c 14\n+ 8 1 aa0\n+ 10 2 aa0\n+ 1 0 cc0\n";
    trace *read = parse(text, sizeof text - 1);
    assert_string_equal(read->format, "heaptrack --raw");
    assert_string_equal(read->about, "./app --go");
    expect_events(read, "a0:100 f0 a1:8 f1 a2:16 a3:1");
    assert_string_equal(read->sites[trace_at(read, 0).site],
                        "app+0x10;libc.so.6+0x20");
    assert_string_equal(read->sites[trace_at(read, 2).site], "app+0x10");
    assert_int_equal(trace_at(read, 5).site, 0);
    assert_int_equal(trace_time(read, 2), 10 * 1000 * 1000);
    trace_close(read);
}

static void heaptrack_raw_of_version_2_is_read(void **state)
{
    (void)state;
    expect("v 10200 2\nx /home/me/app\nm /lib/libc.so.6 7000 0 800\n"
           "t 7010 0\n+ 20 1 aa0\n- aa0\n",
           "heaptrack --raw", "a0:32 f0");
}

static void heaptrack_interpreted_is_refused_saying_what_works(void **state)
{
    (void)state;
    refuse("v 10400 3\nX ./app\ns c /home/me/app\n",
           ":3: this is heaptrack's interpreted file");
    refuse("v 10400 3\n+ 0\n", "record with heaptrack --raw");
}

static void heaptrack_lines_that_make_no_sense_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"v 10400 4\n", ":1: heaptrack's data of this version"},
        {"v 10400 3\nt zz 0\n", ":2: the call stack makes no sense"},
        {"v 10400 3\nt 10 1\n", ":2: the call stack makes no sense"},
        {"v 10400 3\n+ 8 1 aa0\n", ":2: it names a call stack"},
        {"v 10400 3\n+ 8 0\n", ":2: the allocation makes no sense"},
        {"v 10400 3\n- \n", ":2: there is no pointer"},
        {"v 10400 3\n- 123456789abcdef01\n", ":2: the pointer makes no"},
        {"v 10400 3\n+ 123456789abcdef01 0 8\n", ":2: the allocation makes"},
        {"v 10400 3\n+ 8 0 123456789abcdef01\n", ":2: the allocation makes"},
        {"v 10400 3\nm 99 abc\n", ":2: the module has no name"},
        {"v 10400 3\nm 3 abc\n", ":2: the module has no address"},
        {"v 10400 3\nhello\n", ":2: there is no such line"},
        {"v 10400 3\n+ ffffffffffffffff 0 aa0\n", ":2: a size of 2^48"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(cases[i].text, cases[i].why);
}

/* ------------------------------------------------------- mtrace, .rep, RMM */

static void mtrace_is_read(void **state)
{
    (void)state;
    static const char text[] = "= Start\n"
                               "@ ./a:[0x11b0] - 0x5502a0\n"
                               "@ ./a:(main+0x1d)[0x11ba] + 0x5504a0 0x64\n"
                               "@ ./a:[0x11cf] < 0x5504a0\n"
                               "@ ./a:[0x11cf] > 0x5508a0 0x1388\n"
                               "@ ./a:[0x11e9] ! 0x0 0x64\n"
                               "+ 0x660 0x8\n"
                               "@ ./a:[0x11f5] - 0x5508a0\n"
                               "@ ./a:[0x11f6] + 0x660 0x9\n"
                               "= End\n";
    trace *read = parse(text, sizeof text - 1);
    assert_string_equal(read->format, "glibc mtrace");
    expect_events(read, "a0:100 r0:5000 a1:8 f0 f1 a2:9");
    assert_string_equal(read->sites[trace_at(read, 0).site],
                        "./a:(main+0x1d)[0x11ba]");
    assert_int_equal(trace_at(read, 2).site, 0);
    assert_false(read->cut);
    trace_close(read);
}

static void mtrace_without_its_end_is_cut(void **state)
{
    (void)state;
    static const char text[] = "= Start\n@ ./a:[0x1] + 0x10 0x64\n";
    trace *read = parse(text, sizeof text - 1);
    assert_true(read->cut);
    trace_close(read);
    expect_cut("= Start\n@ ./a:[0x1] + 0x10 0x64\n= End", NULL);
    refuse("= Start\n@ ./a:[0x1] + 0x10\n", ":2: an address or a size");
    refuse("= Start\nhello\n", ":2: there is no event in this line");
}

static void rep_is_read(void **state)
{
    (void)state;
    expect("100\n2\n5\n1\na 0 512\na 1 128\nr 0 640\nf 0\nf -1\n", ".rep",
           "a0:512 a1:128 r0:640 f0");
    expect("100\n2\n3\n1\r\na 0 1\r\nf 0\r\na 0 2\r\n", ".rep", "a0:1 f0 a1:2");
    expect("100\n2\n2\n1\na 0 1\nf 0", ".rep", "a0:1 f0");
    refuse("100\n2\na 0 512\n", ":3: four numbers");
    refuse("100\n2\n1\n1\nq 3\n", ":5: there is no such operation");
    refuse("100\n2\n1\n1\na 3\n", ":5: the operation's numbers");
}

static void rmm_log_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "Thread,Time,Action,Pointer,Size,Stream\n"
        "11,14:21:19.998533,allocate,0x30a000000,256,0x2\n"
        "12,14:21:20.998533,allocate failure,0x0,99,0x2\n"
        "12,14:21:32:661875,free,0x30a000000,256,0x2\n"
        "12,1634567890.5,allocate,0x1,7,0x2\n";
    trace *read = parse(text, sizeof text - 1);
    assert_string_equal(read->format, "RMM");
    expect_events(read, "a0:256 f0@1 a1:7@1");
    assert_int_equal(trace_time(read, 1), 12663342000);
    trace_close(read);
    refuse("Thread,Time,Action,Pointer,Size,Stream\n1,1:2,free,0x1,1,0\n",
           ":2: the thread or the time");
    refuse("Thread,Time,Action,Pointer,Size,Stream\n1,1:2:3.4,shrink,0x1,1,0\n",
           ":2: there is no such action");
    refuse("Thread,Time,Action,Pointer,Size,Stream\n1,1:2:3.4,free,0x1\n",
           ":2: there are too few columns");
    refuse("Thread,Time,Action,Pointer,Size,Stream\n1,1:2:3.4,free,x,1\n",
           ":2: the pointer or the size");
}

/* ----------------------------------------------------------------- our own */

enum { CONTENT_MAX = 512 };

typedef struct content {
    unsigned char bytes[CONTENT_MAX];
    size_t size;
} content;

static void add(content *to, const void *bytes, size_t size)
{
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
    trace_put_written(to->bytes, to->size);
}

/* A recording with this description and these events. */
static content own(const char *about, const void *events, size_t size)
{
    content result = {.size = 0};
    unsigned char *end = trace_put_header(result.bytes, 1, strlen(about));
    result.size = (size_t)(end - result.bytes);
    add(&result, about, strlen(about));
    add(&result, events, size);
    return result;
}

static const char own_events[] = "S\4main"
                                 "S\6main;f"
                                 "a\5"
                                 "T\1"
                                 "s\2"
                                 "t\7"
                                 "a\6"
                                 "T\0"
                                 "f\1"
                                 "e";

static void expect_own_events(const trace *read)
{
    expect_events(read, "a0:5 a1:6@1 f0");
    assert_int_equal(read->threads, 2);
    assert_string_equal(read->about, "app");
    assert_string_equal(read->sites[trace_at(read, 0).site], "");
    assert_string_equal(read->sites[trace_at(read, 1).site], "main;f");
    assert_int_equal(trace_time(read, 0), 0);
    assert_int_equal(trace_time(read, 1), 7000);
    assert_true(read->timed);
    assert_false(read->cut);
}

static void a_recording_is_read(void **state)
{
    (void)state;
    content file = own("app", own_events, sizeof own_events - 1);
    trace *read = parse(file.bytes, file.size);
    expect_own_events(read);
    trace_close(read);
}

static void the_manuals_example_is_read(void **state)
{
    (void)state;
    static const char bytes[] = "bitfit\0\1"
                                "\x1d\0\0\0\0\0\0\0"
                                "\0"
                                "\3"
                                "app"
                                "a\5"
                                "a\xac\2"
                                "f\1"
                                "e";
    trace *read = parse(bytes, sizeof bytes - 1);
    expect_events(read, "a0:5 a1:300 f0");
    assert_string_equal(read->about, "app");
    assert_false(read->timed || read->cut);
    trace_close(read);
}

static void what_is_compressed_is_read(void **state)
{
    (void)state;
    content file = own("app", own_events, sizeof own_events - 1);
    unsigned char packed[2 * CONTENT_MAX];
    size_t size =
        ZSTD_compress(packed, sizeof packed, file.bytes, file.size, 1);
    trace *read = parse(packed, size);
    expect_own_events(read);
    trace_close(read);
    packed[size / 2] ^= 0x55;
    trace_error error;
    trace_close(trace_parse("damaged", packed, size, &error));

    z_stream stream = {.next_in = file.bytes,
                       .avail_in = (uInt)file.size,
                       .next_out = packed,
                       .avail_out = sizeof packed};
    deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    deflate(&stream, Z_FINISH);
    size = sizeof packed - stream.avail_out;
    deflateEnd(&stream);
    read = parse(packed, size);
    expect_own_events(read);
    trace_close(read);
    packed[size - 1] ^= 0x55;
    refuse_bytes(packed, size, "the gzip data is damaged");
}

static void a_recording_that_was_cut_is_sound(void **state)
{
    (void)state;
    content file = own("app", own_events, sizeof own_events - 2);
    size_t written = file.size;
    memset(file.bytes + written, 'f', 16); /* not yet written, by the header */
    trace *read = parse(file.bytes, written + 16);
    expect_events(read, "a0:5 a1:6@1 f0");
    assert_true(read->cut);
    trace_close(read);
}

static void refuse_own(const void *events, size_t size, const char *why)
{
    content file = own("app", events, size);
    refuse_bytes(file.bytes, file.size, why);
}

static void events_that_make_no_sense_are_named_by_their_place(void **state)
{
    (void)state;
    refuse_own("f\0", 2, "at byte 21: it names a block that is not live");
    refuse_own("a\5f\0f\0", 6, "at byte 25: it names a block that is not");
    refuse_own("a\5r\1\5", 5, "at byte 23: it names a block that is not");
    refuse_own("a\5q\1", 4, "at byte 23: there is no such event");
    refuse_own("s\1", 2, "at byte 21: it names a call stack");
    refuse_own("T\xff\xff\xff\1", 5, "at byte 21: more than 65,535 threads");
    refuse_own("m\x40\1", 3, "at byte 21: an alignment of more than");
    refuse_own("a\x80\x80\x80\x80\x80\x80\x80\1", 9,
               "at byte 21: a size of 2^48");
    refuse_own("t\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11,
               "at byte 21: the time runs over");
    refuse_own("a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12,
               "at byte 21: the number is too long");
}

static void what_is_no_trace_is_refused_saying_what_works(void **state)
{
    (void)state;
    refuse("", "the file is empty");
    refuse("hello\n", "that bitfit reads: bitfit record");
    refuse("{\"dhatFileVersion\":2", "bitfit record");
    refuse("desc: --massif\n", "bitfit record");
    refuse("heap_v2/524288\n", "bitfit record");
    refuse_bytes("bitfit\0\2abc", 11, "version 2: this bitfit reads version 1");
    refuse_bytes("bitfit\0\1abc", 11, "the header is cut off");
    trace_error error;
    assert_null(trace_open("/nowhere/at.all", &error));
    assert_non_null(strstr(error.text, "/nowhere/at.all: No such file"));
}

/* ---------------------------------------------------- what programs write */

static void null_in_every_spelling_is_null(void **state)
{
    (void)state;
    static const char *const nulls[] = {"0x0",     "0",     "(nil)", "(null)",
                                        "NULL",    "null",  "Null",  "nullptr",
                                        "nullPtr", "(NIL)", "None",  "nil"};
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "1: malloc 0x10 8\n1: malloc %s 99\n1: free %s\n"
                 "1: realloc 0x20 %s 7\n1: realloc %s 0x20 9\n",
                 nulls[i], nulls[i], nulls[i], nulls[i]);
        expect(text, "AOSP memory_replay", "a0:8 a1:7");
        snprintf(text, sizeof text,
                 "Thread,Time,Action,Pointer,Size,Stream\n"
                 "1,1:00:00.5,allocate failure,%s,99,0\n"
                 "1,1:00:00.5,allocate,%s,0,0\n1,1:00:00.5,free,%s,0,0\n"
                 "1,1:00:00.5,allocate,0x10,0,0\n",
                 nulls[i], nulls[i], nulls[i]);
        expect(text, "RMM", "a0:0");
    }
    expect("= Start\n@ a + (nil) 0x64\n@ a + 0x10 0\n@ a - (nil)\n"
           "@ a ! (nil) 0x64\n= End\n",
           "glibc mtrace", "a0:0");
    expect("v 10400 3\n+ 64 0 0\n- 0\n+ 0 0 aa0\n", "heaptrack --raw", "a0:0");
}

/* After a crash, or where a log was cut at its front while it was written. */
static void zeros_in_a_log_take_no_whole_line(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "|||1: malloc 0x10 8\n2: malloc 0x20 9\n",
        "1: malloc 0x10 8\n|||2: malloc 0x20 9\n",
        "1: malloc 0x10 8\n|||\n2: malloc 0x20 9\n",
        "1: malloc 0x10 8\n1: mal|||2: malloc 0x20 9\n",
        "|||lloc 0x90 3\n1: malloc 0x10 8\n2: malloc 0x20 9\n",
        "1: malloc 0x10 8\n2: malloc 0x20 9\n|||"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[128];
        size_t size = strlen(texts[i]);
        memcpy(text, texts[i], size);
        for (size_t at = 0; at < size; at++)
            text[at] = text[at] == '|' ? '\0' : text[at];
        trace *read = parse(text, size);
        expect_events(read, "a0:8 a1:9@1");
        assert_true(read->cut);
        trace_close(read);
    }
}

static void requests_that_failed_are_counted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1: malloc 0x10 8\n1: malloc 0x0 99\n1: realloc 0x0 0x10 9\n",
        ("1,1:00:00.5,allocate,0x1,7,0\n1,1:00:00.5,allocate failure,0x0,9,0\n"
         "1,1:00:00.5,Allocate Failure,(nil),9,0\n"),
        "= Start\n@ a + 0x10 0x8\n@ a + (nil) 0x64\n@ a ! 0x10 0x64\n= End\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        trace *read = parse(texts[i], strlen(texts[i]));
        assert_int_equal(read->count, 1);
        assert_int_equal(read->failed, 2);
        trace_close(read);
    }
}

/* A free and a resize of what was there before, and an allocation where a block
 * lives: its free is not in the log. */
static void a_log_may_begin_in_the_middle(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1: free 0x90\n1: realloc 0x10 0x80 8\n1: malloc 0x10 9\n",
        ("1,1:00:00.5,free,0x90,1,0\n1,1:00:00.5,free,0x80,1,0\n"
         "1,1:00:00.5,allocate,0x10,8,0\n1,1:00:00.5,allocate,0x10,9,0\n"),
        "@ a - 0x90\n@ a < 0x80\n@ a > 0x10 0x8\n@ a + 0x10 0x9\n= End\n",
        "v 10400 3\n- 90\n- 80\n+ 8 0 10\n+ 9 0 10\n",
        "9\n9\n3\n1\nf 9\nr 1 8\na 1 9\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        trace *read = parse(texts[i], strlen(texts[i]));
        expect_events(read, "a0:8 f0 a1:9");
        assert_int_equal(read->unseen, 3);
        assert_false(read->cut);
        trace_close(read);
    }
}

static void a_log_may_begin_in_the_middle_of_a_line(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "c 0x10 20\n1: malloc 0x10 8\n",
        "1.5,allocate,0x10,8\n1,1:00:00.5,allocate,0x10,8,0\n",
        "x50] + 0x2\n@ a + 0x10 0x8\n= End\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        trace *read = parse(texts[i], strlen(texts[i]));
        expect_events(read, "a0:8");
        assert_string_equal(read->why_cut, "it begins in the middle of a line");
        trace_close(read);
    }
}

static void marks_quotes_and_blank_lines_are_no_hindrance(void **state)
{
    (void)state;
    static const char mark[] = "\xEF\xBB\xBF";
    static const char *const texts[] = {
        "1: malloc 0x10 8\n",
        "= Start\n@ a + 0x10 0x8\n= End\n",
        "v 10400 3\n+ 8 0 10\n",
        "9\n9\n1\n1\na 0 8\n",
        "\"Thread\",\"Time\",\"Action\",\"Pointer\",\"Size\",\"Stream\"\n"
        "\"1\",\"1:00:00.5\",\"allocate\",\"0x10\",\"8\",\"0\"\n",
        "Time,Stream, Thread , action,Pointer,Size\r\n"
        "2024-01-31 1:00:00.5,0,0x1f,allocate , 0x10,8\r\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[512];
        for (int how = 0; how < 4; how++) {
            snprintf(text, sizeof text, "%s%s%s", how & 1 ? mark : "",
                     how & 2 ? "\n \r\n" : "", texts[i]);
            trace *read = parse(text, strlen(text));
            expect_events(read, "a0:8");
            assert_false(read->cut);
            trace_close(read);
        }
    }
}

static void a_time_of_day_runs_over_at_midnight(void **state)
{
    (void)state;
    static const char text[] = "1,23:59:59.000000,allocate,0x1,7,0\n"
                               "1,23:59:58.000000,allocate,0x2,7,0\n"
                               "1,00:00:09.000000,free,0x1,7,0\n"
                               "1,23:00:00.000000,free,0x2,7,0\n"
                               "1,01:00:00.000000,allocate,0x3,7,0\n";
    static const uint64_t seconds[] = {0, 0, 10, 82801, 90001};
    trace *read = parse(text, sizeof text - 1);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(trace_time(read, i), seconds[i] * 1000000000u);
    trace_close(read);
}

/* --------------------------------------------------------- cut and joined */

typedef struct bytes {
    unsigned char *at;
    size_t size;
} bytes;

static bytes packed_gzip(const void *from, size_t size)
{
    bytes to = {malloc(size + size / 100 + 1000), 0};
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)from,
                       .avail_in = (uInt)size,
                       .next_out = to.at,
                       .avail_out = (uInt)(size + size / 100 + 1000)};
    deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    to.size = stream.total_out;
    deflateEnd(&stream);
    return to;
}

static bytes packed_zstd(const void *from, size_t size)
{
    size_t bound = ZSTD_compressBound(size);
    bytes to = {malloc(bound), 0};
    to.size = ZSTD_compress(to.at, bound, from, size, 1);
    assert_false(ZSTD_isError(to.size));
    return to;
}

static bytes packed_not(const void *from, size_t size)
{
    bytes to = {malloc(size + 1), size};
    memcpy(to.at, from, size);
    return to;
}

typedef bytes packing(const void *from, size_t size);
static packing *const packings[] = {packed_not, packed_gzip, packed_zstd};

/* One after the other. */
static bytes joined(bytes first, bytes second)
{
    first.at = realloc(first.at, first.size + second.size);
    memcpy(first.at + first.size, second.at, second.size);
    first.size += second.size;
    free(second.at);
    return first;
}

static void all_members_and_frames_are_read(void **state)
{
    (void)state;
    static const char first[] = "= Start\n@ a + 0x10 0x64\n";
    static const char second[] = "@ a + 0x20 0x64\n= End\n";
    static const unsigned char ways[][2] = {
        {0, 0}, {1, 1}, {2, 2}, {1, 2}, {2, 1}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        packing *one = packings[ways[i][0]];
        packing *other = packings[ways[i][1]];
        bytes file = joined(one(first, sizeof first - 1), other("", 0));
        file = joined(file, one("", 0));
        file = joined(file, other(second, sizeof second - 1));
        trace *read = parse(file.at, file.size);
        expect_events(read, "a0:100 a1:100");
        assert_false(read->cut);
        trace_close(read);
        free(file.at);
    }
}

/* Zeros are padding; anything else is said. */
static void what_follows_compressed_data_is_not_lost_in_silence(void **state)
{
    (void)state;
    static const char text[] = "1: malloc 0x10 8\n";
    for (size_t i = 1; i < 3; i++) {
        bytes file = packings[i](text, sizeof text - 1);
        file = joined(file, packed_not("\0\0\0\0\0", 5));
        trace *read = parse(file.at, file.size);
        expect_events(read, "a0:8");
        assert_false(read->cut);
        trace_close(read);
        file = joined(file, packed_not("more", 4));
        read = parse(file.at, file.size);
        expect_events(read, "a0:8");
        assert_non_null(strstr(read->why_cut, "other bytes follow the"));
        trace_close(read);
        free(file.at);
    }
}

static void two_recordings_in_one_file_are_not_lost_in_silence(void **state)
{
    (void)state;
    content file = own("app", own_events, sizeof own_events - 1);
    bytes two = joined(packed_not(file.bytes, file.size),
                       packed_not(file.bytes, file.size));
    trace *read = parse(two.at, two.size);
    expect_events(read, "a0:5 a1:6@1 f0");
    assert_string_equal(read->why_cut, "other bytes follow its end");
    trace_close(read);
    memset(two.at + file.size, 0, file.size); /* made longer in advance */
    read = parse(two.at, two.size);
    expect_own_events(read);
    trace_close(read);
    free(two.at);
}

/* How many events of the whole these bytes hold; all of them are the whole's
 * first ones. -1 if they are refused. */
static int events_of_part(const trace *whole, const bytes *part, bool *cut)
{
    trace_error error = {""};
    trace *read = trace_parse("test.trace", part->at, part->size, &error);
    if (read == NULL)
        return -1;
    assert_true(read->count <= whole->count);
    for (size_t i = 0; i < read->count; i++) {
        assert_int_equal(trace_at(read, i).op, trace_at(whole, i).op);
        assert_int_equal(trace_at(read, i).size, trace_at(whole, i).size);
        assert_int_equal(trace_at(read, i).slot, trace_at(whole, i).slot);
    }
    int count = (int)read->count;
    *cut = read->cut;
    trace_close(read);
    return count;
}

/* At every byte: the events of whole lines, and word that it was cut, but where
 * a text without an end mark stops between lines. */
static void check_cuts(const bytes *file, packing *pack, bool has_end)
{
    trace *whole = parse(file->at, file->size);
    bytes packed = pack(file->at, file->size);
    int most = 0;
    assert_false(whole->cut);
    for (size_t size = 1; size < packed.size; size++) {
        bool cut = false;
        const bytes part = {packed.at, size};
        int count = events_of_part(whole, &part, &cut);
        bool between = pack == packed_not && packed.at[size - 1] == '\n';
        assert_true(count < 0 || cut || (between && !has_end) ||
                    (pack == packed_not && size + 1 == packed.size));
        assert_true(count >= most || count < 0);
        assert_true(count >= 0 || most == 0);
        most = count > most ? count : most;
    }
    assert_true(most > 0 || pack != packed_not);
    trace_close(whole);
    free(packed.at);
}

static void a_cut_anywhere_leaves_the_whole_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool has_end;
    } texts[] = {
        {"1: malloc 0x10 20\n1: memalign 0x50 64 5\n1: free 0x10\n", false},
        {"1,1:00:00.5,allocate,0x1,70,0\n1,1:00:00.5,free,0x1,70,0\n", false},
        {"v 10400 3\nt 10 0\n+ 64 1 aa0\n- aa0\n", false},
        {"= Start\n@ a + 0x10 0x64\n@ a - 0x10\n= End\n", true},
        {"9\n9\n3\n1\na 0 80\nr 0 90\nf 0\n", true},
    };
    content file = own("app", own_events, sizeof own_events - 1);
    for (size_t i = 0; i < 3; i++) {
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
            const bytes text = {(unsigned char *)(uintptr_t)texts[t].text,
                                strlen(texts[t].text)};
            check_cuts(&text, packings[i], texts[t].has_end);
        }
        const bytes recorded = {file.bytes, file.size};
        check_cuts(&recorded, packings[i], true);
    }
}

/* Lines of a trace, and blank ones up to this size. */
static bytes text_of_length(size_t size)
{
    static const char line[] = "1: malloc 0x10 8\n";
    bytes text = {malloc(size), size};
    memset(text.at, '\n', size);
    memcpy(text.at, line, sizeof line - 1);
    memcpy(text.at + size - (sizeof line - 1), line, sizeof line - 1);
    return text;
}

static void sizes_at_the_edges_of_buffers_are_read(void **state)
{
    (void)state;
    static const size_t edges[] = {1 << 12, 1 << 15, 1 << 16, 1 << 17,
                                   1 << 20, 2 << 20, 3 << 20};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        for (size_t size = edges[i] - 2; size <= edges[i] + 2; size++) {
            bytes text = text_of_length(size);
            for (size_t p = 0; p < 3; p++) {
                bytes file = packings[p](text.at, text.size);
                trace *read = parse(file.at, file.size);
                expect_events(read, "a0:8 f0 a1:8");
                assert_false(read->cut);
                trace_close(read);
                free(file.at);
            }
            free(text.at);
        }
    }
}

/* ------------------------------------------------------------ hostile input */

static void expect_quick(clock_t start)
{
    enum { SECONDS = 20 }; /* it takes a part of one; was a minute and more */
    assert_true((clock() - start) / CLOCKS_PER_SEC < SECONDS);
}

/* Addresses that meet in a table whose hash can be foreseen: multiples of an
 * inverse. */
static void addresses_cannot_be_made_to_meet(void **state)
{
    (void)state;
    enum { LINES = 200000, LINE = 48 };
    uint64_t inverse = 0x9E3779B97F4A7C15u;
    for (int i = 0; i < 5; i++) /* Newton: doubles the bits that are right */
        inverse *= 2 - 0x9E3779B97F4A7C15u * inverse;
    char *text = malloc((size_t)LINES * LINE);
    size_t size = 0;
    for (uint64_t i = 1; i <= LINES; i++)
        size += (size_t)snprintf(text + size, LINE, "1: malloc 0x%llx 16\n",
                                 (unsigned long long)(inverse * (i << 44)));
    clock_t start = clock();
    trace *read = parse(text, size);
    expect_quick(start);
    assert_true(read->count >= LINES);
    trace_close(read);
    free(text);
}

static void many_modules_and_stacks_take_no_square(void **state)
{
    (void)state;
    enum { LINES = 200000, LINE = 48 };
    char *text = malloc((size_t)LINES * 2 * LINE);
    size_t size = (size_t)sprintf(text, "v 10400 3\n");
    for (unsigned i = 1; i <= LINES; i++)
        size += (size_t)snprintf(text + size, LINE, "m 1 a %x 0 10\n", i * 32);
    for (unsigned i = 1; i <= LINES; i++)
        size += (size_t)snprintf(text + size, LINE, "t %x 0\n", i * 32 + 1);
    size += (size_t)sprintf(text + size, "+ 8 %x aa0\n", LINES);
    clock_t start = clock();
    trace *read = parse(text, size);
    expect_quick(start);
    assert_string_equal(read->sites[1], "a+0x1");
    trace_close(read);
    free(text);
}

static void what_unpacks_to_too_much_is_refused(void **state)
{
    (void)state;
    enum { PIECE = 1 << 20, PIECES = 200 };
    char *blank = malloc(PIECE);
    memset(blank, '\n', PIECE);
    bytes bomb = packed_zstd(blank, PIECE);
    for (int piece = 1; piece < PIECES; piece++)
        bomb = joined(bomb, packed_zstd(blank, PIECE));
    refuse_bytes(bomb.at, bomb.size, "unpack to more than 64 MiB");
    free(bomb.at);
    free(blank);
}

static void what_is_no_trace_is_called_what_it_is(void **state)
{
    (void)state;
    char elf[64] = "\177ELF\2\1\1";
    static const struct {
        char type;
        const char *what;
    } types[] = {{1, "an object file"},
                 {2, "a program or a library"},
                 {3, "a program or a library"},
                 {4, "a core file"}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        elf[16] = types[i].type;
        refuse_bytes(elf, sizeof elf, types[i].what);
        refuse_bytes(elf, sizeof elf, "bitfit record -- PROGRAM");
    }
    refuse_bytes(elf, 5, "the beginning of a program");
    refuse("\x89PNG\r\n\x1a\n", "a picture (PNG)");
    refuse("PK\3\4", "a zip archive");
    refuse("\xFD"
           "7zXZ",
           "xz -d");
    refuse("bitfit image 1\n", "bitfit map draws it");
    refuse("\xFF\xFE"
           "1",
           "UTF-16");
    refuse_bytes("1\0:\0 \0m\0\n\0", 10, "UTF-16");
    static const char text[] = "1: malloc 0x10 8\n";
    for (size_t i = 1; i < 3; i++) {
        bytes once = packings[i](text, sizeof text - 1);
        bytes twice = packings[3 - i](once.at, once.size);
        refuse_bytes(twice.at, twice.size, "compressed twice");
        free(once.at);
        free(twice.at);
    }
}

/* All that a trace holds. */
static void expect_same(const trace *left, const trace *right)
{
    assert_int_equal(left->count, right->count);
    assert_int_equal(left->blocks, right->blocks);
    assert_int_equal(left->threads, right->threads);
    assert_int_equal(left->timed, right->timed);
    assert_int_equal(left->cut, right->cut);
    assert_string_equal(left->about, right->about);
    for (size_t i = 0; i < left->count; i++) {
        const trace_event a = trace_at(left, i);
        const trace_event b = trace_at(right, i);
        assert_int_equal(trace_time(left, i) / 1000,
                         trace_time(right, i) / 1000);
        assert_int_equal(a.size, b.size);
        assert_int_equal(a.slot, b.slot);
        assert_int_equal(a.thread, b.thread);
        assert_int_equal(a.align_log2, b.align_log2);
        assert_int_equal(a.op, b.op);
        assert_string_equal(left->sites[a.site], right->sites[b.site]);
    }
}

/* "ABC", then B and A are freed, and D takes A's slot, E takes B's, F its own.
 */
static void a_slot_is_used_again(void **state)
{
    (void)state;
    static const unsigned slots[] = {0, 1, 2, 1, 0, 0, 1, 3};
    enum { EVENTS = sizeof slots / sizeof slots[0] };
    content file = own("app", "a\1a\1a\1f\1f\2a\1a\1a\1", 2 * EVENTS);
    trace *read = parse(file.bytes, file.size);
    assert_int_equal(read->count, EVENTS);
    assert_int_equal(read->blocks, 6);
    assert_int_equal(read->slots, 4);
    for (size_t i = 0; i < EVENTS; i++)
        assert_int_equal(trace_at(read, i).slot, slots[i]);
    trace_close(read);
}

/* Two sizes, by turns, and their frees; times that change now and then. */
static void what_is_asked_again_is_kept_once(void **state)
{
    (void)state;
    enum { PAIRS = 100, TICK = 10 };
    static unsigned char events[PAIRS * 6];
    size_t size = 0;
    for (unsigned i = 0; i < PAIRS; i++) {
        if (i % TICK == 0) {
            events[size++] = 't';
            events[size++] = 5;
        }
        events[size++] = 'a';
        events[size++] = 7 + i % 2;
        events[size++] = 'f';
        events[size++] = 0;
    }
    content file = own("app", events, size);
    trace *read = parse(file.bytes, file.size);
    assert_int_equal(read->count, 2 * PAIRS);
    assert_int_equal(read->blocks, PAIRS);
    assert_int_equal(read->slots, 1);
    assert_int_equal(read->kind_count, 4);
    assert_int_equal(read->tick_count, PAIRS / TICK - 1); /* the first is 0 */
    for (size_t i = 0; i < read->count; i++) {
        const trace_event event = trace_at(read, i);
        assert_int_equal(event.slot, 0);
        assert_int_equal(event.size, 7 + i / 2 % 2);
        assert_int_equal(event.op, i % 2 == 0 ? TRACE_ALLOC : TRACE_FREE);
        assert_int_equal(trace_time(read, i), i / 2 / TICK * 5000);
    }
    trace_close(read);
}

static void text_is_made_utf8_and_visible(void **state)
{
    (void)state;
    static const struct {
        const char *given, *utf8, *visible;
    } cases[] = {
        {"", "", ""},
        {"a\u00e9\u20ac\U0001d11e", "a\u00e9\u20ac\U0001d11e",
         "a\u00e9\u20ac\U0001d11e"},
        {"\xff_\x80_\xf8\x88\x80\x80", "?_?_????", "?_?_????"},
        {"cut \xe2\x82", "cut ??", "cut ??"},
        {"cut \xc3", "cut ?", "cut ?"},
        {"long \xc0\xaf\xe0\x80\xaf", "long ?????", "long ?????"},
        {"half \xed\xa0\x80", "half ???", "half ???"},
        {"none \xf4\x90\x80\x80", "none ????", "none ????"},
        {"\033[31m\n\x7f\xc2\x9b\u00a0", "\033[31m\n\x7f\xc2\x9b\u00a0",
         "?[31m????\u00a0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        strcpy(text, cases[i].given);
        text_make_utf8(text);
        assert_string_equal(text, cases[i].utf8);
        strcpy(text, cases[i].given);
        text_make_visible(text);
        assert_string_equal(text, cases[i].visible);
    }
}

static void what_a_trace_says_of_itself_is_visible(void **state)
{
    (void)state;
    char path[] = "/tmp/bitfit-\033-XXXXXX";
    trace_error error;
    content file = own("caf\xe9", "S\012main;\033[31ms\1a\1e", 17);
    int made = mkstemp(path);
    assert_int_equal(write(made, file.bytes, file.size), file.size);
    close(made);
    trace *read = trace_open(path, &error);
    unlink(path);
    assert_non_null(read);
    assert_memory_equal(read->name, "bitfit-?-", 9);
    assert_string_equal(read->about, "caf?");
    assert_string_equal(read->sites[1], "main;?[31m");
    trace_close(read);
}

/* ----------------------------------------------------------------- renaming */

/* Every second call stack gets a longer name. */
static char *longer(void *context, const char *stack)
{
    char *name = NULL;
    unsigned *turn = context;
    if ((*turn)++ % 2 == 0)
        return NULL;
    assert_true(asprintf(&name, "%s;%0200d", stack, 7) > 0);
    return name;
}

/* A recording of these bytes, renamed; NULL and an error. */
static trace *rename_bytes(const content *file, trace_renamed *result,
                           trace_error *error)
{
    char from[] = "/tmp/bitfit-recorded-XXXXXX";
    char to[] = "/tmp/bitfit-renamed-XXXXXX";
    unsigned turn = 0;
    int made = mkstemp(from);
    close(mkstemp(to));
    assert_int_equal(write(made, file->bytes, file->size), file->size);
    close(made);
    trace *read = trace_rename(from, to, longer, &turn, result, error)
                      ? trace_open(to, error)
                      : NULL;
    unlink(from);
    unlink(to);
    return read;
}

static void stacks_get_other_names(void **state)
{
    (void)state;
    content file = own("app", own_events, sizeof own_events - 1);
    trace_error error = {""};
    trace_renamed result;
    trace *before = parse(file.bytes, file.size);
    trace *after = rename_bytes(&file, &result, &error);
    assert_non_null(after);
    assert_int_equal(result.events, before->count);
    assert_int_equal(result.blocks, before->blocks);
    assert_false(result.cut);
    assert_string_equal(after->sites[1], "main");
    assert_memory_equal(after->sites[2], "main;f;000", 10);
    assert_int_equal(strlen(after->sites[2]), 207);
    free(after->sites[2]);
    after->sites[2] = strdup("main;f");
    expect_same(before, after);
    trace_close(before);
    trace_close(after);
}

/* At every byte: whole events are there, and the rest is not. */
static void a_cut_recording_is_renamed(void **state)
{
    (void)state;
    content whole = own("app", own_events, sizeof own_events - 1);
    size_t start = whole.size - (sizeof own_events - 1);
    for (size_t size = start; size < whole.size; size++) {
        content file = whole;
        trace_error error = {""};
        trace_renamed result;
        file.size = size;
        trace *before = parse(file.bytes, file.size);
        trace *after = rename_bytes(&file, &result, &error);
        assert_non_null(after);
        assert_true(result.cut && after->cut);
        assert_int_equal(after->count, before->count);
        assert_int_equal(after->count, result.events);
        trace_close(before);
        trace_close(after);
    }
}

static void what_cannot_be_renamed_says_why(void **state)
{
    (void)state;
    trace_error error = {""};
    trace_renamed result;
    unsigned turn = 0;
    content file = own("app", "a\5x", 3);
    assert_null(rename_bytes(&file, &result, &error));
    assert_non_null(strstr(error.text, "it is damaged"));
    file = (content){.bytes = "9\n1\n1\n1\na 0 1\n", .size = 14};
    assert_null(rename_bytes(&file, &result, &error));
    assert_non_null(strstr(error.text, "it is no recording"));
    assert_false(trace_rename("/nowhere/at.all", "/tmp/x", longer, &turn,
                              &result, &error));
    assert_non_null(strstr(error.text, "/nowhere/at.all: No such file"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(aosp_memory_replay_is_read),
    cmocka_unit_test(aosp_times_are_since_the_first_event),
    cmocka_unit_test(aosp_lines_that_make_no_sense_are_named),
    cmocka_unit_test(heaptrack_raw_is_read),
    cmocka_unit_test(heaptrack_raw_of_version_2_is_read),
    cmocka_unit_test(heaptrack_interpreted_is_refused_saying_what_works),
    cmocka_unit_test(heaptrack_lines_that_make_no_sense_are_named),
    cmocka_unit_test(mtrace_is_read),
    cmocka_unit_test(mtrace_without_its_end_is_cut),
    cmocka_unit_test(rep_is_read),
    cmocka_unit_test(rmm_log_is_read),
    cmocka_unit_test(a_recording_is_read),
    cmocka_unit_test(the_manuals_example_is_read),
    cmocka_unit_test(what_is_compressed_is_read),
    cmocka_unit_test(a_recording_that_was_cut_is_sound),
    cmocka_unit_test(events_that_make_no_sense_are_named_by_their_place),
    cmocka_unit_test(what_is_no_trace_is_refused_saying_what_works),
    cmocka_unit_test(null_in_every_spelling_is_null),
    cmocka_unit_test(zeros_in_a_log_take_no_whole_line),
    cmocka_unit_test(requests_that_failed_are_counted),
    cmocka_unit_test(a_log_may_begin_in_the_middle),
    cmocka_unit_test(a_log_may_begin_in_the_middle_of_a_line),
    cmocka_unit_test(marks_quotes_and_blank_lines_are_no_hindrance),
    cmocka_unit_test(a_time_of_day_runs_over_at_midnight),
    cmocka_unit_test(all_members_and_frames_are_read),
    cmocka_unit_test(what_follows_compressed_data_is_not_lost_in_silence),
    cmocka_unit_test(two_recordings_in_one_file_are_not_lost_in_silence),
    cmocka_unit_test(a_cut_anywhere_leaves_the_whole_lines),
    cmocka_unit_test(sizes_at_the_edges_of_buffers_are_read),
    cmocka_unit_test(addresses_cannot_be_made_to_meet),
    cmocka_unit_test(many_modules_and_stacks_take_no_square),
    cmocka_unit_test(what_unpacks_to_too_much_is_refused),
    cmocka_unit_test(what_is_no_trace_is_called_what_it_is),
    cmocka_unit_test(text_is_made_utf8_and_visible),
    cmocka_unit_test(what_a_trace_says_of_itself_is_visible),
    cmocka_unit_test(stacks_get_other_names),
    cmocka_unit_test(a_cut_recording_is_renamed),
    cmocka_unit_test(what_is_asked_again_is_kept_once),
    cmocka_unit_test(a_slot_is_used_again),
    cmocka_unit_test(what_cannot_be_renamed_says_why),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
