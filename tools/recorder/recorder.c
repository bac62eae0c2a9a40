#include "recorder.h"

#include "../trace/format.h"
#include "../trace/table.h"
#include "output.h"
#include "stacks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    MALLOC_ALIGNMENT = 16,
    THREADS_MAX = 65535,
    TICK_US = 10, /* times are no finer than this */
    RECORDS_MAX = 4 * TRACE_RECORD_MAX
};

enum phase { NOT_STARTED, STARTING, RECORDING, IDLE };

static atomic_int phase = NOT_STARTED;

/* Guarded by the lock, but for what start() sets. */
static struct {
    pthread_mutex_t lock;
    output file;
    table blocks; /* by address */
    table sites;  /* by the call stacks' hashes */
    uint64_t block_count;
    uint64_t events_left;
    uint64_t begun_us, time_us; /* of the first event, of the last tick */
    uint64_t thread, threads;   /* of the last event, how many there were */
    uint64_t site, site_count;
    bool times, stacks, children;
    pid_t process; /* the one that is recorded */

    /* One byte in a page of its own that the system wipes in every fork's
     * child, even where no handler runs: a child must not write to a file
     * whose pages it shares with its parent. */
    volatile unsigned char *mine;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* From 1. Initial-exec, since others would call malloc to find it. */
static __thread uint64_t own_thread __attribute__((tls_model("initial-exec")));

/* ----------------------------------------------------------------- putting */

static void stop(void)
{
    atomic_store(&phase, IDLE);
}

/* With the lock held. */
static void finish(void)
{
    unsigned char end = RECORD_END;
    if (atomic_load(&phase) == RECORDING &&
        output_put(&state.file, &end, sizeof end))
        output_close(&state.file);
    stop();
}

/* What is put since begin_records(): one event and all that it needs. */
typedef struct records {
    unsigned char at[RECORDS_MAX];
    unsigned char *next;
} records;

static uint64_t now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void put_time(records *to)
{
    uint64_t now = now_us();
    if (state.begun_us == 0)
        state.begun_us = state.time_us = now;
    if (now < state.time_us + TICK_US)
        return;
    to->next = trace_put(to->next, RECORD_TIME, now - state.time_us);
    state.time_us = now;
}

static void put_thread(records *to)
{
    if (own_thread == 0) {
        state.threads += state.threads < THREADS_MAX;
        own_thread = state.threads;
    }
    if (own_thread - 1 == state.thread)
        return;
    state.thread = own_thread - 1;
    to->next = trace_put(to->next, RECORD_THREAD, state.thread);
}

/* In one piece, since who reads the file meanwhile sees whole pieces. */
static bool put_new_stack(const call_stack *stack, uint64_t hash)
{
    static struct { /* guarded by the lock */
        unsigned char head[TRACE_RECORD_MAX];
        char text[STACK_TEXT_MAX];
    } record;
    unsigned char head[TRACE_RECORD_MAX];
    size_t length = stack_text(stack, record.text);
    size_t head_size = (size_t)(trace_put(head, RECORD_STACK, length) - head);
    unsigned char *start = record.head + sizeof record.head - head_size;
    memcpy(start, head, head_size);
    return output_put(&state.file, start, head_size + length) &&
           table_put(&state.sites, hash, ++state.site_count);
}

static bool put_site(records *to, const call_stack *stack)
{
    if (stack == NULL)
        return true;
    uint64_t hash = stack_hash(stack);
    uint64_t site;
    if (!table_find(&state.sites, hash, &site)) {
        if (!put_new_stack(stack, hash))
            return false;
        site = state.site_count;
    }
    if (site != state.site)
        to->next = trace_put(to->next, RECORD_SITE, site);
    state.site = site;
    return true;
}

/* All that comes before an event. */
static bool begin_records(records *to, const call_stack *stack)
{
    to->next = to->at;
    if (state.times)
        put_time(to);
    put_thread(to);
    return put_site(to, stack);
}

static void end_records(const records *from)
{
    size_t size = (size_t)(from->next - from->at);
    if (!output_put(&state.file, from->at, size))
        stop();
    else if (--state.events_left == 0)
        finish();
}

/* ------------------------------------------------------------ lock and fork */

/* Whether there is still something to record, with the lock held then. */
static bool enter(void)
{
    if (atomic_load_explicit(&phase, memory_order_relaxed) != RECORDING)
        return false;
    pthread_mutex_lock(&state.lock);
    if (atomic_load(&phase) == RECORDING && *state.mine == 1)
        return true;
    stop();
    pthread_mutex_unlock(&state.lock);
    return false;
}

static void leave(void)
{
    pthread_mutex_unlock(&state.lock);
}

static void before_fork(void)
{
    pthread_mutex_lock(&state.lock);
}

/* Writes this process' number; snprintf() may allocate. */
static void put_pid(char *text)
{
    char digits[16];
    size_t count = 0;
    for (unsigned pid = (unsigned)getpid(); pid > 0; pid /= 10)
        digits[count++] = (char)('0' + pid % 10);
    while (count > 0)
        *text++ = digits[--count];
    *text = '\0';
}

static void child_path(char path[static PATH_MAX + 16])
{
    size_t length = strlen(path);
    path[length] = '.';
    put_pid(path + length + 1);
}

/* The child's trace begins with its parent's, as its heap does. */
static void in_child(void)
{
    char path[PATH_MAX + 16] = "";
    const char *base = secure_getenv(RECORD_PATH);
    state.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    if (atomic_load(&phase) != RECORDING)
        return;
    if (!state.children || base == NULL || strlen(base) >= PATH_MAX) {
        stop();
        return;
    }
    strcpy(path, base);
    child_path(path);
    if (!output_fork(&state.file, path))
        stop();
    state.process = getpid();
    *state.mine = 1;
}

/* ------------------------------------------------------------- start, end */

static bool put_start(const char *about, size_t about_size)
{
    unsigned char head[TRACE_HEADER_SIZE + 2 * TRACE_VARINT_MAX];
    unsigned char *end = trace_put_header(head, state.times, about_size);
    return output_put(&state.file, head, (size_t)(end - head)) &&
           output_put(&state.file, about, about_size);
}

/* The command line, its arguments parted by blanks. */
static size_t read_command(char *text, size_t room)
{
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, room);
    if (file >= 0)
        close(file);
    size_t size = length < 0 ? 0 : (size_t)length;
    while (size > 0 && text[size - 1] == '\0')
        size--;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < ' ')
            text[i] = ' ';
    }
    return size;
}

static bool describe(void)
{
    char command[1024];
    const char *about = secure_getenv(RECORD_ABOUT);
    if (about != NULL)
        return put_start(about, strlen(about));
    return put_start(command, read_command(command, sizeof command));
}

static void read_options(void)
{
    const char *events = secure_getenv(RECORD_EVENTS);
    state.events_left =
        events == NULL ? UINT64_MAX : strtoull(events, NULL, 10);
    state.times = secure_getenv(RECORD_NO_TIMES) == NULL;
    state.stacks = secure_getenv(RECORD_SITES) != NULL;
    state.children = secure_getenv(RECORD_CHILDREN) != NULL;
}

static bool is_number(const char *text, pid_t number)
{
    return text != NULL && strtol(text, NULL, 10) == (long)number;
}

/* Whether this is the process that is to be recorded. It is marked, since an
 * orphan may get the same parent later. */
static bool is_subject(void)
{
    const char *own = secure_getenv(RECORD_PID);
    char text[16] = "";
    if (own != NULL)
        return is_number(own, getpid());
    if (!is_number(secure_getenv(RECORD_PARENT), getppid()))
        return false;
    put_pid(text);
    setenv(RECORD_PID, text, 1);
    return true;
}

/* Where this process records to, if it does. A program that replaces itself
 * by another (exec) is recorded anew. */
static bool choose_path(char path[static PATH_MAX + 16])
{
    const char *base = secure_getenv(RECORD_PATH);
    if (base == NULL || strlen(base) >= PATH_MAX)
        return false;
    strcpy(path, base);
    if (is_subject())
        return true;
    child_path(path);
    return state.children;
}

static bool start_recording(void)
{
    char path[PATH_MAX + 16] = "";
    read_options();
    if (!choose_path(path))
        return false;
    state.mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (state.mine == MAP_FAILED ||
        madvise((void *)(uintptr_t)state.mine, 4096, MADV_WIPEONFORK) != 0)
        return false;
    *state.mine = 1;
    state.process = getpid();
    stacks_init();
    pthread_atfork(before_fork, leave, in_child);
    return output_create(&state.file, path) && describe();
}

/* Not under the lock: what it calls may allocate, which is not recorded. */
static void start(void)
{
    int expected = NOT_STARTED;
    if (!atomic_compare_exchange_strong(&phase, &expected, STARTING))
        return;
    int kept = errno;
    atomic_store(&phase, start_recording() ? RECORDING : IDLE);
    errno = kept;
}

__attribute__((constructor)) static void start_early(void)
{
    start();
}

bool recorder_on(void)
{
    if (atomic_load_explicit(&phase, memory_order_relaxed) == NOT_STARTED)
        start();
    return atomic_load_explicit(&phase, memory_order_relaxed) == RECORDING;
}

void recorder_end(void)
{
    if (getpid() == state.process && enter()) {
        finish();
        leave();
    }
}

__attribute__((destructor)) static void end_late(void)
{
    recorder_end();
}

/* ------------------------------------------------------------------- notes */

static uint64_t key_of(const void *ptr)
{
    return (uint64_t)(uintptr_t)ptr;
}

static const call_stack *walk(call_stack *stack)
{
    if (!state.stacks)
        return NULL;
    stack_walk(stack);
    return stack;
}

void recorder_note_alloc(void *ptr, size_t alignment, size_t size)
{
    int kept = errno;
    call_stack room;
    const call_stack *stack = walk(&room);
    if (ptr != NULL && enter()) {
        records put;
        unsigned log2 = alignment > MALLOC_ALIGNMENT
                            ? (unsigned)__builtin_ctzll(alignment)
                            : 0;
        if (table_put(&state.blocks, key_of(ptr), state.block_count) &&
            begin_records(&put, stack)) {
            put.next = trace_put_alloc(put.next, log2, size);
            state.block_count++;
            end_records(&put);
        } else {
            stop();
        }
        leave();
    }
    errno = kept;
}

bool recorder_take(void *ptr, uint64_t *number)
{
    int kept = errno;
    bool taken = false;
    if (enter()) {
        taken = table_take(&state.blocks, key_of(ptr), number);
        leave();
    }
    errno = kept;
    return taken;
}

void recorder_put_back(void *ptr, uint64_t number)
{
    int kept = errno;
    if (enter()) {
        if (!table_put(&state.blocks, key_of(ptr), number))
            stop();
        leave();
    }
    errno = kept;
}

void recorder_note_free(void *ptr)
{
    int kept = errno;
    uint64_t number;
    if (enter()) {
        records put;
        if (table_take(&state.blocks, key_of(ptr), &number) &&
            begin_records(&put, NULL)) {
            put.next = trace_put(put.next, RECORD_FREE,
                                 state.block_count - 1 - number);
            end_records(&put);
        }
        leave();
    }
    errno = kept;
}

void recorder_note_resize(void *ptr, uint64_t number, size_t size)
{
    int kept = errno;
    call_stack room;
    const call_stack *stack = walk(&room);
    if (enter()) {
        records put;
        if (table_put(&state.blocks, key_of(ptr), number) &&
            begin_records(&put, stack)) {
            put.next = trace_put_resize(put.next,
                                        state.block_count - 1 - number, size);
            end_records(&put);
        } else {
            stop();
        }
        leave();
    }
    errno = kept;
}
