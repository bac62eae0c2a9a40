#include "start.h"

#include "forks.h"
#include "pages.h"
#include "text.h"
#include "threads.h"

#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

/* "bitfit_free" in the pool is what the program called free. */
static void accuse(const bitfit_misuse *misuse, void *context)
{
    (void)context;
    die(bitfit_misuse_name(misuse->kind), heap.call, misuse->pointer);
}

/* ---------------------------------------------------------------- dividing */

/* How a budget is divided. All are bytes, and whole pages but for the
 * bookkeeping. */
typedef struct division {
    size_t payload;
    size_t own; /* bookkeeping, the bits for pages, the empties' bookkeeping */
    size_t bookkeeping;
    size_t empties_bookkeeping;
    size_t empties; /* not of the budget: nothing is ever there */
    size_t caches;
} division;

static size_t page_size(void)
{
    return (size_t)1 << SETTINGS->page_shift;
}

static size_t whole_pages(size_t size)
{
    return (size + page_size() - 1) & ~(page_size() - 1);
}

static bitfit_options pool_options(void)
{
    return (bitfit_options){.granule = SETTINGS->options.granule,
                            .lock_kind = BITFIT_LOCK_NONE,
                            .on_misuse = accuse,
                            .zeroed = true};
}

enum {
    CACHES_BUDGET_MIN = 2 * 1024 * 1024, /* no caches in less */
    CACHES_SHARE = 512,            /* of the budget is the caches' memory, */
    CACHES_MAX = 32 * 1024 * 1024, /* up to this */
    EMPTIES_SHARE = 128,           /* as much as this share of the budget, */
    EMPTIES_MAX = 16 * 1024 * 1024 /* up to this, is for blocks of no bytes */
};

static bool wants_caches(const option_set *options)
{
    return options->fail_at == 0;
}

static bitfit_options empties_options(void)
{
    bitfit_options pool = pool_options();
    pool.granule = FAST_GRANULE;
    return pool;
}

/* What a payload of `payload` bytes needs besides in this budget. */
static division divide_for(size_t payload, size_t budget)
{
    bitfit_options pool = pool_options();
    division sizes = {.payload = payload};
    sizes.bookkeeping =
        bf_round_up(bitfit_bookkeeping_size(payload, &pool), BF_WORD_BITS);
    size_t pages = pages_size(payload, SETTINGS->page_shift);
    if (budget >= CACHES_BUDGET_MIN) {
        bitfit_options empties = empties_options();
        size_t share = budget / EMPTIES_SHARE;
        sizes.empties = whole_pages(share < EMPTIES_MAX ? share : EMPTIES_MAX);
        sizes.empties_bookkeeping =
            bitfit_bookkeeping_size(sizes.empties, &empties);
    }
    sizes.own =
        whole_pages(sizes.bookkeeping + pages + sizes.empties_bookkeeping);
    if (budget >= CACHES_BUDGET_MIN && wants_caches(&SETTINGS->options)) {
        size_t share = budget / CACHES_SHARE;
        sizes.caches = whole_pages(share < CACHES_MAX ? share : CACHES_MAX);
    }
    return sizes;
}

static size_t apart(const division *sizes)
{
    return sizes->own + sizes->caches;
}

/* The largest payload with which all fits into the budget. What own memory
 * takes grows with it: from too little comes too much, and from that what fits.
 */
static division divide(size_t budget)
{
    division sizes = divide_for(budget, budget);
    for (int i = 0; i < 3; i++) {
        size_t rest = budget > apart(&sizes) ? budget - apart(&sizes) : 0;
        sizes = divide_for(rest & ~(page_size() - 1), budget);
    }
    return sizes;
}

size_t heap_payload_of(size_t budget)
{
    return divide(budget).payload;
}

/* --------------------------------------------------------------- mapping */

static uint64_t random_number(void)
{
    uint64_t number = 0;
    if (system_call(SYS_getrandom, (long)&number, sizeof number, GRND_NONBLOCK,
                    0) != sizeof number) {
        memcpy(&number, (const void *)getauxval(AT_RANDOM), sizeof number);
        number ^= (uintptr_t)&number * UINT64_C(0x9e3779b97f4a7c15);
    }
    return number;
}

/* A page anywhere from an eighth to half of the address space that the kernel
 * maps from its top down: nothing else is there, and nothing tells of it. */
static uintptr_t random_place(void)
{
    void *top = system_map(page_size(), PROT_NONE, -1);
    uintptr_t span = (uintptr_t)top;
    system_unmap(top, page_size());
    uintptr_t within = span / 2 - span / 8;
    uintptr_t place = span / 8 + (uintptr_t)random_number() % (within + 1);
    return place & ~(page_size() - 1);
}

/* Memory at a random place of its own, between two pages more; nobody can touch
 * any of it. NULL if there is no room. */
static unsigned char *map_closed(size_t size)
{
    size_t all = size + 2 * page_size();
    unsigned char *guard =
        size < all ? system_map_at(random_place(), all, PROT_NONE, -1) : NULL;
    return guard == NULL ? NULL : guard + page_size();
}

static void unmap_apart(unsigned char *memory, size_t size)
{
    if (memory != NULL) {
        system_unmap(memory - page_size(), size + 2 * page_size());
    }
}

/* The same, but for the two pages. */
static unsigned char *map_apart(size_t size)
{
    unsigned char *memory = map_closed(size);
    if (memory != NULL &&
        !system_protect(memory, size, PROT_READ | PROT_WRITE)) {
        unmap_apart(memory, size);
        memory = NULL;
    }
    return memory;
}

/* Where the parts of a division are. */
typedef struct places {
    unsigned char *payload;
    unsigned char *own;
    unsigned char *caches; /* NULL where there are none, as are */
    unsigned char *marks;
    unsigned char *empties;
} places;

static size_t marks_size(size_t payload)
{
    return whole_pages(payload / SETTINGS->options.granule / 8 + 8);
}

static void unmap_all(const division *sizes, const places *at)
{
    unmap_apart(at->payload, sizes->payload);
    unmap_apart(at->own, sizes->own);
    unmap_apart(at->caches, sizes->caches);
    unmap_apart(at->marks, marks_size(sizes->payload));
    unmap_apart(at->empties, sizes->empties);
}

static bool map_all(const division *sizes, places *at)
{
    bool caches = sizes->caches != 0;
    bool empties = sizes->empties != 0;
    *at = (places){
        .payload = map_closed(sizes->payload),
        .own = map_apart(sizes->own),
        .caches = caches ? map_apart(sizes->caches) : NULL,
        .marks = caches ? map_apart(marks_size(sizes->payload)) : NULL,
        .empties = empties ? map_closed(sizes->empties) : NULL,
    };
    bool all = at->payload != NULL && at->own != NULL &&
               (at->caches != NULL) == caches &&
               (at->marks != NULL) == caches &&
               (at->empties != NULL) == empties;
    if (!all) {
        unmap_all(sizes, at);
    }
    return all;
}

/* ---------------------------------------------------------------- starting */

static void open_fast_ways(void)
{
    settings *to = SETTINGS;
    if (to->options.granule != FAST_GRANULE) {
        return;
    }
    size_t word = heap_fast_word(to->view.payload);
    to->pairs_origin = (uintptr_t)to->view.pairs - word * sizeof(bf_pair);
    to->marks_origin = (uintptr_t)to->marks - word * sizeof(bf_word);
    if (to->options.hardened) {
        to->hardened_granules = to->view.last_word;
    } else {
        to->fast_size = FAST_GRANULE * SMALL_MAX;
        to->fast_granules = to->view.last_word;
    }
}

/* The pool's last block, as large as the marks, is nobody's while there are
 * marks: so they are paid for, and the program can have them back. */
static void place_marks(unsigned char *marks)
{
    settings *to = SETTINGS;
    size_t count = heap_count_for(to->view.granules / 8 + 8);
    to->deposit = heap_pointer_to(bf_carve_reserve_top(to->pool, count));
    to->deposit_size = count << to->view.granule_shift;
    to->marks = (_Atomic bf_word *)(void *)marks;
}

static void make_pools(const division *sizes, const places *at)
{
    settings *to = SETTINGS;
    bitfit_options pool = pool_options();
    pool.bookkeeping = at->own;
    pool.bookkeeping_size = sizes->bookkeeping;
    to->pages = (uint64_t *)(void *)(at->own + sizes->bookkeeping);
    to->view = (bf_view){.payload = at->payload};
    to->granule_mask = to->options.granule - 1;
    bitfit_pool *made = bitfit_init(at->payload, sizes->payload, &pool);
    to->view = bf_view_of(made);
    to->pool = made;
    if (sizes->caches != 0) {
        bitfit_options caches = {.payload_alignment = 64,
                                 .lock_kind = BITFIT_LOCK_NONE,
                                 .on_misuse = accuse,
                                 .zeroed = true};
        to->caches = bitfit_init(at->caches, sizes->caches, &caches);
        place_marks(at->marks);
        open_fast_ways();
    }
}

/* Behind the bits for pages. */
static void make_empties(const division *sizes, const places *at)
{
    if (sizes->empties != 0) {
        bitfit_options pool = empties_options();
        size_t pages = pages_size(sizes->payload, SETTINGS->page_shift);
        pool.bookkeeping = at->own + sizes->bookkeeping + pages;
        pool.bookkeeping_size = sizes->empties_bookkeeping;
        SETTINGS->empties = bitfit_init(at->empties, sizes->empties, &pool);
    }
}

static void furnish(unsigned char *payload, size_t size)
{
    const option_set *options = &SETTINGS->options;
    if ((options->huge || options->lock || options->prefault) &&
        !heap_open(size)) {
        complain("the pool", "cannot be opened as a whole");
        return;
    }
    if (options->huge && !system_advise(payload, size, MADV_HUGEPAGE)) {
        complain("BITFIT_HUGE", "the system has no huge pages to give");
    }
    if (options->lock && !system_lock(payload, size)) {
        complain("BITFIT_MLOCK", "the pool cannot be locked into memory");
    }
    if (options->prefault) {
        for (size_t i = 0; i < size; i += page_size()) {
            ((volatile unsigned char *)payload)[i] = 0;
        }
    }
}

/* A page by the name that others look for; NULL if that is not possible. */
static bitfit_published *map_published(void)
{
    bitfit_published *page = NULL;
    int file = (int)system_call(SYS_memfd_create, (long)BITFIT_PUBLISHED_NAME,
                                MFD_CLOEXEC, 0, 0);
    if (file >= 0) {
        if (system_extend(file, page_size())) {
            page = system_map(page_size(), PROT_READ | PROT_WRITE, file);
        }
        system_close(file);
    }
    return page;
}

static void publish(const division *sizes, const places *at)
{
    bitfit_published *page = map_published();
    if (page == NULL) {
        return; /* nobody can look, and nothing else is lost */
    }
    *page = (bitfit_published){
        .version = BITFIT_VERSION,
        .bookkeeping = (uintptr_t)at->own,
        .bookkeeping_size = sizes->bookkeeping,
        .payload = (uintptr_t)SETTINGS->view.payload,
        .payload_size = sizes->payload,
        .granule = SETTINGS->options.granule,
        .budget = SETTINGS->options.budget,
        .marks = (uintptr_t)SETTINGS->deposit,
        .marks_size = SETTINGS->deposit_size,
    };
    atomic_thread_fence(memory_order_release);
    page->magic = BITFIT_PUBLISHED_MAGIC;
    SETTINGS->published = page;
    SETTINGS->parts[PART_PUBLISHED] = (range){(uintptr_t)page, page_size()};
}

static void note_parts(const division *sizes, const places *at)
{
    size_t marks = at->marks != NULL ? marks_size(sizes->payload) : 0;
    range *parts = SETTINGS->parts;
    parts[PART_PAYLOAD] = (range){(uintptr_t)at->payload, sizes->payload};
    parts[PART_OWN] = (range){(uintptr_t)at->own, sizes->own};
    parts[PART_CACHES] = (range){(uintptr_t)at->caches, sizes->caches};
    parts[PART_MARKS] = (range){(uintptr_t)at->marks, marks};
    parts[PART_EMPTIES] = (range){(uintptr_t)at->empties, sizes->empties};
}

/* Programs close descriptors from 3 on, and some the standard ones: a copy far
 * up is kept for the report. */
static void keep_standard_error(void)
{
    settings *to = SETTINGS;
    to->error_file = system_identity(STDERR_FILENO);
    to->report_file = -1;
    if (to->options.report_kind == REPORT_STDERR) {
        int file = system_duplicate(STDERR_FILENO, 1000);
        to->report_file =
            file >= 0 ? file : system_duplicate(STDERR_FILENO, 10);
    }
}

/* The largest half, quarter, ... of the budget that the system gives. */
static bool make_heap(void)
{
    option_set *options = &SETTINGS->options;
    size_t wanted = options->budget;
    places at;
    division sizes = divide(options->budget);
    while (sizes.payload != 0 && !map_all(&sizes, &at)) {
        options->budget /= 2;
        sizes = divide(options->budget);
    }
    if (sizes.payload == 0) {
        complain("BITFIT_POOL", "too small, or there is no memory: every "
                                "request will fail");
        return false;
    }
    if (options->budget != wanted && options->budget_given) {
        complain("BITFIT_POOL", "the system does not give that much: the pool "
                                "is smaller");
    }
    SETTINGS->own_size = apart(&sizes);
    make_pools(&sizes, &at);
    make_empties(&sizes, &at);
    furnish(at.payload, sizes.payload);
    note_parts(&sizes, &at);
    publish(&sizes, &at);
    return true;
}

static void start(void)
{
    settings *to = SETTINGS;
    to->page_shift = (unsigned)__builtin_ctzl(getauxval(AT_PAGESZ));
    to->secret = random_number();
    to->process = system_process();
    options_read(&to->options);
    keep_standard_error();
    to->stoppable = threads_can_stop();
    make_heap();
    if (SETTINGS_SIZE % page_size() == 0) {
        system_protect(&heap_settings, SETTINGS_SIZE, PROT_READ);
    }
}

/* Which thread makes the pool, and in which process: a fork's child may find
 * that nobody does any more. */
#define NOBODY 0U
#define DONE UINT_MAX
static _Atomic unsigned starter;
static _Atomic pid_t starting;

/* Whether this thread is to make the pool; the others wait until it is there.
 */
static bool is_starter(unsigned self)
{
    for (;;) {
        unsigned who = NOBODY;
        if (atomic_compare_exchange_strong(&starter, &who, self)) {
            atomic_store(&starting, system_process());
            return true;
        }
        if (who == DONE || who == self) {
            return false;
        }
        pid_t process = atomic_load(&starting);
        if (process != 0 && process != system_process()) {
            atomic_compare_exchange_strong(&starter, &who, NOBODY);
        }
        system_call(SYS_sched_yield, 0, 0, 0, 0);
    }
}

bool heap_start(void)
{
    if (atomic_load_explicit(&starter, memory_order_acquire) == DONE) {
        return true;
    }
    if (!is_starter(system_thread())) {
        return atomic_load(&starter) == DONE;
    }
    start();
    atomic_store_explicit(&starter, DONE, memory_order_release);
    threads_begin();
    forks_begin();
    return true;
}

/* Before the program begins, its environment is there to be changed. */
__attribute__((constructor)) static void begin(void)
{
    heap_start();
    options_pass_on(&SETTINGS->options);
}
