//! The blocks and holes of a pool, one after the other.

use core::ffi::c_void;
use core::fmt;
use core::ops::ControlFlow;
use core::ptr::{self, NonNull};

use crate::callback::without_unwinding;
use crate::default_lock::DefaultLock;
use crate::ffi;
use crate::lock::Lock;
use crate::pool::Pool;

/// One run of granules: a block, or a hole between blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where it starts.
    pub start: NonNull<u8>,
    /// Its bytes.
    pub size: usize,
    /// Whether it is a block.
    pub live: bool,
}

/// Looking at all of it.
impl<L: Lock> Pool<'_, L> {
    /// Every block and every hole, in the order of addresses.
    ///
    /// No lock is held between two of them, so that the loop may use the pool,
    /// also where the pool is the global allocator; what changes meanwhile is
    /// shown as it is when the iterator comes there. [`Pool::walk`] sees
    /// everything at one moment.
    ///
    /// Time: a look at the runs before it for every 32 runs.
    ///
    /// ```
    /// # let mut memory = [core::mem::MaybeUninit::uninit(); 4096];
    /// # let pool = bitfit::Pool::new(&mut memory)?;
    /// let _a = pool.boxed([0u8; 100]);
    /// let _b = pool.boxed(7);
    /// let sizes: Vec<usize> =
    ///     pool.runs().filter(|run| run.live).map(|run| run.size).collect();
    /// assert_eq!(sizes, [112, 16]);
    /// # Ok::<(), bitfit::InitError>(())
    /// ```
    pub fn runs(&self) -> Runs<'_, L> {
        Runs {
            pool: self,
            batch: [None; BATCH],
            next: BATCH,
            from: 0,
        }
    }

    /// Shows every block and every hole in the order of addresses, under the
    /// lock, until `visit` breaks.
    ///
    /// `visit` must not call the pool: that is misuse. Where the pool is the
    /// global allocator it must not allocate. A panic in it aborts.
    ///
    /// ```
    /// # use core::ops::ControlFlow;
    /// # let mut memory = [core::mem::MaybeUninit::uninit(); 4096];
    /// # let pool = bitfit::Pool::new(&mut memory)?;
    /// let _block = pool.boxed(7);
    /// let mut holes = 0;
    /// pool.walk(|run| -> ControlFlow<()> {
    ///     holes += usize::from(!run.live);
    ///     ControlFlow::Continue(())
    /// });
    /// assert_eq!(holes, 1);
    /// # Ok::<(), bitfit::InitError>(())
    /// ```
    pub fn walk<B>(
        &self,
        visit: impl FnMut(Run) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut walk = Walk {
            visit,
            flow: ControlFlow::Continue(()),
        };
        let show = shows(&walk);
        let context: *mut c_void = ptr::addr_of_mut!(walk).cast();
        // SAFETY: the pool is live, and `show` gets the context it expects.
        unsafe { ffi::bitfit_walk(self.raw.as_ptr(), show, context) };
        walk.flow
    }
}

const BATCH: usize = 32;

/// The iterator of [`Pool::runs`].
pub struct Runs<'p, L: Lock = DefaultLock> {
    pool: &'p Pool<'p, L>,
    /// The runs that come next, up to the first `None`.
    batch: [Option<Run>; BATCH],
    next: usize,
    /// The address behind the last run of the batch.
    from: usize,
}

impl<L: Lock> Runs<'_, L> {
    /// Looks up the runs from `from` on.
    fn refill(&mut self) {
        let (batch, from) = (&mut self.batch, &mut self.from);
        let mut count = 0;
        batch.fill(None);
        let _ = self.pool.walk(|run| {
            let start = run.start.as_ptr() as usize;
            if start >= *from {
                batch[count] = Some(run);
                count += 1;
                *from = start + run.size;
            }
            if count < BATCH {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        self.next = 0;
    }
}

impl<L: Lock> Iterator for Runs<'_, L> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        if self.next == BATCH {
            self.refill();
        }
        let run = self.batch[self.next]?;
        self.next += 1;
        Some(run)
    }
}

impl<L: Lock> core::iter::FusedIterator for Runs<'_, L> {}

impl<L: Lock> fmt::Debug for Runs<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").field("from", &self.from).finish()
    }
}

/// A visitor, and what it said last.
struct Walk<V, B> {
    visit: V,
    flow: ControlFlow<B>,
}

/// The `show` for a walk of this type.
fn shows<V, B>(_walk: &Walk<V, B>) -> ffi::Visitor
where
    V: FnMut(Run) -> ControlFlow<B>,
{
    show::<V, B>
}

unsafe extern "C" fn show<V, B>(
    run: *const ffi::Run,
    context: *mut c_void,
) -> bool
where
    V: FnMut(Run) -> ControlFlow<B>,
{
    // SAFETY: the core gives a valid run, and back the context of `walk`.
    let (run, walk) = unsafe { (&*run, &mut *context.cast::<Walk<V, B>>()) };
    // SAFETY: no run starts at address 0.
    let start = unsafe { NonNull::new_unchecked(run.start.cast()) };
    let run = Run {
        start,
        size: run.size,
        live: run.live,
    };
    walk.flow = without_unwinding(|| (walk.visit)(run));
    matches!(walk.flow, ControlFlow::Continue(()))
}
