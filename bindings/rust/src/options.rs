//! What can be chosen for a pool, and what can go wrong.

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ptr;

use crate::callback::without_unwinding;
use crate::default_lock::DefaultLock;
use crate::ffi;
use crate::lock::{functions, Lock};

/// The options of a pool; [`Options::new`] are the defaults.
///
/// ```
/// use bitfit::{NoLock, Options};
///
/// const SMALL: Options<NoLock> = Options::new().granule(8).lock();
/// ```
pub struct Options<L: Lock = DefaultLock> {
    granule: usize,
    payload_alignment: usize,
    resize_moves: bool,
    on_misuse: Option<MisuseHandler>,
    lock: PhantomData<fn() -> L>,
}

impl Options {
    /// Granules and payload alignment of 16 bytes, the [`DefaultLock`],
    /// resizing in place, and misuse ends the program.
    pub const fn new() -> Self {
        Options {
            granule: 16,
            payload_alignment: 16,
            resize_moves: false,
            on_misuse: None,
            lock: PhantomData,
        }
    }
}

impl<L: Lock> Options<L> {
    /// The smallest unit handed out in bytes, a power of two from 8 to 2^30:
    /// every block's size is rounded up to it.
    #[must_use]
    pub const fn granule(mut self, bytes: usize) -> Self {
        self.granule = bytes;
        self
    }

    /// The payload starts at a multiple of it, a power of two. Blocks are
    /// aligned to the smaller of it and the granule; more costs a search.
    #[must_use]
    pub const fn payload_alignment(mut self, bytes: usize) -> Self {
        self.payload_alignment = bytes;
        self
    }

    /// Turns resizing in place off: a change of granules always moves, which
    /// [`bytes_for`](crate::bytes_for) asks for.
    #[must_use]
    pub const fn resize_moves(mut self, moves: bool) -> Self {
        self.resize_moves = moves;
        self
    }

    /// What a bad call costs, instead of a line on standard error and an abort.
    #[must_use]
    pub const fn on_misuse(mut self, handler: MisuseHandler) -> Self {
        self.on_misuse = Some(handler);
        self
    }

    /// The same options with another lock.
    #[must_use]
    pub const fn lock<Other: Lock>(self) -> Options<Other> {
        Options {
            granule: self.granule,
            payload_alignment: self.payload_alignment,
            resize_moves: self.resize_moves,
            on_misuse: self.on_misuse,
            lock: PhantomData,
        }
    }

    /// The same for the core.
    pub(crate) fn c_options(&self) -> ffi::Options {
        let (lock_kind, lock, unlock) = functions::<L>();
        let handler = self.on_misuse.map_or(ptr::null(), |h| h as *const ());
        ffi::Options {
            struct_size: mem::size_of::<ffi::Options>(),
            granule: self.granule,
            payload_alignment: self.payload_alignment,
            bookkeeping: ptr::null_mut(),
            bookkeeping_size: 0,
            lock_kind,
            lock,
            unlock,
            lock_context: ptr::null_mut(),
            on_misuse: self.on_misuse.map(|_| report as ffi::MisuseHandler),
            misuse_context: handler as *mut c_void,
            resize_moves: self.resize_moves,
            zeroed: false,
            guard: false,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::new()
    }
}

// By hand: a derive would ask the same of L.
impl<L: Lock> Clone for Options<L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Lock> Copy for Options<L> {}

impl<L: Lock> fmt::Debug for Options<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("granule", &self.granule)
            .field("payload_alignment", &self.payload_alignment)
            .field("resize_moves", &self.resize_moves)
            .field("on_misuse", &self.on_misuse.is_some())
            .field("lock", &L::KIND)
            .finish()
    }
}

/// Why a pool cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u32)]
pub enum InitError {
    /// The memory wraps around the end of the address space.
    BadMemory = 1,
    /// This crate and the core that was linked disagree.
    BadOptions = 2,
    /// The granule is no power of two from 8 to 2^30.
    BadGranule = 3,
    /// The payload alignment is no power of two.
    BadAlignment = 4,
    /// The bookkeeping is too small.
    BadBookkeeping = 5,
    /// There is no mutex, or none between processes, on this target.
    BadLock = 6,
    /// There is no room for one granule.
    TooSmall = 7,
    /// There are more granules than this machine can count.
    TooLarge = 8,
    /// There is no shared pool of this version and size.
    NoPool = 9,
    /// There is a shared pool whose bookkeeping is not whole.
    Damaged = 10,
}

impl InitError {
    pub(crate) fn from_status(status: u32) -> Self {
        use InitError::*;
        let all = [
            BadMemory,
            BadOptions,
            BadGranule,
            BadAlignment,
            BadBookkeeping,
            BadLock,
            TooSmall,
            TooLarge,
            NoPool,
            Damaged,
        ];
        let same = |error: &InitError| *error as u32 == status;
        all.into_iter().find(same).unwrap_or(BadOptions)
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the core has a text for every number.
        f.write_str(unsafe { ffi::text(ffi::bitfit_status_text(*self as u32)) })
    }
}

/// A bad call on a pool. The pool has not changed.
#[derive(Clone, Copy, Debug)]
pub struct Misuse {
    /// What was wrong.
    pub kind: MisuseKind,
    /// The core's function, such as `"bitfit_free"`.
    pub call: &'static str,
    /// As given by the caller; null for a re-entry.
    pub pointer: *const u8,
    /// As given by the caller, for [`MisuseKind::WrongSize`].
    pub size: usize,
    /// As given by the caller, where the call has one in place of a pointer.
    pub offset: u64,
}

/// Decides what misuse costs: if it returns, the bad call does nothing and
/// returns nothing. It runs outside the pool's lock, may use the pool, and must
/// not panic: that aborts.
pub type MisuseHandler = fn(&Misuse);

/// What can be wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u32)]
pub enum MisuseKind {
    /// The pointer lies in free memory.
    DoubleFree = 1,
    /// It lies inside a live block, not at its start.
    Interior = 2,
    /// It lies in the pool, off every granule.
    Misaligned = 3,
    /// It lies outside the pool.
    Foreign = 4,
    /// The size given rounds up to another than the block's.
    WrongSize = 5,
    /// A call from inside another call on the pool.
    Reentry = 6,
    /// The call does not serve this kind of pool.
    WrongPool = 7,
    /// A block was written beyond its end, into its guard.
    Overflow = 9,
    /// A slot that is to be filled has a block already.
    TakenSlot = 10,
}

impl fmt::Display for MisuseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the core has a name for every kind.
        f.write_str(unsafe { ffi::text(ffi::bitfit_misuse_name(*self as u32)) })
    }
}

impl MisuseKind {
    fn from_c(kind: u32) -> Self {
        match kind {
            1 => MisuseKind::DoubleFree,
            2 => MisuseKind::Interior,
            3 => MisuseKind::Misaligned,
            4 => MisuseKind::Foreign,
            5 => MisuseKind::WrongSize,
            7 => MisuseKind::WrongPool,
            9 => MisuseKind::Overflow,
            10 => MisuseKind::TakenSlot,
            _ => MisuseKind::Reentry,
        }
    }
}

/// The core's handler: `context` is the Rust function.
unsafe extern "C" fn report(misuse: *const ffi::Misuse, context: *mut c_void) {
    // SAFETY: the core gives a valid report, and back what `c_options` gave it.
    let (misuse, handler, call) = unsafe {
        let handler = mem::transmute::<*mut c_void, MisuseHandler>(context);
        (&*misuse, handler, ffi::text((*misuse).call))
    };
    let misuse = Misuse {
        kind: MisuseKind::from_c(misuse.kind),
        call,
        pointer: misuse.pointer.cast(),
        size: misuse.size,
        offset: misuse.offset,
    };
    without_unwinding(|| handler(&misuse));
}
