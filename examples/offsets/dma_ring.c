/*
 * A ring of buffers for a device that sees 1 MiB of memory at an address of its
 * own. It fills them in the order of the ring and is done with them in any.
 *
 * - The granule is a cache line, so that no line belongs to two buffers.
 * - The firmware's 16 KiB are reserved at once: bitfit_alloc_at_offset().
 * - Nothing is stored in the memory: the device alone writes there.
 * - The interrupt handler frees; the pool of a board with one processor needs
 *   no lock if what allocates masks the interrupt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bitfit_offsets.h>

enum {
    DEVICE_BASE = 0x10000000, /* where the device sees the memory */
    MEMORY_SIZE = 1 << 20,
    FIRMWARE_SIZE = 0x4000,
    LINE = 64,
    RING = 8,
    FRAMES = 10000
};

typedef struct descriptor {
    uint32_t address; /* as the device sees it; 0: none */
    uint32_t size;
} descriptor;

static _Alignas(max_align_t) unsigned char books[8192];
static descriptor ring[RING];

/* ------------------------------------------------------------------- buffers
 */

static bitfit_pool *open_memory(void)
{
    const bitfit_options options = {.granule = LINE,
                                    .bookkeeping = books,
                                    .bookkeeping_size = sizeof books,
                                    .lock_kind = BITFIT_LOCK_NONE};
    bitfit_pool *pool = bitfit_init_offsets(MEMORY_SIZE, &options);
    if (pool != NULL && !bitfit_alloc_at_offset(pool, 0, FIRMWARE_SIZE)) {
        return NULL;
    }
    return pool;
}

/* False: there is no room now. */
static bool post(bitfit_pool *pool, descriptor *to, uint32_t size)
{
    uint64_t at = bitfit_alloc_offset(pool, size);
    if (at == BITFIT_NO_OFFSET) {
        return false;
    }
    *to = (descriptor){DEVICE_BASE + (uint32_t)at, size};
    return true;
}

static void done(bitfit_pool *pool, descriptor *with)
{
    bitfit_free_offset(pool, with->address - DEVICE_BASE);
    with->address = 0;
}

/* ---------------------------------------------------------------- the device
 */

static unsigned char memory[MEMORY_SIZE];

/* It writes whole lines. */
static void device_fill(const descriptor *buffer, unsigned char mark)
{
    uint32_t lines = (buffer->size + LINE - 1) / LINE;
    memset(memory + (buffer->address - DEVICE_BASE), mark,
           (size_t)lines * LINE);
}

static bool has_mark(const descriptor *buffer, unsigned char mark)
{
    const unsigned char *at = memory + (buffer->address - DEVICE_BASE);
    for (uint32_t i = 0; i < buffer->size; i++) {
        if (at[i] != mark) {
            return false;
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

/* Frames of 64 to 9,000 bytes come and go; returns how many were spoilt. */
static int receive(bitfit_pool *pool)
{
    unsigned char marks[RING] = {0};
    int spoilt = 0;
    for (int frame = 0; frame < FRAMES; frame++) {
        unsigned i = dice(RING);
        if (ring[i].address != 0) {
            spoilt += !has_mark(&ring[i], marks[i]);
            done(pool, &ring[i]);
        }
        uint32_t size = dice(4) == 0 ? 9000 : 64 + dice(1455);
        marks[i] = (unsigned char)(1 + frame % 255);
        spoilt += !post(pool, &ring[i], size);
        device_fill(&ring[i], marks[i]);
    }
    return spoilt;
}

int main(void)
{
    bitfit_pool *pool = open_memory();
    if (pool == NULL) {
        return EXIT_FAILURE;
    }
    memset(memory, 0xF1, FIRMWARE_SIZE);
    int spoilt = receive(pool);
    const descriptor firmware = {DEVICE_BASE, FIRMWARE_SIZE};
    bool kept = has_mark(&firmware, 0xF1);
    bitfit_offset_stats stats = {.struct_size = sizeof stats};
    bitfit_get_offset_stats(pool, &stats);
    printf("%d frames, %d spoilt, the firmware is %s\n", FRAMES, spoilt,
           kept ? "untouched" : "overwritten");
    printf("at most %u bytes in use, %u bytes of bookkeeping\n",
           (unsigned)stats.peak_live, (unsigned)stats.bookkeeping);
    bool good = spoilt == 0 && kept && bitfit_check(pool) == 0;
    bitfit_destroy(pool);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
