#include "heap.h"

#include "system.h"
#include "text.h"

#include <limits.h>
#include <linux/futex.h>

union settings_page heap_settings __attribute__((aligned(SETTINGS_SIZE)));
heap_state heap;

/* -------------------------------------------------------------------- lock */

/* The thread that has the lock, 0 if there is none; and whether any waits. */
#define AWAITED (1U << 31)

static _Atomic unsigned lock_word;

/* The thread that has the lock and lends it, 0 if there is none; and whether
 * another has borrowed it, which the lock itself guards. */
static _Atomic unsigned lender;
static bool borrowed;

/* How long one sleep waits for the lock, and where it is lent. */
enum { PATIENCE_SECONDS = 1, PATIENCE_NANOSECONDS = 10000000 };

static __thread unsigned self __attribute__((tls_model("initial-exec")));

static unsigned holder_of(unsigned word)
{
    return word & ~AWAITED;
}

static bool change_word(unsigned from, unsigned to)
{
    return atomic_compare_exchange_strong_explicit(
        &lock_word, &from, to, memory_order_acquire, memory_order_relaxed);
}

/* A child that the kernel's own call made has no thread but this one: what
 * another was about to do with the pool stays half done for ever. */
static void look_for_holder(unsigned word)
{
    long signalled =
        system_call(SYS_tgkill, system_process(), (long)holder_of(word), 0, 0);
    if (signalled == -ESRCH && atomic_load(&lock_word) == word) {
        die("fork beside a call", "fork", NULL);
    }
}

/* Sleeps while the word is this; not for long while the lock is lent. */
static void sleep_while(unsigned word)
{
    bool lent = atomic_load(&lender) != 0;
    system_time patience = {lent ? 0 : PATIENCE_SECONDS,
                            lent ? PATIENCE_NANOSECONDS : 0};
    if (system_call(SYS_futex, (long)&lock_word, FUTEX_WAIT_PRIVATE, (long)word,
                    (long)&patience) == -ETIMEDOUT) {
        look_for_holder(word);
    }
}

static void wake_waiters(void)
{
    system_call(SYS_futex, (long)&lock_word, FUTEX_WAKE_PRIVATE, INT_MAX, 0);
}

/* Whether this thread of the process sleeps, as its line in /proc says:
 * "NUMBER (NAME) STATE ...". A system that does not tell is taken to say yes.
 */
static bool is_asleep(unsigned thread)
{
    char name[LINE_SIZE];
    text path = TEXT_IN(name);
    char line[66] = "";
    text_add(&path, "/proc/self/task/");
    text_number(&path, thread);
    text_add(&path, "/stat");
    name[path.length] = '\0';
    int file = system_open(name, O_RDONLY);
    long length = file < 0 ? 0 : system_read(file, line, 64);
    if (file >= 0) {
        system_close(file);
    }
    while (length > 0 && line[length - 1] != ')') {
        length--;
    }
    return length <= 0 || line[length + 1] == 'S';
}

/* Whether this thread may use the lock that is lent. A fork's own thread may at
 * once; others when it sleeps: it then waits for what one of them has. */
static bool borrow(unsigned word, bool waited)
{
    unsigned from = atomic_load(&lender);
    bool may = from != 0 && holder_of(word) == from &&
               (from == self || (waited && is_asleep(from)));
    if (may && change_word(word, self | AWAITED)) {
        borrowed = true;
        return true;
    }
    return false;
}

static void lock_and_wait(void)
{
    for (bool waited = false;; waited = true) {
        unsigned word = atomic_load(&lock_word);
        if (word == 0 ? change_word(0, self | AWAITED) : borrow(word, waited)) {
            return;
        }
        if (word == 0 ||
            (!(word & AWAITED) && !change_word(word, word | AWAITED))) {
            continue;
        }
        if (holder_of(word) == self) {
            die(bitfit_misuse_name(BITFIT_REENTRY), heap.call, NULL);
        }
        sleep_while(word | AWAITED);
    }
}

/* What holds the lock is short: worth some patience before sleeping. */
static bool lock_patiently(void)
{
    for (int i = 0; i < 100; i++) {
        if (change_word(0, self)) {
            return true;
        }
        atomic_signal_fence(memory_order_seq_cst);
    }
    return false;
}

void heap_lock(void)
{
    if (UNLIKELY(self == 0)) {
        self = system_thread();
    }
    if (bf_single_threaded()) {
        atomic_store_explicit(&lock_word, self, memory_order_relaxed);
    } else if (!lock_patiently()) {
        lock_and_wait();
    }
}

/* Back to who lends it, or else free. */
static unsigned word_to_leave(void)
{
    unsigned to = borrowed ? atomic_load(&lender) : 0;
    borrowed = false;
    return to;
}

void heap_unlock(void)
{
    unsigned to = UNLIKELY(borrowed) ? word_to_leave() : 0;
    if (bf_single_threaded()) {
        atomic_store_explicit(&lock_word, to, memory_order_relaxed);
    } else if (atomic_exchange_explicit(&lock_word, to, memory_order_release) &
               AWAITED) {
        wake_waiters();
    }
}

bool heap_is_mine(void)
{
    return self != 0 && holder_of(atomic_load(&lock_word)) == self;
}

void heap_lend(void)
{
    atomic_store(&lender, self);
}

bool heap_is_lent_by_me(void)
{
    return self != 0 && atomic_load(&lender) == self;
}

/* Who borrowed it gives it back here or frees it, as it comes. */
void heap_recall(void)
{
    atomic_store(&lender, 0);
    if (!heap_is_mine()) {
        heap_lock();
    }
}

bool heap_lock_reset(void)
{
    unsigned holder = holder_of(atomic_load(&lock_word));
    bool idle = holder == 0 || holder == self;
    self = system_thread();
    atomic_store(&lender, 0);
    borrowed = false;
    atomic_store(&lock_word, self);
    return idle;
}

/* ----------------------------------------------------------------- opening */

enum {
    OPEN_EXACTLY = 65536, /* bytes: so large a block ends where all does */
    OPEN_MORE = 65536,    /* for smaller ones so much is opened at least, */
    OPEN_SHARE = 8        /* and this share of what was used */
};

size_t heap_used(void)
{
    return heap_size_of(SETTINGS->view.granules) - heap_room();
}

static bool open_up_to(size_t end)
{
    size_t mask = ((size_t)1 << SETTINGS->page_shift) - 1;
    size_t all = heap_size_of(SETTINGS->view.granules);
    end = ((end < all ? end : all) + mask) & ~mask;
    if (!system_protect(SETTINGS->view.payload + heap.open, end - heap.open,
                        PROT_READ | PROT_WRITE)) {
        return false;
    }
    heap.open = end;
    return true;
}

bool heap_open(size_t size)
{
    if (LIKELY(size <= heap.open)) {
        return true;
    }
    if (size - heap.open < OPEN_EXACTLY) {
        size_t share = size / OPEN_SHARE;
        if (open_up_to(size + (share > OPEN_MORE ? share : OPEN_MORE))) {
            return true;
        }
    }
    return open_up_to(size);
}

/* ---------------------------------------------------------------- requests */

void *heap_take(size_t alignment, size_t size)
{
    void *block = alignment <= SETTINGS->options.granule
                      ? bitfit_alloc(SETTINGS->pool, size)
                      : bitfit_aligned_alloc(SETTINGS->pool, alignment, size);
    if (block == NULL || heap_open(heap_offset_of(block) + size)) {
        return block;
    }
    bitfit_free(SETTINGS->pool, block);
    return NULL;
}

void heap_give(void *ptr, size_t size)
{
    if (size == SIZE_MAX) {
        bitfit_free(SETTINGS->pool, ptr);
    } else {
        bitfit_free_sized(SETTINGS->pool, ptr, size);
    }
}

/* The block's content moves before it is known how far up. */
void *heap_resize(void *ptr, size_t size)
{
    bool may_move = size > heap_size_of(heap_count_of(ptr));
    return may_move && !heap_open(heap_used() + size)
               ? NULL
               : bitfit_realloc(SETTINGS->pool, ptr, size);
}

_Noreturn void heap_accuse(const void *ptr)
{
    bitfit_usable_size(SETTINGS->pool, ptr);
    die("bad pointer", heap.call, ptr); /* it came to life meanwhile */
}

size_t heap_room(void)
{
    return heap_size_of(bf_carve_room(SETTINGS->pool));
}

size_t heap_live(void)
{
    return heap_size_of(bf_carve_live(SETTINGS->pool)) - SETTINGS->deposit_size;
}
