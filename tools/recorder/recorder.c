#include "recorder.h"

#include "../trace/format.h"
#include "../trace/system.h"
#include "../trace/table.h"
#include "backlog.h"
#include "guard.h"
#include "output.h"
#include "settings.h"
#include "stacks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    MALLOC_ALIGNMENT = 16,
    THREADS_MAX = 65535,
    TICK_US = 10, /* times are no finer than this */
    RECORDS_MAX = 4 * TRACE_RECORD_MAX
};

enum phase { NOT_STARTED, STARTING, RECORDING, IDLE };

static atomic_int phase = NOT_STARTED;

static atomic_uint_least64_t threads; /* how many there were */

/* A page of its own: the memory that every thread has for such variables is
 * short where an auditor was loaded, too. */
static __thread stack_memory *last_stack
    __attribute__((tls_model("initial-exec")));

static pthread_key_t last_stacks; /* a thread's end gives it back */

/* Guarded by the lock, but for what start() sets. */
static struct {
    settings set;
    output file;
    table blocks; /* by address; of blocks on the move by recorder_*_resize() */
    table sites;  /* by the call stacks' hashes */
    uint64_t block_count;
    uint64_t events_left;
    uint64_t begun_us, time_us; /* of the first event, of the last tick */
    uint64_t thread;            /* of the last event */
    uint64_t site, site_count;
    unsigned forks;  /* that are under way: nothing of the above may change */
    backlog waiting; /* events until then */
    long process;    /* the one that is recorded */

    /* One byte in a page of its own that the system wipes in every fork's
     * child, even where no handler runs: a child must not write to a file
     * whose pages it shares with its parent. */
    volatile unsigned char *mine;
} state;

/* ----------------------------------------------------------------- putting */

static void stop(void)
{
    atomic_store(&phase, IDLE);
}

/* What is put since begin_records(): one event and all that it needs. */
typedef struct records {
    unsigned char at[RECORDS_MAX];
    unsigned char *next;
} records;

static void put_time(records *to, uint64_t now)
{
    if (state.begun_us == 0)
        state.begun_us = state.time_us = now;
    if (now < state.time_us + TICK_US)
        return;
    to->next = trace_put(to->next, RECORD_TIME, now - state.time_us);
    state.time_us = now;
}

static void put_thread(records *to, uint64_t thread)
{
    if (thread - 1 == state.thread)
        return;
    state.thread = thread - 1;
    to->next = trace_put(to->next, RECORD_THREAD, state.thread);
}

/* In one piece, since who reads the file meanwhile sees whole pieces. */
static bool put_new_stack(const call_stack *stack)
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
           table_put(&state.sites, stack->hash, ++state.site_count);
}

static bool put_site(records *to, const call_stack *stack)
{
    if (stack == NULL)
        return true;
    uint64_t site;
    if (!table_find(&state.sites, stack->hash, &site)) {
        if (!put_new_stack(stack))
            return false;
        site = state.site_count;
    }
    if (site != state.site)
        to->next = trace_put(to->next, RECORD_SITE, site);
    state.site = site;
    return true;
}

/* All that comes before an event. */
static bool begin_records(records *to, const event *what)
{
    to->next = to->at;
    if (state.set.times)
        put_time(to, what->time_us);
    put_thread(to, what->thread);
    return put_site(to, what->stack);
}

static bool end_records(const records *from)
{
    if (!output_put(&state.file, from->at, (size_t)(from->next - from->at)))
        return false;
    if (--state.events_left == 0) {
        output_end(&state.file, RECORD_END);
        stop();
    }
    return true;
}

/* ------------------------------------------------------------------ events */

static bool apply_alloc(const event *what)
{
    records put;
    if (!table_put(&state.blocks, what->ptr, state.block_count) ||
        !begin_records(&put, what))
        return false;
    put.next = trace_put_alloc(put.next, what->align_log2, what->size);
    state.block_count++;
    return end_records(&put);
}

static bool apply_free(const event *what)
{
    records put;
    uint64_t number;
    if (!table_take(&state.blocks, what->ptr, &number))
        return true; /* from before the recording */
    if (!begin_records(&put, what))
        return false;
    put.next = trace_put(put.next, RECORD_FREE, state.block_count - 1 - number);
    return end_records(&put);
}

static bool apply_resize(const event *what)
{
    records put;
    uint64_t number;
    if (!table_take(&state.blocks, what->other, &number))
        return apply_alloc(what);
    if (!table_put(&state.blocks, what->ptr, number) ||
        !begin_records(&put, what))
        return false;
    put.next =
        trace_put_resize(put.next, state.block_count - 1 - number, what->size);
    return end_records(&put);
}

static bool move_block(uint64_t from, uint64_t to)
{
    uint64_t number;
    return !table_take(&state.blocks, from, &number) ||
           table_put(&state.blocks, to, number);
}

static bool apply(const event *what)
{
    switch (what->kind) {
    case EVENT_ALLOC:
        return apply_alloc(what);
    case EVENT_FREE:
        return apply_free(what);
    case EVENT_HOLD:
        return move_block(what->ptr, what->other);
    case EVENT_RESIZE:
        return apply_resize(what);
    case EVENT_KEEP:
        return move_block(what->other, what->ptr);
    }
    return false;
}

/* ------------------------------------------------------------------- notes */

/* Ours alone: a fork's child has a wiped page, and a lock that may be held by
 * nobody. */
static bool is_recording(void)
{
    return atomic_load_explicit(&phase, memory_order_relaxed) == RECORDING &&
           *state.mine == 1;
}

static bool add_locked(const event *what)
{
    return state.forks > 0 ? backlog_put(&state.waiting, what) : apply(what);
}

static void add(const event *what)
{
    if (!guard_lock()) {
        stop();
        return;
    }
    if (is_recording() && !add_locked(what))
        stop();
    guard_unlock();
}

static uint64_t now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static uint64_t thread_number(void)
{
    if (guard_mine.number == 0) {
        uint64_t number = atomic_fetch_add(&threads, 1) + 1;
        guard_mine.number = number < THREADS_MAX ? number : THREADS_MAX;
    }
    return guard_mine.number;
}

static void forget_stack(void *memory)
{
    last_stack = NULL;
    system_unmap(memory, sizeof(stack_memory));
}

/* NULL if memory is short. */
static stack_memory *stack_of_thread(void)
{
    if (last_stack == NULL) {
        last_stack = system_pages(sizeof *last_stack);
        if (last_stack != NULL)
            pthread_setspecific(last_stacks, last_stack);
    }
    return last_stack;
}

/* Adds when and by whom. */
static void note(event *what)
{
    call_stack stack;
    int kept = errno;
    if (!is_recording() || !guard_enter())
        return;
    if (what->kind != EVENT_HOLD && what->kind != EVENT_KEEP) {
        what->thread = thread_number();
        what->time_us = state.set.times ? now_us() : 0;
    }
    if (state.set.stacks &&
        (what->kind == EVENT_ALLOC || what->kind == EVENT_RESIZE)) {
        stack_memory *memory = stack_of_thread();
        if (memory != NULL) {
            stack = stack_walk(memory);
            what->stack = &stack;
        }
    }
    add(what);
    guard_leave();
    errno = kept;
}

static uint64_t key_of(const void *ptr)
{
    return (uint64_t)(uintptr_t)ptr;
}

/* No block has such an address. */
static uint64_t key_of_resizing(const void *resizing)
{
    return key_of(resizing) | 1;
}

void recorder_note_alloc(const void *ptr, size_t alignment, size_t size)
{
    event what = {.kind = EVENT_ALLOC, .ptr = key_of(ptr), .size = size};
    if (alignment > MALLOC_ALIGNMENT)
        what.align_log2 = (unsigned)__builtin_ctzll(alignment);
    if (ptr != NULL)
        note(&what);
}

void recorder_note_free(const void *ptr)
{
    event what = {.kind = EVENT_FREE, .ptr = key_of(ptr)};
    note(&what);
}

void recorder_begin_resize(const void *ptr, const void *resizing)
{
    event what = {.kind = EVENT_HOLD,
                  .ptr = key_of(ptr),
                  .other = key_of_resizing(resizing)};
    note(&what);
}

void recorder_end_resize(const void *ptr, const void *resizing,
                         const void *moved, size_t size)
{
    event what = {.kind = moved == NULL ? EVENT_KEEP : EVENT_RESIZE,
                  .ptr = key_of(moved == NULL ? ptr : moved),
                  .other = key_of_resizing(resizing),
                  .size = size};
    note(&what);
}

/* -------------------------------------------------------------------- forks */

/* The handlers hold no lock while the process forks, not even one that comes
 * last: a thread that has a lock of the C library's, as fork() takes them, may
 * be on its way to malloc. */
static void before_fork(void)
{
    guard_mine.forks = false;
    guard_mine.fork_file = -1;
    if (!state.set.children || !is_recording() || !guard_enter())
        return;
    if (guard_lock()) {
        state.forks++;
        guard_mine.forks = true;
        guard_mine.fork_file = output_open(&state.file);
        guard_unlock();
    }
    guard_leave();
}

static void apply_waiting(void)
{
    event what;
    call_stack stack;
    bool applied = true;
    for (size_t at = 0; applied && atomic_load(&phase) == RECORDING &&
                        backlog_next(&state.waiting, &at, &what, &stack);)
        applied = apply(&what);
    if (!applied)
        stop();
    backlog_clear(&state.waiting);
}

static void after_fork(void)
{
    if (!guard_mine.forks)
        return;
    guard_mine.forks = false;
    bool entered = guard_enter();
    if (guard_lock()) {
        output_close(&state.file, guard_mine.fork_file);
        if (--state.forks == 0)
            apply_waiting();
        guard_unlock();
    }
    if (entered)
        guard_leave();
}

/* The child's trace begins with its parent's, as its heap does. What other
 * threads did meanwhile is lost with them. */
static void in_child(void)
{
    bool forks = guard_mine.forks;
    guard_mine.forks = false;
    if (atomic_load(&phase) != RECORDING)
        return;
    guard_reset();
    state.forks = 0;
    state.waiting = (backlog){NULL, 0, 0};
    settings_fork(&state.set);
    if (!forks)
        output_detach(&state.file);
    if (!forks ||
        !output_fork(&state.file, guard_mine.fork_file, state.set.own)) {
        stop();
        return;
    }
    state.process = system_pid();
    *state.mine = 1;
}

/* ------------------------------------------------------------- start, end */

static bool put_start(const char *about, size_t about_size)
{
    unsigned char head[TRACE_HEADER_SIZE + 2 * TRACE_VARINT_MAX];
    unsigned char *end = trace_put_header(head, state.set.times, about_size);
    return output_put(&state.file, head, (size_t)(end - head)) &&
           output_put(&state.file, about, about_size);
}

/* The command line, its arguments parted by blanks. */
static size_t read_command(char *text, size_t room)
{
    int file = system_open("/proc/self/cmdline", O_RDONLY);
    long length = file < 0 ? 0 : system_read(file, text, room);
    if (file >= 0)
        system_close(file);
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

static bool make_mine(void)
{
    state.mine = system_pages(system_page());
    if (state.mine == NULL ||
        system_call6(SYS_madvise, (long)state.mine, (long)system_page(),
                     MADV_WIPEONFORK, 0, 0, 0) != 0)
        return false;
    *state.mine = 1;
    return true;
}

static bool start_recording(void)
{
    if (!settings_read(&state.set) || !make_mine())
        return false;
    state.events_left = state.set.events;
    state.process = system_pid();
    stacks_init();
    pthread_key_create(&last_stacks, forget_stack);
    pthread_atfork(before_fork, after_fork, in_child);
    at_quick_exit(recorder_end);
    return output_create(&state.file, state.set.own) && describe();
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

/* Before the C library has its environment nothing is decided. */
bool recorder_on(void)
{
    int now = atomic_load_explicit(&phase, memory_order_relaxed);
    if (now == NOT_STARTED && environ != NULL) {
        start();
        now = atomic_load(&phase);
    }
    return now == RECORDING;
}

/* While another thread forks, the child copies what is there. */
static bool await_forks(void)
{
    enum { PATIENCE_MS = 1000 };
    for (int waited = 0; state.forks > 0; waited++) {
        if (waited == PATIENCE_MS)
            return false;
        guard_unlock();
        system_sleep_ms(1);
        if (!guard_lock())
            return false;
    }
    return true;
}

void recorder_end(void)
{
    if (system_pid() != state.process || !is_recording())
        return;
    bool interrupts = guard_mine.locked;
    bool entered = guard_enter();
    if (interrupts) { /* and ends what it interrupts */
        output_end(&state.file, RECORD_END);
        stop();
    } else if (guard_lock()) {
        if (await_forks() && is_recording())
            output_end(&state.file, RECORD_END);
        stop();
        guard_unlock();
    }
    if (entered)
        guard_leave();
}

__attribute__((destructor)) static void end_late(void)
{
    recorder_end();
}
