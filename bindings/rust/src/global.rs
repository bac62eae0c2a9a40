//! A pool for a whole program.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::fmt;
use core::hint;
use core::mem::{self, ManuallyDrop, MaybeUninit};
use core::ptr;
use core::sync::atomic::{AtomicU8, Ordering};

use crate::default_lock::DefaultLock;
use crate::lock::Lock;
use crate::options::Options;
use crate::pool::Pool;

/// A static pool of `SIZE` bytes, bookkeeping included: all the heap that a
/// program has.
///
/// ```
/// use bitfit::GlobalPool;
///
/// #[global_allocator]
/// static HEAP: GlobalPool<{ 4 << 20 }> = GlobalPool::new();
///
/// fn main() {
///     let text = "in the pool".repeat(1000);
///     assert!(HEAP.pool().owns(text.as_ptr()));
///
///     // More than there is: an error, where the program asks for one.
///     let mut huge: Vec<u8> = Vec::new();
///     assert!(huge.try_reserve(8 << 20).is_err());
/// }
/// ```
///
/// The pool is made at the first request. A `SIZE` that holds no granule
/// refuses every request. The static is all zeros, so that it is no part of the
/// program's file, and memory that is never used is never touched. That is why
/// options are a type: see [`Setup`]. (Compilers take their time for a static
/// of hundreds of MiB; a [`Pool`] over memory from elsewhere does not.)
#[repr(C, align(16))]
pub struct GlobalPool<const SIZE: usize, S: Setup = Defaults> {
    memory: UnsafeCell<[u8; SIZE]>,
    pool: UnsafeCell<Slot<S::Lock>>,
    state: AtomicU8,
}

/// The options of a [`GlobalPool`].
///
/// ```
/// use bitfit::{GlobalPool, Mutex, Options, Setup};
///
/// struct Coarse;
///
/// impl Setup for Coarse {
///     type Lock = Mutex;
///     const OPTIONS: Options = Options::new().granule(64);
/// }
///
/// static HEAP: GlobalPool<65536, Coarse> = GlobalPool::new();
/// assert_eq!(HEAP.pool().stats().granule, 64);
/// ```
pub trait Setup {
    /// What keeps the threads apart.
    type Lock: Lock + 'static;
    /// All other options.
    const OPTIONS: Options<Self::Lock>;
}

/// The options of [`Options::new`]. On a board they have no lock, and then a
/// static of them does not compile: choose one by a [`Setup`] of your own, or by
/// the feature `critical-section`.
#[derive(Clone, Copy, Debug)]
pub struct Defaults;

impl Setup for Defaults {
    type Lock = DefaultLock;
    const OPTIONS: Options = Options::new();
}

/// The place of a pool that is not yet made; then every byte of it is zero.
union Slot<L: Lock + 'static> {
    zeros: [usize; 3],
    pool: ManuallyDrop<Pool<'static, L>>,
}

const _: () = assert!(
    mem::size_of::<Slot<DefaultLock>>() == mem::size_of::<[usize; 3]>(),
    "more bytes would not be zero"
);

/// The state goes from the first through the second to one of the others.
const UNMADE: u8 = 0;
const IN_THE_MAKING: u8 = 1;
const READY: u8 = 2;
const REFUSED: u8 = 3;

// SAFETY: one thread makes the pool, the others wait; the memory is the pool's
// from then on, and the pool may be shared if its lock may.
unsafe impl<const SIZE: usize, S: Setup> Sync for GlobalPool<SIZE, S> where
    S::Lock: Sync
{
}

impl<const SIZE: usize, S: Setup> Default for GlobalPool<SIZE, S> {
    fn default() -> Self {
        GlobalPool::new()
    }
}

impl<const SIZE: usize, S: Setup> fmt::Debug for GlobalPool<SIZE, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlobalPool")
            .field("size", &SIZE)
            .field("options", &S::OPTIONS)
            .finish()
    }
}

impl<const SIZE: usize, S: Setup> GlobalPool<SIZE, S> {
    /// For a static.
    pub const fn new() -> Self {
        GlobalPool {
            memory: UnsafeCell::new([0; SIZE]),
            pool: UnsafeCell::new(Slot { zeros: [0; 3] }),
            state: AtomicU8::new(UNMADE),
        }
    }

    /// The pool, to look at it or to use it directly.
    ///
    /// # Panics
    ///
    /// If `SIZE` holds no granule, or an option is bad.
    pub fn pool(&'static self) -> &'static Pool<'static, S::Lock> {
        // SAFETY: a static does not move.
        unsafe { self.get() }.expect("bitfit: a pool cannot be made of this")
    }

    /// Bytes in blocks, as of now.
    ///
    /// # Panics
    ///
    /// As [`GlobalPool::pool`].
    pub fn used(&'static self) -> usize {
        self.pool().used()
    }

    /// Bytes in holes, as of now.
    ///
    /// # Panics
    ///
    /// As [`GlobalPool::pool`].
    pub fn free(&'static self) -> usize {
        self.pool().free()
    }

    /// The pool, made now if it was not before. `None` if it cannot be made.
    ///
    /// # Safety
    ///
    /// `self` never moves again.
    unsafe fn get(&self) -> Option<&Pool<'static, S::Lock>> {
        loop {
            match self.state.load(Ordering::Acquire) {
                // SAFETY: whoever stored READY had made it.
                READY => return Some(unsafe { &(*self.pool.get()).pool }),
                REFUSED => return None,
                UNMADE if self.claim() => {
                    // SAFETY: of all threads this one has the claim.
                    let state = unsafe { self.make() };
                    self.state.store(state, Ordering::Release);
                }
                _ => hint::spin_loop(),
            }
        }
    }

    /// Whether this thread is the one to make the pool.
    fn claim(&self) -> bool {
        self.state
            .compare_exchange(
                UNMADE,
                IN_THE_MAKING,
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// # Safety
    ///
    /// It is called once, and `self` never moves again.
    unsafe fn make(&self) -> u8 {
        let mut options = S::OPTIONS.c_options();
        options.zeroed = true;
        // SAFETY: the memory is used by nobody else, and as it was made: zero.
        unsafe {
            let memory = self.memory.get().cast::<[MaybeUninit<u8>; SIZE]>();
            match Pool::init(&mut *memory, &options) {
                Ok(pool) => {
                    (*self.pool.get()).pool = ManuallyDrop::new(pool);
                    READY
                }
                Err(_) => REFUSED,
            }
        }
    }
}

// SAFETY: as for the pool. Whoever calls this has to leave `self` in its place,
// since blocks lie inside; a static is.
unsafe impl<const SIZE: usize, S: Setup> GlobalAlloc for GlobalPool<SIZE, S> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the same is asked for.
        unsafe {
            self.get()
                .map_or(ptr::null_mut(), |pool| pool.alloc(layout))
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the same is asked for.
        unsafe {
            self.get()
                .map_or(ptr::null_mut(), |pool| pool.alloc_zeroed(layout))
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the same is asked for.
        unsafe {
            if let Some(pool) = self.get() {
                pool.dealloc(ptr, layout);
            }
        }
    }

    unsafe fn realloc(
        &self,
        ptr: *mut u8,
        layout: Layout,
        new_size: usize,
    ) -> *mut u8 {
        // SAFETY: the same is asked for.
        unsafe {
            self.get().map_or(ptr::null_mut(), |pool| {
                pool.realloc(ptr, layout, new_size)
            })
        }
    }
}
