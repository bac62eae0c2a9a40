#include "playback.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The payload is mapped from one file of this size, over and over. */
#define WINDOW ((size_t)64 << 20)

/* More than a process has. */
#define ADDRESSES (SIZE_MAX / 4 + 1)

enum { GRANULES_MAX_LOG2 = 36, MALLOC_ALIGNMENT = 16 };

/* bitfit_reset() writes all of the bookkeeping, which may be far more than a
 * replay touches. Above this many bytes the pool is made anew instead. */
enum { RESET_MAX = 16 << 20 };

static const char no_memory[] = "there is not enough memory for such a pool";

static size_t round_up(size_t size, size_t unit)
{
    return size > SIZE_MAX - unit ? 0 : (size + unit - 1) / unit * unit;
}

size_t playback_alignment(unsigned align_log2)
{
    size_t alignment = (size_t)1 << align_log2;
    return alignment < MALLOC_ALIGNMENT ? MALLOC_ALIGNMENT : alignment;
}

/* ------------------------------------------------------------------ memory */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void *map(size_t size, int protection)
{
    void *at = mmap(NULL, size, protection,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static bool map_windows(unsigned char *at, size_t size)
{
    int file = memfd_create("bitfit-payload", MFD_CLOEXEC);
    bool mapped = file >= 0 && ftruncate(file, (off_t)WINDOW) == 0;
    for (size_t done = 0; mapped && done < size; done += WINDOW) {
        size_t part = size - done < WINDOW ? size - done : WINDOW;
        mapped =
            mmap(at + done, part, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_FIXED | MAP_NORESERVE, file, 0) != MAP_FAILED;
    }
    if (file >= 0)
        close(file);
    return mapped;
}

/* Memory for the pool at a multiple of the alignment, its first `own` bytes
 * for the pool alone. NULL if there is none. */
static unsigned char *map_payload(playback *it, size_t size, size_t own)
{
    size_t alignment =
        it->plan.alignment < page_size() ? page_size() : it->plan.alignment;
    size_t whole = round_up(size, page_size());
    if (whole == 0 || whole > SIZE_MAX - alignment)
        return NULL;
    it->memory_size = whole + alignment;
    it->memory = map(it->memory_size, PROT_NONE);
    if (it->memory == NULL)
        return NULL;
    uintptr_t start = round_up((size_t)(uintptr_t)it->memory, alignment);
    unsigned char *at =
        (unsigned char *)it->memory + (start - (uintptr_t)it->memory);
    own = own < size ? round_up(own, page_size()) : whole;
    if (own > 0 && mprotect(at, own, PROT_READ | PROT_WRITE) != 0)
        return NULL;
    return map_windows(at + own, whole - own) ? at : NULL;
}

/* Of the empty pool's one hole. */
static bool note_start(const bitfit_run *run, void *start)
{
    *(void **)start = run->start;
    return false;
}

static const char *open_pool(playback *it)
{
    const playback_plan *plan = &it->plan;
    bitfit_options *options = &it->options;
    *options = (bitfit_options){.struct_size = sizeof *options,
                                .granule = plan->granule,
                                .payload_alignment = plan->alignment,
                                .zeroed = true};
    it->size = plan->pool == 0 ? plan->payload : plan->pool;
    size_t inside = bitfit_bookkeeping_size(it->size, options);
    it->start = map_payload(it, it->size, plan->pool == 0 ? 0 : inside);
    if (plan->pool == 0 && inside > 0) {
        it->bookkeeping_size = inside;
        it->bookkeeping = map(inside, PROT_READ | PROT_WRITE);
        options->bookkeeping = it->bookkeeping;
        options->bookkeeping_size = inside;
    }
    if (it->start == NULL || (plan->pool == 0 && it->bookkeeping == NULL))
        return no_memory;
    it->pool = bitfit_init(it->start, it->size, options);
    if (it->pool == NULL)
        return bitfit_status_text(
            bitfit_init_status(it->start, it->size, options));
    bitfit_walk(it->pool, note_start, &it->payload);
    return NULL;
}

const char *playback_open(playback *it, const playback_plan *plan)
{
    *it = (playback){.plan = *plan};
    it->places = calloc((size_t)plan->from->slots + 1, sizeof *it->places);
    const char *wrong = it->places == NULL ? no_memory : open_pool(it);
    if (wrong != NULL)
        playback_close(it);
    return wrong;
}

void playback_close(playback *it)
{
    if (it->pool != NULL)
        bitfit_destroy(it->pool);
    free(it->places);
    if (it->memory != NULL)
        munmap(it->memory, it->memory_size);
    if (it->bookkeeping != NULL)
        munmap(it->bookkeeping, it->bookkeeping_size);
    *it = (playback){0};
}

/* Zeros as they were mapped, without touching them one by one. */
static void remake(playback *it)
{
    const void *at;
    size_t size;
    bitfit_bookkeeping(it->pool, &at, &size);
    size_t inside = (uintptr_t)at % page_size();
    uintptr_t start = (uintptr_t)at - inside;
    size_t whole = round_up(inside + size, page_size());
    bitfit_destroy(it->pool);
    madvise((void *)start, whole, MADV_DONTNEED);
    it->pool = bitfit_init(it->start, it->size, &it->options);
}

void playback_rewind(playback *it)
{
    const void *at;
    size_t size;
    bitfit_bookkeeping(it->pool, &at, &size);
    if (size <= RESET_MAX)
        bitfit_reset(it->pool);
    else
        remake(it);
    memset(it->places, 0, it->plan.from->slots * sizeof *it->places);
    it->next = 0;
    it->failures = 0;
}

/* ------------------------------------------------------------------ events */

static void *request(playback *it, const trace_event *event)
{
    void *place = it->places[event->slot];
    if (event->op == TRACE_RESIZE)
        return bitfit_realloc(it->pool, place, (size_t)event->size);
    if (event->align_log2 == 0)
        return bitfit_alloc(it->pool, (size_t)event->size);
    return bitfit_aligned_alloc(it->pool, (size_t)1 << event->align_log2,
                                (size_t)event->size);
}

static void do_next(playback *it)
{
    const trace_event unpacked = trace_at(it->plan.from, it->next);
    const trace_event *event = &unpacked;
    void **place = &it->places[event->slot];
    if (event->op == TRACE_FREE) {
        bitfit_free(it->pool, *place);
        *place = NULL;
        return;
    }
    if (event->op == TRACE_RESIZE && *place == NULL)
        return;
    void *given = request(it, event);
    if (given != NULL) {
        *place = given;
    } else if (it->failures++ == 0) {
        it->first_failure = it->next;
    }
}

void playback_run(playback *it, size_t end)
{
    for (; it->next < end; it->next++)
        do_next(it);
}

bool playback_serves(playback *it, size_t end)
{
    for (; it->next < end && it->failures == 0; it->next++)
        do_next(it);
    return it->failures == 0;
}

size_t playback_offset(const playback *it, uint32_t slot)
{
    return (size_t)((const unsigned char *)it->places[slot] -
                    (const unsigned char *)it->payload);
}

const char *playback_measure(const playback_plan *plan, bitfit_stats *stats)
{
    enum { ROOM_LOG2 = 2, SMALLEST_LOG2 = 20 };
    size_t most = plan->granule > ADDRESSES >> GRANULES_MAX_LOG2
                      ? ADDRESSES
                      : plan->granule << GRANULES_MAX_LOG2;
    trace_granules counts;
    if (!trace_count_granules(plan->from, plan->granule, &counts))
        return no_memory;
    size_t size = (size_t)1 << SMALLEST_LOG2;
    while (size < most && size / plan->granule >> ROOM_LOG2 < counts.peak_move)
        size *= 2;
    for (;; size *= 2) {
        playback_plan larger = *plan;
        playback it;
        larger.pool = 0;
        larger.payload = size < most ? size : most;
        const char *wrong = playback_open(&it, &larger);
        if (wrong != NULL)
            return wrong;
        bool served = playback_serves(&it, plan->from->count);
        bitfit_get_stats(it.pool, stats);
        playback_close(&it);
        if (served)
            return NULL;
        if (size >= most)
            return "it does not fit into the largest possible pool";
    }
}

const char *playback_open_fitting(playback *it, const playback_plan *plan)
{
    playback_plan fitting = *plan;
    bitfit_stats needed;
    if (plan->pool == 0) {
        const char *wrong = playback_measure(plan, &needed);
        if (wrong != NULL)
            return wrong;
        fitting.payload = needed.high_water;
    }
    return playback_open(it, &fitting);
}
