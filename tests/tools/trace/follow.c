/* A recording that grows while it is read. */
#include "trace/follow.h"

#include "trace/format.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* What the recorder has in its file so far. */
typedef struct recorded {
    char path[32];
    int file;
    unsigned char at[1024];
    unsigned char *end;
} recorded;

static void begin(recorded *it)
{
    strcpy(it->path, "/tmp/bitfit-follow-XXXXXX");
    it->file = mkstemp(it->path);
    assert_true(it->file >= 0);
    it->end = trace_put_header(it->at, 1, 4);
    memcpy(it->end, "text", 4);
    it->end += 4;
}

/* Says that all but so many bytes are written. */
static void publish(recorded *it, size_t missing)
{
    size_t size = (size_t)(it->end - it->at);
    trace_put_written(it->at, size - missing);
    assert_int_equal(pwrite(it->file, it->at, size, 0), size);
}

static void end(recorded *it)
{
    close(it->file);
    unlink(it->path);
}

static void put_stack(recorded *it, const char *text)
{
    it->end = trace_put(it->end, RECORD_STACK, strlen(text));
    memcpy(it->end, text, strlen(text));
    it->end += strlen(text);
}

static void put(recorded *it, enum trace_record record, uint64_t value)
{
    it->end = trace_put(it->end, record, value);
}

static void assert_holds(const trace_follower *of, size_t rank,
                         const char *stack, uint64_t requested, uint64_t blocks)
{
    site_holding largest[4];
    size_t found = follow_largest(of, largest, 4);
    assert_true(found > rank);
    assert_string_equal(largest[rank].stack, stack);
    assert_int_equal(largest[rank].requested, requested);
    assert_int_equal(largest[rank].blocks, blocks);
}

static void sites_are_followed_as_the_file_grows(void **state)
{
    (void)state;
    recorded it;
    site_holding largest[4];
    begin(&it);
    publish(&it, 0);
    trace_follower *of = follow_open(it.path);
    assert_non_null(of);
    assert_true(follow_look(of));
    assert_int_equal(follow_largest(of, largest, 4), 0);
    put(&it, RECORD_ALLOC, 5000); /* by an unknown site */
    put_stack(&it, "main;a");
    put(&it, RECORD_SITE, 1);
    put(&it, RECORD_ALLOC, 100);
    put(&it, RECORD_ALLOC, 100);
    put_stack(&it, "main;b");
    put(&it, RECORD_SITE, 2);
    put(&it, RECORD_ALLOC, 150);
    publish(&it, 0);
    assert_true(follow_look(of));
    assert_int_equal(follow_largest(of, largest, 4), 2);
    assert_int_equal(follow_largest(of, largest, 1), 1);
    assert_holds(of, 0, "main;a", 200, 2);
    assert_holds(of, 1, "main;b", 150, 1);
    put(&it, RECORD_FREE, 1);                   /* the second of a's */
    it.end = trace_put_resize(it.end, 2, 1000); /* b takes over the first */
    publish(&it, 0);
    assert_true(follow_look(of));
    assert_int_equal(follow_largest(of, largest, 4), 1);
    assert_holds(of, 0, "main;b", 1150, 2);
    put(&it, RECORD_FREE, 0);
    *it.end++ = RECORD_END;
    publish(&it, 0);
    assert_false(follow_look(of));
    follow_close(of);
    end(&it);
}

static void records_may_be_cut_anywhere(void **state)
{
    (void)state;
    recorded it;
    begin(&it);
    publish(&it, 2); /* in the description */
    trace_follower *of = follow_open(it.path);
    assert_true(follow_look(of));
    put_stack(&it, "main;a");
    put(&it, RECORD_SITE, 1);
    put(&it, RECORD_ALLOC, 1000);
    size_t size = (size_t)(it.end - it.at);
    for (size_t missing = size - TRACE_HEADER_SIZE; missing > 0; missing--) {
        site_holding largest;
        publish(&it, missing);
        assert_true(follow_look(of));
        assert_int_equal(follow_largest(of, &largest, 1), 0);
    }
    publish(&it, 0);
    assert_true(follow_look(of));
    assert_holds(of, 0, "main;a", 1000, 1);
    follow_close(of);
    end(&it);
}

static void what_is_damaged_is_not_followed(void **state)
{
    (void)state;
    static const unsigned char wrong[][2] = {
        {'f', 0}, {'s', 9}, {'?', 0}, {'r', 3}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        recorded it;
        begin(&it);
        put(&it, wrong[i][0], wrong[i][1]);
        put(&it, RECORD_ALLOC, 1);
        publish(&it, 0);
        trace_follower *of = follow_open(it.path);
        assert_false(follow_look(of));
        assert_false(follow_look(of));
        follow_close(of);
        end(&it);
    }
}

static void other_files_are_no_recordings(void **state)
{
    (void)state;
    recorded it;
    begin(&it);
    assert_null(follow_open(it.path)); /* empty */
    it.at[TRACE_MAGIC_SIZE] = TRACE_VERSION + 1;
    publish(&it, 0);
    assert_null(follow_open(it.path));
    it.at[0] = 'B';
    publish(&it, 0);
    assert_null(follow_open(it.path));
    end(&it);
    assert_null(follow_open(it.path));
    assert_null(follow_open("/tmp"));
    follow_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_are_followed_as_the_file_grows),
        cmocka_unit_test(records_may_be_cut_anywhere),
        cmocka_unit_test(what_is_damaged_is_not_followed),
        cmocka_unit_test(other_files_are_no_recordings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
