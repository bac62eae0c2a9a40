#include "pages.h"

#include "heap.h"

#include <string.h>

enum {
    WORD_BITS = 64,
    TICKS_BEFORE_CLOCK = 64, /* looks at the clock once in so many */
    OPEN_AHEAD = 262144,     /* bytes behind those that are wanted, and */
    TOUCH_AHEAD = 16384,     /* those of them that are made to be there */
    CHANGES_MAX = 16384,     /* of pages opened and closed, before they join */
    NANOSECONDS_BETWEEN = 500000000
};

/* The bits of 64 pages. */
typedef struct page_bits {
    uint64_t dirty;
    uint64_t old;
    uint64_t closed;
} page_bits;

/* Since closed pages last joined. */
static size_t changes;

size_t pages_size(size_t size, unsigned page_shift)
{
    size_t pages = (size >> page_shift) + 1;
    return (pages / WORD_BITS + 1) * sizeof(page_bits);
}

static page_bits *bits_of(size_t page)
{
    return (page_bits *)SETTINGS->pages + page / WORD_BITS;
}

/* The bits from `page` up to `end` or the word's end. */
static uint64_t mask_of(size_t page, size_t end)
{
    size_t first = page % WORD_BITS;
    size_t count = end - page;
    uint64_t mask = UINT64_MAX << first;
    return count >= WORD_BITS - first
               ? mask
               : mask & ((UINT64_C(1) << (first + count)) - 1);
}

static size_t next_word(size_t page)
{
    return (page / WORD_BITS + 1) * WORD_BITS;
}

/* ------------------------------------------------------------------- using */

static size_t offset_of(const void *ptr)
{
    return (size_t)((uintptr_t)ptr - (uintptr_t)SETTINGS->view.payload);
}

void pages_use(const void *ptr, size_t size)
{
    size_t offset = offset_of(ptr);
    size_t end = ((offset + size - 1) >> SETTINGS->page_shift) + 1;
    for (size_t page = offset >> SETTINGS->page_shift; page < end;
         page = next_word(page)) {
        uint64_t mask = mask_of(page, end);
        page_bits *bits = bits_of(page);
        bits->dirty |= mask;
        bits->old &= ~mask;
    }
}

/* What of the page lies in [offset, offset + size): its start, and its bytes.
 */
static unsigned char *part_of_page(size_t page, size_t offset, size_t size,
                                   size_t *bytes)
{
    size_t start = page << SETTINGS->page_shift;
    size_t end = start + ((size_t)1 << SETTINGS->page_shift);
    start = start > offset ? start : offset;
    end = end < offset + size ? end : offset + size;
    *bytes = end - start;
    return SETTINGS->view.payload + start;
}

static bool zero_part(unsigned char *start, size_t bytes)
{
    memset(start, 0, bytes);
    return true;
}

/* Two words, which a processor may load at once. */
typedef uint64_t lanes __attribute__((vector_size(16), aligned(16), may_alias));

static bool is_zero_part(unsigned char *start, size_t bytes)
{
    enum { AT_ONCE = 4 };
    const lanes *at = (const lanes *)(const void *)start;
    size_t number = bytes / sizeof *at;
    lanes any = {0, 0};
    for (; number >= AT_ONCE; number -= AT_ONCE, at += AT_ONCE) {
        any |= (at[0] | at[1]) | (at[2] | at[3]);
    }
    for (; number > 0; number--) {
        any |= *at++;
    }
    return (any[0] | any[1]) == 0;
}

static uint64_t dirty_pages(const page_bits *bits)
{
    return bits->dirty;
}

static uint64_t writable_pages(const page_bits *bits)
{
    return bits->dirty & ~bits->closed;
}

/* Does this to the part in each of these pages, as long as it says yes. */
static bool for_pages(uint64_t (*which)(const page_bits *bits), const void *ptr,
                      size_t size,
                      bool (*act)(unsigned char *start, size_t bytes))
{
    size_t offset = offset_of(ptr);
    size_t end = ((offset + size - 1) >> SETTINGS->page_shift) + 1;
    for (size_t page = offset >> SETTINGS->page_shift; page < end;
         page = next_word(page)) {
        uint64_t bits = which(bits_of(page)) & mask_of(page, end);
        for (; bits != 0; bits &= bits - 1) {
            size_t bit = (size_t)__builtin_ctzll(bits);
            size_t bytes;
            unsigned char *start = part_of_page(
                page / WORD_BITS * WORD_BITS + bit, offset, size, &bytes);
            if (!act(start, bytes)) {
                return false;
            }
        }
    }
    return true;
}

void pages_use_zeroed(void *ptr, size_t size)
{
    for_pages(dirty_pages, ptr, size, zero_part);
    pages_use(ptr, size);
}

bool pages_are_zero(const void *ptr, size_t size)
{
    return for_pages(writable_pages, ptr, size, is_zero_part);
}

/* ----------------------------------------------------------------- closing */

static bool is_closed(size_t page)
{
    return (bits_of(page)->closed >> page % WORD_BITS & 1) != 0;
}

/* Closes or opens [page, end), but for pages at either end that are so. */
static bool set_closed(size_t page, size_t end, bool closed)
{
    while (page < end && is_closed(page) == closed) {
        page++;
    }
    while (page < end && is_closed(end - 1) == closed) {
        end--;
    }
    if (page == end) {
        return true;
    }
    if (!system_protect(SETTINGS->view.payload + (page << SETTINGS->page_shift),
                        (end - page) << SETTINGS->page_shift,
                        closed ? PROT_NONE : PROT_READ | PROT_WRITE)) {
        return false;
    }
    changes++;
    for (; page < end; page = next_word(page)) {
        uint64_t mask = mask_of(page, end);
        uint64_t others = bits_of(page)->closed & ~mask;
        bits_of(page)->closed = others | (closed ? mask : 0);
    }
    return true;
}

bool pages_close(const void *ptr, size_t size)
{
    size_t page = offset_of(ptr) >> SETTINGS->page_shift;
    return set_closed(page, page + (size >> SETTINGS->page_shift), true);
}

bool pages_open(const void *ptr, size_t size)
{
    size_t offset = offset_of(ptr);
    return set_closed(offset >> SETTINGS->page_shift,
                      ((offset + size - 1) >> SETTINGS->page_shift) + 1, false);
}

bool pages_are_ready(const void *ptr, size_t size)
{
    size_t offset = offset_of(ptr);
    size_t end = ((offset + size - 1) >> SETTINGS->page_shift) + 1;
    uint64_t missing = 0;
    for (size_t page = offset >> SETTINGS->page_shift; page < end;
         page = next_word(page)) {
        const page_bits *bits = bits_of(page);
        missing |= (bits->closed | ~bits->dirty) & mask_of(page, end);
    }
    return missing == 0;
}

/* Makes the system give the open pages [page, end) now; one by one where it
 * knows no other way. */
static void touch(size_t page, size_t end)
{
    unsigned char *start = SETTINGS->view.payload;
    unsigned shift = SETTINGS->page_shift;
    if (system_populate(start + (page << shift), (end - page) << shift)) {
        return;
    }
    for (; page < end; page++) {
        if ((bits_of(page)->dirty >> page % WORD_BITS & 1) == 0) {
            start[page << shift] = 0;
        }
    }
}

bool pages_make_ready(void *ptr, size_t size, size_t more)
{
    size_t opened = size + (more < OPEN_AHEAD ? more : OPEN_AHEAD);
    size_t touched = size + (more < TOUCH_AHEAD ? more : TOUCH_AHEAD);
    size_t offset = offset_of(ptr);
    if (!pages_open(ptr, opened)) {
        return false;
    }
    touch(offset >> SETTINGS->page_shift,
          ((offset + touched - 1) >> SETTINGS->page_shift) + 1);
    pages_use(ptr, touched);
    return true;
}

/* -------------------------------------------------------------- giving back */

/* Gives the pages [page, end) back: they are zero afterwards. */
static size_t drop(size_t page, size_t end)
{
    size_t size = (end - page) << SETTINGS->page_shift;
    void *start = SETTINGS->view.payload + (page << SETTINGS->page_shift);
    if (!system_advise(start, size, MADV_DONTNEED)) {
        return 0; /* locked memory: it stays */
    }
    for (; page < end; page = next_word(page)) {
        uint64_t mask = mask_of(page, end);
        bits_of(page)->dirty &= ~mask;
        bits_of(page)->old &= ~mask;
    }
    return size;
}

bool pages_drop(const void *ptr, size_t size)
{
    size_t page = offset_of(ptr) >> SETTINGS->page_shift;
    return drop(page, page + (size >> SETTINGS->page_shift)) != 0;
}

static bool is_ripe(size_t page, bool all)
{
    const page_bits *bits = bits_of(page);
    uint64_t ripe = all ? bits->dirty : bits->dirty & bits->old;
    return (ripe >> page % WORD_BITS & 1) != 0;
}

/* Drops each row of ripe pages in [page, end), and makes the others old. */
static size_t drop_ripe(size_t page, size_t end, bool all)
{
    size_t dropped = 0;
    while (page < end) {
        size_t start = page;
        while (page < end && is_ripe(page, all)) {
            page++;
        }
        if (page > start) {
            dropped += drop(start, page);
        } else if ((page % WORD_BITS) == 0 && bits_of(page)->dirty == 0) {
            page = next_word(page);
        } else {
            bits_of(page)->old |= UINT64_C(1) << page % WORD_BITS;
            page++;
        }
    }
    return dropped;
}

bool pages_drop_dirty(const void *ptr, size_t size)
{
    size_t page = offset_of(ptr) >> SETTINGS->page_shift;
    return drop_ripe(page, page + (size >> SETTINGS->page_shift), true) != 0;
}

/* The pages up to the pool's high-water mark: nobody wrote to those above. */
static size_t pages_reached(void)
{
    const settings *of = SETTINGS;
    size_t granules = of->view.granules - bf_carve_room(of->pool);
    size_t page_size = (size_t)1 << of->page_shift;
    return ((granules << of->view.granule_shift) + page_size - 1) >>
           of->page_shift;
}

static size_t drop_all(size_t page, size_t end)
{
    return drop_ripe(page, end, true);
}

static size_t drop_old(size_t page, size_t end)
{
    return drop_ripe(page, end, false);
}

static size_t open_all(size_t page, size_t end)
{
    return set_closed(page, end, false) ? 0 : 1;
}

/* Does this to the whole pages of every hole, after the first `keep` bytes;
 * what it returns in all. Time goes with what was ever used, not with the pool.
 */
static size_t for_free(size_t keep, size_t (*act)(size_t page, size_t end))
{
    unsigned shift = SETTINGS->view.granule_shift;
    size_t page_size = (size_t)1 << SETTINGS->page_shift;
    size_t least = page_size >> shift;
    least = least > BF_WORD_BITS ? least : BF_WORD_BITS + 1;
    size_t reached = pages_reached();
    size_t sum = 0;
    bf_hole hole = bf_carve_next_hole(SETTINGS->pool, BF_NONE, least);
    while (hole.end != 0) {
        size_t size = bf_hole_count(hole) << shift;
        size_t kept = size < keep ? size : keep;
        keep -= kept;
        size_t from = (hole.start << shift) + kept;
        size_t first = (from + page_size - 1) >> SETTINGS->page_shift;
        size_t last = hole.end << shift >> SETTINGS->page_shift;
        last = last < reached ? last : reached;
        sum += first < last ? act(first, last) : 0;
        hole = bf_carve_next_hole(SETTINGS->pool, hole.start, least);
    }
    return sum;
}

size_t pages_trim(size_t keep)
{
    return for_free(keep, drop_all);
}

void pages_join(void)
{
    if (changes > CHANGES_MAX) {
        for_free(0, open_all);
        changes = 0;
    }
}

void pages_drop_marks(void)
{
    const settings *of = SETTINGS;
    size_t page_size = (size_t)1 << of->page_shift;
    size_t size = of->view.granules / 8 + 8 + page_size - 1;
    system_advise((void *)(uintptr_t)of->marks, size & ~(page_size - 1),
                  MADV_DONTNEED);
}

void pages_tick(size_t freed)
{
    static unsigned ticks;
    static int64_t last;
    ticks += freed >> SETTINGS->page_shift >= 16 ? TICKS_BEFORE_CLOCK / 4 : 1;
    if (LIKELY(ticks < TICKS_BEFORE_CLOCK)) {
        return;
    }
    ticks = 0;
    int64_t time = system_clock();
    if (time - last >= NANOSECONDS_BETWEEN) {
        last = time;
        for_free(0, drop_old);
    }
}
