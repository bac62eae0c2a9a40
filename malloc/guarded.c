#include "guarded.h"

#include "cache.h"
#include "depot.h"
#include "marks.h"
#include "pages.h"
#include "text.h"

#include <string.h>

enum {
    BLOCKS_MAX = 8192,    /* each divides a mapping, and a process has 65,530 */
    WAITING_MAX = 64,     /* blocks that wait, and bytes in them: */
    WAITING_MIN = 524288, /* so many, and */
    WAITING_LIVE_SHARE = 16, /* this share of what is live, but not more than */
    WAITING_SHARE = 64,      /* this share of the budget */
    ALWAYS = 65536,          /* bytes: from here on every block has guards; */
    GUARDS_FIRST = 64,       /* so many blocks have guards, and */
    PAGES_FIRST = 256,       /* of all blocks so many more pages are closed; */
    WORK_A_CREDIT = 8192,    /* then one more for so many requests and frees */
    ROOM_SHARE = 8,       /* of the room left may be for one block's growth */
    ZEROED_MAX = 4 << 20, /* bytes: what is larger is given to the system */
    OFFSET_SHIFT = 46,    /* in a block's word: */
    KIND_SHIFT = 60,      /* size, offset in granules, kind, */
    THERE_SHIFT = 63,     /* and that there is one */
    PADDING = 0xa5        /* between the bytes and the closed pages */
};

static struct {
    void *waiting[WAITING_MAX];
    size_t blocks; /* that wait, */
    size_t size;   /* and their bytes */
    size_t all;    /* guarded blocks, with those that wait */
    size_t closed; /* bytes of live ones that nobody can touch */
    uint64_t dice;
    uint64_t spent;       /* guards for blocks that need not have any, */
    uint64_t pages_spent; /* and pages that need not be closed */
    uint64_t work; /* small blocks freed, but for those not counted yet */
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

/* Whether each of these bytes is that one. */
static bool has_only(const unsigned char *bytes, size_t size,
                     unsigned char byte)
{
    return size == 0 ||
           (bytes[0] == byte && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static bool has_padding(const guarded_block *block)
{
    size_t end = block->offset + block->size;
    return has_only(block->start, block->offset, 0) &&
           has_only(block->start + end, open_size(block) - end, PADDING);
}

/* -------------------------------------------------------------------- blocks
 */

static void leave(size_t at)
{
    void *start = guarded.waiting[at];
    guarded.waiting[at] = guarded.waiting[--guarded.blocks];
    guarded.size -= heap_size_of(heap_count_of(start));
    guarded.all--;
    marks_store(word_of(start), 0);
    blocks_give(&start, 1, heap_count_of(start));
    pages_join();
}

/* Dies if somebody wrote to a block that waits, where that is possible. */
static void look_at(void *start)
{
    if (!pages_are_zero(start, heap_size_of(heap_count_of(start)))) {
        die("write after free", heap.call, start);
    }
}

bool guarded_end(void)
{
    bool any = guarded.blocks != 0;
    while (guarded.blocks > 0) {
        look_at(guarded.waiting[guarded.blocks - 1]);
        leave(guarded.blocks - 1);
    }
    return any;
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

/* Closing pages costs more than all else here. So only what costs little beside
 * all that the program does is spent on it; false if that is spent. */
static bool spend(uint64_t *spent, size_t number, uint64_t first)
{
    if (cache_is_real(cache_mine)) {
        guarded.work += cache_mine->gives;
        cache_mine->gives = 0;
    }
    uint64_t work = guarded.work + heap.requests;
    if (*spent + number > first + work / WORK_A_CREDIT) {
        return false;
    }
    *spent += number;
    return true;
}

void *guarded_take(size_t alignment, size_t size, size_t more)
{
    if (!are_possible() || guarded.all >= BLOCKS_MAX ||
        (uint64_t)size >> OFFSET_SHIFT != 0 ||
        (size < ALWAYS && !spend(&guarded.spent, 1, GUARDS_FIRST))) {
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
    look_at(start);
    pages_drop_dirty(start + open, block.whole - open);
    if (!pages_open(start, open) ||
        !pages_close(start + open, block.whole - open)) {
        heap_give(start, SIZE_MAX);
        return NULL;
    }
    guarded.all++;
    guarded.closed += block.whole - open;
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

/* The whole pages [from, end) of the block: zero, and closed. */
static void shut(const guarded_block *block, size_t from, size_t end)
{
    if (!pages_drop(block->start + from, end - from)) {
        memset(block->start + from, 0, end - from);
    }
    pages_close(block->start + from, end - from);
}

/* Bytes that may wait: what does is memory that cannot be used again. */
static size_t waiting_most(void)
{
    size_t most = SETTINGS->options.budget / WAITING_SHARE;
    size_t share = WAITING_MIN + heap_live() / WAITING_LIVE_SHARE;
    return share < most ? share : most;
}

/* Bytes of this many to close, of a block that was freed: the first page, in
 * which most of what programs do wrong happens, and the others if they may be,
 * or if to close them is cheaper than to make them zero. */
static size_t size_to_close(size_t open)
{
    size_t pages = open >> SETTINGS->page_shift;
    return open > ZEROED_MAX ||
                   spend(&guarded.pages_spent, pages - 1, PAGES_FIRST)
               ? open
               : page_size();
}

void guarded_give(const guarded_block *block)
{
    size_t most = waiting_most();
    size_t open = open_size(block);
    size_t closed = size_to_close(open);
    memset(block->start + closed, 0, open - closed);
    shut(block, 0, closed);
    guarded.closed -= block->whole - open;
    cache_mark(block->start);
    guarded.waiting[guarded.blocks++] = block->start;
    guarded.size += block->whole;
    while (guarded.blocks == WAITING_MAX ||
           (guarded.size > most && guarded.blocks > 0)) {
        leave((size_t)(throw() % guarded.blocks));
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
        !pages_open(block->start + open, open_after - open)) {
        return false;
    }
    if (open_after > open) {
        pages_use(block->start + open, open_after - open);
    }
    memset(block->start + block->offset + kept, 0,
           (open < open_after ? open : open_after) - block->offset - kept);
    if (open_after < open) {
        shut(block, open_after, open);
    }
    guarded.closed += open - open_after;
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
