/*
 * Large blocks of the hardened mode: each ends at pages that nobody can touch.
 *
 *     [ in front | bytes asked for | padding ] [ closed pages ]
 *
 * The bytes end as close to the closed pages as the alignment allows. What the
 * block is stands in its second word of marks, which nobody else uses: so there
 * are none where a granule is large or a word is short. What is freed waits,
 * its first page closed, or all of it: the block that then leaves is a random
 * one.
 *
 * All calls but guarded_kind() are made inside a slow path.
 */
#ifndef BITFIT_MALLOC_GUARDED_H
#define BITFIT_MALLOC_GUARDED_H

#include "heap.h"

/* Which functions a block belongs to. */
enum { KIND_C, KIND_NEW, KIND_NEW_ARRAY, KIND_MAX = KIND_NEW_ARRAY };

/* By the name of the function that takes or frees it. */
static inline unsigned guarded_kind(const char *call)
{
    static const char front[] = "operator ";
    if (call[0] != front[0]) {
        return KIND_C;
    }
    const char *word = call + sizeof front - 1;
    bool array = word[0] == 'n' ? word[3] == '[' : word[6] == '[';
    return array ? KIND_NEW_ARRAY : KIND_NEW;
}

typedef struct guarded_block {
    unsigned char *start; /* of the pool's block */
    size_t whole;         /* its bytes */
    size_t offset;        /* of what the program has */
    size_t size;          /* that it asked for */
    unsigned kind;
} guarded_block;

/* A block whose bytes are zero, with `more` closed bytes to grow into, or fewer
 * where there is less room. NULL if there is none, or as many as may be. */
void *guarded_take(size_t alignment, size_t size, size_t more);

/* Whether this is such a block, and which; dies if it waits, or if its padding
 * was written to. */
bool guarded_find(const void *ptr, guarded_block *found);

/* As guarded_find() by the start of the pool's block, which may wait: then it
 * is not looked at. */
bool guarded_has(void *start);

/* The pool's block at this start is another. */
void guarded_forget(void *start);

void guarded_give(const guarded_block *block);

/* Resizes it where it is; false if it has no room, or too much. */
bool guarded_resize(const guarded_block *block, size_t size);

/* Gives all blocks that wait back to the pool; whether there were any. */
bool guarded_end(void);

/* Gives their pages to the system, and lets them wait. Whether any were. */
bool guarded_trim(void);

/* What it costs: bytes of live blocks in pages that are closed; and how many
 * blocks wait, and their bytes. */
size_t guarded_closed(void);
void guarded_waiting(size_t *blocks, size_t *size);

#endif
