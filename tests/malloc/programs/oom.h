/*
 * What the programs share that are run once for each k, with the k-th request
 * for memory failing.
 */
#ifndef OOM_H
#define OOM_H

#include <stddef.h>
#include <stdint.h>

typedef enum oom_answer { OOM_DONE, OOM_NO_MEMORY, OOM_WRONG } oom_answer;

/* Does the whole work from its start and leaves nothing behind; `digest` is
 * that of all results. Each program has its own. */
oom_answer oom_work(uint64_t *digest);

static inline void oom_add(uint64_t *digest, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        *digest = (*digest ^ bytes[i]) * 0x100000001B3u;
}

#endif
