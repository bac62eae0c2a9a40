/*
 * Who may touch what is recorded: one thread at a time, and none twice. A
 * thread that is interrupted by a signal here and calls malloc in the handler
 * goes by, unrecorded.
 *
 * Between guard_enter() and guard_lock() code of others may run, which may
 * allocate or take locks of its own. With the lock held nothing runs that
 * another library can replace, so that the lock is always the innermost.
 */
#ifndef RECORDER_GUARD_H
#define RECORDER_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct guard_thread {
    uint64_t number; /* as in the trace, from 1; 0: not yet known */
    volatile sig_atomic_t inside, locked;
    int fork_file; /* the recording, for the child of a fork under way */
    bool forks;    /* a fork that the recorder knows of is under way */
} guard_thread;

/* Initial-exec, since others would call malloc to find it. */
extern __thread guard_thread guard_mine
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* False if this thread is inside already; else guard_leave() ends it. */
bool guard_enter(void);
void guard_leave(void);

/* False if another thread has the lock and does not go on: its signal handler
 * did not return. Then nothing can be recorded any more. */
bool guard_lock(void);
void guard_unlock(void);

/* In a fork's child: whoever had the lock is not here. */
void guard_reset(void);

#endif
