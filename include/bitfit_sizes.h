/*
 * Sizes at compile time, for pools in memory that the linker places:
 *
 *     BITFIT_STATIC_POOL(memory, 2000, 16);
 *
 *     bitfit_pool *pool = bitfit_init(memory, sizeof memory, &options);
 *
 * The pool of the example hands out 2,000 bytes, in granules of 16, whatever
 * its bookkeeping takes. The macros are constant expressions if their arguments
 * are. They hold for the library that was built with the same BITFIT_SMALL,
 * BITFIT_NO_INDEX and BITFIT_WORD_BITS, for payloads of up to 1 TiB.
 */
#ifndef BITFIT_SIZES_H
#define BITFIT_SIZES_H

#include "bitfit.h"

/*
 * What bitfit_bookkeeping_size() returns for a payload of `size` bytes and this
 * granule, if the options have no lock, no misuse handler and no guards. With
 * them, give their bytes as `parts`:
 *
 *     BITFIT_CALLER_LOCK_BYTES    BITFIT_LOCK_CALLER
 *     sizeof(pthread_mutex_t)     BITFIT_LOCK_MUTEX, on POSIX
 *     BITFIT_HANDLER_BYTES        on_misuse; 0 in the small build
 *     BITFIT_GUARD_BYTES          guard
 */
#define BITFIT_BOOKKEEPING_BYTES(size, granule)                                \
    BITFIT_BOOKKEEPING_BYTES_WITH(size, granule, 0)
#define BITFIT_BOOKKEEPING_BYTES_WITH(size, granule, parts)                    \
    BITFIT_BOOKKEEPING_(BITFIT_SIZE_(size) / BITFIT_SIZE_(granule),            \
                        BITFIT_SIZE_(parts))

#define BITFIT_CALLER_LOCK_BYTES (3 * sizeof(void *))
#define BITFIT_GUARD_BYTES sizeof(size_t)

/*
 * The least size for bitfit_init(), at a multiple of 16, with which a pool of
 * the default payload alignment hands out `usable` bytes, rounded up to
 * granules.
 */
#define BITFIT_POOL_BYTES(usable, granule)                                     \
    BITFIT_POOL_BYTES_WITH(usable, granule, 0)
#define BITFIT_POOL_BYTES_WITH(usable, granule, parts)                         \
    (BITFIT_UP_(BITFIT_BOOKKEEPING_BYTES_WITH(BITFIT_UP_(usable, granule),     \
                                              granule, parts),                 \
                16) +                                                          \
     BITFIT_UP_(usable, granule))

/* Defines static memory of that size. */
#define BITFIT_STATIC_POOL(name, usable, granule)                              \
    BITFIT_STATIC_POOL_WITH(name, usable, granule, 0)
#define BITFIT_STATIC_POOL_WITH(name, usable, granule, parts)                  \
    BITFIT_STATIC_ unsigned char                                               \
        name[BITFIT_POOL_BYTES_WITH(usable, granule, parts)]

/* ----------------------------------------- for the macros above: the layout */

#ifdef __cplusplus
#define BITFIT_SIZE_(number) static_cast<size_t>(number)
#define BITFIT_STATIC_ alignas(16) static
#else
#define BITFIT_SIZE_(number) ((size_t)(number))
#define BITFIT_STATIC_ static _Alignas(16)
#endif

#ifdef BITFIT_WORD_BITS
#define BITFIT_WORD_ BITFIT_SIZE_(BITFIT_WORD_BITS)
#elif UINTPTR_MAX > 0xffffffffu
#define BITFIT_WORD_ BITFIT_SIZE_(64)
#else
#define BITFIT_WORD_ BITFIT_SIZE_(32)
#endif

#define BITFIT_PAIR_ (BITFIT_WORD_ / 4)
#define BITFIT_PARTS_OF_(number, part) (((number) + (part)-1) / (part))
#define BITFIT_UP_(number, part)                                               \
    (BITFIT_PARTS_OF_(BITFIT_SIZE_(number), BITFIT_SIZE_(part)) *              \
     BITFIT_SIZE_(part))

#ifdef BITFIT_SMALL
#define BITFIT_HANDLER_BYTES BITFIT_SIZE_(0)
#define BITFIT_HEADER_ BITFIT_UP_(7 * sizeof(void *) + 3, sizeof(size_t))
#define BITFIT_BOOKKEEPING_(granules, parts)                                   \
    (BITFIT_UP_(BITFIT_HEADER_, BITFIT_WORD_ / 8) +                            \
     ((granules) / BITFIT_WORD_ + 1) * BITFIT_PAIR_ + (parts))
#else
#define BITFIT_HANDLER_BYTES (2 * sizeof(void *))
#define BITFIT_BOOKKEEPING_(granules, parts)                                   \
    (BITFIT_UP_(BITFIT_HEADER_ + (parts), BITFIT_PAIR_) +                      \
     BITFIT_PARTS_OF_(granules, BITFIT_WORD_) * BITFIT_PAIR_ +                 \
     BITFIT_TREE_(granules, BITFIT_PARTS_OF_(granules, BITFIT_WORD_)))

/* Seen by their sizes: what an uint64_t in a struct is aligned to. */
struct bitfit_align64_ {
    char first;
    uint64_t second;
};
#define BITFIT_HEADER_                                                         \
    (sizeof(void *) == 8 ? BITFIT_SIZE_(104)                                   \
                         : 64 + sizeof(struct bitfit_align64_))

/* The tree of the longest holes: a byte for each word, and rows above. */
#ifdef BITFIT_NO_INDEX
#define BITFIT_TREE_(granules, words) BITFIT_SIZE_(0)
#else
#define BITFIT_TREE_(granules, words)                                          \
    ((granules) <= 256                                                         \
         ? 0                                                                   \
         : BITFIT_UP_((sizeof(void *) == 8 ? 16 : 12) +                        \
                          ((words) > BITFIT_WORD_ ? BITFIT_UPPER_ : 0),        \
                      BITFIT_PAIR_) +                                          \
               BITFIT_UP_(words, BITFIT_WORD_) + BITFIT_ROWS_(words))
#endif
#define BITFIT_UPPER_                                                          \
    (sizeof(void *) == 8 ? 272 + (BITFIT_SHIFT_ + 5) * sizeof(void *)          \
                         : 132 + (BITFIT_SHIFT_ + 5) * sizeof(void *))
#define BITFIT_SHIFT_ (BITFIT_WORD_ == 64 ? BITFIT_SIZE_(6) : BITFIT_SIZE_(5))
#define BITFIT_ROWS_(words)                                                    \
    (BITFIT_ROW_(words, 1 * BITFIT_SHIFT_) +                                   \
     BITFIT_ROW_(words, 2 * BITFIT_SHIFT_) +                                   \
     BITFIT_ROW_(words, 3 * BITFIT_SHIFT_) +                                   \
     BITFIT_ROW_(words, 4 * BITFIT_SHIFT_) +                                   \
     BITFIT_ROW_(words, 5 * BITFIT_SHIFT_) +                                   \
     BITFIT_ROW_(words, 6 * BITFIT_SHIFT_))
#define BITFIT_ROW_(words, shift)                                              \
    (sizeof(void *) == 4 && (shift) > 25 ? 0                                   \
     : ((words)-1) >> (shift) != 0                                             \
         ? BITFIT_UP_((((words)-1) >> (shift)) + 1, BITFIT_WORD_) * 5          \
         : 0)
#endif

#endif
