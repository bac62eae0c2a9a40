//! A pool under the critical section, on a machine where it is a lock: threads
//! do not meet in it, re-entry is caught, and it is left as it was found.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;

use bitfit::{CriticalSection, GlobalPool, Misuse, Options, Setup};

bitfit::critical_section!();

/// 0, or the thread that is inside.
static OWNER: AtomicU32 = AtomicU32::new(0);
static LEFT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static ME: u32 = {
        static THREADS: AtomicU32 = AtomicU32::new(1);
        THREADS.fetch_add(1, Ordering::Relaxed)
    };
}

#[no_mangle]
fn _critical_section_1_0_acquire() -> u32 {
    ME.with(|me| {
        if OWNER.load(Ordering::Acquire) == *me {
            return *me;
        }
        while OWNER
            .compare_exchange(0, *me, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            thread::yield_now();
        }
        0
    })
}

#[no_mangle]
fn _critical_section_1_0_release(before: u32) {
    LEFT.fetch_add(1, Ordering::Relaxed);
    OWNER.store(before, Ordering::Release);
}

static MISUSES: AtomicUsize = AtomicUsize::new(0);

fn count(_misuse: &Misuse) {
    MISUSES.fetch_add(1, Ordering::Relaxed);
}

struct Board;

impl Setup for Board {
    type Lock = CriticalSection;
    const OPTIONS: Options<CriticalSection> =
        Options::new().lock().on_misuse(count);
}

static HEAP: GlobalPool<65536, Board> = GlobalPool::new();

fn main() {
    let all = HEAP.free();
    thread::scope(|scope| {
        for mark in 0..4u8 {
            scope.spawn(move || {
                for round in 0..2000 {
                    let length = round % 97 + 1;
                    let mine = HEAP.pool().boxed_slice(length, |_| mark);
                    assert!(mine.unwrap().iter().all(|byte| *byte == mark));
                }
            });
        }
    });
    assert_eq!((HEAP.used(), HEAP.free()), (0, all));
    assert!(LEFT.load(Ordering::Relaxed) >= 16_000);

    let flow = HEAP.pool().walk(|_| {
        assert!(HEAP.pool().boxed(1).is_err(), "a call inside a call");
        ControlFlow::Break(())
    });
    assert_eq!(flow, ControlFlow::Break(()));
    assert_eq!(MISUSES.load(Ordering::Relaxed), 1);
    assert_eq!(OWNER.load(Ordering::Relaxed), 0, "it was left for good");
    HEAP.pool().check().unwrap();
    println!("critical section: ok");
}
