//! Exact first fit in one fixed block of memory: bitfit for Rust.
//!
//! - [`GlobalPool`] is a `#[global_allocator]`: a whole program in a static
//!   pool of as many bytes as you say.
//! - [`Pool`] is a pool of your own, over any memory: owned values by
//!   [`Pool::boxed`], raw blocks by [`Layout`](core::alloc::Layout),
//!   statistics, an iterator over all blocks and holes, a picture.
//! - [`OffsetPool`] hands out offsets in memory that the processor cannot touch.
//! - `SharedPool`, where there is a system, is a pool that processes share, and
//!   that survives the death of any of them.
//!
//! Every request gets the lowest address that fits, and none if and only if it
//! fits nowhere. The bookkeeping is in bitmaps apart from the blocks, so unsafe
//! code that writes past a block cannot corrupt the pool. A bad free is caught
//! before anything changes: by default a line on standard error names it, and
//! the program ends.
//!
//! The crate is `no_std` and needs no other crate. The core is C; the system's
//! C compiler builds it.

#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs, missing_debug_implementations)]

mod boxed;
mod callback;
#[cfg(feature = "critical-section")]
mod critical_section;
mod default_lock;
mod ffi;
mod global;
mod lock;
mod offsets;
mod options;
mod pool;
mod runs;
#[cfg(not(target_os = "none"))]
mod shared;
mod stats;

pub use boxed::PoolBox;
#[cfg(feature = "critical-section")]
pub use critical_section::CriticalSection;
pub use default_lock::DefaultLock;
pub use global::{Defaults, GlobalPool, Setup};
#[cfg(not(target_os = "none"))]
pub use lock::Mutex;
pub use lock::{Lock, LockKind, NoLock};
pub use offsets::{Move, OffsetPool, Range};
pub use options::{InitError, Misuse, MisuseHandler, MisuseKind, Options};
pub use pool::Pool;
pub use runs::{Run, Runs};
#[cfg(not(target_os = "none"))]
pub use shared::{SharedPool, Slot};
pub use stats::{OffsetStats, Stats};

/// The README's program is a test, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The version of the core.
///
/// ```
/// assert_eq!(bitfit::version(), env!("CARGO_PKG_VERSION"));
/// ```
pub fn version() -> &'static str {
    // SAFETY: the core returns a text.
    unsafe { ffi::text(ffi::bitfit_version()) }
}

/// The bytes of memory with which a pool never fails, however blocks come and
/// go: for at most `peak_granules` live at a time, in blocks of at most
/// `largest_granules`, with the default options but for the granule (0 is 16)
/// and [`Options::resize_moves`]. By Robson's theorem; alignments above the
/// granule are not covered. `None` if an argument is bad or the result
/// overflows.
///
/// ```
/// assert!(bitfit::bytes_for(1000, 4, 16).unwrap() > 16_000);
/// ```
pub fn bytes_for(
    peak_granules: usize,
    largest_granules: usize,
    granule: usize,
) -> Option<usize> {
    // SAFETY: it is arithmetic.
    let bytes = unsafe {
        ffi::bitfit_bytes_for(peak_granules, largest_granules, granule)
    };
    (bytes != 0).then_some(bytes)
}
