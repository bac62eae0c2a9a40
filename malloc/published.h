/*
 * What a process in a fixed pool shows to those who look at it from outside
 * (`bitfit top`, `bitfit map`).
 *
 * One page, mapped privately from a memory file named BITFIT_PUBLISHED_NAME, so
 * that /proc/PID/maps tells where it is ("/memfd:bitfit-pool (deleted)"). The
 * reader copies it and the bookkeeping it points to by process_vm_readv(). A
 * fork's child has its own copy, with the same addresses and its own pool.
 */
#ifndef BITFIT_PUBLISHED_H
#define BITFIT_PUBLISHED_H

#include <stdint.h>

#define BITFIT_PUBLISHED_NAME "bitfit-pool"
#define BITFIT_PUBLISHED_MAGIC 0x3150746966746962u /* "bitfitP1" */

typedef struct bitfit_published {
    uint64_t magic;       /* written last: before, there is no pool */
    char version[16];     /* BITFIT_VERSION of the process' library */
    uint64_t bookkeeping; /* address and bytes of the pool's bookkeeping, */
    uint64_t bookkeeping_size; /* the bitfit_pool at its front */
    uint64_t payload;          /* address and bytes of what is handed out */
    uint64_t payload_size;
    uint64_t granule;    /* bytes */
    uint64_t budget;     /* bytes: all that the process may use */
    uint64_t cached;     /* bytes in the threads' caches, roughly */
    uint64_t failures;   /* requests answered with NULL */
    uint64_t marks;      /* address and bytes of the pool's last block, which */
    uint64_t marks_size; /* is malloc's own; 0 once the program has it */
} bitfit_published;

#endif
