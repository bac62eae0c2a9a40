#include "hardened.h"

#include "pages.h"
#include "text.h"
#include "threads.h"

#include <string.h>

enum { TAIL = 8, QUARANTINE_BLOCKS = 256, QUARANTINE_SHARE = 64 };

/* A ring of freed blocks, the oldest at `first`. */
static struct {
    void *waiting[QUARANTINE_BLOCKS];
    size_t first;
    size_t blocks;
    size_t size; /* bytes */
} quarantine;

static _Noreturn void stop(const char *kind, const void *ptr)
{
    die(kind, heap.call, ptr);
}

/* -------------------------------------------------------------------- tails */

static size_t block_size(const void *ptr)
{
    return heap_count_of(ptr) << SETTINGS->view.granule_shift;
}

/* What stands in the padding and, but for the length, in the tail. Text and
 * zeros, most of what runs over an end, have no byte like one of these. */
static uint64_t secret_of(const void *ptr)
{
    uint64_t mixed =
        ((uintptr_t)ptr ^ SETTINGS->secret) * UINT64_C(0x9e3779b97f4a7c15);
    return (mixed ^ mixed >> 32) | UINT64_C(0x8080808080808080);
}

static void write_tail(unsigned char *block, size_t size)
{
    size_t whole = block_size(block);
    uint64_t secret = secret_of(block);
    uint64_t tail = secret ^ (whole - size);
    memset(block + size, (int)(secret & 0xff), whole - TAIL - size);
    memcpy(block + whole - TAIL, &tail, TAIL);
}

/* Bytes of padding and tail; 0 if something was written there. */
static size_t slack_of(const unsigned char *block)
{
    size_t whole = block_size(block);
    uint64_t secret = secret_of(block);
    uint64_t tail;
    memcpy(&tail, block + whole - TAIL, TAIL);
    uint64_t slack = tail ^ secret;
    if (slack < TAIL || slack > TAIL + SETTINGS->granule_mask ||
        slack > whole) {
        return 0;
    }
    for (size_t i = whole - slack; i < whole - TAIL; i++) {
        if (block[i] != (secret & 0xff)) {
            return 0;
        }
    }
    return slack;
}

/* --------------------------------------------------------------- quarantine */

static bool is_waiting(const void *ptr)
{
    for (size_t i = 0; i < quarantine.blocks; i++) {
        size_t at = (quarantine.first + i) % QUARANTINE_BLOCKS;
        if (quarantine.waiting[at] == ptr) {
            return true;
        }
    }
    return false;
}

static void give_oldest(void)
{
    void *block = quarantine.waiting[quarantine.first];
    size_t size = block_size(block);
    quarantine.first = (quarantine.first + 1) % QUARANTINE_BLOCKS;
    quarantine.blocks--;
    quarantine.size -= size;
    if (!pages_are_zero(block, size)) {
        stop("write after free", block);
    }
    heap_give(block, SIZE_MAX);
    pages_tick(size);
}

static void put_in_quarantine(void *block)
{
    size_t size = block_size(block);
    size_t most = SETTINGS->options.budget / QUARANTINE_SHARE;
    size_t at = (quarantine.first + quarantine.blocks) % QUARANTINE_BLOCKS;
    quarantine.waiting[at] = block;
    quarantine.blocks++;
    quarantine.size += size;
    while (quarantine.blocks == QUARANTINE_BLOCKS ||
           (quarantine.size > most && quarantine.blocks > 0)) {
        give_oldest();
    }
}

static void give_all_waiting(void)
{
    while (quarantine.blocks > 0) {
        give_oldest();
    }
}

void hardened_end(void)
{
    if (heap_started() && SETTINGS->options.hardened) {
        threads_enter("exit");
        give_all_waiting();
        threads_leave();
    }
}

/* ----------------------------------------------------------------- requests */

void *hardened_take(size_t alignment, size_t size)
{
    if (size > PTRDIFF_MAX - TAIL) {
        return NULL;
    }
    void *block = heap_take(alignment, size + TAIL);
    if (block == NULL) {
        give_all_waiting();
        block = heap_take(alignment, size + TAIL);
    }
    if (block != NULL) {
        if (!pages_are_zero(block, block_size(block))) {
            stop("write after free", block);
        }
        pages_use(block, block_size(block));
        write_tail(block, size);
    }
    return block;
}

size_t hardened_size(const void *ptr)
{
    if (block_size(ptr) == 0) {
        heap_accuse(ptr);
    }
    if (is_waiting(ptr)) {
        stop(bitfit_misuse_name(BITFIT_DOUBLE_FREE), ptr);
    }
    size_t slack = slack_of(ptr);
    if (slack == 0) {
        stop("write past the end", ptr);
    }
    return block_size(ptr) - slack;
}

void hardened_give(void *ptr, size_t size)
{
    size_t asked = hardened_size(ptr);
    if (size != SIZE_MAX && size != asked) {
        stop(bitfit_misuse_name(BITFIT_WRONG_SIZE), ptr);
    }
    memset(ptr, 0, block_size(ptr));
    put_in_quarantine(ptr);
}
