#include "run.h"

#include "measure.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { ARENA_ALIGNMENT = 2 << 20, CALLS_BETWEEN_CLOCKS = 1024, THREADS = 2 };

/* ------------------------------------------------------------------- arena */

bool arena_open(run_arena *arena, size_t size)
{
    void *memory = mmap(NULL, size + ARENA_ALIGNMENT, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uintptr_t start = (uintptr_t)memory;

    if (memory == MAP_FAILED) {
        return false;
    }
    start = (start + ARENA_ALIGNMENT - 1) & ~(uintptr_t)(ARENA_ALIGNMENT - 1);
    arena->memory = (unsigned char *)start;
    arena->size = size;
    arena->mapped = memory;
    arena->mapped_size = size + ARENA_ALIGNMENT;
    return true;
}

void arena_warm(const run_arena *arena, size_t size)
{
    memset(arena->memory, 0xA5, size < arena->size ? size : arena->size);
}

void arena_close(run_arena *arena)
{
    munmap(arena->mapped, arena->mapped_size);
    arena->memory = NULL;
}

/* A peer that writes to all of its memory must not get more than there is. */
static bool open_subject(subject *it, const run_plan *plan)
{
    uint64_t large = (uint64_t)4 << 30;

    if (plan->zeroed && plan->pool > large && plan->peer->init_zeroed == NULL) {
        memset(it, 0, sizeof *it);
        return false;
    }
    return subject_open(it, plan->peer, plan->arena.memory, plan->pool,
                        plan->lock, plan->zeroed);
}

/* ------------------------------------------------------------------ player */

/* Plays a script; one for each thread. */
typedef struct player {
    const script *calls;
    subject *it;
    void **blocks;   /* by slot */
    uint32_t *sizes; /* by slot; for scripts that resize only */
    uint64_t deadline;
    uint64_t allocs;
    uint64_t failures;
    uint64_t started_ns;
    uint64_t ended_ns;
    bool touch;
    bool stop_at_failure;
    bool wall; /* time by the wall's clock, with what the other threads take */
    bool slow;
} player;

/* So that no call pays for a page of the harness. */
static void touch_pages(void *memory, size_t size)
{
    for (size_t at = 0; at < size; at += 512) {
        ((volatile unsigned char *)memory)[at] = 0;
    }
}

static bool player_open(player *it, const run_plan *plan, const script *calls,
                        subject *target)
{
    memset(it, 0, sizeof *it);
    it->calls = calls;
    it->it = target;
    it->touch = plan->touch && (plan->peer->flags & BENCH_PEER_EMPTY) == 0;
    it->stop_at_failure = plan->stop_at_failure;
    it->deadline = clock_cpu_ns() + plan->limit_ns;
    it->blocks = calloc(calls->slots + 1, sizeof *it->blocks);
    if (calls->resizes) {
        it->sizes = calloc(calls->slots + 1, sizeof *it->sizes);
    }
    if (it->blocks == NULL || (calls->resizes && it->sizes == NULL)) {
        return false;
    }
    touch_pages(it->blocks, calls->slots * sizeof *it->blocks);
    if (it->sizes != NULL) {
        touch_pages(it->sizes, calls->slots * sizeof *it->sizes);
    }
    return true;
}

static void free_all(player *it)
{
    for (size_t slot = 0; slot < it->calls->slots; slot++) {
        if (it->blocks[slot] != NULL) {
            it->it->peer->free(it->it->heap, it->blocks[slot]);
            it->blocks[slot] = NULL;
        }
    }
}

static void player_close(player *it)
{
    if ((it->it->peer->flags & BENCH_PEER_OUTSIDE) != 0 && it->blocks != NULL) {
        free_all(it);
    }
    free(it->blocks);
    free(it->sizes);
}

static void note(player *it, size_t slot, void *block, size_t size)
{
    it->blocks[slot] = block;
    it->allocs++;
    it->failures += block == NULL;
    if (it->touch && block != NULL && size > 0) {
        ((volatile unsigned char *)block)[0] = 1;
        ((volatile unsigned char *)block)[size - 1] = 1;
    }
}

static void play_resize(player *it, size_t slot, size_t size)
{
    void *old = it->blocks[slot];
    void *block = NULL;

    if (old == NULL) {
        block = subject_alloc(it->it, it->it->guarded, size);
    } else {
        block = subject_realloc(it->it, old, it->sizes[slot], size);
    }
    it->allocs++;
    if (block == NULL) {
        it->failures++;
        return;
    }
    it->blocks[slot] = block;
    it->sizes[slot] = (uint32_t)size;
}

static void play_aligned(player *it, size_t slot, uint32_t coded)
{
    size_t size = coded & (((uint32_t)1 << ALIGNED_SIZE_BITS) - 1);
    size_t alignment = (size_t)1 << (coded >> ALIGNED_SIZE_BITS);

    note(it, slot, subject_aligned(it->it, alignment, size), size);
    if (it->sizes != NULL) {
        it->sizes[slot] = (uint32_t)size;
    }
}

/* One call. `guarded` is a constant wherever this is inlined. */
static inline void play_call(player *it, script_call call, bool guarded)
{
    size_t slot = call_slot(call);
    size_t size = (size_t)call.size << it->calls->shift;

    switch (call_verb(call)) {
    case VERB_ALLOC:
        note(it, slot, subject_alloc(it->it, guarded, size), size);
        if (it->sizes != NULL) {
            it->sizes[slot] = call.size;
        }
        break;
    case VERB_FREE:
        if (it->blocks[slot] != NULL) {
            subject_free(it->it, guarded, it->blocks[slot]);
            it->blocks[slot] = NULL;
        }
        break;
    case VERB_REALLOC:
        play_resize(it, slot, size);
        break;
    case VERB_ALIGNED:
        play_aligned(it, slot, call.size);
        break;
    }
}

static inline void play_span(player *it, size_t from, size_t to, bool guarded)
{
    for (size_t i = from; i < to && !it->slow; i += CALLS_BETWEEN_CLOCKS) {
        size_t end =
            i + CALLS_BETWEEN_CLOCKS < to ? i + CALLS_BETWEEN_CLOCKS : to;

        for (size_t k = i; k < end; k++) {
            play_call(it, it->calls->calls[k], guarded);
        }
        it->slow = clock_cpu_ns() > it->deadline;
        if (it->stop_at_failure && it->failures > 0) {
            break;
        }
    }
}

static void play(player *it, size_t from, size_t to)
{
    it->allocs = 0;
    it->failures = 0;
    it->started_ns = it->wall ? clock_ns() : clock_cpu_ns();
    if (it->it->guarded) {
        play_span(it, from, to, true);
    } else {
        play_span(it, from, to, false);
    }
    it->ended_ns = it->wall ? clock_ns() : clock_cpu_ns();
}

/* What is measured happens in functions called timed_..., which are never
 * inlined: instructions.py has each of their calls counted apart. */
__attribute__((noinline)) static void timed_play(player *it)
{
    play(it, it->calls->timed_from, it->calls->count);
}

static run_result player_result(const player *it)
{
    run_result result = {.state = it->slow ? RUN_SLOW : RUN_DONE,
                         .allocs = it->allocs,
                         .failures = it->failures};

    result.ns = (double)(it->ended_ns - it->started_ns) /
                (double)(it->allocs > 0 ? it->allocs : 1);
    return result;
}

static run_result refused(void)
{
    run_result result = {.state = RUN_REFUSED};

    return result;
}

/* On fresh memory a first pass touches the pages, and the second is timed. */
static run_result play_timed(player *it, bool zeroed)
{
    if (zeroed) {
        play(it, 0, it->calls->count);
        free_all(it);
    }
    play(it, 0, it->calls->timed_from);
    if (!it->slow) {
        timed_play(it);
    }
    return player_result(it);
}

/* ----------------------------------------------------------------- threads */

typedef struct thread_work {
    player play;
    pthread_barrier_t *barrier;
} thread_work;

static void *thread_main(void *argument)
{
    thread_work *work = argument;
    player *it = &work->play;

    it->wall = true;
    it->deadline += clock_cpu_ns();
    unpin();
    play(it, 0, it->calls->timed_from);
    pthread_barrier_wait(work->barrier);
    play(it, it->calls->timed_from, it->calls->count);
    return NULL;
}

/* The time from the first start to the last end, over all calls. */
static run_result merge(const thread_work *work)
{
    run_result result = {.state = RUN_DONE};
    uint64_t start = UINT64_MAX;
    uint64_t end = 0;

    for (size_t i = 0; i < THREADS; i++) {
        const player *it = &work[i].play;

        start = it->started_ns < start ? it->started_ns : start;
        end = it->ended_ns > end ? it->ended_ns : end;
        result.allocs += it->allocs;
        result.failures += it->failures;
        result.state = it->slow ? RUN_SLOW : result.state;
    }
    result.ns =
        (double)(end - start) / (double)(result.allocs > 0 ? result.allocs : 1);
    return result;
}

static run_result play_threads(const run_plan *plan, const script *calls,
                               subject *it)
{
    thread_work work[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    run_result result = refused();
    bool ready = true;

    pthread_barrier_init(&barrier, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        work[i].barrier = &barrier;
        ready = player_open(&work[i].play, plan, calls, it) && ready;
        work[i].play.deadline = plan->limit_ns; /* on the thread's own clock */
    }
    if (ready) {
        for (size_t i = 0; i < THREADS; i++) {
            pthread_create(&threads[i], NULL, thread_main, &work[i]);
        }
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
        }
        result = merge(work);
    }
    for (size_t i = 0; i < THREADS; i++) {
        player_close(&work[i].play);
    }
    pthread_barrier_destroy(&barrier);
    return result;
}

run_result run_script(const run_plan *plan, const script *calls)
{
    run_result result = refused();
    subject it;
    player alone;

    if (!open_subject(&it, plan)) {
        subject_close(&it);
        return result;
    }
    if (plan->lock == LOCK_THREADS) {
        result = play_threads(plan, calls, &it);
    } else {
        if (player_open(&alone, plan, calls, &it)) {
            result = play_timed(&alone, plan->zeroed);
        }
        if (plan->peer->high_water != NULL) {
            result.high_water = plan->peer->high_water(it.heap);
        }
        player_close(&alone);
    }
    subject_close(&it);
    return result;
}

/* ----------------------------------------------------------------- latency */

/* So that no call pays for the harness' cache misses. */
static inline void fetch_slot(player *it, size_t slot)
{
    __asm__ volatile("" : : "r"(it->blocks[slot]));
}

/* The first calls warm up the loop itself. The time limit is looked at by the
 * same counter: a system call now and then would slow the call behind it. */
static void play_ticked(player *it, size_t from, uint32_t *least_ticks,
                        uint64_t deadline_ticks)
{
    const script *calls = it->calls;
    uint32_t ignored = 0;

    for (size_t i = from; i < calls->count && !it->slow; i++) {
        uint32_t *least = i < calls->timed_from
                              ? &ignored
                              : &least_ticks[i - calls->timed_from];
        script_call call = calls->calls[i];
        uint64_t start = 0;
        uint64_t taken = 0;

        fetch_slot(it, call_slot(call));
        start = clock_ticks();
        play_call(it, call, false);
        taken = clock_ticks() - start;
        if (taken < *least) {
            *least = (uint32_t)taken;
        }
        it->slow = start > deadline_ticks;
    }
}

static void play_latency(player *it, const run_plan *plan,
                         uint32_t *least_ticks)
{
    size_t timed = it->calls->timed_from;
    size_t from =
        timed < CALLS_BETWEEN_CLOCKS ? 0 : timed - CALLS_BETWEEN_CLOCKS;
    uint64_t limit = (uint64_t)((double)plan->limit_ns / clock_tick_ns());

    play(it, 0, from);
    it->allocs = 0;
    it->failures = 0;
    play_ticked(it, from, least_ticks, clock_ticks() + limit);
}

run_result run_latency(const run_plan *plan, const script *calls,
                       uint32_t *least_ticks)
{
    run_result result = refused();
    subject it;
    player alone;

    if (!open_subject(&it, plan)) {
        subject_close(&it);
        return result;
    }
    if (player_open(&alone, plan, calls, &it)) {
        play_latency(&alone, plan, least_ticks);
        result = player_result(&alone);
    }
    player_close(&alone);
    subject_close(&it);
    return result;
}

/* ---------------------------------------------------------------- creation */

run_result run_init(const run_plan *plan)
{
    run_result result = {.state = RUN_REFUSED};
    uint64_t start = clock_cpu_ns();
    subject it;

    if (open_subject(&it, plan)) {
        result.state = RUN_DONE;
        result.ns = (double)(clock_cpu_ns() - start);
    }
    subject_close(&it);
    return result;
}

/* -------------------------------------------------------------------- LIFO */

typedef struct pairs {
    uint64_t count;
    uint64_t failures;
} pairs;

static inline pairs lifo_span(subject *it, size_t size, size_t depth,
                              size_t count, bool guarded)
{
    void *blocks[64];
    pairs done = {0, 0};

    while (done.count < count) {
        for (size_t i = 0; i < depth; i++) {
            blocks[i] = subject_alloc(it, guarded, size);
            done.failures += blocks[i] == NULL;
        }
        for (size_t i = depth; i > 0; i--) {
            if (blocks[i - 1] != NULL) {
                subject_free(it, guarded, blocks[i - 1]);
            }
        }
        done.count += depth;
    }
    return done;
}

/* In slices, so that the time limit is kept. */
static run_result lifo(subject *it, const run_plan *plan, size_t size,
                       size_t depth, size_t count)
{
    run_result result = {.state = RUN_DONE};
    uint64_t start = clock_cpu_ns();
    uint64_t now = start;

    while (result.allocs < count && result.state == RUN_DONE) {
        pairs done = it->guarded ? lifo_span(it, size, depth, 1024, true)
                                 : lifo_span(it, size, depth, 1024, false);

        result.allocs += done.count;
        result.failures += done.failures;
        now = clock_cpu_ns();
        if (now - start > plan->limit_ns) {
            result.state = RUN_SLOW;
        }
    }
    result.ns = (double)(now - start) / (double)result.allocs;
    return result;
}

__attribute__((noinline)) static run_result
timed_lifo(subject *it, const run_plan *plan, size_t size, size_t depth,
           size_t count)
{
    return lifo(it, plan, size, depth, count);
}

run_result run_lifo(const run_plan *plan, size_t size, size_t depth,
                    size_t count)
{
    run_result result = refused();
    subject it;

    if (open_subject(&it, plan)) {
        lifo(&it, plan, size, depth, 2048);
        result = timed_lifo(&it, plan, size, depth, count);
    }
    subject_close(&it);
    return result;
}

/* ---------------------------------------------------------- fill and drain */

typedef struct block_list {
    void **at;
    size_t count;
    size_t capacity;
    uint64_t deadline;
    bool slow;
} block_list;

/* Whether to stop: looks at the clock now and then. */
static bool out_of_time(block_list *blocks, size_t done)
{
    if (done % CALLS_BETWEEN_CLOCKS == 0 && clock_cpu_ns() > blocks->deadline) {
        blocks->slow = true;
    }
    return blocks->slow;
}

static void fill(block_list *blocks, subject *it, uint64_t low, uint64_t high)
{
    uint64_t random = 7;

    blocks->count = 0;
    while (blocks->count < blocks->capacity &&
           !out_of_time(blocks, blocks->count)) {
        size_t size = (size_t)random_log_uniform(&random, low, high);
        void *block = it->peer->alloc(it->heap, size);

        if (block == NULL) {
            return;
        }
        blocks->at[blocks->count++] = block;
    }
}

static void shuffle(block_list *blocks)
{
    uint64_t random = 11;

    for (size_t i = blocks->count; i > 1; i--) {
        size_t other = (size_t)random_below(&random, i);
        void *kept = blocks->at[i - 1];

        blocks->at[i - 1] = blocks->at[other];
        blocks->at[other] = kept;
    }
}

/* Returns how many were freed: all of them if there was time. */
static size_t drain(block_list *blocks, subject *it)
{
    size_t freed = 0;

    while (freed < blocks->count && !out_of_time(blocks, freed)) {
        it->peer->free(it->heap, blocks->at[freed++]);
    }
    return freed;
}

/* What a heap outside the arena would keep; the others are thrown away. */
static void give_back(block_list *blocks, subject *it, size_t from)
{
    bool outside = (it->peer->flags & BENCH_PEER_OUTSIDE) != 0;

    for (size_t i = from; outside && i < blocks->count; i++) {
        it->peer->free(it->heap, blocks->at[i]);
    }
    free(blocks->at);
}

static bool blocks_open(block_list *blocks, const run_plan *plan, uint64_t low)
{
    memset(blocks, 0, sizeof *blocks);
    blocks->capacity = (size_t)(plan->pool / low) + 1;
    blocks->deadline = clock_cpu_ns() + plan->limit_ns;
    blocks->at = malloc(blocks->capacity * sizeof *blocks->at);
    if (blocks->at == NULL) {
        return false;
    }
    memset(blocks->at, 0, blocks->capacity * sizeof *blocks->at);
    return true;
}

static run_result fill_and_drain(subject *it, block_list *blocks, uint64_t low,
                                 uint64_t high, enum fill_part part)
{
    run_result result = {.state = RUN_DONE};
    uint64_t start = clock_cpu_ns();
    size_t done = 0;
    size_t freed = 0;

    fill(blocks, it, low, high);
    result.allocs = blocks->count;
    done = blocks->count;
    if (part == FILL_FREE) {
        shuffle(blocks);
        start = clock_cpu_ns();
        freed = drain(blocks, it);
        done = freed;
    }
    result.ns =
        (double)(clock_cpu_ns() - start) / (double)(done > 0 ? done : 1);
    result.state = blocks->slow ? RUN_SLOW : RUN_DONE;
    give_back(blocks, it, freed);
    return result;
}

run_result run_fill(const run_plan *plan, uint64_t low, uint64_t high,
                    enum fill_part part)
{
    run_result result = refused();
    block_list blocks;
    subject it;

    if (open_subject(&it, plan) && blocks_open(&blocks, plan, low)) {
        result = fill_and_drain(&it, &blocks, low, high, part);
    }
    subject_close(&it);
    return result;
}

/* ------------------------------------------------------------ checkerboard */

static int compare_addresses(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t) * (void *const *)left;
    uintptr_t b = (uintptr_t) * (void *const *)right;

    return (a > b) - (a < b);
}

/* Frees every second block, and all of the topmost quarter. */
static void make_board(block_list *blocks, subject *it, bool full)
{
    size_t all = blocks->count;
    size_t kept = 0;
    size_t board = full ? blocks->count : blocks->count / 4 * 3;

    qsort(blocks->at, blocks->count, sizeof *blocks->at, compare_addresses);
    for (size_t i = 0; i < all && !out_of_time(blocks, i); i++) {
        if (i < board && i % 2 == 0) {
            blocks->at[kept++] = blocks->at[i];
        } else {
            it->peer->free(it->heap, blocks->at[i]);
        }
    }
    blocks->count = kept;
}

run_result run_checker(const run_plan *plan, size_t size, bool full,
                       size_t count)
{
    run_result result = refused();
    block_list blocks;
    subject it;

    if (open_subject(&it, plan) && blocks_open(&blocks, plan, 16)) {
        fill(&blocks, &it, 16, 16);
        make_board(&blocks, &it, full);
        if (blocks.slow) {
            result.state = RUN_SLOW;
        } else {
            result = timed_lifo(&it, plan, size, 1, count);
        }
        give_back(&blocks, &it, 0);
    }
    subject_close(&it);
    return result;
}
