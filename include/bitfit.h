/*
 * bitfit: exact first fit in one fixed block of memory.
 *
 * A pool is one block of memory that you give to bitfit_init(). Every request
 * gets the lowest address at which it fits; NULL if and only if it fits
 * nowhere. All that a pool knows is kept in bitmaps apart from the memory it
 * hands out: an overflow in your data cannot corrupt the pool, and a bad free
 * is caught before anything changes.
 *
 *     static _Alignas(max_align_t) unsigned char memory[4096];
 *
 *     bitfit_pool *pool = bitfit_init(memory, sizeof memory, NULL);
 *     char *text = bitfit_alloc(pool, 100);
 *     bitfit_free(pool, text);
 *     bitfit_destroy(pool);
 *
 * Words: a *granule* is the smallest unit handed out (16 bytes unless the
 * options say otherwise); a *block* is an allocated run of granules; the
 * *payload* is the part of the memory that is handed out. A *size* is always
 * in bytes.
 *
 * Complexity: unless a call says otherwise its work is bounded by a constant
 * times the logarithm of the pool's size (up to 2^36 granules, which is 1 TiB
 * at granule 16), whatever the sizes of the blocks, but for bytes that are
 * zeroed or copied.
 *
 * Threads: calls on different pools never interfere. Calls on one pool may come
 * from any thread under the default lock or the caller's; with BITFIT_LOCK_NONE
 * the caller sees to it that one thread at a time is in the pool. No call is
 * async-signal-safe. A pool is private to one process: after fork() parent and
 * child each own their copy (see bitfit_lock()).
 *
 * Placement is deterministic: the same calls give the same offsets from the
 * payload's first byte on every machine, word size and build, for pools of the
 * same number of granules and the same payload alignment. The one exception is
 * bitfit_aligned_alloc() with an alignment above the payload's, which depends
 * on where the memory lies.
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

/* The version of the library that was linked, as BITFIT_VERSION writes it. */
BITFIT_API const char *bitfit_version(void);

typedef struct bitfit_pool bitfit_pool;

/* ------------------------------------------------------------------ misuse */

typedef enum bitfit_crime {
    BITFIT_DOUBLE_FREE = 1, /* the pointer lies in free memory */
    BITFIT_INTERIOR,        /* it lies inside a live block, not at its start */
    BITFIT_MISALIGNED,      /* it lies in the payload, off every granule */
    BITFIT_FOREIGN,         /* it lies outside the payload */
    BITFIT_WRONG_SIZE,      /* the size given rounds up to another than its */
    BITFIT_REENTRY          /* a call from inside another call on this pool */
} bitfit_crime;

/* What happened, where. Valid during the handler's call only. */
typedef struct bitfit_misuse {
    bitfit_crime crime;
    const char *call; /* the public function, such as "bitfit_free" */
    bitfit_pool *pool;
    const void *pointer; /* as given by the caller; NULL for a re-entry */
    size_t size;         /* as given by the caller, for BITFIT_WRONG_SIZE */
} bitfit_misuse;

/* The crime's name in words, such as "double free"; never NULL. */
BITFIT_API const char *bitfit_crime_name(bitfit_crime crime);

/*
 * Decides what a bad call costs. It runs after the lock was released, and
 * nothing has changed by then. If it returns, the call is a no-op and returns
 * NULL, 0 or false (bitfit_get_stats() stores zeros). It may call the pool, and
 * leave by longjmp(); but not for a re-entry: the call that is under way has
 * the pool still.
 *
 * A pointer to memory that was freed and handed out again at the same start is
 * a good pointer to the new block: no allocator without tags can tell.
 */
typedef void bitfit_misuse_handler(const bitfit_misuse *misuse, void *context);

/* ----------------------------------------------------------------- options */

typedef enum bitfit_lock_kind {
    BITFIT_LOCK_DEFAULT = 0, /* the mutex; none in a freestanding build */
    BITFIT_LOCK_NONE,
    BITFIT_LOCK_MUTEX, /* the platform's; refused in a freestanding build */
    BITFIT_LOCK_CALLER /* the lock and unlock functions of the options */
} bitfit_lock_kind;

/* All zeros are the defaults; later versions add fields at the end only. */
typedef struct bitfit_options {
    /* sizeof(bitfit_options), or 0 for the fields of version 0.1. */
    size_t struct_size;

    /* Bytes; a power of two from 8 to 2^30; 0 is 16. Every block's size is
     * rounded up to it. */
    size_t granule;

    /* Bytes; a power of two; 0 is 16. The payload starts at a multiple of it,
     * reached by skipping. Blocks are aligned to the smaller of granule and
     * payload alignment: a granule of 8 gives 8. */
    size_t payload_alignment;

    /* Where the bookkeeping goes: NULL is the front of the memory itself. Else
     * at least bitfit_bookkeeping_size() bytes at a multiple of
     * alignof(max_align_t), apart from the memory. */
    void *bookkeeping;
    size_t bookkeeping_size;

    bitfit_lock_kind lock_kind;

    /* For BITFIT_LOCK_CALLER. To catch re-entry the lock must be recursive. */
    void (*lock)(void *lock_context);
    void (*unlock)(void *lock_context);
    void *lock_context;

    /* NULL: one line on standard error that names the crime, then abort();
     * freestanding: bitfit_trap(). */
    bitfit_misuse_handler *on_misuse;
    void *misuse_context;

    /* Turns in-place resizing off: see bitfit_realloc(). */
    bool resize_moves;

    /* The memory, and the bookkeeping's own where there is one, is all zero
     * bytes: creation is then near-constant time, and bitfit_calloc() does not
     * write memory that was never handed out. Declared wrongly: undefined. */
    bool zeroed;
} bitfit_options;

/* Why bitfit_init() refuses. */
typedef enum bitfit_status {
    BITFIT_OK = 0,
    BITFIT_BAD_MEMORY,      /* NULL, misaligned, or it wraps around */
    BITFIT_BAD_OPTIONS,     /* struct_size unknown, or an enum out of range */
    BITFIT_BAD_GRANULE,     /* no power of two from 8 to 2^30 */
    BITFIT_BAD_ALIGNMENT,   /* payload alignment no power of two */
    BITFIT_BAD_BOOKKEEPING, /* misaligned, too small, or it overlaps */
    BITFIT_BAD_LOCK,        /* a function missing, or no mutex here */
    BITFIT_TOO_SMALL        /* no room for one granule */
} bitfit_status;

/* ------------------------------------------------------------ creating one */

/*
 * Makes a pool of `size` bytes at `memory`, which may hold anything and must be
 * a multiple of alignof(max_align_t). NULL options are the defaults. The pool
 * lives in the memory itself and needs no other.
 *
 * Returns NULL if and only if bitfit_init_status() of the same arguments is not
 * BITFIT_OK; then nothing was touched.
 *
 * Time: one pass over the bookkeeping (2 % of the memory or less from 1 MiB at
 * granule 16); near-constant if the options say `zeroed`.
 */
BITFIT_API bitfit_pool *bitfit_init(void *memory, size_t size,
                                    const bitfit_options *options);

/* What bitfit_init() would say: BITFIT_OK or the reason to refuse. Pure. */
BITFIT_API bitfit_status bitfit_init_status(const void *memory, size_t size,
                                            const bitfit_options *options);

/* The status in words, such as "granule is not a power of two"; never NULL. */
BITFIT_API const char *bitfit_status_text(bitfit_status status);

/*
 * The bytes of bookkeeping, lock included, for a payload of `size` bytes under
 * these options (granule, lock kind, and whether there is a misuse handler;
 * NULL is the defaults): what `bookkeeping_size` must be at least. 0 if and
 * only if granule, payload alignment, lock or struct_size are bad, or the size
 * holds no granule.
 */
BITFIT_API size_t bitfit_bookkeeping_size(size_t size,
                                          const bitfit_options *options);

/*
 * A size for bitfit_init() with which first fit can never fail, however the
 * blocks come and go: for at most `peak_granules` live at a time (each block's
 * size rounded up to granules) in blocks of at most `largest_granules`.
 * Bookkeeping and lock of the default options with this granule are included
 * (0 is 16). 0 if and only if peak or largest is 0, the granule is bad, largest
 * is above peak, or the result overflows.
 *
 * From the theorem that first fit needs at most N = M * H_n / ln 2 granules for
 * M granules live and blocks of at most n (J. M. Robson, "Worst case
 * fragmentation of first fit and best fit storage allocation strategies", The
 * Computer Journal 20(3), 1977; TAOCP volume 1, section 2.5, exercise 43).
 * H_n is the n-th harmonic number. Integer arithmetic, rounded up; above n =
 * 8191 H_n is bounded from above, at most 0.02 % too high.
 *
 * It holds for bitfit_alloc(), bitfit_calloc() and bitfit_free() alone, and
 * only while
 *   - no block is resized in place (set `resize_moves`; shrinking in place
 *     breaks it), and a bitfit_realloc() that moves counts both copies in M;
 *   - no alignment above the block alignment is asked for;
 *   - M counts granules, not requested bytes: 17 bytes are two granules.
 */
BITFIT_API size_t bitfit_bytes_for(size_t peak_granules,
                                   size_t largest_granules, size_t granule);

/*
 * Ends the pool and returns the number of blocks that were still live. The
 * memory is the caller's again; this call writes bookkeeping only. NULL does
 * nothing and returns 0.
 */
BITFIT_API size_t bitfit_destroy(bitfit_pool *pool);

/* Frees every block at once: the pool is as after bitfit_init(), statistics
 * included. Time: one pass over the bookkeeping. */
BITFIT_API void bitfit_reset(bitfit_pool *pool);

/* ------------------------------------------------------------ using blocks */

/*
 * A block of at least `size` bytes at the lowest address that fits; size 0
 * gets a block of one granule. NULL if and only if no run of free granules is
 * long enough. The content is not touched.
 */
BITFIT_API void *bitfit_alloc(bitfit_pool *pool, size_t size);

/* As bitfit_alloc(count * size), all bytes zero. NULL too if the product
 * overflows. */
BITFIT_API void *bitfit_calloc(bitfit_pool *pool, size_t count, size_t size);

/*
 * As bitfit_alloc(), at the lowest address that is a multiple of `alignment`
 * and fits. The size need not be a multiple. NULL if and only if none fits, or
 * the alignment is 0 or no power of two.
 *
 * Up to the block alignment (the smaller of granule and payload alignment) the
 * cost is bitfit_alloc()'s. Above, each hole that is long enough but holds no
 * aligned place costs one more search, logarithmic in the pool's size. Blocks
 * start on granules only: a payload alignment below the granule may leave none
 * of them at a multiple of a larger alignment.
 */
BITFIT_API void *bitfit_aligned_alloc(bitfit_pool *pool, size_t alignment,
                                      size_t size);

/*
 * Changes a block's size, keeping its content up to the smaller size. In place
 * it shrinks always and grows where the granules behind it are free; else it
 * moves to the first fit found with the old block still occupied. NULL if and
 * only if there is none: the old block is then untouched. A block that moves is
 * aligned as bitfit_alloc() aligns.
 *
 * realloc(NULL, n) allocates. realloc(p, 0) shrinks to one granule. A shrink
 * never fails.
 *
 * With the option `resize_moves` a change of granule count always moves to the
 * first fit, and a shrink that finds no place keeps the block and succeeds: ask
 * bitfit_usable_size() before a sized free then.
 */
BITFIT_API void *bitfit_realloc(bitfit_pool *pool, void *ptr, size_t size);

/*
 * Gives a block back. NULL does nothing. Any other pointer that is not the
 * start of a live block of this pool is misuse: decided in O(1), before
 * anything changes. (To name a crime inside a long block or hole, its start is
 * looked for word by word.)
 */
BITFIT_API void bitfit_free(bitfit_pool *pool, void *ptr);

/* As bitfit_free(); misuse too unless `size` rounds up to the block's size in
 * granules (0 rounds up to one). */
BITFIT_API void bitfit_free_sized(bitfit_pool *pool, void *ptr, size_t size);

/* The bytes of the block at `ptr`, all of them usable, stable during its life.
 * 0 for NULL. Anything else but the start of a live block is misuse. */
BITFIT_API size_t bitfit_usable_size(bitfit_pool *pool, const void *ptr);

/* The size of the block that a request for `size` bytes would get: `size`
 * rounded up to granules; 0 if and only if that is more than the payload. (To
 * ask for 0 bytes instead would succeed: do not pass the 0 on.) */
BITFIT_API size_t bitfit_good_size(bitfit_pool *pool, size_t size);

/* Whether `ptr` lies inside the payload, in a live block or not. */
BITFIT_API bool bitfit_owns(const bitfit_pool *pool, const void *ptr);

/* ------------------------------------------------------------------ seeing */

/* A consistent snapshot. All sizes are granules' bytes. */
typedef struct bitfit_stats {
    size_t granule;      /* bytes of one granule */
    size_t capacity;     /* bytes of the payload */
    size_t bookkeeping;  /* bytes of the bookkeeping, lock included */
    size_t live;         /* bytes in blocks */
    size_t free;         /* bytes in holes: capacity - live */
    size_t blocks;       /* live blocks */
    size_t largest_free; /* the largest request that would succeed now; exact */
    size_t high_water;   /* end of the highest byte ever in a block */
    size_t peak_live;    /* most bytes ever in blocks, both copies in a move */
    size_t largest_block;   /* the largest block ever */
    uint64_t allocations;   /* calls that made a new block, a realloc's move
                               not counted */
    uint64_t frees;         /* blocks freed, a realloc's move not counted */
    uint64_t reallocations; /* bitfit_realloc() of a block that succeeded */
    uint64_t failures;      /* requests answered with NULL for lack of memory, a
                               product that overflows or a bad alignment */
} bitfit_stats;

BITFIT_API void bitfit_get_stats(bitfit_pool *pool, bitfit_stats *stats);

/* One run: a block, or a hole (a maximal run of free granules). */
typedef struct bitfit_run {
    void *start;
    size_t size;
    bool live;
} bitfit_run;

/* Returns whether to go on. It may not call the pool: that is misuse. It must
 * return: a longjmp() or an exception out of it leaves the pool locked. */
typedef bool bitfit_visitor(const bitfit_run *run, void *context);

/*
 * Shows every block and every hole in address order, under the lock. Returns
 * whether the visitor saw all of them. Time: proportional to the runs.
 */
BITFIT_API bool bitfit_walk(bitfit_pool *pool, bitfit_visitor *visit,
                            void *context);

/*
 * Verifies every invariant of the bookkeeping. Returns 0, or the number of the
 * first invariant that is broken (docs/DESIGN.md lists them). Time: one pass
 * over the bookkeeping.
 */
BITFIT_API int bitfit_check(bitfit_pool *pool);

/*
 * Draws the pool, one character for each granule: '.' is free, a letter is a
 * block; blocks take A to Z in address order, over and over. Writes at most
 * `size` bytes, always ended by a NUL unless size is 0. Returns the number of
 * granules, as snprintf() would: the whole picture needs one byte more.
 */
BITFIT_API size_t bitfit_draw(bitfit_pool *pool, char *buffer, size_t size);

/* ---------------------------------------------------- seeing from outside */

/*
 * A debugger, another process or a file can hold a copy of a pool's
 * bookkeeping, all that is needed to see the pool. To save one:
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

/* Where the bookkeeping stands, which never changes, and its bytes. */
BITFIT_API void bitfit_bookkeeping(const bitfit_pool *pool, const void **start,
                                   size_t *size);

typedef enum bitfit_copy_state {
    BITFIT_COPY_WHOLE = 0, /* it shows the pool as it was at one moment */
    BITFIT_COPY_TORN,      /* the pool was changing while it was copied */
    BITFIT_COPY_NO_POOL    /* no pool, cut off, or of another build */
} bitfit_copy_state;

/*
 * What a copy of a pool's bookkeeping is worth. It lies at a multiple of
 * alignof(max_align_t), has `size` bytes and does not change during the call;
 * it may hold anything: nothing in it is trusted, no pointer in it is followed.
 * It is whole if and only if the run map, the invariants 1 to 4 of
 * bitfit_check(), and the counters agree. The library that reads must be of the
 * same version and machine as the one that wrote; another's copy is seldom
 * whole. Time, here and below: one pass over the bookkeeping.
 */
BITFIT_API bitfit_copy_state bitfit_copy_check(const void *copy, size_t size);

/* As bitfit_get_stats() of the pool. False if and only if there is none. Live
 * bytes, blocks and holes of a torn copy are what its run map says; it may be
 * wrong where the pool was changing. */
BITFIT_API bool bitfit_copy_get_stats(const void *copy, size_t size,
                                      bitfit_stats *stats);

/* As bitfit_walk() of the pool; the addresses are those of its own process.
 * False too if there is no pool. The runs of a torn copy cover the payload
 * without gaps as well; some may be wrong. */
BITFIT_API bool bitfit_copy_walk(const void *copy, size_t size,
                                 bitfit_visitor *visit, void *context);

/* ----------------------------------------------------------------- locking */

/*
 * Hold the pool's lock across fork() in a program with threads: call
 * bitfit_lock() before, and bitfit_unlock() after in parent and child, by
 * pthread_atfork() for instance. A call on the pool by the thread that holds it
 * is a re-entry. Without a lock they only mark the pool as busy.
 */
BITFIT_API void bitfit_lock(bitfit_pool *pool);
BITFIT_API void bitfit_unlock(bitfit_pool *pool);

/*
 * Freestanding builds only: what the default misuse handler calls. The
 * library's own is weak and executes a trap instruction; a board may define
 * another. If it returns, the bad call is a no-op.
 */
void bitfit_trap(const bitfit_misuse *misuse);

#ifdef __cplusplus
}
#endif

#endif
