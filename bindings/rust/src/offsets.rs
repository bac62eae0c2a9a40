//! Pools without memory.

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, MaybeUninit};
use core::ops::ControlFlow;
use core::ptr::{self, NonNull};

use crate::callback::without_unwinding;
use crate::default_lock::DefaultLock;
use crate::ffi;
use crate::lock::Lock;
use crate::options::{InitError, Options};
use crate::pool::aligned;
use crate::stats::OffsetStats;

/// A pool of the offsets from 0 up to a size, for memory that the processor
/// cannot touch: of a GPU, a disk, a DMA engine. Offsets and sizes have 64 bits
/// on every machine.
///
/// ```
/// use bitfit::{OffsetPool, Options};
/// use core::mem::MaybeUninit;
///
/// let mut books = [MaybeUninit::uninit(); 8192];
/// let options = Options::new().granule(65536);
/// let gpu = OffsetPool::new(1 << 30, &mut books, options)?;
///
/// let a = gpu.allocate(1_000_000).unwrap();
/// let b = gpu.allocate(1).unwrap();
/// assert_eq!((a, b), (0, 1_048_576));
/// gpu.free(a);
/// assert_eq!(gpu.allocate(2 << 30), None);
/// # Ok::<(), bitfit::InitError>(())
/// ```
///
/// The core keeps no reference to what the offsets mean, so no call is unsafe:
/// a bad offset is misuse, and changes nothing.
pub struct OffsetPool<'a, L: Lock = DefaultLock> {
    raw: NonNull<ffi::Pool>,
    books: PhantomData<&'a mut [MaybeUninit<u8>]>,
    lock: PhantomData<fn() -> L>,
}

// SAFETY: as for Pool.
unsafe impl<L: Lock> Send for OffsetPool<'_, L> {}

// SAFETY: as for Pool.
unsafe impl<L: Lock + Sync> Sync for OffsetPool<'_, L> {}

/// A block, and the place that it could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where it starts.
    pub from: u64,
    /// Where it could.
    pub to: u64,
    /// Its bytes.
    pub size: u64,
}

/// One run of granules: a block, or a hole between blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where it starts.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// Whether it is a block.
    pub live: bool,
}

impl<'a, L: Lock> OffsetPool<'a, L> {
    /// A pool of `size` bytes elsewhere. The bookkeeping needs
    /// [`OffsetPool::bookkeeping_size`] bytes, and 15 more if it is not
    /// aligned. Of the options, the payload alignment and `resize_moves` mean
    /// nothing here.
    ///
    /// # Errors
    ///
    /// The [`InitError`] says what is bad.
    pub fn new(
        size: u64,
        bookkeeping: &'a mut [MaybeUninit<u8>],
        options: Options<L>,
    ) -> Result<Self, InitError> {
        let bookkeeping = aligned(bookkeeping);
        let mut c_options = options.c_options();
        c_options.bookkeeping = bookkeeping.as_mut_ptr().cast();
        c_options.bookkeeping_size = bookkeeping.len();
        // SAFETY: the bookkeeping is borrowed for as long as the pool can live.
        let raw = unsafe { ffi::bitfit_init_offsets(size, &c_options) };
        match NonNull::new(raw) {
            Some(raw) => Ok(OffsetPool {
                raw,
                books: PhantomData,
                lock: PhantomData,
            }),
            // SAFETY: the core only looks at the arguments.
            None => Err(InitError::from_status(unsafe {
                ffi::bitfit_init_offsets_status(size, &c_options)
            })),
        }
    }

    /// The bytes of bookkeeping, lock included. 0 if and only if an option or
    /// the size is bad.
    pub fn bookkeeping_size(size: u64, options: &Options<L>) -> usize {
        // SAFETY: the core reads the options.
        unsafe {
            ffi::bitfit_offsets_bookkeeping_size(size, &options.c_options())
        }
    }

    /// The lowest offset that fits. `None` if and only if none does.
    pub fn allocate(&self, size: u64) -> Option<u64> {
        // SAFETY: the pool is live.
        some(unsafe { ffi::bitfit_alloc_offset(self.raw.as_ptr(), size) })
    }

    /// The same, at a multiple of `alignment`, which is a power of two.
    pub fn allocate_aligned(&self, alignment: u64, size: u64) -> Option<u64> {
        let raw = self.raw.as_ptr();
        // SAFETY: the pool is live.
        some(unsafe { ffi::bitfit_aligned_alloc_offset(raw, alignment, size) })
    }

    /// Makes the granules that `offset..offset + size` touches a block. False if
    /// and only if some of them are not free.
    #[must_use]
    pub fn allocate_at(&self, offset: u64, size: u64) -> bool {
        // SAFETY: the pool is live.
        unsafe { ffi::bitfit_alloc_at_offset(self.raw.as_ptr(), offset, size) }
    }

    /// Changes a block's size where it is. False if and only if it would have to
    /// grow and what is behind it is not free.
    #[must_use]
    pub fn resize(&self, offset: u64, size: u64) -> bool {
        // SAFETY: the pool is live, and the core checks the offset.
        unsafe { ffi::bitfit_resize_offset(self.raw.as_ptr(), offset, size) }
    }

    /// Gives the block back that starts at `offset`.
    pub fn free(&self, offset: u64) {
        // SAFETY: the pool is live, and the core checks the offset.
        unsafe { ffi::bitfit_free_offset(self.raw.as_ptr(), offset) }
    }

    /// The bytes of the block that starts at `offset`.
    pub fn size(&self, offset: u64) -> u64 {
        // SAFETY: the pool is live, and the core checks the offset.
        unsafe { ffi::bitfit_offset_size(self.raw.as_ptr(), offset) }
    }

    /// Takes every block back at once.
    pub fn reset(&mut self) {
        // SAFETY: the pool is live.
        unsafe { ffi::bitfit_reset(self.raw.as_ptr()) }
    }

    /// The next step of a compaction: the highest block that starts below an
    /// offset, or of all, and would fit lower beside itself. Nothing changes;
    /// to carry it out, [`allocate_at`](OffsetPool::allocate_at) its new place,
    /// copy, and [`free`](OffsetPool::free) the old one.
    pub fn next_move(&self, below: Option<u64>) -> Option<Move> {
        let mut step = ffi::Move {
            from: below.unwrap_or(ffi::NO_OFFSET),
            to: 0,
            size: 0,
        };
        // SAFETY: the pool is live.
        let found = unsafe {
            ffi::bitfit_next_move(self.raw.as_ptr(), step.from, &mut step)
        };
        found.then_some(Move {
            from: step.from,
            to: step.to,
            size: step.size,
        })
    }

    /// The largest request that would succeed now; exact.
    pub fn largest_free(&self) -> u64 {
        // SAFETY: the pool is live.
        unsafe { ffi::bitfit_largest_free(self.raw.as_ptr()) }
    }

    /// A consistent snapshot.
    pub fn stats(&self) -> OffsetStats {
        let mut stats = ffi::SizedOffsetStats {
            struct_size: mem::size_of::<ffi::SizedOffsetStats>(),
            stats: OffsetStats::default(),
        };
        // SAFETY: the pool is live, and the struct says its size.
        unsafe {
            ffi::bitfit_get_offset_stats(self.raw.as_ptr(), &mut stats);
        }
        stats.stats
    }

    /// 0, or the number of the first invariant that is broken.
    pub fn check(&self) -> i32 {
        // SAFETY: the pool is live.
        unsafe { ffi::bitfit_check(self.raw.as_ptr()) }
    }

    /// Shows every block and every hole from the lowest on, under the lock,
    /// until `visit` breaks. Rules as for [`Pool::walk`](crate::Pool::walk).
    pub fn walk<B>(
        &self,
        visit: impl FnMut(Range) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut walk = Walk {
            visit,
            flow: ControlFlow::Continue(()),
        };
        let show = shows(&walk);
        let context: *mut c_void = ptr::addr_of_mut!(walk).cast();
        // SAFETY: the pool is live, and `show` gets the context it expects.
        unsafe {
            ffi::bitfit_walk_offsets(self.raw.as_ptr(), show, context);
        }
        walk.flow
    }
}

fn some(offset: u64) -> Option<u64> {
    (offset != ffi::NO_OFFSET).then_some(offset)
}

impl<L: Lock> Drop for OffsetPool<'_, L> {
    fn drop(&mut self) {
        // SAFETY: the pool is live, and this is its last use.
        unsafe { ffi::bitfit_destroy(self.raw.as_ptr()) };
    }
}

impl<L: Lock> fmt::Debug for OffsetPool<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OffsetPool")
            .field("stats", &self.stats())
            .finish()
    }
}

/// A visitor, and what it said last.
struct Walk<V, B> {
    visit: V,
    flow: ControlFlow<B>,
}

/// The `show` for a walk of this type.
fn shows<V, B>(_walk: &Walk<V, B>) -> ffi::RangeVisitor
where
    V: FnMut(Range) -> ControlFlow<B>,
{
    show::<V, B>
}

unsafe extern "C" fn show<V, B>(
    range: *const ffi::Range,
    context: *mut c_void,
) -> bool
where
    V: FnMut(Range) -> ControlFlow<B>,
{
    // SAFETY: the core gives a valid range, and back the context of `walk`.
    let (range, walk) =
        unsafe { (&*range, &mut *context.cast::<Walk<V, B>>()) };
    let range = Range {
        offset: range.offset,
        size: range.size,
        live: range.live,
    };
    walk.flow = without_unwinding(|| (walk.visit)(range));
    matches!(walk.flow, ControlFlow::Continue(()))
}
