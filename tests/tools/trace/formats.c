/* Every format that is read, and the one that is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trace/format.h>
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
    for (size_t i = 0; i < of->count; i++) {
        const trace_event *event = &of->events[i];
        char op = event->op == TRACE_FREE     ? 'f'
                  : event->op == TRACE_RESIZE ? 'r'
                  : event->align_log2 > 0     ? 'm'
                                              : 'a';
        fprintf(to, "%s%c%u", i == 0 ? "" : " ", op, (unsigned)event->block);
        if (op != 'f')
            fprintf(to, ":%llu", (unsigned long long)event->size);
        if (op == 'm')
            fprintf(to, "^%u", event->align_log2);
        if (event->thread > 0)
            fprintf(to, "@%u", event->thread);
    }
    fclose(to);
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
           "3: malloc 0x0 99\n"
           "1: free 0x0\n"
           "1: realloc 0x400 0x0 7\n"
           "1: realloc 0x0 0x400 0\n"
           "1: free 0x50\n"
           "2: thread_done 0x0 400\n",
           "AOSP memory_replay", "a0:20 a1:20@1 r0:40 m2:5^6 a3:5 a4:7 f4 f1");
}

static void aosp_times_are_since_the_first_event(void **state)
{
    (void)state;
    static const char text[] = "7: malloc 0x10 1 5000 5010\n"
                               "7: free 0x10 5300 5301\n";
    trace *read = parse(text, sizeof text - 1);
    assert_true(read->timed);
    assert_int_equal(read->events[0].time_ns, 0);
    assert_int_equal(read->events[1].time_ns, 300);
    trace_close(read);
}

static void aosp_lines_that_make_no_sense_are_named(void **state)
{
    (void)state;
    static const char first[] = "1: malloc 0x10 20\n";
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"1: free 0x20\n", ":2: no block lives there"},
        {"1: malloc 0x10 8\n", ":2: a block lives there already"},
        {"1: realloc 0x30 0x20 8\n", ":2: no block lives there"},
        {"1: grow 0x10 20\n", ":2: there is no such call"},
        {"1: malloc 0x30\n", ":2: the call's numbers"},
        {"1: malloc 0x30 20 5\n 4", ":3: there is no thread"},
        {"x: malloc 0x30 20\n", ":2: there is no thread"},
        {"1: malloc 0x30 999999999999999999999\n", ":2: the call's numbers"},
        {"1: malloc 0x30 281474976710656\n", ":2: a size of 2^48"},
        {"1: calloc 0x30 4294967296 4294967296\n", ":2: a size of 2^48"},
        {"1: memalign 0x30 3 8\n", ":2: an alignment that is no power of two"},
        {"1: memalign 0x30 0 8\n", ":2: an alignment that is no power of two"},
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
    assert_string_equal(read->sites[read->events[0].site],
                        "app+0x10;libc.so.6+0x20");
    assert_string_equal(read->sites[read->events[2].site], "app+0x10");
    assert_int_equal(read->events[5].site, 0);
    assert_int_equal(read->events[2].time_ns, 10 * 1000 * 1000);
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
    assert_string_equal(read->sites[read->events[0].site],
                        "./a:(main+0x1d)[0x11ba]");
    assert_int_equal(read->events[2].site, 0);
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
    refuse("= Start\n@ ./a:[0x1] + 0x10\n", ":2: an address or a size");
    refuse("= Start\nhello\n", ":2: there is no event in this line");
}

static void rep_is_read(void **state)
{
    (void)state;
    expect("100\n2\n5\n1\na 0 512\na 1 128\nr 0 640\nf 0\nf -1\n", ".rep",
           "a0:512 a1:128 r0:640 f0");
    expect("100\n2\n3\n1\r\na 0 1\r\nf 0\r\na 0 2\r\n", ".rep", "a0:1 f0 a1:2");
    refuse("100\n2\n4\n1\na 0 512\n", "the file is cut off");
    refuse("100\n2\na 0 512\n", ":3: four numbers");
    refuse("100\n2\n1\n1\nf 3\n", ":5: no block lives there");
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
    assert_int_equal(read->events[1].time_ns, 12663342000);
    trace_close(read);
    refuse("Thread,Time,Action,Pointer,Size,Stream\n1,1:2,free,0x1,1,0\n",
           ":2: the thread or the time");
    refuse("Thread,Time,Action,Pointer,Size,Stream\n1,1:2:3.4,shrink,0x1,1,0\n",
           ":2: there is no such action");
    refuse("Thread,Time,Action,Pointer,Size,Stream\n1,1:2:3.4,free,0x1\n",
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
    assert_string_equal(read->sites[read->events[0].site], "");
    assert_string_equal(read->sites[read->events[1].site], "main;f");
    assert_int_equal(read->events[0].time_ns, 0);
    assert_int_equal(read->events[1].time_ns, 7000);
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
    refuse_bytes(packed, size - 1, "cut off");
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
    refuse_bytes(packed, size / 2, "the gzip data is damaged or cut off");
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
    refuse_bytes(file.bytes, written - 1, "the file is cut off");
}

static void refuse_own(const void *events, size_t size, const char *why)
{
    content file = own("app", events, size);
    refuse_bytes(file.bytes, file.size, why);
}

static void events_that_make_no_sense_are_named_by_their_place(void **state)
{
    (void)state;
    refuse_own("f\0", 2, "at byte 21: it names a block that does not live");
    refuse_own("a\5f\0f\0", 6, "at byte 25: it names a block that does not");
    refuse_own("a\5r\1\5", 5, "at byte 23: it names a block that does not");
    refuse_own("a\5q\1", 4, "at byte 23: there is no such event");
    refuse_own("a", 1, "at byte 21: the event is cut off");
    refuse_own("a\x80", 2, "at byte 21: the event is cut off");
    refuse_own("S\x50main", 6, "at byte 21: the event is cut off");
    refuse_own("s\1", 2, "at byte 21: it names a call stack");
    refuse_own("T\xff\xff\xff\1", 5, "at byte 21: more than 65,535 threads");
    refuse_own("m\x40\1", 3, "at byte 21: an alignment of more than");
    refuse_own("a\x80\x80\x80\x80\x80\x80\x80\1", 9,
               "at byte 21: a size of 2^48");
    refuse_own("t\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11,
               "at byte 21: the time runs over");
    refuse_own("a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12,
               "at byte 21: the event is cut off");
}

static void what_is_no_trace_is_refused_saying_what_works(void **state)
{
    (void)state;
    refuse("", "the file is empty");
    refuse("hello\n", "that bitfit reads: bitfit record");
    refuse("{\"dhatFileVersion\":2", "bitfit record");
    refuse("desc: --massif\n", "bitfit record");
    refuse("heap_v2/524288\n", "bitfit record");
    refuse_bytes("\x7f"
                 "ELF\2",
                 5, "bitfit record -- PROGRAM");
    refuse_bytes("bitfit\0\2abc", 11, "version 2: this bitfit reads version 1");
    refuse_bytes("bitfit\0\1abc", 11, "the header is cut off");
    trace_error error;
    assert_null(trace_open("/nowhere/at.all", &error));
    assert_non_null(strstr(error.text, "/nowhere/at.all: No such file"));
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
        const trace_event *a = &left->events[i];
        const trace_event *b = &right->events[i];
        assert_int_equal(a->time_ns / 1000, b->time_ns / 1000);
        assert_int_equal(a->size, b->size);
        assert_int_equal(a->block, b->block);
        assert_int_equal(a->thread, b->thread);
        assert_int_equal(a->align_log2, b->align_log2);
        assert_int_equal(a->op, b->op);
        assert_string_equal(left->sites[a->site], right->sites[b->site]);
    }
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
    trace_event event = {.op = TRACE_ALLOC, .size = 1, .site = 1};
    char *sites[] = {"", "main;\033[31m"};
    const trace made = {.events = &event,
                        .count = 1,
                        .blocks = 1,
                        .threads = 1,
                        .sites = sites,
                        .site_count = 2,
                        .name = "",
                        .about = "caf\xe9"};
    char path[] = "/tmp/bitfit-\033-XXXXXX";
    trace_error error;
    close(mkstemp(path));
    assert_true(trace_write(&made, path, &error));
    trace *read = trace_open(path, &error);
    unlink(path);
    assert_non_null(read);
    assert_memory_equal(read->name, "bitfit-?-", 9);
    assert_string_equal(read->about, "caf?");
    assert_string_equal(read->sites[1], "main;?[31m");
    trace_close(read);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const char heaptrack[] = "v 10400 3\nX ./app\nt 5010 0\nt 7020 1\n"
                                    "+ 64 2 aa0\nc a\n+ 64 1 ab0\n- aa0\n";
    static const char aosp[] = "1: malloc 0x10 20\n2: memalign 0x50 64 5\n"
                               "1: realloc 0x90 0x10 400000 3000 3001\n"
                               "2: free 0x50\n";
    static const char mtrace[] = "= Start\n@ ./a:[0x1] + 0x10 0x64\n";
    const char *const all[] = {heaptrack, aosp, mtrace};
    char path[] = "/tmp/bitfit-formats-XXXXXX";
    close(mkstemp(path));
    for (size_t i = 0; i < 3; i++) {
        trace_error error = {""};
        trace *first = parse(all[i], strlen(all[i]));
        assert_true(trace_write(first, path, &error));
        trace *second = trace_open(path, &error);
        assert_non_null(second);
        expect_same(first, second);
        assert_string_equal(second->format, "bitfit");
        trace_close(first);
        trace_close(second);
    }
    unlink(path);
}

static void what_cannot_be_written_says_why(void **state)
{
    (void)state;
    trace_error error = {""};
    trace *read = parse("9\n1\n1\n1\na 0 1\n", 14);
    assert_false(trace_write(read, "/nowhere/at.all", &error));
    assert_non_null(strstr(error.text, "/nowhere/at.all: No such file"));
    trace_close(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(text_is_made_utf8_and_visible),
        cmocka_unit_test(what_a_trace_says_of_itself_is_visible),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(what_cannot_be_written_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
