/*
 * Any bytes at all are a trace or one line that says why not; a trace is sound,
 * and what is written of it is read again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <trace/format.h>
#include <trace/limit.h>
#include <trace/rename.h>
#include <trace/table.h>
#include <unistd.h>

#define CHECK(truth)                                                           \
    do {                                                                       \
        if (!(truth))                                                          \
            abort();                                                           \
    } while (0)

/* The same each time, so that a run can be repeated. */
void table_make_seed(table *of)
{
    of->seed[0] = 0x9e3779b97f4a7c15;
    of->seed[1] = 0xbf58476d1ce4e5b9;
}

/* The machine's, asked for once: it stands in files. */
size_t memory_limit_now(void);
size_t memory_limit(void)
{
    static size_t limit;
    if (limit == 0)
        limit = memory_limit_now();
    return limit;
}

static void check_sound(const trace *read)
{
    unsigned char *lives = calloc((size_t)read->slots + 1, 1);
    uint32_t blocks = 0;
    uint32_t live = 0;
    uint32_t most = 0;
    uint64_t time = 0;
    CHECK(lives != NULL);
    for (size_t i = 0; i < read->count; i++) {
        const trace_event event = trace_at(read, i);
        CHECK(event.op <= TRACE_RESIZE && event.site < read->site_count);
        CHECK(event.size >> 48 == 0 && event.thread < read->threads);
        CHECK(trace_time(read, i) >= time);
        time = trace_time(read, i);
        CHECK(event.slot < read->slots);
        CHECK(lives[event.slot] == (event.op != TRACE_ALLOC));
        lives[event.slot] = event.op != TRACE_FREE;
        blocks += event.op == TRACE_ALLOC;
        live += event.op == TRACE_ALLOC;
        live -= event.op == TRACE_FREE;
        most = live > most ? live : most;
    }
    CHECK(blocks == read->blocks && most == read->slots);
    free(lives);
}

/* A file in memory; its path goes into `path`. */
static int memory_file(char path[static 32])
{
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    CHECK(file >= 0);
    snprintf(path, 32, "/proc/self/fd/%d", file);
    return file;
}

static char *named(void *context, const char *stack)
{
    (void)context;
    return strlen(stack) % 2 == 0 ? NULL : strdup("renamed");
}

/* Other bytes are refused, which is tried now and then only: it takes files. */
static bool may_be_recording(const void *content, size_t size)
{
    return size % 32 == 0 ||
           (size >= TRACE_MAGIC_SIZE &&
            memcmp(content, TRACE_MAGIC, TRACE_MAGIC_SIZE) == 0);
}

/* A recording keeps its events under other names. */
static void check_renamed(const trace *read, const void *content, size_t size)
{
    if (!may_be_recording(content, size))
        return;
    static char from[32];
    static char to[32];
    static int made = -1;
    trace_error error;
    trace_renamed result;
    if (made < 0) {
        made = memory_file(from);
        memory_file(to);
    }
    CHECK(ftruncate(made, 0) == 0 &&
          pwrite(made, content, size, 0) == (ssize_t)size);
    bool renamed = trace_rename(from, to, named, NULL, &result, &error);
    if (!renamed || read == NULL)
        return;
    trace *again = trace_open(to, &error);
    CHECK(again != NULL && again->count == read->count &&
          again->blocks == read->blocks && result.events == read->count &&
          result.blocks == read->blocks);
    trace_close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *content, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *content, size_t size)
{
    trace_error error = {""};
    trace *read = trace_parse("fuzz", content, size, &error);
    if (read == NULL) {
        CHECK(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
        check_renamed(NULL, content, size);
        return 0;
    }
    check_sound(read);
    check_renamed(read, content, size);
    trace_close(read);
    return 0;
}
