/*
 * Pools that processes share, or that a file keeps, and that survive kill -9.
 *
 *     void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
 *                         file, 0);
 *     bitfit_pool *pool = bitfit_init_shared(memory, size, NULL);
 *     bitfit_alloc_into(pool, sizeof(table), bitfit_root(pool, 0));
 *
 *     and in another process, at whatever address:
 *     bitfit_pool *pool = bitfit_attach(memory, size, false, NULL);
 *     table *t = bitfit_follow(pool, *bitfit_root(pool, 0));
 *
 * A *link* is a block's distance from its pool: the same in every process,
 * never 0; 0 is "none". A *slot* is a link inside the pool's own memory: in a
 * block, or one of four *roots*.
 *
 * The promise: if a process is killed at any moment, the pool is as before the
 * call that it was in, or as after it. Whoever takes the lock next repairs it,
 * without being asked.
 *
 *     bitfit_alloc_into() and its like   the block exists if and only if the
 *                                        slot says so
 *     bitfit_free_from()                 the block is gone if and only if the
 *                                        slot is 0
 *     bitfit_realloc_in()                the slot names the one block there is
 *     bitfit_swap()                      both slots changed, or neither
 *     bitfit_alloc() and its like,       has happened or not; if it has, nobody
 *     bitfit_realloc()                   knows the new block, and only
 *                                        bitfit_sweep() finds it
 *     bitfit_free(), bitfit_reset()      is finished
 *
 * All calls of bitfit.h serve a shared pool. So nothing is lost if a program
 * fills a block in a slot of its own, its *hand*, and then hangs it in:
 *
 *     bitfit_alloc_into(pool, size, &hand[me]);    nothing, or in my hand
 *     ... fill it ...                              nobody else has seen it
 *     bitfit_swap(pool, &hand[me], &table[i]);     the old one, or the new one
 *     bitfit_free_from(pool, &hand[me]);           the old one is gone
 *
 * Who takes over after a dead process frees what is left in its hand. Read
 * slots after bitfit_attach(), or between bitfit_lock() and bitfit_unlock():
 * these have repaired what the dead one broke off.
 *
 * What it does not cover: power loss, since the kernel writes the pages of a
 * file in any order; a process that unmaps the memory while it is in a call;
 * members that write where they should not, since they trust each other; two
 * processes that use one slot at a time; files that go to another kind of
 * machine, C library or version of bitfit. bitfit_lock() cannot be held across
 * fork().
 *
 * Threads: any thread of any process may call. Where there is no robust mutex
 * between processes there are no shared pools: Linux and FreeBSD have it, and
 * emulators of single programs, such as qemu-aarch64, do not.
 * Time: as in bitfit.h, with a real lock; a repair is one pass over the
 * bookkeeping.
 */
#ifndef BITFIT_SHARED_H
#define BITFIT_SHARED_H

#include "bitfit.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t bitfit_link;

#define BITFIT_ROOTS 4

/* ------------------------------------------------------------------ create */

/*
 * Makes a shared pool of all `size` bytes at `memory`, for all who will attach.
 * Of the options, granule, payload_alignment, resize_moves and zeroed are
 * allowed: a handler or a lock function lies elsewhere in each process. Misuse
 * ends the process, and the pool is whole.
 *
 * `memory` starts at a multiple of the payload alignment, in each process. An
 * alignment above that, asked of bitfit_aligned_alloc(), is one of the distance
 * from the pool: of addresses where the memory starts at such a multiple.
 * Nobody else may have the memory open. Returns NULL if and only if
 * bitfit_init_shared_status() of the same arguments is not BITFIT_OK. Then
 * nothing was written.
 */
BITFIT_API bitfit_pool *bitfit_init_shared(void *memory, size_t size,
                                           const bitfit_options *options);

/* What bitfit_init_shared() would do. BITFIT_BAD_LOCK: there is no robust mutex
 * here. Writes nothing. */
BITFIT_API bitfit_status bitfit_init_shared_status(
    const void *memory, size_t size, const bitfit_options *options);

/*
 * Opens the shared pool that lies at `memory`, of which this process maps all
 * `size` bytes. What a dead process broke off is repaired when it returns.
 *
 * `alone`: you know that nobody else has the pool open, as after a restart of
 * the machine (flock() can tell). Then the lock is made anew, and the whole
 * bookkeeping is checked before it is believed, whatever the memory holds:
 * time, one pass over the bookkeeping. Without `alone` only the layout is
 * checked, since those who have it open trust it already.
 *
 * Returns NULL if and only if there is no pool to open; `status`, if it is not
 * NULL, is set to BITFIT_OK or to the reason: BITFIT_NO_POOL or BITFIT_DAMAGED,
 * BITFIT_BAD_MEMORY for a misaligned address, BITFIT_BAD_LOCK if there is no
 * such lock here, or the pool's is damaged, or this thread has it.
 */
BITFIT_API bitfit_pool *bitfit_attach(void *memory, size_t size, bool alone,
                                      bitfit_status *status);

/* How many changes were broken off in this pool and repaired; 0 if it is not
 * shared. */
BITFIT_API uint64_t bitfit_repairs(const bitfit_pool *pool);

/*
 * How many bytes at the front of a shared pool of `size` bytes are all that
 * bitfit_attach() needs, and so what a copy needs that is to be looked at. 0 if
 * `memory`, aligned for max_align_t, begins no shared pool of that size. Reads
 * at most `head` bytes, and trusts none; a page is enough.
 */
BITFIT_API size_t bitfit_shared_front(const void *memory, size_t head,
                                      size_t size);

/* ------------------------------------------------------------------- links */

/* A pool that is not shared has none: the calls below give NULL, or 0. */

/* Root number `which`; NULL if that is not below BITFIT_ROOTS. */
BITFIT_API bitfit_link *bitfit_root(bitfit_pool *pool, unsigned which);

/* Where the link leads in this process. NULL for 0, and for what leads out of
 * the pool's memory. */
BITFIT_API void *bitfit_follow(const bitfit_pool *pool, bitfit_link link);

/* The link to a place in the pool's memory; 0 for NULL. */
BITFIT_API bitfit_link bitfit_link_to(const bitfit_pool *pool,
                                      const void *place);

/* ------------------------------------------------------------------- slots */

/* It is misuse, in all that follows, if a slot is not inside the pool's memory
 * (BITFIT_FOREIGN) or not at a multiple of 8 from its start
 * (BITFIT_MISALIGNED), or if it has a link that is no live block, or if the
 * pool is not shared (BITFIT_WRONG_POOL). To fill a slot that is not 0 is
 * misuse, too, BITFIT_TAKEN_SLOT: its block would be lost. */

/* As bitfit_alloc(), bitfit_calloc() and bitfit_aligned_alloc(), into a slot.
 * False, and the slot is 0, if and only if these would return NULL. */
BITFIT_API bool bitfit_alloc_into(bitfit_pool *pool, size_t size,
                                  bitfit_link *slot);
BITFIT_API bool bitfit_calloc_into(bitfit_pool *pool, size_t count, size_t size,
                                   bitfit_link *slot);
BITFIT_API bool bitfit_aligned_alloc_into(bitfit_pool *pool, size_t alignment,
                                          size_t size, bitfit_link *slot);

/* As bitfit_realloc() of the slot's block; a slot of 0 gets a new block. False,
 * and the old block is unchanged, if and only if there is no room. */
BITFIT_API bool bitfit_realloc_in(bitfit_pool *pool, bitfit_link *slot,
                                  size_t size);

/* Frees the slot's block and makes the slot 0. Does nothing if it is 0. */
BITFIT_API void bitfit_free_from(bitfit_pool *pool, bitfit_link *slot);

/* Exchanges two slots. */
BITFIT_API void bitfit_swap(bitfit_pool *pool, bitfit_link *a, bitfit_link *b);

/* Returns whether to keep the block. Rules as for bitfit_visitor. */
typedef bool bitfit_keeper(bitfit_link block, size_t size, void *context);

/* Frees every block that `keep` does not want, one by one: what no slot of
 * yours leads to, after a crash. Returns how many. */
BITFIT_API size_t bitfit_sweep(bitfit_pool *pool, bitfit_keeper *keep,
                               void *context);

#ifdef __cplusplus
}
#endif

#endif
