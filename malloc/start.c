#include "start.h"

#include "pages.h"
#include "text.h"
#include "threads.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

/* "bitfit_free" in the pool is what the program called free. */
static void accuse(const bitfit_misuse *misuse, void *context)
{
    (void)context;
    const char *crime = bitfit_crime_name(misuse->crime);
    const char *call = heap.call;
    threads_abandon();
    heap_unlock();
    die(crime, call, misuse->pointer);
}

/* ----------------------------------------------------------------- mapping */

/* How a budget is divided. All are bytes; own is whole pages. */
typedef struct division {
    size_t payload;
    size_t bookkeeping;
    size_t pages;
    size_t caches;
    size_t own;
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
    CACHES_SHARE = 512,           /* of the budget is the caches' memory, */
    CACHES_MAX = 32 * 1024 * 1024 /* up to this */
};

static bool wants_caches(const option_set *options)
{
    return !options->hardened && options->fail_at == 0;
}

/* What a payload of `payload` bytes needs besides in this budget. */
static division divide_for(size_t payload, size_t budget)
{
    const option_set *options = &SETTINGS->options;
    bitfit_options pool = pool_options();
    division sizes = {.payload = payload};
    sizes.bookkeeping =
        bf_round_up(bitfit_bookkeeping_size(payload, &pool), BF_WORD_BITS);
    sizes.pages = pages_size(payload, SETTINGS->page_shift);
    if (budget >= CACHES_BUDGET_MIN && wants_caches(options)) {
        size_t share = budget / CACHES_SHARE;
        sizes.caches = share < CACHES_MAX ? share : CACHES_MAX;
    }
    size_t parts = sizes.bookkeeping + sizes.pages + sizes.caches;
    sizes.own = whole_pages(parts);
    sizes.caches += sizes.caches != 0 ? sizes.own - parts : 0;
    return sizes;
}

/* The largest payload with which all fits into the budget. What own memory
 * takes grows with it: from too little comes too much, and from that what fits.
 */
static division divide(size_t budget)
{
    division sizes = divide_for(budget, budget);
    for (int i = 0; i < 3; i++) {
        size_t rest = budget > sizes.own ? budget - sizes.own : 0;
        sizes = divide_for(rest & ~(page_size() - 1), budget);
    }
    return sizes;
}

size_t heap_payload_of(size_t budget)
{
    return divide(budget).payload;
}

static void *reserve(size_t size)
{
    void *memory = mmap(NULL, size, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static size_t random_pages(void)
{
    struct rlimit limit;
    bool tight =
        getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
    return SETTINGS->secret % (tight ? 16 : 16384);
}

/* Own memory between two guards, at a random place in a reservation of which
 * the rest is given back. NULL if there is no room. */
static unsigned char *map_own(size_t size)
{
    size_t before = random_pages() * page_size();
    unsigned char *all = reserve(before + size + 2 * page_size());
    if (all == NULL) {
        return NULL;
    }
    if (before != 0) {
        munmap(all, before);
    }
    unsigned char *own = all + before + page_size();
    if (mprotect(own, size, PROT_READ | PROT_WRITE) != 0) {
        munmap(all + before, size + 2 * page_size());
        return NULL;
    }
    return own;
}

static unsigned char *map_payload(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static bool map_all(const division *sizes, unsigned char **payload,
                    unsigned char **own)
{
    *payload = map_payload(sizes->payload);
    *own = *payload == NULL ? NULL : map_own(sizes->own);
    if (*own == NULL && *payload != NULL) {
        munmap(*payload, sizes->payload);
    }
    return *own != NULL;
}

/* ---------------------------------------------------------------- starting */

static uint64_t random_number(void)
{
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number) {
        number = (uintptr_t)&number * UINT64_C(0x9e3779b97f4a7c15);
    }
    return number;
}

static void open_fast_ways(void)
{
    settings *to = SETTINGS;
    if (to->options.granule == FAST_GRANULE) {
        size_t word = heap_fast_word(to->view.payload);
        to->pairs_origin = (uintptr_t)to->view.pairs - word * sizeof(bf_pair);
        to->marks_origin = (uintptr_t)to->marks - word * sizeof(bf_word);
        to->fast_size = FAST_GRANULE * SMALL_MAX;
        to->fast_granules = to->view.last_word;
    }
}

/* The pool's last block holds them. */
static void place_marks(void)
{
    settings *to = SETTINGS;
    size_t count = heap_count_for(to->view.granules / 8 + 8);
    void *marks = heap_pointer_to(bf_carve_top(to->pool, count));
    to->marks = marks;
    to->marks_size = count << to->view.granule_shift;
    pages_use(marks, to->marks_size);
}

static void make_pools(const division *sizes, unsigned char *payload,
                       unsigned char *own)
{
    settings *to = SETTINGS;
    bitfit_options pool = pool_options();
    pool.bookkeeping = own;
    pool.bookkeeping_size = sizes->bookkeeping;
    to->pages = (uint64_t *)(void *)(own + sizes->bookkeeping);
    to->view = (bf_view){.payload = payload};
    to->granule_mask = to->options.granule - 1;
    unsigned char *rest = own + sizes->bookkeeping + sizes->pages;
    if (sizes->caches != 0) {
        bitfit_options caches = {.payload_alignment = 64,
                                 .lock_kind = BITFIT_LOCK_NONE,
                                 .zeroed = true};
        to->caches = bitfit_init(rest, sizes->caches, &caches);
    }
    bitfit_pool *made = bitfit_init(payload, sizes->payload, &pool);
    to->view = bf_view_of(made);
    to->pool = made;
    if (sizes->caches != 0) {
        place_marks();
        open_fast_ways();
    }
}

static void furnish(unsigned char *payload, size_t size)
{
    const option_set *options = &SETTINGS->options;
    if (options->huge && madvise(payload, size, MADV_HUGEPAGE) != 0) {
        complain("BITFIT_HUGE", "the system has no huge pages to give");
    }
    if (options->lock && mlock(payload, size) != 0) {
        complain("BITFIT_MLOCK", "the pool cannot be locked into memory");
    }
    if (options->prefault) {
        for (size_t i = 0; i < size; i += page_size()) {
            ((volatile unsigned char *)payload)[i] = 0;
        }
    }
}

static void publish(const division *sizes, const unsigned char *own)
{
    bitfit_published *page = MAP_FAILED;
    int file = memfd_create(BITFIT_PUBLISHED_NAME, MFD_CLOEXEC);
    if (file >= 0 && ftruncate(file, (off_t)page_size()) == 0) {
        page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE,
                    file, 0);
    }
    if (file >= 0) {
        close(file);
    }
    if (page == MAP_FAILED) {
        return; /* nobody can look, and nothing else is lost */
    }
    *page = (bitfit_published){
        .version = BITFIT_VERSION,
        .bookkeeping = (uintptr_t)own,
        .bookkeeping_size = sizes->bookkeeping,
        .payload = (uintptr_t)SETTINGS->view.payload,
        .payload_size = sizes->payload,
        .granule = SETTINGS->options.granule,
        .budget = SETTINGS->options.budget,
        .marks = (uintptr_t)SETTINGS->marks,
        .marks_size = SETTINGS->marks_size,
    };
    atomic_thread_fence(memory_order_release);
    page->magic = BITFIT_PUBLISHED_MAGIC;
    SETTINGS->published = page;
}

/* Programs close descriptors from 3 on, and some the standard ones: a copy far
 * up is kept for the report. */
static int keep_standard_error(void)
{
    int file = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 1000);
    return file >= 0 ? file : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
}

/* The largest half, quarter, ... of the budget that the system gives. */
static bool make_heap(void)
{
    option_set *options = &SETTINGS->options;
    size_t wanted = options->budget;
    unsigned char *payload = NULL;
    unsigned char *own = NULL;
    division sizes = divide(options->budget);
    while (sizes.payload != 0 && !map_all(&sizes, &payload, &own)) {
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
    SETTINGS->own_size = sizes.own;
    furnish(payload, sizes.payload);
    make_pools(&sizes, payload, own);
    publish(&sizes, own);
    return true;
}

static void start(void)
{
    settings *to = SETTINGS;
    to->page_shift =
        (unsigned)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
    to->secret = random_number();
    to->process = getpid();
    to->report_file = -1;
    options_read(&to->options);
    if (to->options.report_kind == REPORT_STDERR) {
        to->report_file = keep_standard_error();
    }
    bool made = make_heap();
    to->stoppable = threads_register();
    if (SETTINGS_SIZE % page_size() == 0) {
        mprotect(&heap_settings, SETTINGS_SIZE, PROT_READ);
    }
    if (made) {
        threads_begin();
    }
}

bool heap_start(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static _Atomic bool done;
    static _Atomic(int *) starter; /* a thread's errno tells who it is */
    if (atomic_load_explicit(&done, memory_order_acquire)) {
        return true;
    }
    if (atomic_load_explicit(&starter, memory_order_relaxed) == &errno) {
        return false;
    }
    pthread_mutex_lock(&mutex);
    if (!atomic_load_explicit(&done, memory_order_relaxed)) {
        atomic_store_explicit(&starter, &errno, memory_order_relaxed);
        int kept = errno;
        start();
        errno = kept;
        atomic_store_explicit(&starter, NULL, memory_order_relaxed);
        atomic_store_explicit(&done, true, memory_order_release);
    }
    pthread_mutex_unlock(&mutex);
    return true;
}

/* Before the program begins, its environment is there to be changed. */
__attribute__((constructor)) static void begin(void)
{
    heap_start();
    options_pass_on(&SETTINGS->options);
}
