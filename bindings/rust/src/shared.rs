//! Pools that processes share, or that a file keeps.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ptr::NonNull;

use crate::callback::without_unwinding;
use crate::ffi;
use crate::options::{InitError, Options};
use crate::stats::Stats;

/// A pool in memory that processes map at different addresses, or in a file. It
/// survives the death of any process at any moment: whoever calls next repairs
/// it. `bitfit_shared.h` has the whole promise, and what it does not cover.
///
/// A block belongs to a [`Slot`] inside the pool's own memory: it exists if and
/// only if its slot says so. So nothing is lost if a program fills a block in a
/// slot of its own and then [`swap`](SharedPool::swap)s it to where others look.
///
/// ```
/// use bitfit::{Options, SharedPool};
///
/// # #[repr(align(16))]
/// # struct Region([u8; 65536]);
/// # let mut region = Region([0; 65536]);
/// # let (memory, size) = (region.0.as_mut_ptr(), 65536);
/// // `memory` is from mmap(): of a file, or shared.
/// let pool = unsafe { SharedPool::init(memory, size, Options::new()) }?;
/// let hand = pool.root::<u64>(0).unwrap();
/// let place = pool.root::<u64>(1).unwrap();
///
/// assert!(pool.allocate_into(hand, 1));
/// unsafe { pool.follow(hand).unwrap().as_ptr().write(7) };
/// pool.swap(hand, place);
///
/// let other = unsafe { SharedPool::attach(memory, size, false) }?;
/// let seen = other.follow(other.root::<u64>(1).unwrap()).unwrap();
/// assert_eq!(unsafe { seen.as_ptr().read() }, 7);
/// # Ok::<(), bitfit::InitError>(())
/// ```
///
/// This refers to the pool, which stays when it is dropped.
pub struct SharedPool {
    raw: NonNull<ffi::Pool>,
}

// SAFETY: every call takes the pool's lock, which is one between threads, too.
unsafe impl Send for SharedPool {}
// SAFETY: as above.
unsafe impl Sync for SharedPool {}

/// A slot for a block of `T`s inside a shared pool: a root, or a part of what is
/// in a block. All zeros are a slot without a block.
#[repr(transparent)]
pub struct Slot<T> {
    link: UnsafeCell<u64>,
    leads_to: PhantomData<*mut T>,
}

impl<T> Slot<T> {
    /// The block's distance from the pool, the same in every process; 0 is
    /// none.
    pub fn link(&self) -> u64 {
        // SAFETY: others change it under the pool's lock only, and who may
        // change a slot at a time is the program's to say.
        unsafe { self.link.get().read_volatile() }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.link()).finish()
    }
}

impl SharedPool {
    /// How many roots there are.
    pub const ROOTS: u32 = 4;

    /// Makes a shared pool of all `size` bytes at `memory`, for all who will
    /// attach. Of the options, granule, payload alignment and `resize_moves`
    /// are allowed.
    ///
    /// # Safety
    ///
    /// The bytes may be read and written as long as a `SharedPool` of them is
    /// used, nobody else has them open now, and later all who have keep to
    /// these calls.
    ///
    /// # Errors
    ///
    /// The [`InitError`] says what is bad.
    pub unsafe fn init(
        memory: *mut u8,
        size: usize,
        options: Options,
    ) -> Result<Self, InitError> {
        let mut c_options = options.c_options();
        c_options.lock_kind = 0; /* the one between processes */
        // SAFETY: the caller says so.
        let raw =
            unsafe { ffi::bitfit_init_shared(memory.cast(), size, &c_options) };
        match NonNull::new(raw) {
            Some(raw) => Ok(SharedPool { raw }),
            // SAFETY: the core only looks at the arguments.
            None => Err(InitError::from_status(unsafe {
                ffi::bitfit_init_shared_status(memory.cast(), size, &c_options)
            })),
        }
    }

    /// Opens the shared pool at `memory`, of which this process maps all `size`
    /// bytes. `alone` says that nobody else has it open, as after a restart of
    /// the machine; then all of the bookkeeping is checked before it is
    /// believed.
    ///
    /// # Safety
    ///
    /// As for [`SharedPool::init`], but that others may have it open if not
    /// `alone`.
    ///
    /// # Errors
    ///
    /// [`InitError::NoPool`] or [`InitError::Damaged`], among others.
    pub unsafe fn attach(
        memory: *mut u8,
        size: usize,
        alone: bool,
    ) -> Result<Self, InitError> {
        let mut status = 0;
        // SAFETY: the caller says so.
        let raw = unsafe {
            ffi::bitfit_attach(memory.cast(), size, alone, &mut status)
        };
        NonNull::new(raw)
            .map(|raw| SharedPool { raw })
            .ok_or_else(|| InitError::from_status(status))
    }

    /// How many changes were broken off in this pool and repaired.
    pub fn repairs(&self) -> u64 {
        // SAFETY: the pool is there.
        unsafe { ffi::bitfit_repairs(self.raw.as_ptr()) }
    }

    /// Root number `which`. A root has one `T` for its life.
    pub fn root<T>(&self, which: u32) -> Option<&Slot<T>> {
        // SAFETY: the pool is there, and a slot is a link.
        unsafe {
            ffi::bitfit_root(self.raw.as_ptr(), which)
                .cast::<Slot<T>>()
                .as_ref()
        }
    }

    /// Where the slot's block is in this process. Read it after attaching, or
    /// where no other process changes it.
    pub fn follow<T>(&self, slot: &Slot<T>) -> Option<NonNull<T>> {
        // SAFETY: the pool is there; the core checks that it leads into it.
        let place =
            unsafe { ffi::bitfit_follow(self.raw.as_ptr(), slot.link()) };
        NonNull::new(place.cast())
    }

    /// A block of `count` objects, not yet made, in a slot that is empty. False,
    /// and the slot is empty, if and only if there is no room.
    ///
    /// # Panics
    ///
    /// If `T` wants an alignment above 8, which not every block has.
    #[must_use]
    pub fn allocate_into<T: Copy>(&self, slot: &Slot<T>, count: usize) -> bool {
        let (raw, link) = (self.raw.as_ptr(), slot.link.get());
        // SAFETY: the pool is there, and the core checks the slot.
        unsafe { ffi::bitfit_alloc_into(raw, bytes::<T>(count), link) }
    }

    /// The same with all bytes zero.
    ///
    /// # Panics
    ///
    /// As [`SharedPool::allocate_into`].
    #[must_use]
    pub fn allocate_zeroed_into<T: Copy>(
        &self,
        slot: &Slot<T>,
        count: usize,
    ) -> bool {
        let (raw, link) = (self.raw.as_ptr(), slot.link.get());
        // SAFETY: the pool is there, and the core checks the slot.
        unsafe { ffi::bitfit_calloc_into(raw, 1, bytes::<T>(count), link) }
    }

    /// Changes the block's size; an empty slot gets a block. False, and the
    /// block is as before, if and only if there is no room.
    ///
    /// # Panics
    ///
    /// As [`SharedPool::allocate_into`].
    #[must_use]
    pub fn reallocate_in<T: Copy>(&self, slot: &Slot<T>, count: usize) -> bool {
        let (raw, link) = (self.raw.as_ptr(), slot.link.get());
        // SAFETY: the pool is there, and the core checks the slot.
        unsafe { ffi::bitfit_realloc_in(raw, link, bytes::<T>(count)) }
    }

    /// Gives the slot's block back and empties the slot.
    pub fn free_from<T>(&self, slot: &Slot<T>) {
        // SAFETY: the pool is there, and the core checks the slot.
        unsafe { ffi::bitfit_free_from(self.raw.as_ptr(), slot.link.get()) }
    }

    /// Exchanges two slots: a process that dies meanwhile has exchanged both, or
    /// neither.
    pub fn swap<T>(&self, a: &Slot<T>, b: &Slot<T>) {
        let (a, b) = (a.link.get(), b.link.get());
        // SAFETY: the pool is there, and the core checks the slots.
        unsafe { ffi::bitfit_swap(self.raw.as_ptr(), a, b) }
    }

    /// Frees every block that `keep`, given its link and its bytes, does not
    /// want. Returns how many. Rules as for [`Pool::walk`](crate::Pool::walk).
    pub fn sweep(&self, mut keep: impl FnMut(u64, usize) -> bool) -> usize {
        let mut keep: &mut dyn FnMut(u64, usize) -> bool = &mut keep;
        let context: *mut &mut dyn FnMut(u64, usize) -> bool = &mut keep;
        // SAFETY: `wanted` gets the context it expects.
        unsafe { ffi::bitfit_sweep(self.raw.as_ptr(), wanted, context.cast()) }
    }

    /// A consistent snapshot.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        // SAFETY: the pool is there.
        unsafe { ffi::bitfit_get_stats(self.raw.as_ptr(), &mut stats) };
        stats
    }

    /// 0, or the number of the first invariant that is broken.
    pub fn check(&self) -> i32 {
        // SAFETY: the pool is there.
        unsafe { ffi::bitfit_check(self.raw.as_ptr()) }
    }
}

/// The bytes of `count` objects; what overflows fits nowhere.
fn bytes<T>(count: usize) -> usize {
    assert!(mem::align_of::<T>() <= 8, "no block has such an alignment");
    count.saturating_mul(mem::size_of::<T>())
}

impl fmt::Debug for SharedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPool")
            .field("stats", &self.stats())
            .finish()
    }
}

unsafe extern "C" fn wanted(
    block: u64,
    size: usize,
    context: *mut c_void,
) -> bool {
    // SAFETY: it is the context of `sweep`.
    let keep =
        unsafe { &mut *context.cast::<&mut dyn FnMut(u64, usize) -> bool>() };
    without_unwinding(|| keep(block, size))
}
