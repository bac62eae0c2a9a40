//! What keeps threads apart in one pool.

use core::ffi::c_void;
use core::marker::PhantomData;

use crate::callback::without_unwinding;
use crate::ffi;

/// How a pool is locked; a type, so that the compiler knows which pools may be
/// shared: a [`Pool`](crate::Pool) is [`Sync`] if and only if its lock is.
///
/// On boards without threads it is the place to keep interrupts out:
///
/// ```
/// use bitfit::{Lock, LockKind, Options, Pool};
/// # fn disable_interrupts() {}
/// # fn enable_interrupts() {}
///
/// struct Interrupts;
///
/// // SAFETY: there is one core, and nothing else runs without interrupts.
/// unsafe impl Lock for Interrupts {
///     const KIND: LockKind = LockKind::Caller {
///         lock: disable_interrupts,
///         unlock: enable_interrupts,
///     };
/// }
///
/// let mut memory = [core::mem::MaybeUninit::uninit(); 1024];
/// let options = Options::new().lock::<Interrupts>();
/// let pool = Pool::with_options(&mut memory, options)?;
/// # assert!(pool.allocate(core::alloc::Layout::new::<u32>()).is_some());
/// # Ok::<(), bitfit::InitError>(())
/// ```
///
/// # Safety
///
/// If the type is [`Sync`], its kind is not [`LockKind::None`], and between
/// `lock` and `unlock` no other thread (interrupt, core) comes out of `lock`.
pub unsafe trait Lock {
    /// How this type locks.
    const KIND: LockKind;
}

/// The kinds of locks that the core knows.
#[derive(Clone, Copy, Debug)]
pub enum LockKind {
    /// Nothing is locked.
    None,
    /// The platform's mutex. A target without a system has none.
    #[cfg(not(target_os = "none"))]
    Mutex,
    /// Two functions. They must not panic, nor allocate from the pool.
    Caller {
        /// Waits until the pool is free, and takes it.
        lock: fn(),
        /// Gives the pool back.
        unlock: fn(),
    },
}

/// The platform's mutex, one for each pool.
#[cfg(not(target_os = "none"))]
#[derive(Clone, Copy, Debug)]
pub struct Mutex;

// SAFETY: the core holds a mutex of the platform's during every call.
#[cfg(not(target_os = "none"))]
unsafe impl Lock for Mutex {
    const KIND: LockKind = LockKind::Mutex;
}

/// No lock: such a pool is not [`Sync`], so the compiler keeps it in one thread
/// at a time.
///
/// ```compile_fail
/// fn share<T: Sync>() {}
/// share::<bitfit::Pool<bitfit::NoLock>>();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NoLock(PhantomData<*const ()>);

// SAFETY: the type is not Sync.
unsafe impl Lock for NoLock {
    const KIND: LockKind = LockKind::None;
}

/// What the core's options say of a lock: its kind and functions.
pub(crate) fn functions<L: Lock>(
) -> (u32, Option<ffi::LockFunction>, Option<ffi::LockFunction>) {
    match L::KIND {
        LockKind::None => (ffi::LOCK_NONE, None, None),
        #[cfg(not(target_os = "none"))]
        LockKind::Mutex => (ffi::LOCK_MUTEX, None, None),
        LockKind::Caller { .. } => {
            (ffi::LOCK_CALLER, Some(lock::<L>), Some(unlock::<L>))
        }
    }
}

unsafe extern "C" fn lock<L: Lock>(_context: *mut c_void) {
    if let LockKind::Caller { lock, .. } = L::KIND {
        without_unwinding(lock);
    }
}

unsafe extern "C" fn unlock<L: Lock>(_context: *mut c_void) {
    if let LockKind::Caller { unlock, .. } = L::KIND {
        without_unwinding(unlock);
    }
}
