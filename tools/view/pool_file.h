/*
 * A shared pool's file (bitfit_shared.h), looked at without its lock: what
 * attaching needs is copied, and what was broken off is repaired in the copy.
 * Nothing in the file is trusted.
 */
#ifndef POOL_FILE_H
#define POOL_FILE_H

#include "moment.h"

#include <bitfit_shared.h>

typedef enum pool_file_state {
    POOL_FILE_WHOLE,
    POOL_FILE_BROKEN_OFF, /* a change was begun, and nobody goes on with it */
    POOL_FILE_BUSY,       /* each look met a change, and no two the same */
    POOL_FILE_DAMAGED     /* no repair makes it whole */
} pool_file_state;

typedef struct pool_file {
    int file;
    size_t size;       /* of the pool: all of the file */
    size_t front;      /* how much of it is copied: the payload's distance */
    bitfit_pool *copy; /* as repaired, in the last look */
    void *mapping;
    size_t mapped;
    pool_file_state state;
    uint64_t repairs; /* of the pool, so far */
} pool_file;

/* As text: "whole", "broken off", "busy", "damaged". */
const char *pool_file_state_name(pool_file_state state);

/* Whether a shared pool begins the file; false if it cannot be read, too. */
bool pool_file_is_one(const char *path);

/* NULL, or why there is no pool: one line. Close it in both cases. */
const char *pool_file_open(pool_file *from, const char *path);

/* As outside_look(). The moment's payload is the link of its offset 0. */
const char *pool_file_look(pool_file *from, heap_moment *moment);

void pool_file_close(pool_file *from);

/* Maps so many bytes at an address that serves a pool with this front: of the
 * file, or, if it is negative, of zeros. MAP_FAILED if that is impossible;
 * `mapped` bytes at `mapping` are to be unmapped. */
void *pool_file_map(int file, size_t size, size_t front, void **mapping,
                    size_t *mapped);

#endif
