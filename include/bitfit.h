/*
 * bitfit: exact first fit in one fixed block of memory.
 *
 *     static _Alignas(max_align_t) unsigned char memory[4096];
 *
 *     bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
 *     char *text = bitfit_alloc(pool, 100);
 *     bitfit_free(pool, text);
 *     bitfit_destroy(pool);
 *
 * A *pool* is the memory that you give to bitfit_init(). Every request gets the
 * lowest address that fits; NULL if and only if it fits nowhere.
 *
 * A *granule* is the unit of allocation, 16 bytes by default. A *block* is a
 * row of granules in use, a *hole* the free ones between two blocks or ends.
 * The *payload* is the part of the memory that blocks come from. A *size* is in
 * bytes.
 *
 * Safety: an overflow of a block cannot corrupt the pool. A bad free is caught
 * before anything changes.
 *
 * Time: bounded by a constant times the logarithm of the pool's size (up to
 * 2^36 granules, 1 TiB at granule 16), whatever the sizes of the blocks. Bytes
 * that are zeroed or copied come on top. A call that needs more says so.
 *
 * Threads: calls on different pools never interfere. Any thread may call a pool
 * that has a lock; with BITFIT_LOCK_NONE, one at a time. No call is
 * async-signal-safe. After fork(), parent and child each own a copy of the pool
 * (see bitfit_lock()).
 *
 * Placement: the same calls return the same offsets from the payload's first
 * byte, on every machine and build, in pools with the same granule, number of
 * granules, payload alignment, resize_moves and guards. Only an alignment above
 * the payload's depends on where the memory lies.
 */
#ifndef BITFIT_H
#define BITFIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BITFIT_VERSION_MAJOR 0
#define BITFIT_VERSION_MINOR 1
#define BITFIT_VERSION_PATCH 0
#define BITFIT_VERSION "0.1.0"

#ifndef BITFIT_API
#if defined(__GNUC__) && !defined(_WIN32)
#define BITFIT_API __attribute__((visibility("default")))
#else
#define BITFIT_API
#endif
#endif

/* The version of the linked library, in the form of BITFIT_VERSION. */
BITFIT_API const char *bitfit_version(void);

typedef struct bitfit_pool bitfit_pool;

/* What happens on a bad call: see "misuse" below. */
typedef struct bitfit_misuse bitfit_misuse;
typedef void bitfit_misuse_handler(const bitfit_misuse *misuse, void *context);

/* ------------------------------------------------------------------ create */

typedef enum bitfit_lock_kind {
    BITFIT_LOCK_DEFAULT = 0, /* the mutex; none in a freestanding build */
    BITFIT_LOCK_NONE,
    BITFIT_LOCK_MUTEX, /* the platform's; refused in a freestanding build */
    BITFIT_LOCK_CALLER /* the lock and unlock functions of the options */
} bitfit_lock_kind;

/* All zeros are the defaults. Later versions add fields only at the end. */
typedef struct bitfit_options {
    /* sizeof(bitfit_options), or 0 for the fields of version 0.1. */
    size_t struct_size;

    /* Bytes; a power of two from 8 to 2^30; 0 means 16. The size of each block
     * is a multiple of it. */
    size_t granule;

    /* Bytes; a power of two; 0 means 16. The payload starts at the first
     * multiple of it. Blocks are aligned to this or to the granule, whichever
     * is smaller: the block alignment. */
    size_t payload_alignment;

    /* Where the bookkeeping goes. NULL: the front of the memory. Else at least
     * bitfit_bookkeeping_size() bytes at a multiple of alignof(max_align_t),
     * outside the memory. */
    void *bookkeeping;
    size_t bookkeeping_size;

    bitfit_lock_kind lock_kind;

    /* For BITFIT_LOCK_CALLER. Re-entry is caught only if the lock is
     * recursive. */
    void (*lock)(void *lock_context);
    void (*unlock)(void *lock_context);
    void *lock_context;

    /* NULL: a line on standard error names the misuse, then abort().
     * Freestanding: bitfit_trap(). */
    bitfit_misuse_handler *on_misuse;
    void *misuse_context;

    /* Blocks are never resized in place: see bitfit_realloc(). */
    bool resize_moves;

    /* The memory, and the bookkeeping if it is elsewhere, is all zero bytes:
     * if not, the behaviour is undefined. Then creation takes near-constant
     * time, and bitfit_calloc() does not write memory that was never handed
     * out. */
    bool zeroed;

    /* A granule behind each block, its guard, shows whether the block was
     * written beyond its end: see BITFIT_OVERFLOW. Costs that granule, a word
     * of bookkeeping, and somewhat more than twice the instructions of a call
     * at granule 16. Not in a library built with BITFIT_NO_GUARD. */
    bool guard;
} bitfit_options;

/* Why bitfit_init() refuses. */
typedef enum bitfit_status {
    BITFIT_OK = 0,
    BITFIT_BAD_MEMORY,      /* NULL, misaligned, or it wraps around */
    BITFIT_BAD_OPTIONS,     /* struct_size unknown, an enum out of range, or
                             * guards that this library has not */
    BITFIT_BAD_GRANULE,     /* not a power of two from 8 to 2^30 */
    BITFIT_BAD_ALIGNMENT,   /* payload alignment is not a power of two */
    BITFIT_BAD_BOOKKEEPING, /* misaligned, too small, or it overlaps */
    BITFIT_BAD_LOCK,        /* a function is missing, or no mutex here */
    BITFIT_TOO_SMALL,       /* no room for one granule */
    BITFIT_TOO_LARGE,       /* more granules than this machine can count */
    BITFIT_NO_POOL,         /* no shared pool of this version and size */
    BITFIT_DAMAGED          /* a shared pool whose bookkeeping is not whole */
} bitfit_status;

/*
 * Makes a pool of the `size` bytes at `memory`. They may hold anything and must
 * start at a multiple of alignof(max_align_t). NULL options are the defaults.
 * The pool needs no other memory. NULL, and nothing was written, if and only if
 * bitfit_init_status() of the same arguments is not BITFIT_OK.
 *
 * Time: one pass over the bookkeeping (at granule 16 at most 2 % of the memory,
 * from 1 MiB on); near-constant with the option `zeroed`.
 */
BITFIT_API bitfit_pool *bitfit_init(void *memory, size_t size,
                                    const bitfit_options *options);

/* What bitfit_init() would do: BITFIT_OK, or why it refuses. Writes nothing. */
BITFIT_API bitfit_status bitfit_init_status(const void *memory, size_t size,
                                            const bitfit_options *options);

/* The status in words, such as "no room for one granule"; never NULL. */
BITFIT_API const char *bitfit_status_text(bitfit_status status);

/*
 * The bytes of bookkeeping, lock included, for a payload of `size` bytes: the
 * least `bookkeeping_size`. Of the options (NULL: the defaults) the granule,
 * the lock kind, a misuse handler and guards make a difference. 0 if and only
 * if bitfit_init() would refuse the options, or the size holds no granule.
 * (bitfit_sizes.h has sizes at compile time.)
 */
BITFIT_API size_t bitfit_bookkeeping_size(size_t size,
                                          const bitfit_options *options);

/*
 * A size for bitfit_init() in which first fit never fails, whatever the order
 * of the calls, if at most `peak_granules` are live at a time, in blocks of at
 * most `largest_granules`. Includes bookkeeping and lock of the default options
 * with this granule (0 means 16). 0 if and only if peak or largest is 0, the
 * granule is bad, largest is above peak, or the result overflows.
 *
 * The theorem: for M live granules in blocks of at most n, first fit needs at
 * most N = M * H_n / ln 2 granules, where H_n is the n-th harmonic number
 * (J. M. Robson, "Worst case fragmentation of first fit and best fit storage
 * allocation strategies", The Computer Journal 20(3), 1977; TAOCP volume 1,
 * section 2.5, exercise 43). Rounded up; above n = 8191 at most 0.02 % too
 * high. It holds only if
 *   - no block is resized in place: set `resize_moves`, and count both copies
 *     of a block that bitfit_realloc() moves;
 *   - no request has an alignment above the block alignment;
 *   - you count granules, not bytes: 17 bytes are two, or three with a guard.
 */
BITFIT_API size_t bitfit_bytes_for(size_t peak_granules,
                                   size_t largest_granules, size_t granule);

/*
 * Ends the pool and returns the number of blocks that were still live. The
 * memory is yours again; only bookkeeping is written. NULL returns 0.
 */
BITFIT_API size_t bitfit_destroy(bitfit_pool *pool);

/* Frees every block. The pool, with its statistics, is then as after
 * bitfit_init(). Time: one pass over the bookkeeping. */
BITFIT_API void bitfit_reset(bitfit_pool *pool);

/* --------------------------------------------------------------------- use */

/*
 * A block of at least `size` bytes at the lowest address that fits. Size 0 gets
 * one granule. NULL if and only if no hole is long enough. The content is
 * whatever was there.
 */
BITFIT_API void *bitfit_alloc(bitfit_pool *pool, size_t size);

/* As bitfit_alloc(count * size), with all bytes zero. Also NULL if the product
 * overflows. */
BITFIT_API void *bitfit_calloc(bitfit_pool *pool, size_t count, size_t size);

/*
 * As bitfit_alloc(), at the lowest address that is a multiple of `alignment`
 * and fits. The size need not be a multiple. NULL if and only if none fits, or
 * the alignment is 0 or not a power of two.
 *
 * Time: up to the block alignment as bitfit_alloc(). Above it, each hole that
 * is long enough but has no aligned place costs one more search. If the payload
 * alignment is below the granule, there may be no granule at a multiple of a
 * larger alignment.
 */
BITFIT_API void *bitfit_aligned_alloc(bitfit_pool *pool, size_t alignment,
                                      size_t size);

/*
 * Changes a block's size and keeps its content, up to the smaller size. It
 * always shrinks in place. It grows in place if the granules behind the block
 * are free; if not, the block moves to the first fit, searched while the old
 * block is still in use. NULL if and only if there is none; the old block is
 * then unchanged. A shrink never fails. A block that moves is aligned as
 * bitfit_alloc() aligns. A `ptr` of NULL allocates; size 0 shrinks to one
 * granule.
 *
 * With the option `resize_moves` a change of granule count always moves to the
 * first fit. A shrink that finds no place keeps the block, so use
 * bitfit_usable_size() for a sized free.
 */
BITFIT_API void *bitfit_realloc(bitfit_pool *pool, void *ptr, size_t size);

/*
 * Gives back a block. NULL does nothing. Any other pointer that is not the
 * start of a live block of this pool is misuse. This is decided in O(1), before
 * anything changes. (Only a call that is wrong pays more: to tell a double free
 * from an interior pointer may scan back over the block or hole.)
 */
BITFIT_API void bitfit_free(bitfit_pool *pool, void *ptr);

/* As bitfit_free(). It is also misuse if `size` does not round up to the
 * block's size in granules (0 rounds up to one). */
BITFIT_API void bitfit_free_sized(bitfit_pool *pool, void *ptr, size_t size);

/* The bytes of the block at `ptr`, all of which you may use. They stay the same
 * until the block is resized. 0 for NULL. Any other pointer that is not the
 * start of a live block is misuse. */
BITFIT_API size_t bitfit_usable_size(bitfit_pool *pool, const void *ptr);

/* The size of the block that a request for `size` bytes would get. 0 if and
 * only if that is more than the payload. Never pass this 0 to bitfit_alloc(): a
 * request for 0 bytes succeeds. */
BITFIT_API size_t bitfit_good_size(const bitfit_pool *pool, size_t size);

/* Whether `ptr` lies inside the payload, in a live block or not. */
BITFIT_API bool bitfit_owns(const bitfit_pool *pool, const void *ptr);

/* ------------------------------------------------------------------ misuse */

typedef enum bitfit_misuse_kind {
    BITFIT_DOUBLE_FREE = 1, /* the pointer lies in free memory */
    BITFIT_INTERIOR,        /* it lies inside a live block, not at its start */
    BITFIT_MISALIGNED,      /* it lies in the payload, off every granule */
    BITFIT_FOREIGN,         /* it lies outside the payload */
    BITFIT_WRONG_SIZE,      /* the size does not round up to the block's */
    BITFIT_REENTRY,         /* a call from inside another call on this pool */
    BITFIT_WRONG_POOL,      /* the call does not serve this kind of pool */
    BITFIT_NO_BLOCK,        /* the small build: one of the first five */
    BITFIT_OVERFLOW,        /* the block's guard was written to */
    BITFIT_TAKEN_SLOT       /* a slot to fill has a block (bitfit_shared.h) */
} bitfit_misuse_kind;

/* What happened, where. Valid only during the handler's call. */
struct bitfit_misuse {
    bitfit_misuse_kind kind;
    const char *call; /* the public function, such as "bitfit_free" */
    bitfit_pool *pool;
    const void *pointer; /* the caller's, if the call has one; NULL for a
                            re-entry and for a wrong pool */
    size_t size;         /* the caller's, for BITFIT_WRONG_SIZE */
    uint64_t offset;     /* the caller's, where the call has one in place of a
                            pointer (bitfit_offsets.h) */
    const void *place;   /* the first byte written to, for BITFIT_OVERFLOW */
};

/*
 * The option `on_misuse`. It runs after the lock is released; nothing has
 * changed. If it returns, the bad call does nothing and returns NULL, 0 or
 * false (bitfit_get_stats() stores zeros). It may call the pool or leave by
 * longjmp(), but not for a re-entry: the first call still has the pool.
 *
 * BITFIT_OVERFLOW is misuse of the next bitfit_free(), bitfit_free_sized() or
 * bitfit_realloc() of the block, and of bitfit_check(): `pointer` is the block.
 * Only pools with the option `guard` see it, and only writes to the granule
 * right behind the block.
 *
 * If the library is built with BITFIT_ASAN or BITFIT_VALGRIND, these checkers
 * see the use of freed memory, and of bytes beyond the requested size, but not
 * through offsets. bitfit_usable_size() allows all of its block to be used from
 * then on; bitfit_destroy() gives the memory back to other uses. With the
 * option `guard`, a write into the next block is seen, too.
 *
 * One case cannot be caught: if another block now starts at the address of a
 * freed one, the old pointer is a good pointer to the new block.
 */
typedef void bitfit_misuse_handler(const bitfit_misuse *misuse, void *context);

/* The kind of misuse in words, such as "double free"; never NULL. */
BITFIT_API const char *bitfit_misuse_name(bitfit_misuse_kind kind);

/* Freestanding builds only: what the default misuse handler calls. The library
 * has a weak one that executes a trap instruction; a board may define its own.
 * If it returns, the bad call does nothing. */
void bitfit_trap(const bitfit_misuse *misuse);

/* --------------------------------------------------------------------- see */

/* A consistent snapshot. All sizes are bytes of whole granules. Guards are part
 * of `high_water`; they are neither in `live` nor in `free`. */
typedef struct bitfit_stats {
    size_t granule;      /* bytes of one granule */
    size_t capacity;     /* bytes of the payload */
    size_t bookkeeping;  /* bytes of the bookkeeping, lock included */
    size_t live;         /* bytes in blocks */
    size_t free;         /* bytes in holes: capacity - live - guards */
    size_t blocks;       /* live blocks */
    size_t largest_free; /* the largest request that would succeed now; exact */
    size_t high_water;   /* end of the highest byte ever in a block */
    size_t peak_live;    /* most bytes ever in blocks, both copies in a move */
    size_t largest_block;   /* the largest block ever */
    uint64_t allocations;   /* calls that made a new block, a realloc's move
                               not counted */
    uint64_t frees;         /* blocks freed, a realloc's move not counted */
    uint64_t reallocations; /* bitfit_realloc() of a block that succeeded */
    uint64_t failures;      /* requests that returned NULL: no room, a product
                               that overflows, or a bad alignment */
} bitfit_stats;

BITFIT_API void bitfit_get_stats(bitfit_pool *pool, bitfit_stats *stats);

/* Sets `peak_live` to `live`, to measure it anew. `high_water` and
 * `largest_block` stay. */
BITFIT_API void bitfit_reset_peak(bitfit_pool *pool);

/* One run: a block, or a hole. */
typedef struct bitfit_run {
    void *start;
    size_t size;
    bool live; /* whether it is a block */
} bitfit_run;

/* Returns whether to go on. To call the pool is misuse; a longjmp() or an
 * exception leaves the pool locked. */
typedef bool bitfit_visitor(const bitfit_run *run, void *context);

/*
 * Shows every block and every hole in address order, under the lock. A guard
 * lies between its block and the next run. Returns whether the visitor saw all
 * of them. Time: proportional to the runs.
 */
BITFIT_API bool bitfit_walk(bitfit_pool *pool, bitfit_visitor *visit,
                            void *context);

/*
 * Verifies every invariant of the bookkeeping. Returns 0, or the number of the
 * first that is broken (docs/DESIGN.md lists them). A guard that was written to
 * is misuse, too. Time: one pass over the bookkeeping and the guards.
 */
BITFIT_API int bitfit_check(bitfit_pool *pool);

/*
 * Draws the pool, one character for each granule: '.' is free, '#' a guard, and
 * blocks take A to Z in address order, over and over. Writes at most `size`
 * bytes, with a NUL at the end unless size is 0. Returns the number of
 * granules, whatever `size` is: the whole picture needs one byte more.
 */
BITFIT_API size_t bitfit_draw(bitfit_pool *pool, char *buffer, size_t size);

/* Gets a piece of text, without a NUL. The same holds as for a visitor. */
typedef void bitfit_writer(const char *text, size_t length, void *context);

/*
 * Writes the statistics and a map, for people, under the lock: a line with its
 * newline in each call of `write`, about forty at most. The map is that of
 * bitfit_draw(); where it would be too long, a character stands for more
 * granules: '.' is free, '#' in use, '+' both. Counters above SIZE_MAX are
 * written as SIZE_MAX. Time: as bitfit_walk().
 */
BITFIT_API void bitfit_print(bitfit_pool *pool, bitfit_writer *write,
                             void *context);

/* -------------------------------------------------------- see from outside */

/*
 * A copy of the bookkeeping is enough to see the pool. To save one:
 *
 *     const void *start;
 *     size_t size;
 *     bitfit_lock(pool);
 *     bitfit_bookkeeping(pool, &start, &size);
 *     fprintf(file, "bitfit image %s\n", bitfit_version());
 *     fwrite(start, 1, size, file);
 *     bitfit_unlock(pool);
 *
 * `bitfit map` reads such a file.
 */

/* The place of the bookkeeping and its size in bytes. Neither ever changes. */
BITFIT_API void bitfit_bookkeeping(const bitfit_pool *pool, const void **start,
                                   size_t *size);

typedef enum bitfit_copy_state {
    BITFIT_COPY_WHOLE = 0, /* it shows the pool as it was at one moment */
    BITFIT_COPY_TORN,      /* the pool was changing while it was copied */
    BITFIT_COPY_NO_POOL    /* not from a pool, cut off, or another build's */
} bitfit_copy_state;

/*
 * Says whether a copy of a pool's bookkeeping is whole. The copy lies at a
 * multiple of alignof(max_align_t), has `size` bytes, and does not change
 * during the call. It may hold anything: nothing in it is trusted. It is whole
 * if and only if the invariants 1 to 4 of bitfit_check() hold and the counters
 * agree. The library that reads must have the same version, and run on the same
 * kind of machine, as the one that wrote. Time, here and below: one pass over
 * the bookkeeping.
 */
BITFIT_API bitfit_copy_state bitfit_copy_check(const void *copy, size_t size);

/* As bitfit_get_stats() of the pool. False if and only if there is none. In a
 * torn copy, live bytes, blocks and holes may be wrong where the pool was
 * changing. */
BITFIT_API bool bitfit_copy_get_stats(const void *copy, size_t size,
                                      bitfit_stats *stats);

/* As bitfit_walk() of the pool, with the addresses of its own process. Also
 * false if there is no pool. The runs of a torn copy cover the payload without
 * gaps, but some may be wrong. */
BITFIT_API bool bitfit_copy_walk(const void *copy, size_t size,
                                 bitfit_visitor *visit, void *context);

/* -------------------------------------------------------------------- lock */

/*
 * For fork() in a program with threads: bitfit_lock() before, bitfit_unlock()
 * after, in parent and child, as by pthread_atfork(). A call on the pool from
 * the thread that holds it is a re-entry. Only that thread, or the one it is in
 * the child, may unlock: this is not checked. Without a lock, the two only mark
 * the pool as busy.
 */
BITFIT_API void bitfit_lock(bitfit_pool *pool);
BITFIT_API void bitfit_unlock(bitfit_pool *pool);

/* --------------------------------------------------------- the small build */

/*
 * With -DBITFIT_SMALL, src/ compiles to less than 1,000 bytes of code on a
 * Cortex-M4, for pools of a few KiB. Blocks go to the same places, and a bad
 * pointer or size is caught as ever. This is different:
 *
 *   - The kind of misuse is BITFIT_NO_BLOCK. A re-entry is noticed only in a
 *     pool with a mutex.
 *   - bitfit_init() refuses guards, locks of the caller, and bookkeeping
 *     elsewhere. `zeroed` saves no time.
 *   - The statistics from `largest_block` on are 0.
 *   - A search looks at the whole bitmap up to the place that it finds;
 *     bitfit_get_stats() and bitfit_destroy() look at all of it.
 *   - There are no bitfit_aligned_alloc(), bitfit_bytes_for(), bitfit_print()
 *     and bitfit_status_text(), no copies of the bookkeeping, no offsets and no
 *     shared pools. Files that are compiled with -DBITFIT_SMALL, too,
 *     cannot name what does not exist:
 */
#if defined(BITFIT_SMALL) && defined(__GNUC__)
#pragma GCC poison bitfit_aligned_alloc bitfit_status_text bitfit_bytes_for
#pragma GCC poison bitfit_bookkeeping bitfit_copy_check bitfit_print
#pragma GCC poison bitfit_copy_get_stats bitfit_copy_walk
#endif

#ifdef __cplusplus
}
#endif

#endif
