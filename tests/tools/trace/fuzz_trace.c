/*
 * Any bytes at all are a trace or one line that says why not; a trace is sound,
 * and what is written of it is read again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trace/trace.h>
#include <unistd.h>

#define CHECK(truth)                                                           \
    do {                                                                       \
        if (!(truth))                                                          \
            abort();                                                           \
    } while (0)

static void check_sound(const trace *read)
{
    unsigned char *lives = calloc((size_t)read->blocks + 1, 1);
    uint32_t blocks = 0;
    uint64_t time = 0;
    CHECK(lives != NULL);
    for (size_t i = 0; i < read->count; i++) {
        const trace_event event = trace_at(read, i);
        CHECK(event.op <= TRACE_RESIZE && event.site < read->site_count);
        CHECK(event.size >> 48 == 0 && event.thread < read->threads);
        CHECK(trace_time(read, i) >= time);
        time = trace_time(read, i);
        if (event.op == TRACE_ALLOC)
            CHECK(event.block == blocks++);
        else
            CHECK(event.block < blocks && lives[event.block]);
        lives[event.block] = event.op != TRACE_FREE;
    }
    CHECK(blocks == read->blocks);
    free(lives);
}

static char path[] = "/tmp/bitfit-fuzz-XXXXXX";

__attribute__((destructor)) static void clean_up(void)
{
    unlink(path);
}

static void check_written(const trace *read)
{
    static int made = -1;
    trace_error error;
    if (made < 0)
        made = mkstemp(path);
    CHECK(trace_write(read, path, &error));
    trace *again = trace_open(path, &error);
    CHECK(again != NULL && again->count == read->count &&
          again->blocks == read->blocks);
    trace_close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *content, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *content, size_t size)
{
    trace_error error = {""};
    trace *read = trace_parse("fuzz", content, size, &error);
    if (read == NULL) {
        CHECK(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
        return 0;
    }
    check_sound(read);
    check_written(read);
    trace_close(read);
    return 0;
}
