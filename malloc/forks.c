#include "forks.h"

#include "abi.h"
#include "streams.h"
#include "text.h"
#include "threads.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

/* What was blocked before this thread began to fork. Meanwhile all signals are:
 * a handler could fork as well, and find the locks half taken. */
static __thread signal_set masked __attribute__((tls_model("initial-exec")));

/* This thread is to fork. One that is inside a call, in a handler, has the lock
 * already; its child goes on with that call. */
static void take_lock(void)
{
    if (!heap_is_mine()) {
        heap_lock();
        heap_lend();
    }
}

static void leave_lock(void)
{
    if (heap_is_lent_by_me()) {
        heap_recall();
        heap_unlock();
    }
}

/* Whether the child is at rest: not inside a call that it goes on with. */
static bool reset_lock(void)
{
    bool at_rest = heap_is_lent_by_me();
    if (!heap_lock_reset()) {
        die("fork beside a call", "fork", NULL);
    }
    if (SETTINGS->stoppable) {
        threads_can_stop();
    }
    if (at_rest) {
        threads_end_others();
        heap_unlock();
    }
    return at_rest;
}

/* ------------------------------------------------------------------- fork() */

/* This handler is the last that runs. After it the C library takes locks of its
 * own, the one of all streams among them: that one is taken first here, too. */
static void fork_begins(void)
{
    signal_set before = system_block_signals();
    masked = before;
    if (!heap_is_mine()) {
        streams_lock();
    }
    take_lock();
}

static void parent_goes_on(void)
{
    signal_set before = masked;
    bool at_rest = heap_is_lent_by_me();
    leave_lock();
    if (at_rest) {
        streams_unlock();
    }
    system_mask(SIG_SETMASK, before);
}

static void child_begins(void)
{
    signal_set before = masked;
    if (reset_lock()) {
        streams_reset();
    }
    system_mask(SIG_SETMASK, before);
}

void forks_begin(void)
{
    pthread_atfork(fork_begins, parent_goes_on, child_begins);
}

/* ------------------------------------------------------------------ _Fork() */

typedef pid_t forker(void);
static forker *next_fork;

/* Not in _Fork() itself, which handlers call: looking up may allocate. */
__attribute__((constructor)) static void find_next(void)
{
    union {
        void *found;
        forker *call;
    } next = {dlsym(RTLD_NEXT, "_Fork")};
    next_fork = next.call;
}

/* As fork() without its handlers, which would have made the child safe. */
pid_t _Fork(void);
EXPORT pid_t _Fork(void)
{
    if (next_fork == NULL) {
        errno = ENOSYS;
        return -1;
    }
    signal_set before = system_block_signals();
    take_lock();
    pid_t child = next_fork();
    if (child == 0) {
        reset_lock();
    } else {
        leave_lock();
    }
    system_mask(SIG_SETMASK, before);
    return child;
}
