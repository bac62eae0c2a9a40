/*
 * The program's one pool, its lock, and where everything lies.
 *
 *     budget = payload + own + caches
 *
 *     payload   what the program gets; its last block is a deposit for the
 *               marks, until the program needs it more
 *     own       bookkeeping | bits for pages | bookkeeping of empties
 *     caches    the threads' caches and the depot
 *     marks     a bit a granule; counted as the deposit is
 *     empties   address space only: empties.h
 *
 * Each of the five lies at a random place of its own, between pages that cannot
 * be touched. The payload can be touched up to where it was ever used, and some
 * pages further: what is written far behind the last block ends the program.
 * Nothing is ever unmapped: what runs after the program's end still finds its
 * memory.
 *
 * What never changes after the start is in one page of settings, which is then
 * made read-only.
 */
#ifndef BITFIT_MALLOC_HEAP_H
#define BITFIT_MALLOC_HEAP_H

#include "carve.h"
#include "options.h"
#include "published.h"
#include "system.h"

#include <stdatomic.h>
#include <sys/types.h>

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Of the fast ways, which call nothing and save no register. */
#define FAST static inline __attribute__((always_inline))

/* The fast ways know the granule: the default one. */
enum { FAST_GRANULE_SHIFT = 4, FAST_GRANULE = 1 << FAST_GRANULE_SHIFT };

/* Granules: blocks of up to so many have bins and batches of their own. */
enum { SMALL_MAX = 64 };

/* What the library maps for itself and the pool. */
enum part {
    PART_PAYLOAD,
    PART_OWN,
    PART_CACHES,
    PART_MARKS,
    PART_EMPTIES,
    PART_PUBLISHED,
    PARTS
};

typedef struct range {
    uintptr_t start;
    size_t size; /* bytes; 0 if there is none */
} range;

typedef struct settings {
    /* What malloc() and free() read each time, in one line. */
    bf_view view;
    size_t granule_mask;    /* granule - 1 */
    uintptr_t pairs_origin; /* where the pair for address 0 would be, */
    uintptr_t marks_origin; /* and its word of marks */
    _Atomic bf_word *marks; /* a bit a granule: a block in a cache starts here;
                             NULL if there never are caches. Nobody has to trust
                             them: cache.h */
    size_t fast_size;       /* bytes: requests of up to so much have a fast way;
                             0 if the granule is not FAST_GRANULE */
    size_t fast_granules;   /* those below the pool's last word; 0 as well */
    size_t hardened_granules; /* the same in the hardened mode; else 0 */
    bool stoppable; /* another thread's cache can be stopped: cache.h */

    bitfit_pool *pool;
    bitfit_pool *caches;  /* a pool of its own for the caches' memory, */
    bitfit_pool *empties; /* and one for blocks of no bytes; or NULL */
    uint64_t *pages;      /* see pages.h */
    unsigned page_shift;
    bitfit_published *published;
    uint64_t secret; /* random */
    pid_t process;
    void *deposit;       /* the pool's last block, while there are marks, */
    size_t deposit_size; /* and its bytes */
    size_t own_size;     /* bytes of the budget that are not the payload's */
    int report_file;     /* a copy of the standard error of the start, or -1 */
    file_identity error_file; /* which file that was */
    range parts[PARTS];
    option_set options;
} settings;

/* A whole number of pages, so that they can be protected. */
enum { SETTINGS_SIZE = 16384 };

extern union settings_page {
    settings value;
    char bytes[SETTINGS_SIZE];
} heap_settings __attribute__((visibility("hidden")));

#define SETTINGS (&heap_settings.value)

/* What changes, under the lock. */
typedef struct heap_state {
    uint64_t requests;    /* that came as far as here: not those a cache met */
    uint64_t failures;    /* answered with NULL */
    size_t first_failure; /* bytes asked for by the first of them */
    bool caching;         /* the marks are there, and caches may be */
    size_t open;          /* bytes of the payload that can be touched */
    const char *call;     /* the function that the program called */
} heap_state;

extern heap_state heap;

/* Whether the pool is there. */
static inline bool heap_started(void)
{
    return SETTINGS->pool != NULL;
}

/* -------------------------------------------------------------------- lock */

/* Not recursive: who holds it must not allocate (threads.h sees to that). */
void heap_lock(void);
void heap_unlock(void);

/* Whether this thread holds it: a signal's handler asks. */
bool heap_is_mine(void);

/*
 * While a thread forks it holds the lock, so that nobody is inside when the
 * child is made, and does nothing with it. Meanwhile the C library may wait for
 * a lock of its own, whose holder may wait for this one: so it is lent to who
 * has waited for some milliseconds, and comes back from there.
 */
void heap_lend(void);
bool heap_is_lent_by_me(void);

/* Has the lock again, for this thread alone. */
void heap_recall(void);

/* In the child of a fork, where nobody else is left: this thread has the lock.
 * False if another was inside when the child was made. */
bool heap_lock_reset(void);

/* ------------------------------------------------- under the lock: requests */

/* A block, or NULL if it fits nowhere as things are. */
void *heap_take(size_t alignment, size_t size);

/* Gives a block back, or dies naming the misuse. `size` is SIZE_MAX, or what
 * the caller says that it is. */
void heap_give(void *ptr, size_t size);

/* As bitfit_realloc() of a pointer and a size that are not 0. */
void *heap_resize(void *ptr, size_t size);

/* Dies, naming what `ptr` is instead of a live block. */
_Noreturn void heap_accuse(const void *ptr);

/* Bytes that the pool has never used: what caches may count on. */
size_t heap_room(void);

/* Bytes from the payload's start to the highest end that a block ever had. */
size_t heap_used(void);

/* Makes the payload's first `size` bytes ones that can be touched; false if the
 * system does not give that much. */
bool heap_open(size_t size);

/* Bytes in blocks and caches: what is cached should be a small part of it. */
size_t heap_live(void);

/* ---------------------------------------------------------------- converting
 */

/* Huge for an address below the payload. */
static inline size_t heap_offset_of(const void *ptr)
{
    return (uintptr_t)ptr - (uintptr_t)SETTINGS->view.payload;
}

/* The granule at this address, which is the start of one in the payload; else
 * some number beyond the pool. */
static inline size_t heap_granule_of(const void *ptr)
{
    return bf_rotate(heap_offset_of(ptr), SETTINGS->view.granule_shift);
}

static inline void *heap_pointer_to(size_t granule)
{
    return SETTINGS->view.payload + (granule << SETTINGS->view.granule_shift);
}

/* Bytes of that many granules. */
static inline size_t heap_size_of(size_t count)
{
    return count << SETTINGS->view.granule_shift;
}

/* The granules of the live block at this granule, which may be beyond the pool;
 * 0 if there is none. No lock. */
static inline size_t heap_count_at(size_t granule)
{
    return LIKELY(granule < SETTINGS->view.granules)
               ? bf_view_count(&SETTINGS->view, granule)
               : 0;
}

static inline size_t heap_count_of(const void *ptr)
{
    return heap_count_at(heap_granule_of(ptr));
}

/* Granules for `size` bytes, at least one. size is at most PTRDIFF_MAX. */
static inline size_t heap_count_for(size_t size)
{
    return (size + (size == 0) + SETTINGS->granule_mask) >>
           SETTINGS->view.granule_shift;
}

/* ------------------------------------------- the same where granules are fast
 */

/* Which word this address belongs to, and, modulo a word's bits, which bit:
 * counted from address 0, since the payload begins with a page and so with a
 * whole word. */
static inline size_t heap_fast_word(const void *ptr)
{
    return (uintptr_t)ptr >> (FAST_GRANULE_SHIFT + BF_WORD_SHIFT);
}

static inline size_t heap_fast_bit(const void *ptr)
{
    return (uintptr_t)ptr >> FAST_GRANULE_SHIFT;
}

/* Of an address in the payload: its word in the run map, and its marks. */
static inline const bf_pair *heap_fast_pair(const void *ptr)
{
    size_t offset = heap_fast_word(ptr) * sizeof(bf_pair);
    return (const bf_pair *)(SETTINGS->pairs_origin + offset);
}

static inline _Atomic bf_word *heap_fast_marks(const void *ptr)
{
    size_t offset = heap_fast_word(ptr) * sizeof(bf_word);
    return (_Atomic bf_word *)(SETTINGS->marks_origin + offset);
}

/* A large number for a size of 0. */
static inline size_t heap_fast_count_for(size_t size)
{
    return ((size - 1) >> FAST_GRANULE_SHIFT) + 1;
}

#endif
