#include "play.h"

#include <string.h>

bf_shared *shared_in(void *memory)
{
    return (bf_shared *)(void *)((bitfit_pool *)memory + 1);
}

bitfit_link link_of(void *memory, size_t granule)
{
    return shared_in(memory)->payload + granule * GRANULE;
}

/* --------------------------------------------------------------- the calls */

const char *const verb_names[] = {
    "alloc",       "aligned_alloc", "calloc",     "realloc",
    "free",        "reset",         "alloc_into", "aligned_alloc_into",
    "calloc_into", "realloc_in",    "free_from",  "swap",
    "sweep",
};

bool is_undone(verb which)
{
    return which <= REALLOC;
}

enum { ALIGNMENT = 16 * GRANULE };

static bool keep_one(bitfit_link block, size_t size, void *context)
{
    (void)size;
    return block == *(const bitfit_link *)context;
}

static void make_call_with_slots(bitfit_pool *pool, const call *c)
{
    bitfit_link *root = bitfit_root(pool, 0);
    bitfit_link kept = *root;
    size_t size = c->count * GRANULE;
    switch (c->verb) {
    case ALLOC_INTO:
        bitfit_alloc_into(pool, size, root);
        break;
    case ALIGNED_INTO:
        bitfit_aligned_alloc_into(pool, ALIGNMENT, size, root);
        break;
    case CALLOC_INTO:
        bitfit_calloc_into(pool, c->count, GRANULE, root);
        break;
    case REALLOC_IN:
        bitfit_realloc_in(pool, root, size);
        break;
    case FREE_FROM:
        bitfit_free_from(pool, root);
        break;
    case SWAP:
        bitfit_swap(pool, root, bitfit_root(pool, 1));
        break;
    default:
        bitfit_sweep(pool, keep_one, &kept);
        break;
    }
}

void make_call(void *one)
{
    call *c = one;
    bitfit_pool *pool = c->pool;
    void *block = bitfit_follow(pool, link_of(pool, c->block));
    size_t size = c->count * GRANULE;
    switch (c->verb) {
    case ALLOC:
        block = bitfit_alloc(pool, size);
        break;
    case ALIGNED:
        block = bitfit_aligned_alloc(pool, ALIGNMENT, size);
        break;
    case CALLOC:
        block = bitfit_calloc(pool, c->count, GRANULE);
        break;
    case REALLOC:
        block = bitfit_realloc(pool, block, size);
        break;
    case FREE:
        bitfit_free(pool, block);
        break;
    case RESET:
        bitfit_reset(pool);
        break;
    default:
        make_call_with_slots(pool, c);
        block = bitfit_follow(pool, *bitfit_root(pool, 0));
        break;
    }
    c->result = bitfit_link_to(pool, block);
}

/* ------------------------------------------------------------ what is seen */

void look(void *memory, view *seen)
{
    bitfit_pool *pool = memory;
    seen->broken = bitfit_check(pool);
    seen->picture[0] = '\0';
    if (seen->broken == 0) {
        bitfit_draw(pool, seen->picture, sizeof seen->picture);
        bitfit_get_stats(pool, &seen->stats);
    }
    seen->roots[0] = *bitfit_root(pool, 0);
    seen->roots[1] = *bitfit_root(pool, 1);
}

bool same(const view *a, const view *b)
{
    return a->broken == 0 && b->broken == 0 &&
           strcmp(a->picture, b->picture) == 0 && a->roots[0] == b->roots[0] &&
           a->roots[1] == b->roots[1] && a->stats.live == b->stats.live &&
           a->stats.blocks == b->stats.blocks &&
           a->stats.allocations == b->stats.allocations &&
           a->stats.frees == b->stats.frees &&
           a->stats.largest_free == b->stats.largest_free;
}

bool same_content(const char *picture, void *a, const void *b)
{
    size_t payload = (size_t)shared_in(a)->payload;
    for (size_t i = 0; picture[i] != '\0'; i++) {
        size_t at = payload + i * GRANULE;
        if (picture[i] != '.' &&
            memcmp((unsigned char *)a + at, (const unsigned char *)b + at,
                   GRANULE) != 0) {
            return false;
        }
    }
    return true;
}
