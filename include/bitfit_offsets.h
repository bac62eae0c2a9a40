/*
 * Pools without memory: exact, lowest-first offsets for what the processor
 * cannot touch, such as memory of a GPU, a disk or a DMA engine.
 *
 *     static uint64_t books[1024];
 *     const bitfit_options options = {.granule = 65536,
 *                                     .bookkeeping = books,
 *                                     .bookkeeping_size = sizeof books};
 *
 *     bitfit_pool *pool = bitfit_init_offsets(UINT64_C(1) << 30, &options);
 *     uint64_t at = bitfit_alloc_offset(pool, 1000000);
 *     bitfit_free_offset(pool, at);
 *
 * An *offset* is a number of bytes from the start of what the pool manages.
 * Offsets and sizes have 64 bits on every machine: a 32-bit board can manage
 * 64 GiB at a granule of 64 KiB, and gets the same offsets as a server.
 *
 * The rules of bitfit.h hold: a request gets the lowest offset that fits, and
 * is refused if and only if it fits nowhere; a bad free is caught before
 * anything changes; no memory is used but the bookkeeping that you give.
 *
 * The calls below serve pools with memory, too: an offset then counts from the
 * payload's first byte. They do not serve shared pools, nor pools with the
 * option `guard`: that is misuse, BITFIT_WRONG_POOL. On a pool without memory
 * it is the same misuse to call what speaks of pointers: bitfit_alloc() to
 * bitfit_usable_size(), and bitfit_get_stats(), bitfit_walk() and
 * bitfit_print(), which have namesakes here. The others work as on every pool:
 * bitfit_destroy(), bitfit_reset(), bitfit_reset_peak(), bitfit_check(),
 * bitfit_draw(), bitfit_lock(), bitfit_bookkeeping() and what reads its copies.
 * bitfit_owns() is false.
 *
 * Threads, re-entry and time are as in bitfit.h; a call that needs more time
 * says so.
 */
#ifndef BITFIT_OFFSETS_H
#define BITFIT_OFFSETS_H

#include "bitfit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In place of NULL. 0 is an offset like any other. */
#define BITFIT_NO_OFFSET UINT64_MAX

/* ------------------------------------------------------------------ create */

/*
 * Makes a pool of the offsets [0, size). What is left behind the last whole
 * granule is not handed out. The option `bookkeeping` must be given;
 * `payload_alignment` and `resize_moves` mean nothing here; `zeroed` speaks of
 * the bookkeeping.
 *
 * Returns NULL if and only if bitfit_init_offsets_status() of the same
 * arguments is not BITFIT_OK. Then nothing was written. Time: one pass over the
 * bookkeeping; near-constant with the option `zeroed`.
 */
BITFIT_API bitfit_pool *bitfit_init_offsets(uint64_t size,
                                            const bitfit_options *options);

/* What bitfit_init_offsets() would do: BITFIT_OK, or why it refuses. Writes
 * nothing. BITFIT_TOO_LARGE: choose a larger granule. */
BITFIT_API bitfit_status
bitfit_init_offsets_status(uint64_t size, const bitfit_options *options);

/* The least `bookkeeping_size`, in the manner of bitfit_bookkeeping_size(). 0
 * if and only if the other options or the size are bad. */
BITFIT_API size_t
bitfit_offsets_bookkeeping_size(uint64_t size, const bitfit_options *options);

/* --------------------------------------------------------------------- use */

/* As bitfit_alloc(): the lowest offset that fits, or BITFIT_NO_OFFSET. */
BITFIT_API uint64_t bitfit_alloc_offset(bitfit_pool *pool, uint64_t size);

/* As bitfit_aligned_alloc(), with the alignment of the offset. */
BITFIT_API uint64_t bitfit_aligned_alloc_offset(bitfit_pool *pool,
                                                uint64_t alignment,
                                                uint64_t size);

/*
 * Reserves a place of your choice: the granules that [offset, offset + size)
 * touches become a block. It starts where its first granule does; size 0 takes
 * one granule. False if and only if some of them are not free or outside the
 * pool. Time: may look at every word of the bookkeeping.
 */
BITFIT_API bool bitfit_alloc_at_offset(bitfit_pool *pool, uint64_t offset,
                                       uint64_t size);

/* Changes a block's size where it is; only you can copy what is there. False if
 * and only if the block would have to grow and the granules behind it are not
 * free; it is then unchanged. A shrink never fails. */
BITFIT_API bool bitfit_resize_offset(bitfit_pool *pool, uint64_t offset,
                                     uint64_t size);

/* As bitfit_free(). BITFIT_NO_OFFSET does nothing. */
BITFIT_API void bitfit_free_offset(bitfit_pool *pool, uint64_t offset);

/* As bitfit_usable_size(); 0 for BITFIT_NO_OFFSET. */
BITFIT_API uint64_t bitfit_offset_size(bitfit_pool *pool, uint64_t offset);

/* ----------------------------------------------------------------- compact */

/* A block and the place that it could have. */
typedef struct bitfit_move {
    uint64_t from;
    uint64_t to;
    uint64_t size;
} bitfit_move;

/*
 * Proposes the next step of a compaction: the highest block that starts below
 * `below` (BITFIT_NO_OFFSET: of all) and would fit lower, beside itself.
 * Changes nothing. False if and only if there is none; `move` is then
 * untouched.
 *
 * To carry it out: bitfit_alloc_at_offset(pool, move.to, move.size), copy,
 * bitfit_free_offset(pool, move.from). A block that cannot be moved now is
 * passed over by asking again below move.from. Time: a search for each block
 * passed.
 */
BITFIT_API bool bitfit_next_move(bitfit_pool *pool, uint64_t below,
                                 bitfit_move *move);

/* --------------------------------------------------------------------- see */

/* As bitfit_stats, in 64 bits on every machine. */
typedef struct bitfit_offset_stats {
    /* Set it before the call: sizeof(bitfit_offset_stats), or 0 for the fields
     * of version 0.1. Later versions add fields only at the end. */
    size_t struct_size;
    uint64_t granule;
    uint64_t capacity;
    uint64_t bookkeeping;
    uint64_t live;
    uint64_t free;
    uint64_t blocks;
    uint64_t largest_free; /* the largest request that would succeed now */
    uint64_t high_water;
    uint64_t peak_live;
    uint64_t largest_block;
    uint64_t allocations; /* bitfit_alloc_at_offset() included */
    uint64_t frees;
    uint64_t reallocations; /* bitfit_resize_offset() that succeeded */
    uint64_t failures;      /* what returned BITFIT_NO_OFFSET or false, for want
                               of room or for a bad alignment */
} bitfit_offset_stats;

/* Fields that this version does not know are set to zero. False, and all fields
 * but the first are zero, if and only if struct_size is not that of any version
 * or the call was misuse. */
BITFIT_API bool bitfit_get_offset_stats(bitfit_pool *pool,
                                        bitfit_offset_stats *stats);

/* The largest request that would succeed now, in bytes; exact. */
BITFIT_API uint64_t bitfit_largest_free(bitfit_pool *pool);

/* One run: a block, or a hole. */
typedef struct bitfit_range {
    uint64_t offset;
    uint64_t size;
    bool live; /* whether it is a block */
} bitfit_range;

/* As bitfit_visitor and bitfit_walk(). */
typedef bool bitfit_range_visitor(const bitfit_range *range, void *context);

BITFIT_API bool bitfit_walk_offsets(bitfit_pool *pool,
                                    bitfit_range_visitor *visit, void *context);

/* Writes figures and map as JSON, in pieces, in the shape of the Vulkan Memory
 * Allocator's vmaBuildVirtualBlockStatsString(). Rules and time as for
 * bitfit_print(), but for the number of lines: one for each run. */
BITFIT_API void bitfit_print_offsets(bitfit_pool *pool, bitfit_writer *write,
                                     void *context);

#ifdef __cplusplus
}
#endif

#endif
