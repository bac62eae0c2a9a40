#include "guarded.h"

#include "depot.h"
#include "marks.h"
#include "pages.h"
#include "text.h"

#include <string.h>

enum {
    BLOCKS_MAX = 8192,    /* each divides a mapping, and a process has 65,530 */
    WAITING_MAX = 64,     /* blocks that wait, and bytes in them: */
    WAITING_MIN = 524288, /* so many, and */
    WAITING_LIVE_SHARE = 8, /* this share of what is live, but not more than */
    WAITING_SHARE = 64,     /* this share of the budget */
    ALWAYS = 65536,         /* bytes: from here on every block has guards; */
    CREDIT_FIRST = 256,     /* below, so many have, and then */
    REQUESTS_A_CREDIT = 64, /* one more for so many requests */
    ROOM_SHARE = 8,         /* of the room left may be for one block's growth */
    ZEROED_MAX = 4 << 20,   /* bytes: what is larger is given to the system */
    OFFSET_SHIFT = 46,      /* in a block's word: */
    KIND_SHIFT = 60,        /* size, offset in granules, kind, */
    THERE_SHIFT = 63,       /* and that there is one */
    PADDING = 0xa5          /* between the bytes and the closed pages */
};

static struct {
    void *waiting[WAITING_MAX];
    size_t blocks; /* that wait, */
    size_t size;   /* and their bytes */
    size_t all;    /* guarded blocks, with those that wait */
    size_t closed; /* bytes in them that nobody can touch */
    uint64_t dice;
    uint64_t spent; /* guards for blocks that need not have any */
} guarded;

static size_t page_size(void)
{
    return (size_t)1 << SETTINGS->page_shift;
}

static size_t whole_pages(size_t size)
{
    return (size + page_size() - 1) & ~(page_size() - 1);
}

/* -------------------------------------------------------------------- words */

static _Atomic bf_word *word_of(const void *start)
{
    return &SETTINGS->marks[bf_word_of(heap_granule_of(start)) + 1];
}

static bool are_possible(void)
{
    return heap.caching && BF_WORD_BITS == 64 &&
           SETTINGS->options.granule == FAST_GRANULE;
}

static void write_word(const guarded_block *block)
{
    uint64_t word =
        UINT64_C(1) << THERE_SHIFT | (uint64_t)block->kind << KIND_SHIFT |
        (uint64_t)(block->offset >> FAST_GRANULE_SHIFT) << OFFSET_SHIFT |
        block->size;
    marks_store(word_of(block->start), (bf_word)word);
}

/* Whether a guarded block starts here; its padding is not looked at. */
static bool read_word(unsigned char *start, guarded_block *found)
{
    size_t whole = heap_size_of(heap_count_of(start));
    if (!are_possible() || whole < 2 * page_size()) {
        return false;
    }
    uint64_t word = marks_load(word_of(start));
    uint64_t offset =
        word >> OFFSET_SHIFT & ((1U << (KIND_SHIFT - OFFSET_SHIFT)) - 1);
    *found = (guarded_block){
        .start = start,
        .whole = whole,
        .offset = (size_t)offset << FAST_GRANULE_SHIFT,
        .size = (size_t)(word & ((UINT64_C(1) << OFFSET_SHIFT) - 1)),
        .kind = (unsigned)(word >> KIND_SHIFT & 7),
    };
    return word >> THERE_SHIFT != 0;
}

/* Bytes from the start to the closed pages. */
static size_t open_size(const guarded_block *block)
{
    return whole_pages(block->offset + block->size);
}

/* ------------------------------------------------------------------ padding */

static void write_padding(const guarded_block *block)
{
    size_t end = block->offset + block->size;
    memset(block->start + end, PADDING, open_size(block) - end);
}

static bool has_padding(const guarded_block *block)
{
    for (size_t i = 0; i < block->offset; i++) {
        if (block->start[i] != 0) {
            return false;
        }
    }
    size_t end = open_size(block);
    for (size_t i = block->offset + block->size; i < end; i++) {
        if (block->start[i] != PADDING) {
            return false;
        }
    }
    return true;
}

/* -------------------------------------------------------------------- blocks
 */

/* Opens or closes bytes of a block; false if the system does not. */
static bool set_open(unsigned char *start, size_t size, bool open)
{
    if (size == 0) {
        return true;
    }
    if (!system_protect(start, size,
                        open ? PROT_READ | PROT_WRITE : PROT_NONE)) {
        return false;
    }
    guarded.closed += open ? -size : size;
    return true;
}

static void leave(size_t at)
{
    void *start = guarded.waiting[at];
    size_t whole = heap_size_of(heap_count_of(start));
    if (!set_open(start, whole, true)) {
        return; /* it waits on: somewhen there will be a mapping again */
    }
    guarded.waiting[at] = guarded.waiting[--guarded.blocks];
    guarded.size -= whole;
    guarded.all--;
    marks_store(word_of(start), 0);
    blocks_give(&start, 1, heap_count_of(start));
}

bool guarded_end(void)
{
    size_t before = guarded.blocks;
    for (size_t i = before; i > 0; i--) {
        leave(i - 1);
    }
    return guarded.blocks < before;
}

bool guarded_trim(void)
{
    bool any = false;
    for (size_t i = 0; i < guarded.blocks; i++) {
        size_t whole = heap_size_of(heap_count_of(guarded.waiting[i]));
        any = pages_drop_dirty(guarded.waiting[i], whole) || any;
    }
    return any;
}

static void *take_from_pool(size_t alignment, size_t size, size_t more)
{
    if (alignment < page_size()) {
        alignment = page_size();
    }
    size_t most = whole_pages(heap_room() / ROOM_SHARE);
    more = more < most ? more : most;
    void *start = more != 0 ? heap_take(alignment, size + more) : NULL;
    return start != NULL ? start : heap_take(alignment, size);
}

/* Guards cost calls of the system: where there are many blocks of a few pages,
 * only some have them. */
static bool is_affordable(size_t size)
{
    if (size >= ALWAYS) {
        return true;
    }
    if (guarded.spent >= CREDIT_FIRST + heap.requests / REQUESTS_A_CREDIT) {
        return false;
    }
    guarded.spent++;
    return true;
}

void *guarded_take(size_t alignment, size_t size, size_t more)
{
    if (!are_possible() || guarded.all >= BLOCKS_MAX ||
        (uint64_t)size >> OFFSET_SHIFT != 0 || !is_affordable(size)) {
        return NULL;
    }
    size_t open = whole_pages(size);
    size_t mask = (alignment > FAST_GRANULE ? alignment : FAST_GRANULE) - 1;
    unsigned char *start =
        take_from_pool(alignment, open + page_size(), whole_pages(more));
    if (start == NULL) {
        return NULL;
    }
    guarded_block block = {
        .start = start,
        .whole = heap_size_of(heap_count_of(start)),
        .offset = more != 0 ? 0 : (open - size) & ~mask,
        .size = size,
        .kind = guarded_kind(heap.call),
    };
    cache_unmark(start);
    if (!pages_are_zero(start, block.whole)) {
        die("write after free", heap.call, start);
    }
    if (!set_open(start + open, block.whole - open, false)) {
        heap_give(start, SIZE_MAX);
        return NULL;
    }
    guarded.all++;
    pages_use(start, open);
    write_word(&block);
    write_padding(&block);
    return start + block.offset;
}

bool guarded_has(void *start)
{
    guarded_block found;
    return read_word(start, &found) &&
           (cache_marked(start) ||
            guarded_find(found.start + found.offset, &found));
}

void guarded_forget(void *start)
{
    if (are_possible() &&
        heap_size_of(heap_count_of(start)) >= 2 * page_size()) {
        marks_store(word_of(start), 0);
    }
}

bool guarded_find(const void *ptr, guarded_block *found)
{
    size_t in_page = heap_offset_of(ptr) & (page_size() - 1);
    size_t granule = heap_granule_of((const unsigned char *)ptr - in_page);
    if (granule >= SETTINGS->view.granules) {
        return false;
    }
    unsigned char *start = heap_pointer_to(granule);
    if (!read_word(start, found) || found->offset != in_page) {
        return false;
    }
    if (cache_marked(start)) {
        die(bitfit_misuse_name(BITFIT_DOUBLE_FREE), heap.call, ptr);
    }
    if (!has_padding(found)) {
        die("write past the end", heap.call, ptr);
    }
    return true;
}

/* --------------------------------------------------------------- giving back
 */

static uint64_t throw(void)
{
    guarded.dice = (guarded.dice ^ SETTINGS->secret) * 6364136223846793005 + 1;
    return guarded.dice >> 33;
}

static void make_zero(const guarded_block *block, size_t from, size_t end)
{
    if (end - from <= ZEROED_MAX ||
        !pages_drop(block->start + from, end - from)) {
        memset(block->start + from, 0, end - from);
    }
}

/* Bytes that may wait: what does is memory that cannot be used again. */
static size_t waiting_most(void)
{
    size_t most = SETTINGS->options.budget / WAITING_SHARE;
    size_t share = WAITING_MIN + heap_live() / WAITING_LIVE_SHARE;
    return share < most ? share : most;
}

void guarded_give(const guarded_block *block)
{
    size_t most = waiting_most();
    size_t open = open_size(block);
    make_zero(block, 0, open);
    if (!set_open(block->start, open, false)) {
        guarded.closed += open; /* it waits as it is */
    }
    cache_mark(block->start);
    if (guarded.blocks == WAITING_MAX) {
        return; /* none can leave: the system lacks mappings */
    }
    guarded.waiting[guarded.blocks++] = block->start;
    guarded.size += block->whole;
    while (guarded.blocks == WAITING_MAX ||
           (guarded.size > most && guarded.blocks > 0)) {
        size_t before = guarded.blocks;
        leave(throw() % before);
        if (guarded.blocks == before) {
            break;
        }
    }
}

/* ----------------------------------------------------------------- resizing */

bool guarded_resize(const guarded_block *block, size_t size)
{
    guarded_block after = *block;
    after.size = size;
    size_t room = block->whole - page_size();
    if (size > room || block->offset + size > room || size < room / 2) {
        return false;
    }
    size_t open = open_size(block);
    size_t open_after = open_size(&after);
    size_t kept = block->size < size ? block->size : size;
    if (open_after > open &&
        !set_open(block->start + open, open_after - open, true)) {
        return false;
    }
    if (open_after > open) {
        pages_use(block->start + open, open_after - open);
    }
    memset(block->start + block->offset + kept, 0,
           (open < open_after ? open : open_after) - block->offset - kept);
    if (open_after < open) {
        make_zero(block, open_after, open);
        set_open(block->start + open_after, open - open_after, false);
    }
    write_word(&after);
    write_padding(&after);
    return true;
}

size_t guarded_closed(void)
{
    return guarded.closed;
}

void guarded_waiting(size_t *blocks, size_t *size)
{
    *blocks = guarded.blocks;
    *size = guarded.size;
}
