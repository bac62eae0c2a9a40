#include "heap.h"

#include "../command.h"

#include <bitfit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { GRANULE_DEFAULT = 16, PROGRESS_EVERY = 1 << 16 };

/* Above it the place of an aligned block would depend on the mapping. */
#define PAYLOAD_ALIGNMENT ((size_t)1 << 20)

#define NO_STAY UINT32_MAX

/* ---------------------------------------------------------------- the pool */

/* A pool of a given payload in memory that costs nothing until touched: a
 * replay writes only what bitfit_realloc() moves. */
typedef struct replay_arena {
    void *memory;
    size_t size;
    void *bookkeeping;
    size_t bookkeeping_size;
    unsigned char *payload;
    bitfit_pool *pool;
} replay_arena;

static void *reserve(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void arena_close(replay_arena *arena)
{
    if (arena->memory != NULL)
        munmap(arena->memory, arena->size);
    if (arena->bookkeeping != NULL)
        munmap(arena->bookkeeping, arena->bookkeeping_size);
}

static bool arena_open(replay_arena *arena, size_t capacity, size_t granule)
{
    bitfit_options options = {.granule = granule,
                              .payload_alignment = PAYLOAD_ALIGNMENT,
                              .lock_kind = BITFIT_LOCK_NONE,
                              .zeroed = true};
    *arena = (struct replay_arena){.size = capacity + PAYLOAD_ALIGNMENT};
    arena->bookkeeping_size = bitfit_bookkeeping_size(arena->size, &options);
    if (capacity > SIZE_MAX / 2 || arena->bookkeeping_size == 0)
        return false;
    arena->memory = reserve(arena->size);
    arena->bookkeeping = reserve(arena->bookkeeping_size);
    if (arena->memory == NULL || arena->bookkeeping == NULL)
        return false;
    uintptr_t skip = -(uintptr_t)arena->memory & (PAYLOAD_ALIGNMENT - 1);
    arena->payload = (unsigned char *)arena->memory + skip;
    options.bookkeeping = arena->bookkeeping;
    options.bookkeeping_size = arena->bookkeeping_size;
    arena->pool = bitfit_init(arena->payload, capacity, &options);
    return arena->pool != NULL;
}

/* --------------------------------------------------------------- the replay */

typedef struct replay {
    heap_history *heap;
    replay_arena arena;
    void **places;      /* of each block; NULL if it has none */
    uint32_t *current;  /* its stay */
    uint64_t *sizes;    /* as it was requested last */
    size_t live;        /* bytes */
    uint64_t requested; /* bytes */
} replay;

static void end_stay(replay *run, uint32_t block, uint32_t event)
{
    heap_stay *stay = &run->heap->stays[run->current[block]];
    stay->died = event;
    run->live -= stay->count * run->heap->granule;
    run->requested -= run->sizes[block];
    run->current[block] = NO_STAY;
}

static void begin_stay(replay *run, const trace_event *event, uint32_t time)
{
    heap_history *heap = run->heap;
    unsigned char *place = run->places[event->block];
    size_t size = bitfit_usable_size(run->arena.pool, place);
    size_t waste = size - (event->size < size ? event->size : size);
    run->current[event->block] = (uint32_t)heap->stay_count;
    run->sizes[event->block] = event->size;
    run->live += size;
    run->requested += event->size;
    heap->stays[heap->stay_count++] = (heap_stay){
        .start =
            (uint32_t)((size_t)(place - run->arena.payload) / heap->granule),
        .count = (uint32_t)(size / heap->granule),
        .waste = waste < UINT32_MAX ? (uint32_t)waste : UINT32_MAX,
        .born = time,
        .died = (uint32_t)heap->trace->count,
        .block = event->block,
        .site = event->site,
    };
    if (run->live > heap->peak_live) {
        heap->peak_live = run->live;
        heap->peak_requested = run->requested;
        heap->peak_event = time;
    }
}

static void *request(const replay *run, const trace_event *event)
{
    void *old = run->places[event->block];
    if (event->op == TRACE_RESIZE && old != NULL)
        return bitfit_realloc(run->arena.pool, old, event->size);
    size_t alignment = (size_t)1 << event->align_log2;
    if (alignment > 1)
        return bitfit_aligned_alloc(run->arena.pool, alignment, event->size);
    return bitfit_alloc(run->arena.pool, event->size);
}

static void play(replay *run, const trace_event *event, uint32_t time)
{
    uint32_t block = event->block;
    if (event->op == TRACE_FREE) {
        bitfit_free(run->arena.pool, run->places[block]);
        run->places[block] = NULL;
        if (run->current[block] != NO_STAY)
            end_stay(run, block, time);
        return;
    }
    void *place = request(run, event);
    if (place == NULL) {
        run->heap->failures++;
        return;
    }
    if (run->current[block] != NO_STAY)
        end_stay(run, block, time);
    run->places[block] = place;
    begin_stay(run, event, time);
}

/* Adds what is now to the sample of the part that the event is in. */
static void sample(replay *run, size_t samples, uint32_t time)
{
    heap_history *heap = run->heap;
    size_t part = (size_t)((uint64_t)time * samples / heap->trace->count);
    heap_sample *sample = &heap->samples[part];
    bitfit_stats stats;
    bitfit_get_stats(run->arena.pool, &stats);
    if (part == heap->sample_count) {
        heap->sample_count++;
        *sample = (heap_sample){.event = time, .largest = UINT64_MAX};
    }
    if (stats.live >= sample->live) {
        sample->live = stats.live;
        sample->requested = run->requested;
    }
    sample->high_water = stats.high_water;
    if (stats.largest_free < sample->largest) {
        sample->largest = stats.largest_free;
        sample->free = stats.free;
        sample->largest_event = time;
    }
}

static void play_all(replay *run, size_t samples, bool stop_at_failure)
{
    size_t count = run->heap->trace->count;
    for (size_t i = 0; i < count; i++) {
        play(run, &run->heap->trace->events[i], (uint32_t)i);
        if (stop_at_failure && run->heap->failures != 0)
            return;
        if (samples != 0)
            sample(run, samples, (uint32_t)i);
        if (i % PROGRESS_EVERY == 0)
            command_progress("replaying", i, count);
    }
    command_progress("replaying", count, count);
}

static bool replay_open(replay *run, heap_history *heap, size_t capacity,
                        size_t samples)
{
    uint32_t blocks = heap->trace->blocks;
    *run = (replay){.heap = heap};
    heap->stay_count = heap->sample_count = 0;
    heap->failures = heap->peak_event = 0;
    heap->peak_live = heap->peak_requested = 0;
    free(heap->samples);
    heap->samples = calloc(samples + 1, sizeof *heap->samples);
    run->places = calloc((size_t)blocks + 1, sizeof *run->places);
    run->sizes = calloc((size_t)blocks + 1, sizeof *run->sizes);
    run->current = malloc(((size_t)blocks + 1) * sizeof *run->current);
    if (run->current != NULL)
        memset(run->current, 0xff, ((size_t)blocks + 1) * sizeof(uint32_t));
    return heap->samples != NULL && run->places != NULL && run->sizes != NULL &&
           run->current != NULL &&
           arena_open(&run->arena, capacity, heap->granule);
}

static void replay_close(replay *run)
{
    arena_close(&run->arena);
    free(run->places);
    free(run->sizes);
    free(run->current);
}

/* Replays the trace in a payload of so many bytes. False if there is no memory
 * for it. */
static bool replay_in(heap_history *heap, size_t capacity, size_t samples,
                      bool stop_at_failure)
{
    replay run;
    bool open = replay_open(&run, heap, capacity, samples);
    if (open) {
        bitfit_stats stats;
        play_all(&run, samples, stop_at_failure);
        bitfit_get_stats(run.arena.pool, &stats);
        heap->high_water = stats.high_water;
    }
    replay_close(&run);
    return open;
}

/* ----------------------------------------------------------------- opening */

/* The most bytes ever requested at one time. */
static uint64_t most_requested(const trace *from)
{
    uint64_t *sizes = calloc((size_t)from->blocks + 1, sizeof *sizes);
    uint64_t now = 0;
    uint64_t most = 0;
    for (size_t i = 0; sizes != NULL && i < from->count; i++) {
        const trace_event *event = &from->events[i];
        now -= sizes[event->block];
        sizes[event->block] = event->op == TRACE_FREE ? 0 : event->size;
        now += sizes[event->block];
        most = now > most ? now : most;
    }
    free(sizes);
    return most;
}

/* In a pool that is large enough, found by doubling: the places do not depend
 * on the pool's size. */
static const char *replay_oversized(heap_history *heap)
{
    uint64_t most = most_requested(heap->trace);
    uint64_t room = (uint64_t)heap->granule << 32;
    uint64_t capacity = (uint64_t)64 << 20;
    while (capacity < 4 * most && capacity < room)
        capacity *= 2;
    for (; capacity <= room; capacity *= 2) {
        if (!replay_in(heap, (size_t)capacity, 0, true))
            return "there is not enough memory for the replay";
        if (heap->failures == 0)
            return NULL;
    }
    return "the heap is larger than 2^32 granules: try a larger --granule";
}

static const char *replay_as_asked(heap_history *heap,
                                   const heap_options *options)
{
    if (options->pool != 0) {
        heap->capacity = options->pool - options->pool % heap->granule;
        if (heap->capacity == 0 || heap->capacity / heap->granule > UINT32_MAX)
            return "the pool holds no granule, or more than 2^32";
        return replay_in(heap, heap->capacity, options->samples, false)
                   ? NULL
                   : "there is not enough memory for the replay";
    }
    const char *why = replay_oversized(heap);
    heap->capacity = heap->high_water != 0 ? heap->high_water : heap->granule;
    if (why == NULL && options->samples != 0 &&
        !replay_in(heap, heap->capacity, options->samples, false))
        why = "there is not enough memory for the replay";
    return why;
}

heap_history *heap_open(const trace *from, const heap_options *options,
                        const char **why)
{
    heap_history *heap = calloc(1, sizeof *heap);
    *why = "there is not enough memory for the replay";
    if (heap == NULL)
        return NULL;
    heap->trace = from;
    heap->granule = options->granule != 0 ? options->granule : GRANULE_DEFAULT;
    heap->stays = malloc((from->count + 1) * sizeof *heap->stays);
    if (heap->stays != NULL)
        *why = from->count < NO_STAY ? replay_as_asked(heap, options)
                                     : "the trace has 2^32 events or more";
    if (*why != NULL) {
        heap_close(heap);
        return NULL;
    }
    return heap;
}

void heap_close(heap_history *heap)
{
    if (heap == NULL)
        return;
    free(heap->stays);
    free(heap->samples);
    free(heap);
}

uint64_t heap_position(const heap_history *heap, heap_clock clock,
                       uint32_t event)
{
    size_t count = heap->trace->count;
    if (clock == CLOCK_EVENTS)
        return event < count ? event : count;
    if (count == 0)
        return 0;
    return heap->trace->events[event < count ? event : count - 1].time_ns;
}
