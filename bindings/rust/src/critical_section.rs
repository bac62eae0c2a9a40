//! The lock of boards: the critical section of the crate `critical-section`.
//!
//! What that crate stores on entering is a choice of the program's. So the
//! program, which knows it, lays the bridge by [`critical_section!`]; this
//! crate depends on no other.
//!
//! [`critical_section!`]: crate::critical_section!

use crate::lock::{Lock, LockKind};

extern "Rust" {
    fn _bitfit_critical_section_enter();
    fn _bitfit_critical_section_leave();
}

/// The critical section, entered for every call. It needs
/// [`critical_section!`](crate::critical_section!) once in the program; without
/// it linking fails.
#[derive(Clone, Copy, Debug)]
pub struct CriticalSection;

// SAFETY: nothing else comes out of enter() before leave(): that is what the
// crate critical-section asks of whoever provides it.
unsafe impl Lock for CriticalSection {
    const KIND: LockKind = LockKind::Caller {
        // SAFETY: the core calls them in turns.
        lock: || unsafe { _bitfit_critical_section_enter() },
        unlock: || unsafe { _bitfit_critical_section_leave() },
    };
}

/// Makes the crate `critical-section`, which the program depends on, the lock of
/// [`CriticalSection`]. Once in a program, outside of functions:
///
/// ```ignore
/// bitfit::critical_section!();
///
/// #[global_allocator]
/// static HEAP: bitfit::GlobalPool<4096> = bitfit::GlobalPool::new();
/// ```
#[macro_export]
macro_rules! critical_section {
    () => {
        const _: () = {
            use ::critical_section::RestoreState;

            // Used inside the critical section only. The core enters it again
            // from inside to find that it is there already; what was before
            // the first time is what counts.
            static mut DEPTH: usize = 0;
            static mut BEFORE: Option<RestoreState> = None;

            #[no_mangle]
            fn _bitfit_critical_section_enter() {
                // SAFETY: leave() follows, and the statics are its own.
                unsafe {
                    let before = ::critical_section::acquire();
                    if DEPTH == 0 {
                        BEFORE = Some(before);
                    }
                    DEPTH += 1;
                }
            }

            #[no_mangle]
            fn _bitfit_critical_section_leave() {
                // SAFETY: enter() came before.
                unsafe {
                    DEPTH -= 1;
                    if DEPTH == 0 {
                        if let Some(before) = BEFORE {
                            ::critical_section::release(before);
                        }
                    }
                }
            }
        };
    };
}
