/*
 * The key-value cache of a language model: each sequence has one segment of a
 * device's memory, which grows as tokens come. The processor cannot touch that
 * memory; it decides what lies where, and tells the device what to copy.
 *
 * - A segment grows in place if what follows is free, else it moves.
 * - Where a request is refused, sequences wait: bitfit_largest_free() is what
 *   would succeed.
 * - In quiet times moves from the top down make one large hole again.
 *
 * 64 GiB in granules of 64 KiB take 280 KB of bookkeeping. The device is played
 * by one word for each granule, which says whose it is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bitfit_offsets.h>

#define MIB (UINT64_C(1) << 20)
#define CACHE_SIZE (UINT64_C(64) << 30)
#define GRANULE (64 * 1024)

enum { SEQUENCES = 200, STEPS = 20000 };

typedef struct sequence {
    uint64_t at, size; /* of its segment; no size: it has none */
} sequence;

/* ---------------------------------------------------------------- the device
 */

static uint16_t device[CACHE_SIZE / GRANULE];
static unsigned copies;

static void device_copy(uint64_t to, uint64_t from, uint64_t size)
{
    memcpy(&device[to / GRANULE], &device[from / GRANULE],
           (size_t)(size / GRANULE) * sizeof *device);
    copies++;
}

static void device_fill(uint64_t from, uint64_t to, uint16_t owner)
{
    for (uint64_t at = from; at < to; at += GRANULE) {
        device[at / GRANULE] = owner;
    }
}

/* ----------------------------------------------------------------- the cache
 */

/* False: it has to wait, and keeps what it has. */
static bool grow(bitfit_pool *cache, sequence *grown, uint64_t size)
{
    if (grown->size == 0 || !bitfit_resize_offset(cache, grown->at, size)) {
        uint64_t to = bitfit_alloc_offset(cache, size);
        if (to == BITFIT_NO_OFFSET) {
            return false;
        }
        if (grown->size != 0) {
            device_copy(to, grown->at, grown->size);
            bitfit_free_offset(cache, grown->at);
        }
        grown->at = to;
    }
    grown->size = size;
    return true;
}

static void end(bitfit_pool *cache, sequence *ended)
{
    if (ended->size != 0) {
        bitfit_free_offset(cache, ended->at);
    }
    *ended = (sequence){0};
}

/* One move; false if there is none. */
static bool compact(bitfit_pool *cache, sequence *all)
{
    bitfit_move move;
    if (!bitfit_next_move(cache, BITFIT_NO_OFFSET, &move)) {
        return false;
    }
    bitfit_alloc_at_offset(cache, move.to, move.size);
    device_copy(move.to, move.from, move.size);
    bitfit_free_offset(cache, move.from);
    for (int i = 0; i < SEQUENCES; i++) {
        if (all[i].size != 0 && all[i].at == move.from) {
            all[i].at = move.to;
        }
    }
    return true;
}

/* ------------------------------------------------------------- what uses it */

static unsigned dice(unsigned sides)
{
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return (state >> 8) % sides;
}

/* Sequences grow by 1 to 64 MiB and end; returns how often one had to wait. */
static unsigned serve(bitfit_pool *cache, sequence *all)
{
    unsigned waits = 0;
    for (int step = 0; step < STEPS; step++) {
        unsigned i = dice(SEQUENCES);
        uint64_t before = all[i].size;
        if (dice(20) == 0) {
            end(cache, &all[i]);
        } else if (grow(cache, &all[i], before + (1 + dice(64)) * MIB)) {
            device_fill(all[i].at + before, all[i].at + all[i].size,
                        (uint16_t)i);
        } else {
            waits++;
        }
    }
    return waits;
}

/* Whether each sequence finds on the device what it put there. */
static bool is_whole(const sequence *all)
{
    for (int i = 0; i < SEQUENCES; i++) {
        for (uint64_t at = 0; at < all[i].size; at += GRANULE) {
            if (device[(all[i].at + at) / GRANULE] != i) {
                return false;
            }
        }
    }
    return true;
}

int main(void)
{
    static sequence all[SEQUENCES];
    bitfit_options options = {.granule = GRANULE};
    options.bookkeeping_size =
        bitfit_offsets_bookkeeping_size(CACHE_SIZE, &options);
    options.bookkeeping = malloc(options.bookkeeping_size);
    bitfit_pool *cache = bitfit_init_offsets(CACHE_SIZE, &options);
    if (cache == NULL) {
        return EXIT_FAILURE;
    }
    unsigned waits = serve(cache, all);
    bool whole = is_whole(all);
    printf("%u requests had to wait, %u segments moved to grow\n", waits,
           copies);
    uint64_t before = bitfit_largest_free(cache);
    for (copies = 0; compact(cache, all);) {
        continue;
    }
    uint64_t after = bitfit_largest_free(cache);
    whole = whole && is_whole(all) && bitfit_check(cache) == 0;
    printf("largest hole: %" PRIu64 " MiB, after %u moves %" PRIu64 " MiB\n",
           before / MIB, copies, after / MIB);
    puts(whole && after > before ? "every token is where it should be"
                                 : "failed");
    bitfit_destroy(cache);
    free(options.bookkeeping);
    return whole && after > before ? EXIT_SUCCESS : EXIT_FAILURE;
}
