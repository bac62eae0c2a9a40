//! Rust called from C.

/// Calls `callback`. A panic must not unwind through the core, which knows
/// nothing of it and may hold its lock: it ends the program, since a second
/// panic during the first aborts.
pub(crate) fn without_unwinding<R>(callback: impl FnOnce() -> R) -> R {
    struct Abort;
    impl Drop for Abort {
        fn drop(&mut self) {
            panic!("bitfit: a callback of a pool panicked");
        }
    }
    let abort = Abort;
    let result = callback();
    core::mem::forget(abort);
    result
}
