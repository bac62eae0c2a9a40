//! The pool itself.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use crate::default_lock::DefaultLock;
use crate::ffi;
use crate::lock::Lock;
use crate::options::{InitError, Options};
use crate::stats::Stats;

/// What the core asks of memory: the alignment of C's `max_align_t`, or more.
const MEMORY_ALIGNMENT: usize = 16;

/// One fixed block of memory, from which every request gets the lowest address
/// at which it fits.
///
/// The pool borrows its memory and keeps its bookkeeping in it. It ends when it
/// is dropped; nothing that is still in it is dropped with it.
///
/// ```
/// use bitfit::Pool;
/// use core::mem::MaybeUninit;
///
/// let mut memory = [MaybeUninit::uninit(); 4096];
/// let pool = Pool::new(&mut memory)?;
///
/// let numbers = pool.boxed([1, 2, 3]).unwrap();
/// assert_eq!(numbers.iter().sum::<i32>(), 6);
///
/// assert!(pool.boxed([0; 10_000]).is_err(), "no memory is an answer");
/// # Ok::<(), bitfit::InitError>(())
/// ```
///
/// Blocks without an owner are asked for and given back by [`Layout`]; there
/// the pool is also a [`GlobalAlloc`], for what takes one. A layout of size 0
/// gets a block of its own.
pub struct Pool<'a, L: Lock = DefaultLock> {
    pub(crate) raw: NonNull<ffi::Pool>,
    /// Every block starts at a multiple of it.
    block_alignment: usize,
    /// Whether a change of size always moves.
    resize_moves: bool,
    memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
    lock: PhantomData<fn() -> L>,
}

// SAFETY: a pool has no ties to a thread: it holds its lock only during a call.
unsafe impl<L: Lock> Send for Pool<'_, L> {}

// SAFETY: every call on the core takes the pool's lock, and a lock that is Sync
// lets in one thread at a time; that is what `Lock` asks for. The other fields
// are never changed.
unsafe impl<L: Lock + Sync> Sync for Pool<'_, L> {}

impl<'a> Pool<'a> {
    /// A pool in `memory`, with the default options. A few bytes at its start
    /// may go unused, so that it is aligned.
    ///
    /// # Errors
    ///
    /// [`InitError::TooSmall`] if there is no room for one granule.
    pub fn new(memory: &'a mut [MaybeUninit<u8>]) -> Result<Self, InitError> {
        Pool::with_options(memory, Options::new())
    }
}

impl<'a, L: Lock> Pool<'a, L> {
    /// As [`Pool::new`], with options.
    ///
    /// # Errors
    ///
    /// The [`InitError`] says which option is bad.
    pub fn with_options(
        memory: &'a mut [MaybeUninit<u8>],
        options: Options<L>,
    ) -> Result<Self, InitError> {
        let memory = aligned(memory);
        // SAFETY: memory is borrowed for as long as the pool can live.
        unsafe { Pool::init(memory, &options.c_options()) }
    }

    /// As [`Pool::with_options`], with the bookkeeping apart from the blocks:
    /// then no overflow or underflow of theirs can reach it. It needs
    /// [`Pool::bookkeeping_size`] bytes, and 15 more if it is not aligned.
    ///
    /// # Errors
    ///
    /// [`InitError::BadBookkeeping`] if it is too small.
    pub fn with_bookkeeping(
        memory: &'a mut [MaybeUninit<u8>],
        bookkeeping: &'a mut [MaybeUninit<u8>],
        options: Options<L>,
    ) -> Result<Self, InitError> {
        let memory = aligned(memory);
        let bookkeeping = aligned(bookkeeping);
        let mut c_options = options.c_options();
        c_options.bookkeeping = bookkeeping.as_mut_ptr().cast();
        c_options.bookkeeping_size = bookkeeping.len();
        // SAFETY: both are borrowed for as long as the pool can live.
        unsafe { Pool::init(memory, &c_options) }
    }

    /// The bytes of bookkeeping, lock included, for `size` bytes of blocks. 0
    /// if and only if an option is bad or the size holds no granule.
    pub fn bookkeeping_size(size: usize, options: &Options<L>) -> usize {
        // SAFETY: the core reads the options.
        unsafe { ffi::bitfit_bookkeeping_size(size, &options.c_options()) }
    }

    /// # Safety
    ///
    /// The memory, and the bookkeeping of the options if there is one, belong
    /// to the pool until it is dropped. The options lock as `L` does.
    pub(crate) unsafe fn init(
        memory: &mut [MaybeUninit<u8>],
        options: &ffi::Options,
    ) -> Result<Self, InitError> {
        // An empty slice has no address that the core could judge.
        if memory.is_empty() {
            return Err(InitError::TooSmall);
        }
        let start: *mut c_void = memory.as_mut_ptr().cast();
        let size = memory.len();
        // SAFETY: the core checks all but what is asked for above.
        let raw = unsafe { ffi::bitfit_init(start, size, options) };
        match NonNull::new(raw) {
            Some(raw) => Ok(Pool {
                raw,
                block_alignment: options.granule.min(options.payload_alignment),
                resize_moves: options.resize_moves,
                memory: PhantomData,
                lock: PhantomData,
            }),
            // SAFETY: the core only looks at the arguments.
            None => Err(InitError::from_status(unsafe {
                ffi::bitfit_init_status(start, size, options)
            })),
        }
    }

    /// Ends the pool; returns the number of blocks that were still live.
    pub fn close(self) -> usize {
        let pool = core::mem::ManuallyDrop::new(self);
        // SAFETY: the pool is live, and this was its last use.
        unsafe { ffi::bitfit_destroy(pool.raw.as_ptr()) }
    }

    /// Takes every block back at once. The exclusive borrow says that none is
    /// owned by a [`PoolBox`](crate::PoolBox); pointers to others dangle then.
    pub fn reset(&mut self) {
        // SAFETY: the pool is live.
        unsafe { ffi::bitfit_reset(self.raw.as_ptr()) }
    }
}

/// The part of the memory that starts at an aligned address.
pub(crate) fn aligned(
    memory: &mut [MaybeUninit<u8>],
) -> &mut [MaybeUninit<u8>] {
    let skip = memory.as_ptr().align_offset(MEMORY_ALIGNMENT);
    memory.get_mut(skip..).unwrap_or_default()
}

impl<L: Lock> Drop for Pool<'_, L> {
    fn drop(&mut self) {
        // SAFETY: the pool is live, and this is its last use.
        unsafe { ffi::bitfit_destroy(self.raw.as_ptr()) };
    }
}

impl<L: Lock> fmt::Debug for Pool<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("stats", &self.stats())
            .finish()
    }
}

/// Blocks.
impl<L: Lock> Pool<'_, L> {
    /// A block for the layout. `None` if and only if it fits nowhere.
    pub fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let raw = self.raw.as_ptr();
        let (align, size) = (layout.align(), layout.size());
        // SAFETY: the pool is live.
        let block = unsafe {
            if align <= self.block_alignment {
                ffi::bitfit_alloc(raw, size)
            } else {
                ffi::bitfit_aligned_alloc(raw, align, size)
            }
        };
        NonNull::new(block.cast())
    }

    /// As [`Pool::allocate`], with all bytes zero.
    pub fn allocate_zeroed(&self, layout: Layout) -> Option<NonNull<u8>> {
        if layout.align() <= self.block_alignment {
            let raw = self.raw.as_ptr();
            // SAFETY: the pool is live.
            let block = unsafe { ffi::bitfit_calloc(raw, 1, layout.size()) };
            return NonNull::new(block.cast());
        }
        let block = self.allocate(layout)?;
        // SAFETY: the block has that many bytes.
        unsafe { block.as_ptr().write_bytes(0, layout.size()) };
        Some(block)
    }

    /// Changes a block's size, keeping its content and its alignment: in place
    /// if possible, else it moves. `None` if and only if it fits nowhere: the
    /// block is then as before. An alignment above the blocks' own makes it
    /// move to grow.
    ///
    /// # Safety
    ///
    /// The block at `ptr` is live, came from this pool for `layout`, and is not
    /// used by the old pointer any more if a new one is returned.
    pub unsafe fn reallocate(
        &self,
        ptr: NonNull<u8>,
        layout: Layout,
        new_size: usize,
    ) -> Option<NonNull<u8>> {
        let stays = new_size <= layout.size() && !self.resize_moves;
        if stays || layout.align() <= self.block_alignment {
            let raw = self.raw.as_ptr();
            let old = ptr.as_ptr().cast();
            // SAFETY: the pool is live, and the core checks the pointer.
            let block = unsafe { ffi::bitfit_realloc(raw, old, new_size) };
            return NonNull::new(block.cast());
        }
        let new = Layout::from_size_align(new_size, layout.align()).ok()?;
        let moved = self.allocate(new)?;
        let kept = layout.size().min(new_size);
        // SAFETY: both blocks have as many bytes, and are two.
        unsafe {
            ptr::copy_nonoverlapping(ptr.as_ptr(), moved.as_ptr(), kept);
            self.deallocate(ptr, layout);
        }
        Some(moved)
    }

    /// Gives a block back. A pointer that is not the start of a live block, or
    /// a layout of another size, is misuse and changes nothing.
    ///
    /// # Safety
    ///
    /// The block at `ptr` came from this pool for `layout`, and nobody uses it
    /// any more. (What the pool cannot see is a block that was given back
    /// before and handed out again.)
    pub unsafe fn deallocate(&self, ptr: NonNull<u8>, layout: Layout) {
        let raw = self.raw.as_ptr();
        let block: *mut c_void = ptr.as_ptr().cast();
        // A shrink that was to move and found no place keeps the block, and so
        // its size is not the layout's.
        // SAFETY: the pool is live, and the core checks the pointer.
        unsafe {
            if self.resize_moves {
                ffi::bitfit_free(raw, block);
            } else {
                ffi::bitfit_free_sized(raw, block, layout.size());
            }
        }
    }

    /// The bytes of the block at `ptr`, all of them usable. A pointer that is
    /// not the start of a live block is misuse: then 0.
    pub fn usable_size(&self, ptr: NonNull<u8>) -> usize {
        let block: *const c_void = ptr.as_ptr().cast();
        // SAFETY: the pool is live, and the core checks the pointer.
        unsafe { ffi::bitfit_usable_size(self.raw.as_ptr(), block) }
    }

    /// The size of the block that a request for `size` bytes would get; `None`
    /// if and only if that is more than the pool holds when it is empty.
    pub fn good_size(&self, size: usize) -> Option<usize> {
        let raw = self.raw.as_ptr();
        // SAFETY: the pool is live.
        let good = unsafe { ffi::bitfit_good_size(raw, size) };
        (good != 0).then_some(good)
    }

    /// Whether `ptr` lies where the pool's blocks lie, in a live one or not.
    pub fn owns<T: ?Sized>(&self, ptr: *const T) -> bool {
        // SAFETY: the pool is live, and the pointer is not followed.
        unsafe { ffi::bitfit_owns(self.raw.as_ptr(), ptr.cast()) }
    }
}

// SAFETY: blocks are as large and as aligned as the layout asks, do not overlap
// and stay where they are; nothing here unwinds but a misuse handler, and that
// aborts.
unsafe impl<L: Lock> GlobalAlloc for Pool<'_, L> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        or_null(self.allocate(layout))
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        or_null(self.allocate_zeroed(layout))
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        if let Some(ptr) = NonNull::new(ptr) {
            // SAFETY: the trait asks for the same.
            unsafe { self.deallocate(ptr, layout) }
        }
    }

    unsafe fn realloc(
        &self,
        ptr: *mut u8,
        layout: Layout,
        new_size: usize,
    ) -> *mut u8 {
        // SAFETY: the trait asks for the same.
        let block = NonNull::new(ptr)
            .and_then(|ptr| unsafe { self.reallocate(ptr, layout, new_size) });
        or_null(block)
    }
}

fn or_null(block: Option<NonNull<u8>>) -> *mut u8 {
    block.map_or(ptr::null_mut(), NonNull::as_ptr)
}

/// Seeing.
impl<L: Lock> Pool<'_, L> {
    /// The statistics as of now.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        // SAFETY: the pool is live, and Stats is bitfit_stats.
        unsafe { ffi::bitfit_get_stats(self.raw.as_ptr(), &mut stats) };
        stats
    }

    /// Begins a new measurement of [`Stats::peak_live`].
    pub fn reset_peak(&self) {
        // SAFETY: the pool is live.
        unsafe { ffi::bitfit_reset_peak(self.raw.as_ptr()) };
    }

    /// Bytes in blocks, as of now.
    pub fn used(&self) -> usize {
        self.stats().live
    }

    /// Bytes in holes, as of now; [`Stats::largest_free`] is the longest.
    pub fn free(&self) -> usize {
        self.stats().free
    }

    /// Verifies every invariant of the bookkeeping.
    ///
    /// # Errors
    ///
    /// The number of the first invariant that is broken; the design document
    /// of bitfit lists them.
    pub fn check(&self) -> Result<(), i32> {
        // SAFETY: the pool is live.
        match unsafe { ffi::bitfit_check(self.raw.as_ptr()) } {
            0 => Ok(()),
            broken => Err(broken),
        }
    }

    /// Draws the pool, one character for each granule: `.` is free, a letter is
    /// a block; blocks take A to Z in the order of addresses. A buffer that is
    /// too short gets the beginning; one byte of it is for C's NUL.
    ///
    /// ```
    /// # let mut memory = [core::mem::MaybeUninit::uninit(); 4096];
    /// # let pool = bitfit::Pool::new(&mut memory)?;
    /// let a = pool.boxed([0u8; 32]);
    /// let b = pool.boxed(0u8);
    /// drop(a);
    /// assert_eq!(pool.draw(&mut [0; 9]), "..A.....");
    /// # Ok::<(), bitfit::InitError>(())
    /// ```
    pub fn draw<'b>(&self, buffer: &'b mut [u8]) -> &'b str {
        let raw = self.raw.as_ptr();
        // SAFETY: the core writes inside the buffer.
        let granules =
            unsafe { ffi::bitfit_draw(raw, buffer.as_mut_ptr(), buffer.len()) };
        let drawn = granules.min(buffer.len().saturating_sub(1));
        core::str::from_utf8(&buffer[..drawn]).unwrap_or_default()
    }
}
