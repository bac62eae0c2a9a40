/*
 * Records what a program asks of the C library's malloc, as
 * bench/trace_format.h describes:
 *
 *     BENCH_TRACE=lua.trace BENCH_TRACE_ABOUT="lua 5.4: ..." \
 *         LD_PRELOAD=./recorder.so lua work.lua
 *
 * BENCH_TRACE_EVENTS=N stops after N events (the program runs on). Threads are
 * put in one order by a lock. Children are not recorded, nor blocks that were
 * allocated before the recorder was there. For glibc: it calls the names that
 * glibc keeps for its own functions.
 */
#include "trace_format.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *ptr);

enum { OUTPUT_SIZE = 1 << 16 };

/* An open-addressed table from addresses to the numbers of blocks. */
typedef struct entry {
    void *ptr; /* NULL: unused */
    uint64_t number;
} entry;

static struct {
    pthread_mutex_t lock;
    bool on;
    int file;
    uint64_t events_left;
    uint64_t blocks; /* numbered so far */
    entry *table;
    size_t capacity; /* a power of two */
    size_t used;
    unsigned char output[OUTPUT_SIZE];
    size_t output_used;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .file = -1};

/* ------------------------------------------------------------------- table */

static entry *table_map(size_t capacity)
{
    void *memory = mmap(NULL, capacity * sizeof(entry), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static size_t home_of(const void *ptr, size_t capacity)
{
    uint64_t mixed = (uint64_t)(uintptr_t)ptr * 0x9E3779B97F4A7C15u;

    return (size_t)(mixed >> 20) & (capacity - 1);
}

/* The entry of this address, or the unused one where it belongs. */
static entry *table_find(entry *table, size_t capacity, const void *ptr)
{
    size_t at = home_of(ptr, capacity);

    while (table[at].ptr != NULL && table[at].ptr != ptr) {
        at = (at + 1) & (capacity - 1);
    }
    return &table[at];
}

static bool table_grow(void)
{
    size_t capacity = state.capacity * 2;
    entry *larger = table_map(capacity);

    if (larger == NULL) {
        return false;
    }
    for (size_t i = 0; i < state.capacity; i++) {
        if (state.table[i].ptr != NULL) {
            *table_find(larger, capacity, state.table[i].ptr) = state.table[i];
        }
    }
    munmap(state.table, state.capacity * sizeof(entry));
    state.table = larger;
    state.capacity = capacity;
    return true;
}

static bool table_put(void *ptr, uint64_t number)
{
    entry *at = NULL;

    if (state.used * 2 >= state.capacity && !table_grow()) {
        return false;
    }
    at = table_find(state.table, state.capacity, ptr);
    state.used += at->ptr == NULL;
    at->ptr = ptr;
    at->number = number;
    return true;
}

/* Closes the gap that the entry leaves. */
static void table_remove(entry *gone)
{
    size_t mask = state.capacity - 1;
    size_t hole = (size_t)(gone - state.table);
    size_t at = (hole + 1) & mask;

    while (state.table[at].ptr != NULL) {
        size_t home = home_of(state.table[at].ptr, state.capacity);

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            state.table[hole] = state.table[at];
            hole = at;
        }
        at = (at + 1) & mask;
    }
    state.table[hole].ptr = NULL;
    state.used--;
}

/* Whether the address is known; then it is no longer. */
static bool table_take(const void *ptr, uint64_t *number)
{
    entry *at = table_find(state.table, state.capacity, ptr);

    if (at->ptr == NULL) {
        return false;
    }
    *number = at->number;
    table_remove(at);
    return true;
}

/* ------------------------------------------------------------------ output */

static void flush_output(void)
{
    size_t done = 0;

    while (done < state.output_used) {
        ssize_t wrote =
            write(state.file, state.output + done, state.output_used - done);

        if (wrote <= 0) {
            state.on = false;
            break;
        }
        done += (size_t)wrote;
    }
    state.output_used = 0;
}

static void put_byte(unsigned char byte)
{
    if (state.output_used == OUTPUT_SIZE) {
        flush_output();
    }
    state.output[state.output_used++] = byte;
}

static void put_varint(uint64_t value)
{
    while (value >= 0x80) {
        put_byte((unsigned char)(value | 0x80));
        value >>= 7;
    }
    put_byte((unsigned char)value);
}

static void put_header(const char *about)
{
    for (size_t i = 0; i < TRACE_MAGIC_SIZE; i++) {
        put_byte((unsigned char)TRACE_MAGIC[i]);
    }
    put_varint(strlen(about));
    for (size_t i = 0; about[i] != '\0'; i++) {
        put_byte((unsigned char)about[i]);
    }
}

static void end_recording(void)
{
    if (state.on) {
        flush_output();
        state.on = false;
    }
}

static void count_event(void)
{
    if (--state.events_left == 0) {
        end_recording();
    }
}

static void note_alloc(void *ptr, size_t alignment, size_t size)
{
    if (ptr == NULL || !table_put(ptr, state.blocks)) {
        return;
    }
    state.blocks++;
    if (alignment > 16) {
        put_byte(TRACE_ALIGNED);
        put_varint((uint64_t)__builtin_ctzll(alignment));
    } else {
        put_byte(TRACE_ALLOC);
    }
    put_varint(size);
    count_event();
}

static void note_free(uint64_t number)
{
    put_byte(TRACE_FREE);
    put_varint(state.blocks - 1 - number);
    count_event();
}

static void note_resize(uint64_t number, size_t size)
{
    put_byte(TRACE_RESIZE);
    put_varint(state.blocks - 1 - number);
    put_varint(size);
    count_event();
}

/* -------------------------------------------------------------- start, end */

static void stop_in_child(void)
{
    state.on = false;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("BENCH_TRACE");
    const char *about = getenv("BENCH_TRACE_ABOUT");
    const char *events = getenv("BENCH_TRACE_EVENTS");

    if (path == NULL) {
        return;
    }
    state.file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    state.capacity = 1 << 16;
    state.table = table_map(state.capacity);
    state.events_left =
        events == NULL ? UINT64_MAX : strtoull(events, NULL, 10);
    unsetenv("LD_PRELOAD");
    unsetenv("BENCH_TRACE");
    if (state.file < 0 || state.table == NULL || state.events_left == 0) {
        return;
    }
    pthread_atfork(NULL, NULL, stop_in_child);
    put_header(about == NULL ? "" : about);
    state.on = true;
}

__attribute__((destructor)) static void finish(void)
{
    pthread_mutex_lock(&state.lock);
    end_recording();
    pthread_mutex_unlock(&state.lock);
}

/* --------------------------------------------------------------- the calls */

static void *recorded(void *ptr, size_t alignment, size_t size)
{
    if (state.on) {
        int kept = errno;

        pthread_mutex_lock(&state.lock);
        if (state.on) {
            note_alloc(ptr, alignment, size);
        }
        pthread_mutex_unlock(&state.lock);
        errno = kept;
    }
    return ptr;
}

void *malloc(size_t size)
{
    return recorded(__libc_malloc(size), 0, size);
}

void *calloc(size_t count, size_t size)
{
    return recorded(__libc_calloc(count, size), 0, count * size);
}

/* The note comes first: once freed, another thread may get the address. */
void free(void *ptr)
{
    if (state.on && ptr != NULL) {
        uint64_t number = 0;
        int kept = errno;

        pthread_mutex_lock(&state.lock);
        if (state.on && table_take(ptr, &number)) {
            note_free(number);
        }
        pthread_mutex_unlock(&state.lock);
        errno = kept;
    }
    __libc_free(ptr);
}

/* Holds the lock across the call, so that the old address is not given to
 * another thread in between. */
static void *resize(void *ptr, size_t size)
{
    uint64_t number = 0;
    bool known = table_take(ptr, &number);
    void *moved = __libc_realloc(ptr, size);

    if (!known) {
        note_alloc(moved, 0, size);
    } else if (moved != NULL) {
        table_put(moved, number);
        note_resize(number, size);
    } else {
        table_put(ptr, number);
    }
    return moved;
}

void *realloc(void *ptr, size_t size)
{
    void *moved = NULL;

    if (ptr == NULL) {
        return malloc(size);
    }
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (!state.on) {
        return __libc_realloc(ptr, size);
    }
    pthread_mutex_lock(&state.lock);
    moved = state.on ? resize(ptr, size) : __libc_realloc(ptr, size);
    pthread_mutex_unlock(&state.lock);
    return moved;
}

void *memalign(size_t alignment, size_t size)
{
    return recorded(__libc_memalign(alignment, size), alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    void *block = NULL;

    if (alignment % sizeof(void *) != 0 || alignment == 0 ||
        (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    block = memalign(alignment, size);
    if (block == NULL) {
        return ENOMEM;
    }
    *result = block;
    return 0;
}
