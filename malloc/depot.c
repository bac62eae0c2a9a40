#include "depot.h"

#include "marks.h"
#include "pages.h"

#include <string.h>

enum {
    DEPOT_SIZE_MIN = 262144, /* bytes in the depot: at least so much, and */
    DEPOT_SHARE = 32         /* this share of what is live, or of the room */
};

typedef struct batch {
    struct batch *next;
    uint32_t count;
    uint32_t number;
    void *blocks[BATCH_MAX];
} batch;

/* Under the heap's lock. */
static struct {
    batch *batches[SMALL_MAX + 1]; /* by their blocks' granules */
    size_t size;                   /* bytes of the blocks */
} depot;

/* ----------------------------------------------------------- blocks in bulk */

size_t blocks_row(void *const *blocks, size_t number, size_t size)
{
    size_t row = 1;
    while (row < number && blocks[row] == (char *)blocks[row - 1] + size) {
        row++;
    }
    return row;
}

void blocks_mark(void **blocks, size_t number, size_t count)
{
    size_t size = heap_size_of(count);
    for (size_t i = 0; i < number;) {
        size_t row = blocks_row(blocks + i, number - i, size);
        pages_use(blocks[i], row * size);
        for (; row > 0; row--) {
            cache_mark(blocks[i++]);
        }
    }
    for (size_t low = 0, high = number; low + 1 < high; low++) {
        void *block = blocks[low];
        blocks[low] = blocks[--high];
        blocks[high] = block;
    }
}

void blocks_give(void *const *blocks, size_t number, size_t count)
{
    for (size_t i = 0; i < number; i++) {
        cache_unmark(blocks[i]);
    }
    bf_carve_back(SETTINGS->pool, count, blocks, number);
    pages_tick(number * heap_size_of(count));
}

/* ------------------------------------------------------------------- depot */

static size_t depot_most(void)
{
    size_t most = DEPOT_SIZE_MIN + heap_live() / DEPOT_SHARE;
    size_t share = heap_room() / DEPOT_SHARE;
    return most < share ? most : share;
}

static void depot_drop(batch *b)
{
    depot.size -= b->number * heap_size_of(b->count);
    bitfit_free(SETTINGS->caches, b);
}

size_t depot_take(size_t count, void **blocks, size_t most)
{
    batch *b = count <= SMALL_MAX ? depot.batches[count] : NULL;
    if (b == NULL || b->number > most) {
        return 0;
    }
    size_t number = b->number;
    memcpy(blocks, b->blocks, number * sizeof *blocks);
    depot.batches[count] = b->next;
    depot_drop(b);
    return number;
}

bool depot_give(size_t count, void *const *blocks, size_t number)
{
    size_t size = number * heap_size_of(count);
    if (count > SMALL_MAX || depot.size + size > depot_most()) {
        return false;
    }
    batch *b = bitfit_alloc(SETTINGS->caches,
                            offsetof(batch, blocks) + number * sizeof *blocks);
    if (b == NULL) {
        return false;
    }
    b->next = depot.batches[count];
    b->count = (uint32_t)count;
    b->number = (uint32_t)number;
    memcpy(b->blocks, blocks, number * sizeof *blocks);
    depot.batches[count] = b;
    depot.size += size;
    return true;
}

void depot_empty(void)
{
    for (size_t count = 0; count <= SMALL_MAX; count++) {
        while (depot.batches[count] != NULL) {
            batch *b = depot.batches[count];
            depot.batches[count] = b->next;
            blocks_give(b->blocks, b->number, count);
            depot_drop(b);
        }
    }
}

bool depot_has(const void *block, size_t count)
{
    const batch *b = count <= SMALL_MAX ? depot.batches[count] : NULL;
    for (; b != NULL; b = b->next) {
        for (size_t i = 0; i < b->number; i++) {
            if (b->blocks[i] == block) {
                return true;
            }
        }
    }
    return false;
}

size_t depot_size(void)
{
    return depot.size;
}

size_t depot_blocks(void)
{
    size_t blocks = 0;
    for (size_t count = 0; count <= SMALL_MAX; count++) {
        for (const batch *b = depot.batches[count]; b != NULL; b = b->next) {
            blocks += b->number;
        }
    }
    return blocks;
}
